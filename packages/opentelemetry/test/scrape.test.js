// The metrics as Prometheus gets them, from the example with a server, read by a parser.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import parse from 'parse-prometheus-text-format';

const EXAMPLE = fileURLToPath(new URL('../../../examples/metrics.js', import.meta.url));

test('a scrape has what the server has done', async (t) => {
  const server = spawn(process.execPath, [EXAMPLE], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => server.kill());
  const [url] = await once(createInterface({ input: server.stdout }), 'line');
  const post = (body) => fetch(new URL('/', url), { method: 'POST', body }).then((response) => response.text());
  assert.equal(await post('6 * 7'), '42\n');
  assert.match(await post('throw 1'), /^ERR_GUEST_ERROR/);
  const response = await fetch(url);
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const families = Object.fromEntries(parse(await response.text()).map((family) => [family.name, family]));
  assert.equal(families.hyperlight_js_call_duration_seconds.type, 'HISTOGRAM');
  const [heap] = families.hyperlight_js_call_heap_peak_bytes.metrics;
  assert.deepEqual([heap.count, heap.buckets['+Inf']], ['2', '2']);
  assert.ok(Number(heap.sum) > 1000);
  const created = families.hyperlight_js_sandboxes_total;
  assert.equal(created.type, 'COUNTER');
  assert.ok(Number(created.metrics.find(({ labels }) => labels.kind === 'loaded').value) >= 2);
  const { type, metrics } = families.hyperlight_js_sandboxes_active;
  assert.equal(type, 'GAUGE');
  assert.equal(metrics.find(({ labels }) => labels.kind === 'loaded').value, '2');
  assert.equal(families.hyperlight_js_pool_wait_seconds.metrics[0].count, '2');
});
