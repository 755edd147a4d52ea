import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, loadBody, loadWithHost, never, rejection } from './sandbox';

test('a timeout stops a handler that computes for ever', async () => {
  for (const [options, terminatedBy] of [
    [{ wallClockTimeoutMs: 100 }, 'wall-clock'],
    [{ cpuTimeoutMs: 100 }, 'cpu-time'],
    [{ wallClockTimeoutMs: 10_000, cpuTimeoutMs: 100 }, 'cpu-time'],
    [{ wallClockTimeoutMs: 100, cpuTimeoutMs: 10_000 }, 'wall-clock'],
  ] as const) {
    const loaded = await loadBody('for (;;);');
    await rejection('ERR_CANCELLED', loaded.callHandler('f', {}, options));
    assert.equal(loaded.poisoned, true);
    assert.equal(loaded.lastCallStats?.terminatedBy, terminatedBy);
    assert.ok((loaded.lastCallStats?.wallClockMs ?? 0) >= 95, `${loaded.lastCallStats?.wallClockMs} ms`);
  }
});

test('the wall-clock timeout ends a wait for a host function', async () => {
  const loaded = await loadWithHost({ never }, 'host.never();');
  await rejection('ERR_CANCELLED', loaded.callHandler('f', {}, { wallClockTimeoutMs: 100 }));
  assert.ok((loaded.lastCallStats?.wallClockMs ?? 0) >= 95, `${loaded.lastCallStats?.wallClockMs} ms`);
  assert.equal(loaded.lastCallStats?.terminatedBy, 'wall-clock');
});

test('a call within its limits is not affected, and neither is the next one', async () => {
  const loaded = await loadBody('return event;');
  const limits = { wallClockTimeoutMs: 3_600_000, cpuTimeoutMs: 3_600_000, gc: false };
  for (let i = 0; i < 20; i++) assert.equal(await loaded.callHandler('f', i, limits), i);
  assert.equal(await loaded.callHandler('f', 'x', { wallClockTimeoutMs: undefined, cpuTimeoutMs: undefined }), 'x');
});

test('a timeout must be a number of milliseconds within the limits', async () => {
  const loaded = await loadBody('return event;');
  for (const option of ['wallClockTimeoutMs', 'cpuTimeoutMs']) {
    for (const value of [0, -1, 0.5, 3_600_001, Number.NaN, Number.POSITIVE_INFINITY, '100', null, 100n, {}]) {
      const error = await rejection('ERR_INVALID_ARG', loaded.callHandler('f', {}, { [option]: value } as object));
      assert.match(error.message, new RegExp(option));
    }
  }
  assert.equal(loaded.lastCallStats, null);
});

test('statistics are those of the most recent call, even if it failed', async () => {
  const loaded = await load({
    spin: 'function handler(event) { const end = Date.now() + event; while (Date.now() < end); }',
    fail: 'function handler() { throw new Error("no"); }',
  });
  // As a function, since TypeScript takes a property for what it was found to be.
  const stats = () => loaded.lastCallStats;
  assert.equal(stats(), null);
  await loaded.callHandler('spin', 100);
  const spun = stats();
  assert.ok(spun && spun.wallClockMs >= 95 && spun.terminatedBy === null, JSON.stringify(spun));
  assert.ok(spun.cpuTimeMs === null || spun.cpuTimeMs > 0, JSON.stringify(spun));
  const begun = performance.now();
  await rejection('ERR_GUEST_ERROR', loaded.callHandler('fail', {}));
  const elapsed = performance.now() - begun;
  const failed = stats();
  assert.notDeepEqual(failed, spun);
  assert.ok(failed && failed.wallClockMs <= elapsed && failed.terminatedBy === null, JSON.stringify(failed));
});
