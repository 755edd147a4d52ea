// Signals that stop one call, and what is known of each call's cost and end.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { type AbortSignalLike, type CallStats, type LoadedJSSandbox, SandboxPool } from '@hyperlight/js-host-api';
import { until } from './memory';
import { load, loadBody, loadWithHost, rejection, start } from './sandbox';

const ACT = `
  let calls = 0;
  function handler(event) {
    calls += 1;
    if (event === 'spin') for (;;);
    if (event === 'throw') throw new Error('as told');
    return { event, calls };
  }
`;

/** What an error knows of a call. */
function known(error: Error): { stats?: CallStats; terminatedBy?: string | null } {
  return error as Error & { stats?: CallStats; terminatedBy?: string | null };
}

/** A sandbox whose handler says when it runs, and then waits or spins. */
async function blocked(): Promise<{ loaded: LoadedJSSandbox; runs: Promise<void>; release: () => void }> {
  let begun = () => {};
  let release = () => {};
  const runs = new Promise<void>((resolve) => (begun = resolve));
  const host = {
    wait: () => {
      begun();
      return new Promise<void>((resolve) => (release = resolve));
    },
    tell: () => begun(),
  };
  const loaded = await loadWithHost(
    host,
    "if (event === 'wait') host.wait(); if (event === 'spin') { host.tell(); for (;;); } return event;",
  );
  return { loaded, runs, release: () => release() };
}

async function pool(size: number): Promise<SandboxPool> {
  const snapshot = await (await load({ f: ACT })).snapshot();
  const made = new SandboxPool({ size, snapshot });
  assert.ok(await until(() => made.ready === size));
  return made;
}

test('a signal stops the call that runs, with its reason as the cause', async () => {
  const { loaded, runs } = await blocked();
  const controller = new AbortController();
  const call = rejection('ERR_CANCELLED', loaded.callHandler('f', 'spin', { signal: controller.signal }));
  await runs;
  const reason = new Error('the request was closed');
  controller.abort(reason);
  const error = await call;
  assert.equal(error.cause, reason);
  assert.equal(known(error).terminatedBy, 'signal');
  assert.equal(known(error).stats?.terminatedBy, null);
  assert.ok((known(error).stats?.wallClockMs ?? 0) > 0);
  assert.match(error.message, /its signal was aborted/);
  assert.equal(loaded.poisoned, true);
});

test('a signal ends a wait for a host function', async () => {
  const { loaded, runs } = await blocked();
  const controller = new AbortController();
  const call = rejection('ERR_CANCELLED', loaded.callHandler('f', 'wait', { signal: controller.signal }));
  await runs;
  controller.abort();
  assert.equal((await call).cause, controller.signal.reason);
});

test('a signal that has been aborted already keeps the call from being made', async () => {
  const loaded = await load({ f: ACT });
  const error = await rejection('ERR_CANCELLED', loaded.callHandler('f', 'x', { signal: AbortSignal.abort('no') }));
  assert.equal(error.cause, 'no');
  assert.equal(loaded.poisoned, false);
  assert.deepEqual(await loaded.callHandler('f', 'x'), { event: 'x', calls: 1 });
});

test('a call that waits for its turn is withdrawn at once, and harms no other', async () => {
  const { loaded, runs, release } = await blocked();
  const controller = new AbortController();
  const first = loaded.callHandler('f', 'wait');
  const second = rejection('ERR_CANCELLED', loaded.callHandler('f', 'spin', { signal: controller.signal }));
  const third = loaded.callHandler('f', 'third');
  await runs;
  controller.abort('enough');
  // The first still runs.
  assert.equal((await second).cause, 'enough');
  release();
  assert.equal(await first, 'wait');
  assert.equal(await third, 'third');
  assert.equal(loaded.poisoned, false);
});

test('in a pool a signal stops its own request and no other', async () => {
  const shared = await pool(2);
  const [older, younger] = [new AbortController(), new AbortController()];
  const spin = (controller: AbortController) =>
    rejection('ERR_CANCELLED', shared.callHandler('f', 'spin', { signal: controller.signal }));
  let olderEnds = false;
  const first = spin(older).finally(() => (olderEnds = true));
  const second = spin(younger);
  younger.abort('younger');
  assert.equal((await second).cause, 'younger');
  assert.equal(olderEnds, false);
  assert.deepEqual(await shared.callHandler('f', 'x'), { event: 'x', calls: 1 });
  older.abort('older');
  assert.equal((await first).cause, 'older');
  await shared.close();
});

test('a request that waits for a sandbox of a pool gives up its place at once', async () => {
  const shared = await pool(1);
  const [running, waiting] = [new AbortController(), new AbortController()];
  const first = rejection('ERR_CANCELLED', shared.callHandler('f', 'spin', { signal: running.signal }));
  const second = rejection('ERR_CANCELLED', shared.callHandler('f', 'x', { signal: waiting.signal }));
  assert.equal(shared.waiting, 1);
  waiting.abort();
  assert.equal(shared.waiting, 0);
  await second;
  running.abort();
  await first;
  assert.deepEqual(await shared.callHandler('f', 'x'), { event: 'x', calls: 1 });
  await shared.close();
});

test('statistics are those of the very request, whatever else the pool does', async () => {
  const shared = await pool(2);
  const requests = Array.from({ length: 40 }, async (_, i) => {
    if (i % 4 === 0) {
      const limits = i % 8 === 0 ? { wallClockTimeoutMs: 20 } : { cpuTimeoutMs: 15 };
      const error = await rejection('ERR_CANCELLED', shared.callHandler('f', 'spin', limits));
      const [name, time] = i % 8 === 0 ? ['wall-clock', 20] : ['cpu-time', 15];
      assert.equal(known(error).terminatedBy, name);
      assert.equal(known(error).stats?.terminatedBy, name);
      const used = i % 8 === 0 ? known(error).stats?.wallClockMs : known(error).stats?.cpuTimeMs;
      assert.ok((used ?? 0) >= time, `${used} ms`);
      assert.match(error.message, new RegExp(`limit of ${time} ms of .* after ${Math.round(used ?? 0)} ms`));
    } else if (i % 4 === 1) {
      const error = await rejection('ERR_GUEST_ERROR', shared.callHandler('f', 'throw'));
      assert.equal(known(error).stats?.terminatedBy, null);
    } else {
      const { value, stats } = await shared.callHandlerWithStats('f', i, { wallClockTimeoutMs: 60_000 });
      assert.deepEqual(value, { event: i, calls: 1 });
      assert.equal(stats.terminatedBy, null);
      assert.ok(stats.wallClockMs > 0);
    }
  });
  await Promise.all(requests);
  await shared.close();
});

test('a sandbox gives the statistics of a call with its value as well', async () => {
  const loaded = await load({ f: ACT, nothing: 'function handler() {}' });
  const { value, stats } = await loaded.callHandlerWithStats('f', 'x');
  assert.deepEqual(value, { event: 'x', calls: 1 });
  assert.deepEqual(stats, loaded.lastCallStats);
  assert.equal((await loaded.callHandlerWithStats('nothing', {})).value, undefined);
  const error = await rejection('ERR_CANCELLED', loaded.callHandler('f', 'spin', { cpuTimeoutMs: 20 }));
  assert.deepEqual(known(error).stats, loaded.lastCallStats);
  // A call that is refused has none.
  assert.equal(known(await rejection('ERR_POISONED', loaded.callHandler('f', 'x'))).stats, undefined);
});

test('a signal stops getLoadedSandbox(), and the sandbox stays usable', async () => {
  const sandbox = await start();
  sandbox.addHandler('f', 'function handler() { return 1; } if (globalThis.spin !== false) for (;;);');
  for (const delay of [0, 50]) {
    const controller = new AbortController();
    const loading = rejection('ERR_CANCELLED', sandbox.getLoadedSandbox({ signal: controller.signal }));
    if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
    controller.abort('enough');
    assert.equal((await loading).cause, 'enough');
  }
  const aborted = await rejection('ERR_CANCELLED', sandbox.getLoadedSandbox({ signal: AbortSignal.abort(1) }));
  assert.equal(aborted.cause, 1);
  const timeout = await rejection('ERR_CANCELLED', sandbox.getLoadedSandbox({ wallClockTimeoutMs: 30 }));
  assert.equal(known(timeout).terminatedBy, 'wall-clock');
  assert.match(timeout.message, /limit of 30 ms of wall-clock time/);
  sandbox.removeHandler('f');
  sandbox.addHandler('f', 'function handler() { return 1; }');
  const { signal } = new AbortController();
  assert.equal(await (await sandbox.getLoadedSandbox({ signal })).callHandler('f', {}), 1);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('a signal is listened to no longer than its call lasts', async () => {
  const { signal } = new AbortController();
  const loaded = await load({ f: ACT });
  const shared = await pool(1);
  for (let i = 0; i < 20; i++) {
    await loaded.callHandler('f', i, { signal });
    await rejection('ERR_GUEST_ERROR', shared.callHandler('f', 'throw', { signal }));
  }
  await rejection('ERR_INVALID_ARG', loaded.callHandler('f', 1n, { signal }));
  const calls = ['spin', 'x', 'x'].map((event) => loaded.callHandler('f', event, { signal }));
  loaded.dispose();
  for (const { status } of await Promise.allSettled(calls)) assert.equal(status, 'rejected');
  await rejection('ERR_CONSUMED', loaded.callHandler('f', 1, { signal }));
  await shared.close();
  await rejection('ERR_CONSUMED', shared.callHandler('f', 1, { signal }));
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('what is no signal is refused, and one of others will do', async () => {
  const loaded = await loadBody('if (event) for (;;); return 1;');
  const trap = {
    get aborted(): boolean {
      throw new Error('trap');
    },
  };
  for (const wrong of [null, 1, 'signal', {}, new AbortController(), { aborted: false }, trap]) {
    await rejection('ERR_INVALID_ARG', loaded.callHandler('f', 0, { signal: wrong as AbortSignalLike }));
  }
  const listeners = new Set<() => void>();
  const signal = {
    aborted: false,
    reason: undefined as unknown,
    addEventListener: (_: string, listener: () => void) => listeners.add(listener),
    removeEventListener: (_: string, listener: () => void) => listeners.delete(listener),
  };
  const call = rejection('ERR_CANCELLED', loaded.callHandler('f', 1, { signal }));
  Object.assign(signal, { aborted: true, reason: 'of others' });
  for (const listener of listeners) listener();
  assert.equal((await call).cause, 'of others');
  assert.equal(listeners.size, 0);
});
