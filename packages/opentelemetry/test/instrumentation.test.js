// The instrumentation with the real SDK of OpenTelemetry and its exporters in memory.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { run, SandboxBuilder, SandboxPool } from '@hyperlight/js-host-api';
import { context, metrics, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { HyperlightInstrumentation } from '../lib/index.js';

const SECRET = 'secret-of-a-guest';

const spans = new InMemorySpanExporter();
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
trace.setGlobalTracerProvider(tracerProvider);

const exported = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const reader = new PeriodicExportingMetricReader({ exporter: exported, exportIntervalMillis: 2 ** 30 });
const meterProvider = new MeterProvider({ readers: [reader] });
metrics.setGlobalMeterProvider(meterProvider);

const instrumentation = new HyperlightInstrumentation();
registerInstrumentations({ instrumentations: [instrumentation] });
const tracer = trace.getTracer('test');
after(() => meterProvider.shutdown());

async function load(handlers, register = () => {}) {
  const proto = await new SandboxBuilder().build();
  register(proto.hostModule('m'));
  const js = await proto.loadRuntime();
  for (const [name, code] of Object.entries(handlers)) js.addHandler(name, code);
  return js.getLoadedSandbox();
}

/** The spans that some work leads to. */
async function spansOf(work) {
  spans.reset();
  await work();
  return spans.getFinishedSpans();
}

const named = (all, name) => all.find((span) => span.name === name) ?? assert.fail(`${name} is missing`);
const parentOf = (span) => span.parentSpanContext?.spanId;

/** The points of a metric, as they are now. */
async function pointsOf(name) {
  exported.reset();
  await reader.forceFlush();
  const all =
    exported
      .getMetrics()
      .at(-1)
      ?.scopeMetrics.flatMap(({ metrics }) => metrics) ?? [];
  return all.find(({ descriptor }) => descriptor.name === name);
}

test("a call's span is a child of its caller's, has those of its host calls, and these have what the callbacks do", async () => {
  const own = async (...args) => {
    await sleep(1);
    return tracer.startActiveSpan('own', async (span) => {
      await sleep(1);
      span.end();
      return args;
    });
  };
  const sandbox = await load(
    {
      f: `import { later, now } from 'host:m'; async function handler(event) { now(event); return (await later(event))[0]; }`,
    },
    (module) => module.registerAsync('later', own).register('now', own),
  );
  let root;
  const all = await spansOf(() =>
    tracer.startActiveSpan('root', async (span) => {
      root = span;
      assert.equal(await sandbox.callHandler('f', SECRET), SECRET);
      span.end();
    }),
  );
  const call = named(all, 'hyperlight.call');
  assert.equal(parentOf(call), root.spanContext().spanId);
  const hostCalls = all.filter(({ name }) => name === 'hyperlight.host_call');
  assert.deepEqual(hostCalls.map((span) => span.attributes['hyperlight.host_function.name']).sort(), [
    'm.later',
    'm.now',
  ]);
  for (const hostCall of hostCalls) assert.equal(parentOf(hostCall), call.spanContext().spanId);
  const below = all.filter(({ name }) => name === 'own').map(parentOf);
  assert.deepEqual(below.sort(), hostCalls.map((span) => span.spanContext().spanId).sort());
  for (const span of all) assert.equal(span.spanContext().traceId, root.spanContext().traceId);
  assert.equal(call.attributes['hyperlight.handler.name'], 'f');
  assert.equal(call.attributes['hyperlight.call.host_calls'], 2);
  assert.equal(call.attributes['hyperlight.call.input.size'], SECRET.length + 2);
  assert.ok(call.attributes['hyperlight.call.heap.peak'] > 0);
  assert.equal(call.status.code, SpanStatusCode.UNSET);
  assert.equal(
    JSON.stringify(all.map(({ name, attributes, events }) => [name, attributes, events])).includes(SECRET),
    false,
  );
});

test('calls at the same time have their own host calls', async () => {
  const snapshot = await (await load({ f: 'async function handler() { await m.one(); await m.one(); }' })).snapshot();
  const pool = new SandboxPool({ size: 2, snapshot });
  const functions = { m: { one: () => sleep(2) } };
  const all = await spansOf(() => Promise.all([1, 2, 3, 4].map(() => pool.callHandler('f', null, { functions }))));
  await pool.close();
  const calls = all.filter(({ name }) => name === 'hyperlight.call').map((span) => span.spanContext().spanId);
  assert.equal(calls.length, 4);
  for (const call of calls) {
    const children = all.filter((span) => parentOf(span) === call).map(({ name }) => name);
    assert.deepEqual(children.sort(), ['hyperlight.host_call', 'hyperlight.host_call', 'hyperlight.pool.wait']);
  }
});

test('an error has its code and no text of the guest', async () => {
  const sandbox = await load({
    f: `function handler() { throw new Error('${SECRET}'); }`,
    loop: 'function handler() { for (;;); }',
  });
  const [failed] = await spansOf(() => sandbox.callHandler('f', null).catch(() => {}));
  assert.deepEqual(failed.status, { code: SpanStatusCode.ERROR });
  assert.equal(failed.attributes['error.type'], 'ERR_GUEST_ERROR');
  assert.equal(JSON.stringify([failed.attributes, failed.events]).includes(SECRET), false);
  const [stopped] = await spansOf(() => sandbox.callHandler('loop', null, { cpuTimeoutMs: 30 }).catch(() => {}));
  assert.equal(stopped.attributes['hyperlight.termination.reason'], 'cpu-time');
});

test('metrics have the names, units and attributes that are promised', async () => {
  const sandbox = await load(
    { g: 'function handler() { return 1; }', loop: 'function handler() { for (;;); }' },
    (module) => module.register('never', () => {}),
  );
  const snapshot = await sandbox.snapshot();
  await sandbox.callHandler('g', null);
  await sandbox.callHandler('none', null).catch(() => {});
  await sandbox.callHandler('loop', null, { wallClockTimeoutMs: 30 }).catch(() => {});
  await sandbox.restore(snapshot);
  await run('1');

  const duration = await pointsOf('hyperlight.call.duration');
  assert.equal(duration.descriptor.unit, 's');
  const of = (attributes) =>
    duration.dataPoints.find((point) =>
      Object.entries(attributes).every(([name, value]) => point.attributes[name] === value),
    );
  const point = of({ 'hyperlight.handler.name': 'g' });
  assert.deepEqual(point.attributes, { 'hyperlight.call.kind': 'handler', 'hyperlight.handler.name': 'g' });
  assert.equal(point.value.count, 1);
  assert.ok(point.value.sum > 0 && point.value.sum < 60, 'seconds');
  // What a caller makes up is no attribute.
  assert.equal('hyperlight.handler.name' in of({ 'error.type': 'ERR_HANDLER_NOT_FOUND' }).attributes, false);
  assert.equal(of({ 'hyperlight.call.kind': 'program' }).value.count, 1);

  const terminations = await pointsOf('hyperlight.call.terminations');
  const walls = terminations.dataPoints.find(
    ({ attributes }) => attributes['hyperlight.termination.reason'] === 'wall-clock',
  );
  assert.equal(walls.value, 1);
  const active = await pointsOf('hyperlight.sandbox.active');
  assert.deepEqual([active.descriptor.unit, active.descriptor.type], ['{sandbox}', 'OBSERVABLE_UP_DOWN_COUNTER']);
  assert.ok(active.dataPoints.find(({ attributes }) => attributes['hyperlight.sandbox.kind'] === 'loaded').value >= 1);
  assert.equal((await pointsOf('hyperlight.call.heap.peak')).descriptor.unit, 'By');
  assert.ok((await pointsOf('hyperlight.pool.wait.duration')).dataPoints[0].value.count >= 1);
  assert.ok((await pointsOf('hyperlight.host_call.duration')).dataPoints.length >= 1);
  for (const name of [
    'hyperlight.sandbox.restores',
    'hyperlight.host_calls',
    'hyperlight.pool.ready',
    'hyperlight.pool.waiting',
  ]) {
    assert.equal((await pointsOf(name)).dataPoints.length, 1, name);
  }
});

test('an instrumentation that is disabled makes no spans and no metrics, and can be enabled again', async () => {
  const sandbox = await load({ h: 'function handler() { return 1; }' });
  const count = async () => {
    const { dataPoints } = await pointsOf('hyperlight.call.duration');
    return dataPoints.find(({ attributes }) => attributes['hyperlight.handler.name'] === 'h')?.value.count ?? 0;
  };
  instrumentation.disable();
  assert.deepEqual(await spansOf(() => sandbox.callHandler('h', null)), []);
  assert.equal(await count(), 0);
  instrumentation.enable();
  assert.equal((await spansOf(() => sandbox.callHandler('h', null))).length, 1);
  assert.equal(await count(), 1);
});
