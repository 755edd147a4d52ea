// Stopping guest code: interrupt handles, and limits of getLoadedSandbox().
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { InterruptHandle, type LoadOptions } from '@hyperlight/js-host-api';
import { until, virtualMachines } from './memory';
import {
  Lines,
  load,
  loadBody,
  loadWithHost,
  loadWithLines,
  rejection,
  STRETCH,
  start,
  startWithLines,
} from './sandbox';

const COUNT = 'let count = 0; function handler() { return ++count; }';
const SPIN = 'for (;;);';
const SPIN_AT_TOP_LEVEL = `function handler() {} ${SPIN}`;

test('kill() stops a running handler, and restore() brings the sandbox back', async () => {
  const lines = new Lines();
  const loaded = await loadWithLines(lines, { spin: SPIN, count: 'globalThis.n ??= 0; return ++n;' });
  const snapshot = await loaded.snapshot();
  const handle = loaded.interruptHandle;
  assert.ok(handle instanceof InterruptHandle);
  const call = rejection('ERR_CANCELLED', loaded.callHandler('spin', {}));
  await lines.next();
  handle.kill();
  await call;
  assert.equal(loaded.poisoned, true);
  await rejection('ERR_POISONED', loaded.callHandler('count', {}));
  await rejection('ERR_POISONED', loaded.snapshot());
  await loaded.restore(snapshot);
  assert.equal(loaded.poisoned, false);
  assert.equal(await loaded.callHandler('count', {}), 1);
});

test('unload() brings a killed sandbox back as well', async () => {
  const lines = new Lines();
  const loaded = await loadWithLines(lines, { f: SPIN });
  const call = rejection('ERR_CANCELLED', loaded.callHandler('f', {}));
  await lines.next();
  loaded.interruptHandle.kill();
  await call;
  const sandbox = await loaded.unload();
  assert.equal(sandbox.poisoned, false);
  sandbox.addHandler('count', COUNT);
  assert.equal(await (await sandbox.getLoadedSandbox()).callHandler('count', {}), 1);
});

test('kill() harms no later call when nothing runs', async () => {
  const loaded = await loadBody('return event;');
  const handle = loaded.interruptHandle;
  for (let i = 0; i < 100; i++) {
    handle.kill();
    assert.equal(await loaded.callHandler('f', i), i);
    handle.kill();
  }
  await loaded.unload();
  handle.kill();
});

test('kill() means the next call as soon as a promise tells of the end of the one before', async () => {
  const loaded = await load({ spin: `function handler() { ${SPIN} }`, quick: 'function handler() {}' });
  const snapshot = await loaded.snapshot();
  for (let i = 0; i < 200; i++) {
    await loaded.callHandler('quick', null);
    const spin = rejection('ERR_CANCELLED', loaded.callHandler('spin', null, { wallClockTimeoutMs: 20_000 }));
    loaded.interruptHandle.kill();
    assert.equal(
      (await spin).terminatedBy,
      null,
      `round ${i}: kill() was lost, and the time limit has stopped the call`,
    );
    await loaded.restore(snapshot);
  }
});

test('kill() stops a call however early it comes', async () => {
  const loaded = await loadBody(SPIN);
  const snapshot = await loaded.snapshot();
  for (let i = 0; i < 20; i++) {
    const call = rejection('ERR_CANCELLED', loaded.callHandler('f', {}));
    if (i % 2) await Promise.resolve();
    loaded.interruptHandle.kill();
    await call;
    assert.equal(loaded.status, 'poisoned');
    assert.notEqual(loaded.lastCallStats, null);
    await loaded.restore(snapshot);
  }
});

test('kill() and timeouts stop whatever keeps the engine busy, also within one of its functions', async () => {
  const busy = {
    pattern: "/^(a+)+$/.test('a'.repeat(100) + 'b');",
    parse: "const text = '[' + '1,'.repeat(1e5) + '1]'; for (;;) JSON.parse(text);",
    stringify: 'const list = new Array(1e5).fill(1); for (;;) JSON.stringify(list);',
    sort: 'for (;;) Array.from({ length: 1e5 }, (_, i) => i).sort(() => Math.random() - 0.5);',
    fill: 'const list = new Array(1e6); for (;;) list.fill(0);',
    replace: "for (;;) 'ab'.repeat(1e5).replaceAll('a', 'cc');",
    promises: 'const again = () => Promise.resolve().then(again); again();',
    getter: 'return { get a() { for (;;); } };',
  };
  const lines = new Lines();
  const loaded = await loadWithLines(lines, busy);
  const snapshot = await loaded.snapshot();
  for (const name of Object.keys(busy)) {
    const killed = rejection('ERR_CANCELLED', loaded.callHandler(name, {}));
    await lines.next();
    loaded.interruptHandle.kill();
    await killed;
    for (const limit of ['wallClockTimeoutMs', 'cpuTimeoutMs']) {
      // A call that was stopped before it was busy shows nothing. It gets more time then: other programs run on the machine.
      for (let milliseconds = 30, begun = false; !begun; milliseconds *= 2) {
        await loaded.restore(snapshot);
        await rejection('ERR_CANCELLED', loaded.callHandler(name, {}, { [limit]: milliseconds }));
        begun = lines.taken().length > 0;
      }
    }
    await loaded.restore(snapshot);
  }
});

test('kill() stops a call that waits for an operation before it', async () => {
  const loaded = await load({ spin: `function handler() { ${SPIN} }`, count: COUNT });
  const snapshot = await loaded.snapshot();
  const restoring = loaded.restore(snapshot);
  const call = rejection('ERR_CANCELLED', loaded.callHandler('spin', {}));
  loaded.interruptHandle.kill();
  await restoring;
  await call;
});

test('of several calls kill() stops the oldest, and the others find the sandbox poisoned', async () => {
  let release = () => {};
  let enter = () => {};
  const entered = new Promise<void>((resolve) => (enter = resolve));
  const wait = () => {
    enter();
    return new Promise<void>((resolve) => (release = resolve));
  };
  const loaded = await loadWithHost({ wait }, "if (event === 'spin') for (;;); host.wait(); return event;");
  const first = loaded.callHandler('f', 'first');
  const second = rejection('ERR_CANCELLED', loaded.callHandler('f', 'spin'));
  const third = rejection('ERR_POISONED', loaded.callHandler('f', 'third'));
  await entered;
  release();
  assert.equal(await first, 'first');
  loaded.interruptHandle.kill();
  await second;
  await third;
});

test('getLoadedSandbox() stops what does not end in time, and the sandbox stays usable', async () => {
  const sandbox = await start();
  sandbox.addHandler('count', COUNT);
  const endless = {
    loop: SPIN_AT_TOP_LEVEL,
    wait: 'function handler() {} await new Promise(() => {}); ',
    pattern: `function handler() {} /^(a+)+$/.test('a'.repeat(100) + 'b');`,
    module: "import 'user:endless'; function handler() {}",
  };
  sandbox.addModule('endless', SPIN);
  for (const [name, source] of Object.entries(endless)) {
    for (const options of [
      { wallClockTimeoutMs: 100 * STRETCH },
      { cpuTimeoutMs: 100 * STRETCH },
      { wallClockTimeoutMs: 100 * STRETCH, cpuTimeoutMs: 90 * STRETCH },
    ]) {
      sandbox.addHandler(name, source);
      // A promise that nothing can settle is found out at once.
      await rejection(name === 'wait' ? 'ERR_COMPILE' : 'ERR_CANCELLED', sandbox.getLoadedSandbox(options));
      assert.equal(sandbox.status, 'ready');
      sandbox.removeHandler(name);
    }
  }
  const loaded = await sandbox.getLoadedSandbox({ wallClockTimeoutMs: 60_000, cpuTimeoutMs: 60_000 });
  assert.equal(await loaded.callHandler('count', {}), 1);
});

test('getLoadedSandbox() refuses bad options and is not consumed by them', async () => {
  const sandbox = await start();
  sandbox.addHandler('count', COUNT);
  for (const wrong of [
    1,
    null,
    { gc: true },
    { timeout: 1 },
    { wallClockTimeoutMs: 0 },
    { cpuTimeoutMs: 3_600_001 },
    { cpuTimeoutMs: '1' },
  ]) {
    await rejection('ERR_INVALID_ARG', sandbox.getLoadedSandbox(wrong as LoadOptions));
  }
  assert.equal(await (await sandbox.getLoadedSandbox({})).callHandler('count', {}), 1);
});

test('the handle of a JSSandbox stops getLoadedSandbox(), and then the calls of what it gave', async () => {
  const lines = new Lines();
  const sandbox = await startWithLines(lines);
  sandbox.addHandler('f', `console.log('begun'); ${SPIN_AT_TOP_LEVEL}`);
  const handle = sandbox.interruptHandle;
  handle.kill();
  for (const isBegun of [false, true]) {
    const loading = rejection('ERR_CANCELLED', sandbox.getLoadedSandbox());
    if (isBegun) await lines.next();
    handle.kill();
    await loading;
    assert.equal(sandbox.status, 'ready');
  }
  sandbox.removeHandler('f');
  sandbox.addHandler('f', `function handler() { ${SPIN} }`);
  const loaded = await sandbox.getLoadedSandbox();
  const call = rejection('ERR_CANCELLED', loaded.callHandler('f', {}));
  handle.kill();
  await call;
});

test('a worker that is terminated during getLoadedSandbox() leaves no guest running', async () => {
  const before = virtualMachines();
  const worker = new Worker(join(__dirname, 'loading-worker.js'), {
    workerData: `console.log('begun'); ${SPIN_AT_TOP_LEVEL}`,
  });
  await new Promise((resolve) => worker.once('message', resolve));
  await worker.terminate();
  // The virtual machine goes when its thread has come back from it.
  assert.ok(await until(() => virtualMachines() <= before));
});
