// Tracing channels of node:diagnostics_channel: who subscribes to them sees what sandboxes do. docs/observability.md says what
// is published. No message has an event, a result, a source, or anything else that a guest has a say in but numbers.
//
// When nobody listens, a call costs one question more, and the place where it was made is noted here instead of in the addon.

const { isSandboxError } = require('./errors.js');

const NAMES = ['call', 'run', 'load', 'restore', 'pool-wait', 'host-call'];
/** A subscriber to `start` may set this to a function that calls another: what is published is done by means of it. */
const WITHIN = Symbol.for('hyperlight-js.within');

/** The channels by name, or `undefined` where Node.js has none: it does since 18.19 and 20.0. */
const channels = (() => {
  const { tracingChannel } = builtin('node:diagnostics_channel');
  if (tracingChannel === undefined) return undefined;
  return Object.fromEntries(NAMES.map((name) => [name, tracingChannel(`hyperlight-js:${name}`)]));
})();

/** Has the classes of the addon publish what they do, and gives what traces host calls, if anything listens to these. */
exports.publish = (addon) => {
  if (channels === undefined) return () => undefined;
  addon.notePlacesBy(noteCallers);
  const { JSSandbox, LoadedJSSandbox, SandboxPool } = addon;
  for (const name of ['callHandler', 'callHandlerWithStats', 'callHandlerWithReceipt']) {
    wrap(LoadedJSSandbox, name, 'call', (handler) => ({ handler: nameOf(handler) }), watchIn(addon));
    wrap(SandboxPool, name, 'call', (handler) => ({ handler: nameOf(handler) }), watchWaitIn(addon));
  }
  wrap(SandboxPool, 'run', 'run', () => ({}), watchWaitIn(addon));
  const begun = (_, begin) => begin();
  wrap(JSSandbox, 'getLoadedSandbox', 'load', () => ({}), begun);
  wrap(LoadedJSSandbox, 'restore', 'restore', () => ({}), begun);
  const listens = listener(channels['host-call']);
  return () => (listens() ? traceHostCall : undefined);
};

/** The method of ours that runs now. */
let running;

/**
 * An object with the stack of whoever has called the package. A frame of a method of ours would not only be seen in errors: V8
 * keeps the object that it is a method of with the frame, and no sandbox would be collected during a call.
 */
function noteCallers() {
  const place = {};
  Error.captureStackTrace(place, running ?? noteCallers);
  return place;
}

/** Replaces a method by one that is the same when nobody listens to a channel, or to that of waiting for a pool. */
function wrap({ prototype }, method, channelName, describe, watch) {
  const original = prototype[method];
  const channel = channels[channelName];
  const listens = listener(channel);
  const listensToo = watch.isOfPool ? listener(channels['pool-wait']) : () => false;
  // No method has more arguments.
  const wrapper = {
    [method](a, b, c) {
      const outer = running;
      running = wrapper;
      try {
        if (!listens() && !listensToo()) return original.call(this, a, b, c);
        const message = { method, ...describe(a) };
        return trace(channel, message, () => watch(message, () => original.call(this, a, b, c)));
      } finally {
        running = outer;
      }
    },
  }[method];
  Object.defineProperty(wrapper, 'length', { value: original.length, configurable: true });
  Object.defineProperty(prototype, method, { ...Object.getOwnPropertyDescriptor(prototype, method), value: wrapper });
}

/** Has the addon write the receipt of a call into its message. */
function watchIn({ observeNextCall }) {
  return (message, begin) => {
    observeNextCall((receipt) => {
      if (receipt !== undefined) message.receipt = receipt;
    });
    return begin();
  };
}

/** The same for a pool, with the time until a sandbox was there for the request. */
function watchWaitIn({ observeNextCall }) {
  const watch = (message, begin) => {
    const wait = { method: message.method };
    const { began, failed, starting } = operation(channels['pool-wait'], wait);
    // The call is not a part of the wait.
    starting(() => undefined);
    observeNextCall((receipt) => {
      if (receipt === undefined) began();
      else message.receipt = receipt;
    });
    const promise = begin();
    // It may fail before a sandbox was there. Who has made the call hears of that by another promise.
    promise.then(began, failed);
    return promise;
  };
  watch.isOfPool = true;
  return watch;
}

/** Publishes an operation: its start and end, and what its promise comes to. */
function trace(channel, message, begin) {
  const { began: succeeded, failed, starting } = operation(channel, message);
  return starting(() =>
    begin().then(
      (value) => {
        succeeded();
        return value;
      },
      (error) => {
        failed(error);
        throw error;
      },
    ),
  );
}

/** What publishes the parts of one operation, whose end is published once. */
function operation(channel, message) {
  let hasEnded = false;
  const end = (error) => {
    if (hasEnded) return;
    hasEnded = true;
    if (error !== undefined) {
      message.error = error;
      channel.error.publish(message);
    }
    channel.asyncStart.publish(message);
    channel.asyncEnd.publish(message);
  };
  return {
    starting: (begin) =>
      channel.start.runStores(message, () => {
        const within = message[WITHIN];
        try {
          return within === undefined ? begin() : within(begin);
        } finally {
          channel.end.publish(message);
        }
      }),
    began: () => end(undefined),
    failed: (error) => end(failure(error)),
  };
}

/** Calls a host function, and publishes that. It comes to what the function comes to. */
function traceHostCall(module, name, callback, ...args) {
  const channel = channels['host-call'];
  const message = { module, name, isAsync: false };
  const { began: succeeded, failed, starting } = operation(channel, message);
  return starting(() => {
    let value;
    try {
      value = callback(...args);
    } catch (error) {
      message.error = { type: typeOf(error) };
      channel.error.publish(message);
      throw error;
    }
    if (!isThenable(value)) return value;
    message.isAsync = true;
    // It may be one whose `then` must be called once only.
    const promise = Promise.resolve(value);
    promise.then(succeeded, failed);
    return promise;
  });
}

/** What is told of an error: never its message, which may be a guest's. */
function failure(error) {
  const failure = { type: typeOf(error) };
  if (!isSandboxError(error)) return failure;
  for (const name of ['code', 'terminatedBy']) {
    const value = Object.getOwnPropertyDescriptor(error, name)?.value;
    if (typeof value === 'string' && /^[\w-]{1,64}$/.test(value)) failure[name] = value;
  }
  return failure;
}

/** The name of the class of what was thrown. */
function typeOf(thrown) {
  try {
    const type = Object(thrown).constructor;
    return typeof type === 'function' && /^\w{1,64}$/.test(type.name) ? type.name : 'Object';
  } catch {
    // A proxy, or a getter.
    return 'Object';
  }
}

function isThenable(value) {
  return (
    (typeof value === 'object' || typeof value === 'function') && value !== null && typeof value.then === 'function'
  );
}

/** A name as far as it can be one. */
function nameOf(handler) {
  return typeof handler === 'string' ? handler.slice(0, 256) : undefined;
}

/** What says whether anything listens to a channel. */
function listener({ start, end, asyncStart, asyncEnd, error }) {
  // A tracing channel as a whole cannot be asked before Node.js 20.13.
  return () =>
    start.hasSubscribers ||
    end.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    asyncStart.hasSubscribers ||
    error.hasSubscribers;
}

function builtin(name) {
  return process.getBuiltinModule?.(name) ?? require(name);
}
