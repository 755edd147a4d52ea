// Metrics of sandboxes: times of single operations as they end, and what the package counts itself.
import { metrics } from '@hyperlight/js-host-api';

const SECONDS = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
const BYTES = Array.from({ length: 9 }, (_, i) => 2 ** 16 * 4 ** i);

/** Errors of calls that came to nothing before it was known that there is such a handler: its name may be anything. */
const HANDLER_UNKNOWN = new Set(['ERR_HANDLER_NOT_FOUND', 'ERR_INVALID_ARG']);

/** What the package counts: its name there and its label, its name and its attribute here. */
const COUNTED = [
  [
    'UpDownCounter',
    'hyperlight_js_sandboxes_active',
    'hyperlight.sandbox.active',
    '{sandbox}',
    'Existing sandboxes.',
    ['kind', 'hyperlight.sandbox.kind'],
  ],
  [
    'UpDownCounter',
    'hyperlight_js_pool_sandboxes_ready',
    'hyperlight.pool.ready',
    '{sandbox}',
    'Sandboxes of pools that are ready for a request.',
  ],
  [
    'UpDownCounter',
    'hyperlight_js_pool_requests_waiting',
    'hyperlight.pool.waiting',
    '{request}',
    'Requests that wait for a sandbox of a pool.',
  ],
  [
    'UpDownCounter',
    'hyperlight_js_stock_sandboxes_ready',
    'hyperlight.stock.ready',
    '{sandbox}',
    'Sandboxes in stock.',
  ],
  [
    'Counter',
    'hyperlight_js_restores_total',
    'hyperlight.sandbox.restores',
    '{restore}',
    'Sandboxes that were put back into the state of a snapshot.',
  ],
  ['Counter', 'hyperlight_js_host_calls_total', 'hyperlight.host_calls', '{call}', 'Calls of host functions.'],
];

export class Instruments {
  #meter;
  #callDuration;
  #waitDuration;
  #hostCallDuration;
  #heapPeak;
  #terminations;
  #counted;

  constructor(meter) {
    this.#meter = meter;
    const seconds = (name, description) =>
      meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries: SECONDS } });
    this.#callDuration = seconds('hyperlight.call.duration', 'Duration of calls of handlers and of runs of programs.');
    this.#waitDuration = seconds('hyperlight.pool.wait.duration', 'Time until a pool had a sandbox for a request.');
    this.#hostCallDuration = seconds('hyperlight.host_call.duration', 'Duration of calls of host functions.');
    this.#heapPeak = meter.createHistogram('hyperlight.call.heap.peak', {
      unit: 'By',
      description: 'Most bytes that JavaScript had in use at one time during a call.',
      advice: { explicitBucketBoundaries: BYTES },
    });
    this.#terminations = meter.createCounter('hyperlight.call.terminations', {
      unit: '{call}',
      description: 'Calls that were stopped by a limit or from outside.',
    });
    this.#counted = COUNTED.map(([kind, source, name, unit, description, label]) => ({
      instrument: meter[`createObservable${kind}`](name, { unit, description }),
      source,
      label,
    }));
  }

  /** What the package counts is read when the metrics are collected. */
  observe() {
    this.#meter.addBatchObservableCallback(this.#read, this.#observed);
  }

  end() {
    this.#meter.removeBatchObservableCallback(this.#read, this.#observed);
  }

  /** An operation has ended. */
  record({ channel, attributes: ofSpan, context, receipt, error, seconds }) {
    const type = error?.code ?? error?.type;
    const attributes = type === undefined ? {} : { 'error.type': type };
    if (channel === 'pool-wait') return this.#waitDuration.record(seconds, attributes, context);
    if (channel === 'host-call') return this.#hostCallDuration.record(seconds, { ...ofSpan, ...attributes }, context);
    if (channel !== 'call' && channel !== 'run') return;
    attributes['hyperlight.call.kind'] = channel === 'call' ? 'handler' : 'program';
    if (channel === 'call' && receipt !== undefined && !HANDLER_UNKNOWN.has(type)) {
      attributes['hyperlight.handler.name'] = ofSpan['hyperlight.handler.name'];
    }
    this.#callDuration.record(seconds, attributes, context);
    if (receipt?.peakHeapBytes) this.#heapPeak.record(receipt.peakHeapBytes, attributes, context);
    if (error?.code === 'ERR_CANCELLED') {
      const reason = error.terminatedBy ?? 'kill';
      this.#terminations.add(1, { 'hyperlight.termination.reason': reason }, context);
    }
  }

  get #observed() {
    return this.#counted.map(({ instrument }) => instrument);
  }

  #read = (result) => {
    const all = metrics();
    for (const { instrument, source, label } of this.#counted) {
      for (const { labels, value } of all[source]?.series ?? []) {
        result.observe(instrument, value, label ? { [label[1]]: labels[label[0]] } : {});
      }
    }
  };
}
