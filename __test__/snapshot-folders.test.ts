// Snapshots on disk, and sandboxes that start from snapshots.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ProtoJSSandbox, SandboxBuilder, SandboxPool, Snapshot } from '@hyperlight/js-host-api';
import { load, loadWithHost, rejection, runProgram, thrown } from './sandbox';

const COUNT = 'let count = 0; function handler() { return ++count; }';

let parent: string;
before(async () => {
  parent = await mkdtemp(join(tmpdir(), 'hyperlight-'));
});
after(() => rm(parent, { recursive: true }));

async function loaded(proto: Promise<ProtoJSSandbox>) {
  return (await (await proto).loadRuntime()).getLoadedSandbox();
}

test('a snapshot is saved and a sandbox starts from it, also in another process', async () => {
  const folder = join(parent, 'counter');
  const sandbox = await load({ count: COUNT });
  await sandbox.callHandler('count', {});
  const digest = await (await sandbox.snapshot()).save(folder);
  assert.match(digest, /^sha256:[0-9a-f]{64}$/);

  const snapshot = await Snapshot.load(folder, digest);
  assert.ok(snapshot instanceof Snapshot);
  const started = await loaded(SandboxBuilder.fromSnapshot(snapshot).build());
  assert.equal(await started.callHandler('count', {}), 2);
  await started.restore(snapshot);
  assert.equal(await started.callHandler('count', {}), 2);
  await sandbox.restore(snapshot);
  assert.equal(await sandbox.callHandler('count', {}), 2);

  const program = `
    const { SandboxBuilder, Snapshot } = require('@hyperlight/js-host-api');
    (async () => {
      const snapshot = await Snapshot.load(${JSON.stringify(folder)});
      const proto = await SandboxBuilder.fromSnapshot(snapshot).build();
      const loaded = await (await proto.loadRuntime()).getLoadedSandbox();
      console.log(await loaded.callHandler('count', {}));
    })();
  `;
  assert.equal(await runProgram(program), '2\n');
});

test('a sandbox starts from a snapshot in memory as well, as often as needed', async () => {
  const sandbox = await load({ count: COUNT });
  const snapshot = await sandbox.snapshot();
  const started = await Promise.all([1, 2, 3].map(() => loaded(SandboxBuilder.fromSnapshot(snapshot).build())));
  snapshot.dispose();
  for (const one of started) assert.equal(await one.callHandler('count', {}), 1);
  thrown('ERR_CONSUMED', () => SandboxBuilder.fromSnapshot(snapshot));
  for (const wrong of [undefined, null, 1, {}, sandbox]) {
    thrown('ERR_INVALID_ARG', () => SandboxBuilder.fromSnapshot(wrong as Snapshot));
  }
});

test('the settings are those of the snapshot, and the host functions must be there', async () => {
  const first = await loadWithHost({ who: () => 'first' }, 'return host.who();');
  const snapshot = await first.snapshot();
  await rejection(
    'ERR_INVALID_ARG',
    SandboxBuilder.fromSnapshot(snapshot)
      .setHeapSize(1 << 20)
      .build(),
  );
  const without = await SandboxBuilder.fromSnapshot(snapshot).build();
  assert.match((await rejection('ERR_INVALID_ARG', without.loadRuntime())).message, /host:test who/);
  const lines: string[] = [];
  const proto = await SandboxBuilder.fromSnapshot(snapshot)
    .setHostPrintFn((_, text) => lines.push(text))
    .build();
  proto.register('test', 'who', () => 'second');
  const second = await loaded(Promise.resolve(proto));
  assert.equal(await second.callHandler('f', {}), 'second');
  assert.equal(await first.callHandler('f', {}), 'first');
});

test('nothing can be added to a sandbox that started from a snapshot until it is unloaded', async () => {
  const snapshot = await (await load({ count: COUNT })).snapshot();
  const sandbox = await (await SandboxBuilder.fromSnapshot(snapshot).build()).loadRuntime();
  thrown('ERR_INVALID_ARG', () => sandbox.addHandler('other', COUNT));
  thrown('ERR_INVALID_ARG', () => sandbox.addModule('other', ''));
  const unloaded = await (await sandbox.getLoadedSandbox()).unload();
  unloaded.addHandler('other', COUNT);
  const reloaded = await unloaded.getLoadedSandbox();
  assert.equal(await reloaded.callHandler('other', {}), 1);
  await rejection('ERR_HANDLER_NOT_FOUND', reloaded.callHandler('count', {}));
});

test('handlers can be added to a sandbox that starts from a snapshot of one without loaded handlers', async () => {
  const folder = join(parent, 'template');
  const proto = await new SandboxBuilder().build();
  proto.register('m', 'add', (a: number, b: number) => a + b);
  proto.registerAsync('m', 'later', async () => 'later');
  proto.register('a', 'b', () => 1);
  const sandbox = await proto.loadRuntime();
  sandbox.addModule('next', `import { add } from 'host:m'; export const next = (n) => add(n, 1);`);
  sandbox.addHandler('count', COUNT);
  const snapshot = await sandbox.snapshot();
  await (await sandbox.getLoadedSandbox()).callHandler('count', {});
  await rejection('ERR_CONSUMED', sandbox.snapshot());
  await snapshot.save(folder, 'template');
  for (const template of [snapshot, await Snapshot.load(folder, 'template')]) {
    assert.equal(template.isLoaded, false);
    assert.deepEqual(template.requirements, {
      hostFunctions: [
        { module: 'a', functions: ['b'], asyncFunctions: [] },
        { module: 'm', functions: ['add'], asyncFunctions: ['later'] },
      ],
    });
    const without = await SandboxBuilder.fromSnapshot(template).build();
    without.register('m', 'add', () => 1);
    const { message } = await rejection('ERR_INVALID_ARG', without.loadRuntime());
    assert.match(message, /host:a b, host:m later \(asynchronous\)/);

    const proto = await SandboxBuilder.fromSnapshot(template).build();
    proto.register('m', 'add', (a: number, b: number) => a + b);
    proto.registerAsync('m', 'later', async () => 'later');
    proto.register('a', 'b', () => 1);
    const next = await proto.loadRuntime();
    next.addHandler('two', `import { next } from 'user:next'; export const handler = (n) => next(n);`);
    thrown('ERR_INVALID_ARG', () => next.addHandler('count', COUNT));
    const ready = await next.getLoadedSandbox();
    assert.deepEqual([await ready.callHandler('count', {}), await ready.callHandler('two', 1)], [1, 2]);
    await rejection('ERR_INVALID_ARG', ready.restore(template));
    assert.equal(await ready.callHandler('count', {}), 2);
    assert.equal((await ready.snapshot()).isLoaded, true);
    thrown('ERR_INVALID_ARG', () => new SandboxPool({ size: 1, snapshot: template }));
  }
  snapshot.dispose();
  thrown('ERR_CONSUMED', () => snapshot.requirements);
  thrown('ERR_CONSUMED', () => snapshot.isLoaded);
});

test('a folder that holds no usable snapshot is refused with the reason', async () => {
  const folder = join(parent, 'changed');
  const digest = await (await (await load({ count: COUNT })).snapshot()).save(folder);
  assert.match((await rejection('ERR_SNAPSHOT', Snapshot.load(join(parent, 'nothing')))).message, /nothing/);
  await rejection('ERR_SNAPSHOT', Snapshot.load(parent));
  await rejection('ERR_SNAPSHOT', Snapshot.load(folder, `sha256:${'0'.repeat(64)}`));
  await rejection('ERR_SNAPSHOT', Snapshot.load(folder, 'other'));
  const manifest = join(folder, 'blobs', 'sha256', digest.slice('sha256:'.length));
  const content = await readFile(manifest, 'utf8');
  await writeFile(manifest, content.replace(/[0-9a-f]{64}/, '0'.repeat(64)));
  await rejection('ERR_SNAPSHOT', Snapshot.load(folder));
  await writeFile(manifest, content);
  await Snapshot.load(folder);
});

test('a folder holds several snapshots by their tags, and one without a tag by its digest', async () => {
  const folder = join(parent, 'tags');
  const sandbox = await load({ count: COUNT });
  const saved = async (tag?: string) => {
    await sandbox.callHandler('count', {});
    return (await sandbox.snapshot()).save(folder, tag);
  };
  const count = async (tagOrDigest?: string) => {
    const snapshot = await Snapshot.load(folder, tagOrDigest);
    return (await loaded(SandboxBuilder.fromSnapshot(snapshot).build())).callHandler('count', {});
  };
  const first = await saved('one');
  await saved();
  assert.deepEqual(await Promise.all([count('one'), count(first), count(), count('latest')]), [2, 2, 3, 3]);
  await saved('one');
  assert.deepEqual(await Promise.all([count('one'), count(first), count()]), [4, 2, 3]);

  const snapshot = await sandbox.snapshot();
  await Promise.all(['a', 'b', 'c'].map((tag) => snapshot.save(folder, tag)));
  assert.deepEqual(await Promise.all(['a', 'b', 'c', 'one'].map(count)), [4, 4, 4, 4]);
  for (const wrong of ['', '.', 'a/b', 'a:b', 'x'.repeat(129), 1 as unknown as string]) {
    await rejection('ERR_INVALID_ARG', snapshot.save(folder, wrong));
  }
});

test('what becomes of a folder after it was loaded does not matter', async () => {
  const folder = join(parent, 'cut-short');
  const digest = await (await (await load({ count: COUNT })).snapshot()).save(folder);
  const snapshot = await Snapshot.load(folder, digest);
  const blobs = join(folder, 'blobs', 'sha256');
  for (const blob of await readdir(blobs)) await truncate(join(blobs, blob), 1);
  const sandbox = await loaded(SandboxBuilder.fromSnapshot(snapshot).build());
  assert.equal(await sandbox.callHandler('count', {}), 1);
  await rejection('ERR_SNAPSHOT', Snapshot.load(folder, digest));
});

test('loading stops when its signal is aborted', async () => {
  const folder = join(parent, 'stopped');
  await (await (await load({ count: COUNT })).snapshot()).save(folder);
  const before = new AbortController();
  before.abort(new Error('too late'));
  const error = await rejection('ERR_CANCELLED', Snapshot.load(folder, undefined, { signal: before.signal }));
  assert.equal((error as Error).cause, before.signal.reason);
  const { signal } = new AbortController();
  await Snapshot.load(folder, undefined, { signal });
  await rejection('ERR_INVALID_ARG', Snapshot.load(folder, undefined, { signal: {} as AbortSignal }));

  const during = new AbortController();
  const loading = rejection('ERR_CANCELLED', Snapshot.load(folder, undefined, { signal: during.signal }));
  during.abort();
  await loading;
});

test('saving and loading check their arguments and what became of the snapshot', async () => {
  const snapshot = await (await load({ count: COUNT })).snapshot();
  for (const wrong of [undefined, '', 1, {}] as string[]) {
    await rejection('ERR_INVALID_ARG', snapshot.save(wrong));
    await rejection('ERR_INVALID_ARG', Snapshot.load(wrong));
  }
  await rejection('ERR_INVALID_ARG', Snapshot.load(parent, 1 as unknown as string));
  await rejection('ERR_SNAPSHOT', snapshot.save(join(parent, 'missing', 'folder')));
  snapshot.dispose();
  await rejection('ERR_CONSUMED', snapshot.save(join(parent, 'disposed')));
});
