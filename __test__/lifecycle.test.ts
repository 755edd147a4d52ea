import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JSSandbox, SandboxBuilder, Snapshot } from '@hyperlight/js-host-api';
import { load, loadBody, loadWithHost, never, rejection, start, startWithHost, thrown } from './sandbox';

const COUNT = 'let count = 0; function handler() { return ++count; }';
const SPIN = 'for (;;);';

test('unload() gives a sandbox without handlers, modules and state', async () => {
  const sandbox = await start();
  sandbox.addHandler('count', COUNT);
  sandbox.addModule('m', 'export const x = 1;');
  const loaded = await sandbox.getLoadedSandbox();
  await loaded.callHandler('count', {});
  const unloaded = await loaded.unload();
  assert.ok(unloaded instanceof JSSandbox);
  unloaded.addHandler('other', 'function handler() { return typeof count; }');
  unloaded.addModule('m', 'export const x = 2;');
  unloaded.addHandler('count', COUNT);
  const reloaded = await unloaded.getLoadedSandbox();
  assert.equal(await reloaded.callHandler('other', {}), 'undefined');
  assert.equal(await reloaded.callHandler('count', {}), 1);
});

test('unload() waits for the calls before it and refuses all after it', async () => {
  const loaded = await load({ count: COUNT });
  const snapshot = await loaded.snapshot();
  const before = [loaded.callHandler('count', {}), loaded.callHandler('count', {})];
  const unloading = loaded.unload();
  const after = [
    () => loaded.callHandler('count', {}),
    () => loaded.snapshot(),
    () => loaded.restore(snapshot),
    () => loaded.unload(),
  ];
  for (const operation of after) {
    const error = await rejection('ERR_CONSUMED', operation());
    assert.match(error.message, /unload/);
  }
  assert.deepEqual(await Promise.all(before), [1, 2]);
  await unloading;
  for (const operation of after) await rejection('ERR_CONSUMED', operation());
  assert.equal(loaded.poisoned, false);
});

test('snapshots and restores take their turn among the calls', async () => {
  const loaded = await load({ count: COUNT });
  const results = await Promise.all([
    loaded.callHandler('count', {}),
    loaded.snapshot().then((snapshot) => {
      assert.ok(snapshot instanceof Snapshot);
      return snapshot;
    }),
    loaded.callHandler('count', {}),
    loaded.callHandler('count', {}),
  ]);
  assert.deepEqual([results[0], results[2], results[3]], [1, 2, 3]);
  const again = [loaded.restore(results[1]), loaded.callHandler('count', {}), loaded.restore(results[1])];
  assert.deepEqual(await Promise.all([...again, loaded.callHandler('count', {})]), [undefined, 2, undefined, 2]);
});

test('a snapshot can be restored into another sandbox with the same host functions', async () => {
  const make = () => loadWithHost({ name: () => 'host' }, 'globalThis.n ??= 0; return host.name() + ++globalThis.n;');
  const [one, other] = await Promise.all([make(), make()]);
  assert.equal(await one.callHandler('f', {}), 'host1');
  const snapshot = await one.snapshot();
  await other.restore(snapshot);
  assert.equal(await other.callHandler('f', {}), 'host2');
  assert.equal(await one.callHandler('f', {}), 'host2');
});

test('a snapshot that needs other host functions is refused with their names', async () => {
  const snapshot = await (await loadWithHost({ name: () => 'host' }, '')).snapshot();
  for (const sandbox of [await start(), await startWithHost({ other: () => 1 })]) {
    const loaded = await sandbox.getLoadedSandbox();
    const error = await rejection('ERR_INVALID_ARG', loaded.restore(snapshot));
    assert.match(error.message, /host:test name/);
    assert.equal(loaded.poisoned, false);
  }
});

test('restore() takes nothing but a snapshot', async () => {
  const loaded = await loadBody('return event;');
  for (const wrong of [undefined, null, 1, {}, loaded, Object.create(Snapshot.prototype)] as Snapshot[]) {
    await rejection('ERR_INVALID_ARG', loaded.restore(wrong));
  }
  assert.equal(await loaded.callHandler('f', 1), 1);
});

test('dispose() gives objects up, and nothing can be done with them any more', async () => {
  const proto = await new SandboxBuilder().build();
  const module = proto.hostModule('m');
  proto.dispose();
  assert.match((await rejection('ERR_CONSUMED', proto.loadRuntime())).message, /dispose/);
  thrown('ERR_CONSUMED', () => module.register('f', () => {}));

  const sandbox = await start();
  sandbox.dispose();
  thrown('ERR_CONSUMED', () => sandbox.addHandler('f', ''));
  await rejection('ERR_CONSUMED', sandbox.getLoadedSandbox());

  const loaded = await loadBody('return event;');
  const other = await loadBody('return event;');
  const snapshot = await loaded.snapshot();
  loaded.dispose();
  await rejection('ERR_CONSUMED', loaded.callHandler('f', {}));
  await rejection('ERR_CONSUMED', loaded.unload());
  await other.restore(snapshot);
  snapshot.dispose();
  await rejection('ERR_CONSUMED', other.restore(snapshot));
  assert.equal(await other.callHandler('f', 1), 1);
  for (const object of [proto, sandbox, loaded, snapshot]) {
    object.dispose();
    object[Symbol.dispose]();
    await object[Symbol.asyncDispose]();
  }
});

test('disposing of an object that was consumed does nothing', async () => {
  const proto = await new SandboxBuilder().build();
  const sandbox = await proto.loadRuntime();
  await proto[Symbol.asyncDispose]();
  sandbox.addHandler('count', COUNT);
  const loaded = await sandbox.getLoadedSandbox();
  sandbox[Symbol.dispose]();
  assert.equal(await loaded.callHandler('count', {}), 1);
  const unloaded = await loaded.unload();
  loaded.dispose();
  await loaded[Symbol.asyncDispose]();
  unloaded.addHandler('count', COUNT);
  assert.equal(await (await unloaded.getLoadedSandbox()).callHandler('count', {}), 1);
});

test('disposing of a sandbox stops its call and refuses those that wait', async () => {
  for (const body of [SPIN, 'host.never();']) {
    for (const isBegun of [false, true]) {
      let begin = () => {};
      const begun = new Promise<void>((resolve) => (begin = resolve));
      const functions = { begin: () => begin(), never };
      const loaded = await loadWithHost(functions, `host.begin(); ${body}`);
      const calls = Promise.allSettled([loaded.callHandler('f', {}), loaded.callHandler('f', {}), loaded.snapshot()]);
      if (isBegun) await begun;
      await loaded[Symbol.asyncDispose]();
      const codes = (await calls).map((result) => (result as PromiseRejectedResult).reason.code);
      assert.deepEqual(codes.slice(1), ['ERR_CONSUMED', 'ERR_CONSUMED']);
      assert.ok(['ERR_CANCELLED', 'ERR_CONSUMED'].includes(codes[0]), codes[0]);
      if (isBegun) assert.equal(codes[0], 'ERR_CANCELLED');
    }
  }
});

test('a host function can dispose of the sandbox whose call it serves', async () => {
  const loaded = await loadWithHost({ end: () => loaded[Symbol.asyncDispose]() }, 'host.end();');
  await rejection('ERR_CANCELLED', loaded.callHandler('f', {}));
});

test('the symbols are the only names of their methods', () => {
  for (const { prototype } of [JSSandbox, Snapshot]) {
    assert.ok(Object.getOwnPropertySymbols(prototype).includes(Symbol.dispose));
    assert.ok(!Object.getOwnPropertyNames(prototype).some((name) => name.includes('Symbol')));
  }
});
