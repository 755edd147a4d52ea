// Functions from a real registry, by name and by digest.
import assert from 'node:assert/strict';
import { chownSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { push } from '@hyperlight/oci';
import { Queue } from 'bullmq';
import { Artifacts, ofNewerVersion, pushUnchecked, withUnfitSnapshot } from '../../oci/test/artifacts.js';
import { DockerRegistry } from '../../oci/test/docker-registry.js';
import { createClient, createWorker } from '../lib/index.js';
import { atEnd } from './at-end.js';
import { TestRedis } from './redis.js';

const credentials = () => undefined;

test('functions of a registry', async (t) => {
  const onEnd = (action) => atEnd(t, action);
  const [redis, registry] = await Promise.all([TestRedis.start(t), DockerRegistry.start(onEnd)]);
  const artifacts = new Artifacts(onEnd);
  const prefix = `${registry.host}/functions`;
  const options = { queue: 'functions', connection: redis.connection, registry: prefix, credentials };
  const lines = [];
  const worker = (more = {}) => {
    const made = createWorker({
      ...options,
      concurrency: 2,
      log: (level, text) => lines.push(`${level}: ${text}`),
      ...more,
    });
    onEnd(() => made.drain());
    return made;
  };
  const clientWith = (more = {}) => {
    const client = createClient({ ...options, tagMaxAgeMs: 0, ...more });
    onEnd(() => client.close());
    return client;
  };
  const client = clientWith();
  const pushed = async (source, ...names) => {
    const made = await artifacts.bundle(source);
    for (const name of names) await push(made.folder, `${prefix}/${name}`, { credentials });
    return made;
  };
  const queue = new Queue('functions', { connection: redis.connection });
  onEnd(() => queue.close());

  await t.test('a tag that moves while jobs wait changes nothing', async () => {
    const { digest } = await pushed("export default () => 'first';", 'moving:1', 'moving:latest');
    const early = [client.call('moving@1', null), client.call('moving:latest', null)];
    while ((await queue.getPrioritizedCount()) < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await pushed("export default () => 'second';", 'moving:1', 'moving:latest');
    const late = [client.call('moving@1', null), client.call(`moving@${digest}`, null)];
    worker();
    assert.deepEqual(await Promise.all([...early, ...late]), ['first', 'first', 'second', 'first']);
  });

  await t.test('what there is not is an error at once, and is not tried again', async () => {
    for (const name of ['none@1', 'moving@none', `moving@sha256:${'0'.repeat(64)}`]) {
      await assert.rejects(client.call(name, null), { code: 'ERR_FUNCTION_NOT_FOUND' }, name);
    }
    for (const name of ['x', '../up@1', 'UP@1', 'a@b@c', 'a@1/../b', ''])
      await assert.rejects(client.call(name, null), { code: 'ERR_INVALID_ARG' }, name);
    const withoutRegistry = clientWith({ registry: undefined });
    await assert.rejects(withoutRegistry.call('moving@1', null), {
      code: 'ERR_FUNCTION_NOT_FOUND',
      message: /callers need the option registry/,
    });
  });

  await t.test('an event that is too large for the sandbox is an error, and the worker goes on', async () => {
    await pushed('export default (text) => text.length;', 'length:1');
    const permissive = clientWith({ maxEventBytes: 2 ** 30 });
    await assert.rejects(client.call('length@1', 'x'.repeat(2 ** 20)), {
      code: 'ERR_PAYLOAD_TOO_LARGE',
      unit: 'bytes',
    });
    await assert.rejects(permissive.call('length@1', 'x'.repeat(3 * 2 ** 20)), { code: 'ERR_PAYLOAD_TOO_LARGE' });
    assert.equal(await permissive.call('length@1', 'xyz'), 3);
  });

  await t.test('a worker that cannot use the snapshot makes its own of the source, and says so', async () => {
    const source = 'let calls = 0; export default (n) => [n * 3, ++calls];';
    const fit = await pushed(source, 'triple:1');
    const expected = await client.call('triple@1', 7);
    assert.deepEqual(
      lines.filter((line) => line.startsWith('warn')),
      [],
    );
    const unfit = await artifacts.bundle(source);
    const digest = await withUnfitSnapshot(unfit.folder);
    assert.notEqual(digest, fit.digest);
    await push(unfit.folder, `${prefix}/triple:2`, { credentials });
    lines.length = 0;
    assert.deepEqual(await client.call('triple@2', 7), expected);
    assert.match(lines[0], /^warn: the snapshot of triple@sha256:.* cannot be used here, and is made of its source: /);
    const bare = await artifacts.bundle(source, { snapshot: false });
    await push(bare.folder, `${prefix}/triple:3`, { credentials });
    assert.deepEqual(await client.call('triple@3', 7), expected);
  });

  await t.test('a function of a newer version is refused', async () => {
    const newer = await artifacts.bundle('export default () => 1;', { snapshot: false });
    await ofNewerVersion(newer.folder);
    await pushUnchecked(newer.folder, `${prefix}/newer:1`);
    const error = await client.call('newer@1', null).catch((error) => error);
    assert.equal(error.code, 'ERR_ARTIFACT_VERSION');
    assert.match(error.message, /version 9, and this package knows those up to 1: update/);
  });

  await t.test('the files of functions take no more than they may, and go with the worker', async () => {
    const other = { ...options, queue: 'small' };
    const small = createWorker({ ...other, concurrency: 1, cacheBytes: 1, memoryBudgetBytes: 80 * 2 ** 20 });
    const before = foldersOf(process.pid);
    const blobs = () => {
      const [folder] = foldersOf(process.pid).filter((name) => !before.includes(name));
      return readdirSync(join(tmpdir(), folder, 'blobs', 'sha256'));
    };
    onEnd(() => small.drain());
    const caller = clientWith({ queue: 'small' });
    for (const n of [1, 2, 1]) {
      assert.deepEqual(await caller.call(`triple@${n}`, 1), [3, 1]);
      assert.equal(small.stats().warm.length, 1);
      assert.deepEqual(blobs(), []);
    }
    await small.drain();
    assert.equal(foldersOf(process.pid).length, before.length);
    // More than the largest number of a process.
    const left = join(tmpdir(), 'hyperlight-functions-4194305-x');
    const ofOthers = join(tmpdir(), 'hyperlight-functions-4194306-x');
    for (const folder of [left, ofOthers]) mkdirSync(folder);
    onEnd(() => rmSync(ofOthers, { recursive: true, force: true }));
    // Only root can give a folder away.
    if (process.getuid() === 0) chownSync(ofOthers, 12_345, 12_345);
    await createWorker({ ...other, concurrency: 1 }).drain();
    assert.deepEqual([existsSync(left), existsSync(ofOthers)], [false, process.getuid() === 0]);
  });

  await t.test('while the registry is gone, warm functions go on and others are tried again', async () => {
    const known = clientWith({ tagMaxAgeMs: 60_000 });
    const { digest } = await pushed('export default () => 0;', 'cold:1');
    assert.equal(await known.call('length@1', 'ab'), 2);
    await registry.kill();
    assert.equal(await known.call('length@1', 'abc'), 3);
    await assert.rejects(client.call('length@1', 'ab'), { code: 'ERR_REGISTRY' });
    const cold = await known.call(`cold@${digest}`, null).catch((error) => error);
    assert.equal(cold.code, 'ERR_REGISTRY');
    const [job] = await queue.getFailed(0, 0);
    assert.deepEqual([job.data.digest, job.attemptsMade], [digest, 3]);
  });
});

test('a registry over plain HTTP on another machine is refused when the worker is made', () => {
  const options = { queue: 'functions', connection: { host: '127.0.0.1', port: 1, lazyConnect: true } };
  assert.throws(() => createWorker({ ...options, registry: 'http://registry.example' }), { code: 'ERR_PLAIN_HTTP' });
  assert.throws(() => createWorker({ ...options, registry: 'no registry' }), { code: 'ERR_INVALID_ARG' });
  assert.throws(() => createClient({ ...options, registry: 'http://registry.example' }), { code: 'ERR_PLAIN_HTTP' });
});

function foldersOf(pid) {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`hyperlight-functions-${pid}-`));
}
