// What a call is said to have cost beside its time: host calls, entries into the guest, time in which it was suspended.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CallStats, SandboxBuilder, SandboxPool } from '@hyperlight/js-host-api';

async function load(code: string) {
  const proto = await new SandboxBuilder().build();
  proto
    .hostModule('host')
    .register('now', async (ms: number) => sleep(ms, ms))
    .registerAsync('later', async (ms: number) => sleep(ms, ms))
    .registerAsync('fail', async () => {
      throw new Error('no');
    });
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler('handler', `import { now, later, fail } from 'host:host'; ${code}`);
  return sandbox;
}

async function statsOf(code: string): Promise<CallStats> {
  using sandbox = await (await load(code)).getLoadedSandbox();
  const { stats } = await sandbox.callHandlerWithStats('handler', null);
  assert.deepEqual(stats, sandbox.lastCallStats);
  return stats;
}

test('a call that asks its host for nothing takes one entry', async () => {
  const { hostCalls, suspendedMs, entries } = await statsOf('function handler() { return 1; }');
  assert.deepEqual([hostCalls, suspendedMs, entries], [0, 0, 1]);
});

test('the guest is entered once more for each synchronous host call, which is no suspension', async () => {
  const { hostCalls, suspendedMs, entries, wallClockMs } = await statsOf(
    'function handler() { now(1); now(50); now(1); }',
  );
  assert.deepEqual([hostCalls, suspendedMs, entries], [3, 0, 4]);
  assert.ok(wallClockMs >= 45);
});

test('the time that a call waits for asynchronous host functions and timers is that in which it is suspended', async () => {
  const called = await statsOf(
    'async function handler() { await Promise.allSettled([later(50), later(1), fail()]); await later(1); }',
  );
  assert.equal(called.hostCalls, 4);
  assert.ok(called.entries >= 3 && called.entries <= 5, `${called.entries}`);
  assert.ok(called.suspendedMs >= 45 && called.suspendedMs <= called.wallClockMs, JSON.stringify(called));
  const slept = await statsOf('async function handler() { await new Promise((resolve) => setTimeout(resolve, 50)); }');
  assert.deepEqual([slept.hostCalls, slept.entries], [0, 2]);
  assert.ok(slept.suspendedMs >= 45 && slept.suspendedMs <= slept.wallClockMs, JSON.stringify(slept));
});

test('errors have them as well, and so have evaluations and requests of a pool', async () => {
  const cost = (error: { stats?: CallStats }) => [error.stats?.hostCalls, error.stats?.entries];
  const thrown = (promise: Promise<unknown>) => promise.then(() => assert.fail(), cost);
  using sandbox = await (
    await load('async function handler() { now(1); await later(1); throw 1; }')
  ).getLoadedSandbox();
  assert.deepEqual(await thrown(sandbox.callHandler('handler', null)), [2, 3]);
  const evaluated = await load('now(1); await later(1); export function handler() {}\nthrow 1;');
  assert.equal((await thrown(evaluated.getLoadedSandbox()))[0], 2);
  const pool = new SandboxPool({
    size: 1,
    prepare: async () => (await load('async function handler() { now(1); await later(1); }')).getLoadedSandbox(),
  });
  const { stats } = await pool.callHandlerWithStats('handler', null);
  assert.deepEqual([stats.hostCalls, stats.entries], [2, 3]);
  await pool.close();
});

test('the suspension of a call that is stopped counts until then', async () => {
  using sandbox = await (await load('function handler() { return later(60_000); }')).getLoadedSandbox();
  await assert.rejects(sandbox.callHandler('handler', null, { wallClockTimeoutMs: 100 }), { code: 'ERR_CANCELLED' });
  const { hostCalls, suspendedMs, entries } = sandbox.lastCallStats ?? assert.fail();
  assert.deepEqual([hostCalls, entries], [1, 1]);
  assert.ok(suspendedMs >= 50, `${suspendedMs}`);
});
