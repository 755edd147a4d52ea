// Spans of what sandboxes do, from the package's tracing channels.
import { tracingChannel } from 'node:diagnostics_channel';
import { context, SpanStatusCode, trace } from '@opentelemetry/api';

/** For each channel: the span's name, and what is known at its start. */
const OPERATIONS = {
  call: ({ handler }) => ['hyperlight.call', { 'hyperlight.handler.name': handler }],
  run: () => ['hyperlight.run', {}],
  load: () => ['hyperlight.load', {}],
  restore: () => ['hyperlight.restore', {}],
  'pool-wait': () => ['hyperlight.pool.wait', {}],
  'host-call': ({ module, name }) => ['hyperlight.host_call', { 'hyperlight.host_function.name': `${module}.${name}` }],
};

/** What of a receipt becomes an attribute. */
const OF_RECEIPT = {
  cpuTimeMs: ['hyperlight.call.cpu_time', (milliseconds) => milliseconds / 1000],
  suspendedMs: ['hyperlight.call.suspended_time', (milliseconds) => milliseconds / 1000],
  entries: ['hyperlight.call.entries'],
  peakHeapBytes: ['hyperlight.call.heap.peak'],
  inputBytes: ['hyperlight.call.input.size'],
  outputBytes: ['hyperlight.call.output.size'],
  terminatedBy: ['hyperlight.termination.reason'],
  snapshotDigest: ['hyperlight.snapshot.digest'],
};

/** By which a subscriber has an operation done in a context of its own. */
const WITHIN = Symbol.for('hyperlight-js.within');

export class Spans {
  #tracer;
  #ended;
  /** What is under way, by its message. */
  #operations = new WeakMap();
  #undo = [];

  constructor(tracer, ended) {
    this.#tracer = tracer;
    this.#ended = ended;
    for (const [channelName, describe] of Object.entries(OPERATIONS)) {
      const channel = tracingChannel(`hyperlight-js:${channelName}`);
      const subscribers = {
        start: (message) => {
          const active = this.#start(channelName, describe(message), message);
          message[WITHIN] = (next) => context.with(active, next);
        },
        end: (message) => {
          // A host function that waits for nothing has no other end.
          if (message.isAsync === false) this.#end(message);
        },
        asyncEnd: (message) => this.#end(message),
      };
      for (const [event, subscriber] of Object.entries(subscribers)) channel[event].subscribe(subscriber);
      this.#undo.push(() => {
        for (const [event, subscriber] of Object.entries(subscribers)) channel[event].unsubscribe(subscriber);
      });
    }
  }

  /** Nothing begins from now on. */
  end() {
    for (const undo of this.#undo) undo();
  }

  #start(channel, [name, attributes], message) {
    const parent = context.active();
    const span = this.#tracer().startSpan(name, { attributes }, parent);
    this.#operations.set(message, { channel, span, attributes, began: performance.now(), context: parent });
    return trace.setSpan(parent, span);
  }

  #end(message) {
    const operation = this.#operations.get(message);
    if (operation === undefined) return;
    this.#operations.delete(message);
    const { span, began } = operation;
    const { receipt, error } = message;
    if (receipt !== undefined) span.setAttributes(attributesOf(receipt));
    if (error !== undefined) {
      span.setAttribute('error.type', error.code ?? error.type);
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end();
    this.#ended({ ...operation, receipt, error, seconds: (performance.now() - began) / 1000 });
  }
}

function attributesOf(receipt) {
  const attributes = { 'hyperlight.call.host_calls': hostCallsOf(receipt) };
  for (const [field, [attribute, convert = (value) => value]] of Object.entries(OF_RECEIPT)) {
    if (receipt[field] !== null) attributes[attribute] = convert(receipt[field]);
  }
  return attributes;
}

function hostCallsOf({ hostCalls }) {
  return Object.values(hostCalls).reduce((sum, { count }) => sum + count, 0);
}
