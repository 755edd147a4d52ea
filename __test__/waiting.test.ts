// Calls that wait for the host hold no thread.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { test } from 'node:test';
import { type LoadedJSSandbox, SandboxBuilder, SandboxPool } from '@hyperlight/js-host-api';
import { until } from './memory.js';

const SANDBOXES = 100;
const processors = availableParallelism?.() ?? cpus().length;
/** Threads that come for a burst of work stay for two seconds after it. */
const ATTEMPTS = 6_000;

const skip = process.platform !== 'linux' && 'threads are counted in /proc';

/** Threads of this process, without those that the kernel has for virtual machines. */
function threads(): number {
  const isKernels = (task: string) => {
    try {
      return readFileSync(`/proc/self/task/${task}/comm`, 'utf8').startsWith('kvm-');
    } catch {
      return true; // It has ended.
    }
  };
  return readdirSync('/proc/self/task').filter((task) => !isKernels(task)).length;
}

/** A sandbox whose handler asks the host and answers with what it is told, after a timer. */
async function load(ask: () => Promise<unknown>): Promise<LoadedJSSandbox> {
  const proto = await new SandboxBuilder().build();
  proto.registerAsync('host', 'ask', ask);
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler(
    'handler',
    `import { ask } from 'host:host';
     async function handler(event) {
       await new Promise((resolve) => setTimeout(resolve, 1));
       return [event, await ask()];
     }`,
  );
  return sandbox.getLoadedSandbox();
}

test('sandboxes that wait have no threads, and go on when they are answered', { skip }, async () => {
  let asked = 0;
  let answer!: (value: unknown) => void;
  const answered = new Promise((resolve) => (answer = resolve));
  const sandboxes: LoadedJSSandbox[] = [];
  for (let i = 0; i < SANDBOXES; i++) {
    sandboxes.push(
      await load(() => {
        asked += 1;
        return answered;
      }),
    );
  }
  let idle = threads();
  await until(() => {
    idle = Math.min(idle, threads());
    return false;
  }, 600);
  const calls = sandboxes.map((sandbox, i) => sandbox.callHandler('handler', i, { wallClockTimeoutMs: 600_000 }));
  assert.ok(await until(() => asked === SANDBOXES, ATTEMPTS), `${asked} have asked`);
  assert.ok(await until(() => threads() <= idle + processors + 4, ATTEMPTS), `${idle} threads, then ${threads()}`);
  answer('answer');
  assert.deepEqual(
    await Promise.all(calls),
    sandboxes.map((_, i) => [i, 'answer']),
  );
  for (const sandbox of sandboxes) sandbox.dispose();
});

test('what waits can be stopped in every way, and the next call is not affected', async () => {
  const settle: ((value: unknown) => void)[] = [];
  let asked!: () => void;
  const sandbox = await load(() => new Promise((resolve) => settle.push(resolve) && asked()));
  const waits = (options = {}) => {
    const begun = new Promise<void>((resolve) => (asked = resolve));
    const call = sandbox.callHandler('handler', 1, options);
    // Whoever looks at it later finds it handled.
    call.catch(() => {});
    return begun.then(() => [call] as const);
  };
  const clean = await sandbox.snapshot();
  const controller = new AbortController();
  const stops: [object, () => void, object][] = [
    [{}, () => sandbox.interruptHandle.kill(), { code: 'ERR_CANCELLED', terminatedBy: null }],
    [{ signal: controller.signal }, () => controller.abort(), { code: 'ERR_CANCELLED', cause: controller.signal }],
    [{ wallClockTimeoutMs: 50 }, () => {}, { code: 'ERR_CANCELLED', terminatedBy: 'wall-clock' }],
  ];
  for (const [options, stop, expected] of stops) {
    const [call] = await waits(options);
    stop();
    await assert.rejects(call, (error: object) => {
      const { cause, ...rest } = expected as { cause?: AbortSignal };
      for (const [name, value] of Object.entries(rest)) assert.equal(error[name as never], value);
      if (cause) assert.equal((error as Error).cause, cause.reason);
      return true;
    });
    assert.ok(sandbox.poisoned);
    await sandbox.restore(clean);
    const [next] = await waits();
    // The first answers are for calls that have ended.
    for (const [i, answer] of settle.splice(0).entries()) answer(i);
    assert.deepEqual(await next, [1, 1]);
  }
  const [last] = await waits();
  sandbox.dispose();
  await assert.rejects(last, { code: 'ERR_CANCELLED' });
});

test('modules that wait while they are evaluated have no threads either', { skip }, async () => {
  let asked = 0;
  let answer!: (value: unknown) => void;
  const answered = new Promise((resolve) => (answer = resolve));
  const loading = async (i: number) => {
    const proto = await new SandboxBuilder().build();
    proto.registerAsync('host', 'ask', () => {
      asked += 1;
      return answered;
    });
    const sandbox = await proto.loadRuntime();
    sandbox.addHandler(
      'handler',
      `import { ask } from 'host:host';
       const answer = await ask();
       function handler(event) { return [event, answer]; }`,
    );
    const loaded = await sandbox.getLoadedSandbox({ wallClockTimeoutMs: 600_000 });
    const result = await loaded.callHandler('handler', i);
    loaded.dispose();
    return result;
  };
  const idle = threads();
  const results = Promise.all([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map(loading));
  assert.ok(await until(() => asked === 12, ATTEMPTS), `${asked} have asked`);
  assert.ok(await until(() => threads() <= idle + processors + 4, ATTEMPTS), `${idle} threads, then ${threads()}`);
  answer('answer');
  assert.deepEqual(
    await results,
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((i) => [i, 'answer']),
  );
});

test('a pool whose sandboxes wait is closed when their calls have ended', async () => {
  const settle: ((value: unknown) => void)[] = [];
  const pool = new SandboxPool({ size: 2, prepare: () => load(() => new Promise((resolve) => settle.push(resolve))) });
  const calls = [1, 2].map((event) => pool.callHandler('handler', event));
  assert.ok(await until(() => settle.length === 2, ATTEMPTS));
  let isClosed = false;
  const closed = pool.close().then(() => (isClosed = true));
  await assert.rejects(pool.callHandler('handler', 3), { code: 'ERR_CONSUMED' });
  assert.equal(isClosed, false);
  for (const answer of settle) answer('late');
  assert.deepEqual(await Promise.all(calls), [
    [1, 'late'],
    [2, 'late'],
  ]);
  await closed;
});
