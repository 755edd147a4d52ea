import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Cluster, Redis } from 'ioredis';
import { createClient, createWorker } from '../lib/index.js';
import { atEnd } from './at-end.js';
import { Fleet } from './fleet.js';
import { functions } from './functions.js';
import { TestRedis } from './redis.js';

test('calls of functions on workers', async (t) => {
  const redis = await TestRedis.start(t);
  const fleet = new Fleet(t, redis);
  const client = fleet.client(t);
  await fleet.start();
  await fleet.start();

  await t.test('a call gives the value, and a receipt if asked', async () => {
    const values = await Promise.all(Array.from({ length: 40 }, (_, n) => client.call('double@1', n)));
    assert.deepEqual(
      values,
      Array.from({ length: 40 }, (_, n) => 2 * n),
    );
    const { value, receipt } = await client.callWithReceipt('double@1', 21);
    assert.equal(value, 42);
    assert.ok(receipt.wallClockMs > 0);
    assert.equal(receipt.inputBytes, 2);
  });

  await t.test('a function that throws gives its error and a receipt, and is not called again', async () => {
    const error = await client.call('fail@1', { of: 'this' }).catch((error) => error);
    assert.deepEqual([error.code, error.guestName, error.guestMessage], ['ERR_GUEST_ERROR', 'TypeError', 'no this']);
    assert.ok(error.receipt.wallClockMs > 0);
    const queue = new Queue('functions', { connection: redis.connection });
    const [job] = await queue.getFailed();
    assert.equal(job.attemptsMade, 1);
    await queue.close();
  });

  await t.test('a function that there is not, and an event that is too large, are errors', async () => {
    await assert.rejects(client.call('none@1', 1), { code: 'ERR_FUNCTION_NOT_FOUND' });
    await assert.rejects(client.call('constructor@1', 1), { code: 'ERR_FUNCTION_NOT_FOUND' });
    await assert.rejects(client.call('double', 1), { code: 'ERR_INVALID_ARG' });
    await assert.rejects(client.call('double@1', 'x'.repeat(2 ** 20)), {
      code: 'ERR_PAYLOAD_TOO_LARGE',
      limit: 2 ** 20,
    });
    assert.equal(await client.call('double@1', 1), 2);
  });

  await t.test('host functions know the job, the attempt and the tenant', async () => {
    const context = await client.call('context@1', null, { tenant: 'acme' });
    assert.deepEqual([context.tenant, context.attempt], ['acme', 1]);
    assert.equal(context.idempotencyKey, `functions/${context.jobId}`);
  });

  await t.test('a call that is given up is stopped where it runs, and removed where it waits', async () => {
    const queue = new Queue('functions', { connection: redis.connection });
    const controller = new AbortController();
    const calls = Array.from({ length: 6 }, () => client.call('loop@1', null, { signal: controller.signal }));
    while ((await queue.getActiveCount()) < 4) await sleep(10);
    controller.abort();
    for (const call of calls) await assert.rejects(call, { code: 'ERR_CANCELLED', terminatedBy: 'signal' });
    while ((await queue.getActiveCount()) > 0) await sleep(10);
    assert.equal((await queue.getPrioritizedCount()) + (await queue.getWaitingCount()), 0);
    await assert.rejects(client.call('loop@1', null, { timeoutMs: 100 }), {
      code: 'ERR_CANCELLED',
      terminatedBy: 'wall-clock',
    });
    assert.equal(await client.call('double@1', 4), 8);
    await queue.close();
  });
});

test('pools take no more than the budget, and the one that was used longest ago goes', async (t) => {
  const redis = await TestRedis.start(t);
  const names = ['a@1', 'b@1', 'c@1'];
  const functions = Object.fromEntries(
    names.map((name) => [name, { source: `export default () => '${name}';`, sandboxBytes: 1000 }]),
  );
  const options = { queue: 'functions', connection: redis.connection };
  const worker = createWorker({ ...options, functions, concurrency: 2, memoryBudgetBytes: 4000 });
  atEnd(t, () => worker.drain());
  const client = createClient(options);
  atEnd(t, () => client.close());
  for (const name of ['a@1', 'b@1', 'a@1', 'c@1']) {
    assert.equal(await client.call(name, null), name);
    assert.ok(worker.stats().bytes <= 4000);
  }
  assert.deepEqual(worker.stats().warm, ['a@1', 'c@1']);
  const all = Array.from({ length: 30 }, (_, i) => names[i % 3]);
  assert.deepEqual(await Promise.all(all.map((name) => client.call(name, null))), all);
  assert.ok(worker.stats().bytes <= 4000);
  assert.throws(() => createWorker({ ...options, functions, concurrency: 5, memoryBudgetBytes: 4000 }), {
    code: 'ERR_INVALID_ARG',
  });
});

test('a queue on a Redis Cluster has all of its keys on one server', async (t) => {
  const redis = await TestRedis.start(t, { 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1' });
  const admin = new Redis(redis.connection);
  atEnd(t, () => admin.disconnect());
  // Of the cluster it is the only server, but commands for keys of several slots fail as with many.
  await admin.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
  while (!/cluster_state:ok/.test(await admin.call('CLUSTER', 'INFO'))) await sleep(20);
  const options = () => {
    const connection = new Cluster([redis.connection], { redisOptions: { maxRetriesPerRequest: null } });
    atEnd(t, () => connection.disconnect());
    return { queue: 'functions', prefix: '{functions-7}', connection };
  };
  const worker = createWorker({ ...options(), functions, concurrency: 2 });
  atEnd(t, () => worker.drain());
  await worker.ready();
  const client = createClient(options());
  atEnd(t, () => client.close());
  assert.deepEqual(await Promise.all([1, 2, 3].map((n) => client.call('double@1', n))), [2, 4, 6]);
  const controller = new AbortController();
  const call = client.call('loop@1', null, { signal: controller.signal });
  setTimeout(() => controller.abort(), 100);
  await assert.rejects(call, { code: 'ERR_CANCELLED' });
  assert.equal(await client.call('double@1', 4), 8);
});

test('settings with which jobs can be lost are warned of', async (t) => {
  const redis = await TestRedis.start(t, { appendonly: 'no', 'maxmemory-policy': 'allkeys-lru' });
  const warnings = [];
  const worker = createWorker({
    queue: 'functions',
    connection: redis.connection,
    functions: {},
    log: (level, text) => level === 'warn' && warnings.push(text),
  });
  await worker.ready();
  assert.deepEqual(warnings, [
    'Redis has no append-only file: when it ends, nothing is kept. Set appendonly to yes.',
    'Redis may throw jobs away: maxmemory-policy is allkeys-lru. Set it to noeviction.',
  ]);
  await worker.drain();
});
