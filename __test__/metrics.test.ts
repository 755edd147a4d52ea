// What the process counts, as an object and as text.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HistogramMetric, type Metric, metrics, SandboxPool } from '@hyperlight/js-host-api';
import { load, loadWithHost, rejection } from './sandbox';

/** The value of a counter or gauge, or the number of samples of a histogram. */
function value(name: string, labels: Record<string, string> = {}, all = metrics()): number {
  const { kind, series } = all[name] ?? { kind: 'counter', series: [] };
  const one = series.find((series) => Object.entries(labels).every(([label, text]) => series.labels[label] === text));
  if (one === undefined) return 0;
  return kind === 'histogram' ? (one as HistogramMetric['series'][number]).count : (one as { value: number }).value;
}

test('calls, host calls, restores and terminations are counted', async () => {
  const before = metrics();
  const since = (name: string, labels = {}) => value(name, labels) - value(name, labels, before);
  const sandbox = await loadWithHost({ one: () => 1 }, 'host.one(); host.one(); if (event) for (;;); return event;');
  const snapshot = await sandbox.snapshot();
  await sandbox.callHandler('f', 0);
  await rejection('ERR_CANCELLED', sandbox.callHandler('f', 1, { wallClockTimeoutMs: 50 }));
  await sandbox.restore(snapshot);
  await rejection('ERR_HANDLER_NOT_FOUND', sandbox.callHandler('g', 1));
  assert.equal(since('hyperlight_js_host_calls_total'), 4);
  assert.equal(since('hyperlight_js_restores_total'), 1);
  assert.equal(since('hyperlight_js_monitor_terminations_total', { monitor: 'wall-clock' }), 1);
  assert.equal(since('hyperlight_js_call_duration_seconds', { outcome: 'ok' }), 1);
  assert.equal(since('hyperlight_js_call_duration_seconds', { outcome: 'cancelled' }), 1);
  assert.equal(since('hyperlight_js_call_duration_seconds', { outcome: 'handler_not_found' }), 1);
  assert.ok(since('hyperlight_js_call_heap_peak_bytes') >= 2);
  assert.equal(since('hyperlight_js_sandboxes_active', { kind: 'loaded' }), 1);
  await sandbox[Symbol.asyncDispose]();
  assert.equal(since('hyperlight_js_sandboxes_active', { kind: 'loaded' }), 0);
});

test('a pool is counted until it is closed', async () => {
  const before = metrics();
  const since = (name: string) => value(name) - value(name, {}, before);
  const pool = new SandboxPool({ size: 2, maxQueue: 7 });
  const results = await Promise.all(['1', '2', '3'].map((source) => pool.run(source)));
  assert.deepEqual(
    results.map(({ value }) => value),
    [1, 2, 3],
  );
  assert.equal(since('hyperlight_js_pool_wait_seconds'), 3);
  while (pool.ready < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(since('hyperlight_js_pool_sandboxes_ready'), 2);
  assert.deepEqual(pool.stats(), { size: 2, ready: 2, busy: 0, missing: 0, waiting: 0, maxQueue: 7 });
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  let begun = 0;
  const functions = {
    m: {
      wait: () => {
        begun++;
        return gate;
      },
    },
  };
  const waiting = [1, 2, 3].map(() => pool.run('await m.wait()', { functions }));
  while (begun < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual(pool.stats(), { size: 2, ready: 0, busy: 2, missing: 0, waiting: 1, maxQueue: 7 });
  assert.equal(since('hyperlight_js_pool_requests_waiting'), 1);
  release();
  await Promise.all(waiting);
  await pool.close();
  assert.equal(since('hyperlight_js_pool_sandboxes_ready'), 0);
  assert.equal(since('hyperlight_js_pool_requests_waiting'), 0);
  assert.deepEqual(pool.stats(), { size: 2, ready: 0, busy: 0, missing: 2, waiting: 0, maxQueue: 7 });
});

test('every metric has a kind, a description and series of its own labels', async () => {
  await load({ f: 'function handler() {}' });
  const all: [string, Metric][] = Object.entries(metrics()).filter(([name]) => name.startsWith('hyperlight_js_'));
  assert.ok(all.length >= 8);
  for (const [name, { kind, unit, description, series }] of all) {
    assert.match(description, /^[A-Z].*\.$/, name);
    assert.match(unit, /^(count|seconds|bytes)$/, name);
    assert.equal(kind === 'counter', name.endsWith('_total'), name);
    const labels = series.map((one) => JSON.stringify(one.labels));
    assert.equal(new Set(labels).size, labels.length, name);
  }
});

test('the text has every series, and the buckets of a histogram grow up to its count', async () => {
  const sandbox = await load({ f: 'function handler() { return 1; }' });
  await sandbox.callHandler('f', null);
  const lines = metrics.prometheus().trimEnd().split('\n');
  for (const line of lines) assert.match(line, /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[^{}]*\})? [0-9.e+-]+)$/);
  const buckets = lines.filter((line) => line.startsWith('hyperlight_js_call_duration_seconds_bucket{outcome="ok"'));
  const counts = buckets.map((line) => Number(line.split(' ')[1]));
  assert.ok(counts.length > 2);
  assert.deepEqual(
    counts,
    [...counts].sort((a, b) => a - b),
  );
  assert.ok(buckets.at(-1)?.includes('le="+Inf"'));
  assert.ok(lines.includes(`hyperlight_js_call_duration_seconds_count{outcome="ok"} ${counts.at(-1)}`));
});

test('the heap of a sandbox is known after a call, until it is restored', async () => {
  const sandbox = await load({ f: 'let kept; function handler() { kept = new Uint8Array(2 ** 20); }' });
  const { heapSizeBytes, usedBytes, peakBytes } = sandbox.heapStatistics();
  assert.ok(heapSizeBytes > 2 ** 20);
  assert.deepEqual([usedBytes, peakBytes], [null, null]);
  const snapshot = await sandbox.snapshot();
  await sandbox.callHandler('f', null);
  const after = sandbox.heapStatistics();
  assert.ok((after.usedBytes ?? 0) > 2 ** 20);
  assert.ok((after.peakBytes ?? 0) >= (after.usedBytes ?? 0));
  await sandbox.restore(snapshot);
  assert.deepEqual(sandbox.heapStatistics(), { heapSizeBytes, usedBytes: null, peakBytes: null });
});
