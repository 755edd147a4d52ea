// What is promised of many machines, with workers that are processes of their own, and a Redis that can be lost.
//
// FLEET_JOBS is the number of jobs of the longest test: 200 unless set. FLEET_SAMPLES is how many calls of a quiet tenant are
// measured, alone and beside a flood: a test that is left out unless it is set.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Fleet } from './fleet.js';
import { TestRedis } from './redis.js';

const JOBS = Number(process.env.FLEET_JOBS ?? 200);
const SAMPLES = Number(process.env.FLEET_SAMPLES ?? 0);
/** A worker that is lost is noticed after this time. */
const QUICKLY = { lockDurationMs: 500, maxLosses: 1000 };

/** Counts how often each call ends. */
function counted(calls) {
  const ends = calls.map(() => 0);
  const all = calls.map((call, i) =>
    call.then(
      (value) => {
        ends[i]++;
        return { value };
      },
      (error) => {
        ends[i]++;
        return { error };
      },
    ),
  );
  return { ends, results: Promise.all(all) };
}

const range = (count) => Array.from({ length: count }, (_, i) => i);

test('every call ends exactly once, and with its value, though workers are killed at any time', async (t) => {
  const redis = await TestRedis.start(t);
  const fleet = new Fleet(t, redis);
  const client = fleet.client(t);
  const workers = await Promise.all([fleet.start(QUICKLY), fleet.start(QUICKLY)]);
  const { ends, results } = counted(range(JOBS).map((n) => client.call('wait@1', n % 40)));
  let areDone = false;
  results.finally(() => {
    areDone = true;
  });
  let kills = 0;
  while (!areDone) {
    await Promise.race([results, sleep(300 + Math.random() * 1500)]);
    if (areDone) break;
    const i = Math.floor(Math.random() * workers.length);
    workers[i].child.kill('SIGKILL');
    await workers[i].exited;
    kills++;
    workers[i] = await fleet.start(QUICKLY);
  }
  const values = (await results).map(({ value, error }) => error ?? value);
  assert.deepEqual(
    values,
    range(JOBS).map((n) => n % 40),
  );
  assert.ok(ends.every((count) => count === 1));
  assert.ok(kills > 0, 'no worker was killed');
  const queue = new Queue('functions', { connection: redis.connection });
  assert.deepEqual([await queue.getCompletedCount(), await queue.getFailedCount()], [JOBS, 0]);
  await queue.close();
});

test('a job whose workers are lost each time ends, as a failure', async (t) => {
  const redis = await TestRedis.start(t);
  const fleet = new Fleet(t, redis);
  const client = fleet.client(t);
  const options = { ...QUICKLY, maxLosses: 1, limits: { cpuTimeoutMs: 60_000, wallClockTimeoutMs: 60_000 } };
  const queue = new Queue('functions', { connection: redis.connection });
  const call = client.call('loop@1', null).catch((error) => error);
  for (let losses = 0; losses < 2; losses++) {
    const worker = await fleet.start(options);
    while ((await queue.getActive()).every(({ stalledCounter }) => stalledCounter !== losses)) await sleep(20);
    worker.child.kill('SIGKILL');
    await worker.exited;
  }
  await fleet.start(options);
  assert.equal((await call).code, 'ERR_WORKER_LOST');
  assert.equal(await queue.getFailedCount(), 1);
  await queue.close();
});

test('nothing is lost when Redis is', async (t) => {
  const redis = await TestRedis.start(t);
  const fleet = new Fleet(t, redis);
  const client = fleet.client(t);
  await fleet.start(QUICKLY);
  const { ends, results } = counted(range(60).map((n) => client.call('wait@1', n)));
  const queue = new Queue('functions', { connection: redis.connection });
  queue.on('error', () => {});
  while ((await queue.getCompletedCount()) < 10) await sleep(10);
  await redis.kill();
  await sleep(200);
  await redis.begin();
  assert.deepEqual(
    (await results).map(({ value, error }) => error ?? value),
    range(60),
  );
  assert.ok(ends.every((count) => count === 1));
  await queue.close();
});

test('a tenant that floods does not starve another', async (t) => {
  const redis = await TestRedis.start(t);
  const fleet = new Fleet(t, redis);
  const client = fleet.client(t);
  await fleet.start();
  await client.call('wait@1', 1);
  const flood = range(300).map(() => client.call('wait@1', 5, { tenant: 'loud' }));
  const queue = new Queue('functions', { connection: redis.connection });
  while ((await queue.getPrioritizedCount()) < 200) await sleep(5);
  for (let i = 0; i < 5; i++) await client.call('wait@1', 5, { tenant: 'quiet' });
  await Promise.all(flood);
  const jobs = (await queue.getCompleted()).filter(({ data }) => data.tenant !== '');
  const quiet = jobs.filter(({ data }) => data.tenant === 'quiet');
  assert.equal(quiet.length, 5);
  for (const { timestamp, processedOn } of quiet) {
    // Those of the flood that began while it waited: without fairness some hundred.
    const before = jobs.filter((job) => job.processedOn > timestamp && job.processedOn < processedOn);
    assert.ok(before.length <= 10, `${before.length} came before`);
  }
  await queue.close();
});

test('beside a flood the 95th percentile of a quiet tenant’s waits is at most three times what it is alone', {
  skip: SAMPLES === 0 && 'FLEET_SAMPLES is not set',
}, async (t) => {
  const redis = await TestRedis.start(t);
  const fleet = new Fleet(t, redis);
  const client = fleet.client(t);
  const options = { perTenantConcurrency: 1 };
  await fleet.start(options);
  await fleet.start(options);
  const queue = new Queue('functions', { connection: redis.connection });
  const waitsOf = async (tenant) => {
    for (let i = 0; i < SAMPLES; i++) await client.call('wait@1', 5, { tenant });
    const jobs = (await queue.getCompleted()).filter(({ data }) => data.tenant === tenant);
    assert.equal(jobs.length, SAMPLES);
    return jobs.map(({ timestamp, processedOn }) => processedOn - timestamp).sort((a, b) => a - b);
  };
  // Both take turns, so that what else the machine does is the same for both.
  const alone = [];
  const beside = [];
  const flood = async (until) => {
    while (!until.isDone) await client.call('wait@1', 5, { tenant: 'loud' });
  };
  await Promise.all(range(8).map(() => client.call('wait@1', 5)));
  for (let round = 0; round < 5; round++) {
    alone.push(...(await waitsOf(`alone ${round}`)));
    const until = { isDone: false };
    const loud = range(200).map(() => flood(until));
    while ((await queue.getPrioritizedCount()) < 100) await sleep(5);
    beside.push(...(await waitsOf(`quiet ${round}`)));
    until.isDone = true;
    await Promise.all(loud);
  }
  const p95 = (waits) => waits.toSorted((a, b) => a - b)[Math.ceil(0.95 * waits.length) - 1];
  const median = (waits) => waits.toSorted((a, b) => a - b)[Math.floor(waits.length / 2)];
  t.diagnostic(`alone ${median(alone)} ms, p95 ${p95(alone)} ms; beside ${median(beside)} ms, p95 ${p95(beside)} ms`);
  assert.ok(p95(beside) <= 3 * p95(alone), `${p95(beside)} ms beside the flood, ${p95(alone)} ms alone`);
  await queue.close();
});

test('a function that ends its sandbox each time fails once and does not hinder others', async (t) => {
  const redis = await TestRedis.start(t);
  const fleet = new Fleet(t, redis);
  const client = fleet.client(t);
  await fleet.start({ limits: { cpuTimeoutMs: 50 } });
  const poison = counted(range(10).map(() => client.call('loop@1', null)));
  const others = counted(range(40).map((n) => client.call('double@1', n)));
  assert.deepEqual(
    (await others.results).map(({ value }) => value),
    range(40).map((n) => 2 * n),
  );
  for (const { error } of await poison.results) {
    assert.deepEqual([error.code, error.terminatedBy], ['ERR_CANCELLED', 'cpu-time']);
    assert.equal(error.receipt.terminatedBy, 'cpu-time');
  }
  const queue = new Queue('functions', { connection: redis.connection });
  const failed = await queue.getFailed();
  assert.deepEqual(
    failed.map(({ attemptsMade }) => attemptsMade),
    Array(10).fill(1),
  );
  await queue.close();
});

test('a worker that is asked to end takes no more, and gives back what does not end', async (t) => {
  const redis = await TestRedis.start(t);
  const fleet = new Fleet(t, redis);
  const client = fleet.client(t);
  const first = await fleet.start();
  await client.call('wait@1', 1);
  const queue = new Queue('functions', { connection: redis.connection });
  const calls = counted([client.call('wait@1', 100), client.call('wait@1', 10_000)]);
  while ((await queue.getActiveCount()) < 2) await sleep(5);
  const later = client.call('double@1', 1);
  first.child.kill('SIGTERM');
  assert.equal(await first.exited, 0);
  assert.ok(first.lines.includes('drained'));
  assert.deepEqual([await queue.getCompletedCount(), await queue.getActiveCount()], [2, 0]);
  await fleet.start();
  assert.equal(await later, 2);
  assert.deepEqual(await calls.results, [{ value: 100 }, { value: 10_000 }]);
  await queue.close();
});
