// The module `timers/promises`.

import { invalidType } from 'hyperlight:node/errors';

// As they are before any guest code runs, unless it has changed them before it asked for this.
const timers = {
  clearImmediate: globalThis.clearImmediate,
  clearInterval: globalThis.clearInterval,
  clearTimeout: globalThis.clearTimeout,
  setImmediate: globalThis.setImmediate,
  setInterval: globalThis.setInterval,
  setTimeout: globalThis.setTimeout,
};

const abortError = (signal) =>
  Object.assign(new Error('The operation was aborted', { cause: signal.reason }), {
    name: 'AbortError',
    code: 'ABORT_ERR',
  });

function signalOf(options) {
  if (options === null || typeof options !== 'object')
    throw invalidType('"options" argument', 'of type object', options);
  const { signal } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidType('"options.signal" property', 'an instance of AbortSignal', signal);
  }
  return signal;
}

/** A promise that is fulfilled by what `start` starts, unless a signal comes first. */
async function when(start, stop, value, options) {
  const signal = signalOf(options);
  if (signal?.aborted) throw abortError(signal);
  return new Promise((resolve, reject) => {
    const abort = () => {
      stop(timer);
      reject(abortError(signal));
    };
    const timer = start(() => {
      signal?.removeEventListener('abort', abort);
      resolve(value);
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}

export function setTimeout(delay, value, options = {}) {
  return when((done) => timers.setTimeout(done, delay), timers.clearTimeout, value, options);
}

export function setImmediate(value, options = {}) {
  return when((done) => timers.setImmediate(done), timers.clearImmediate, value, options);
}

export async function* setInterval(delay, value, options = {}) {
  const signal = signalOf(options);
  if (signal?.aborted) throw abortError(signal);
  let come = 0;
  let wake;
  const interval = timers.setInterval(() => {
    come += 1;
    wake?.();
  }, delay);
  const abort = () => wake?.();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    for (;;) {
      if (signal?.aborted) throw abortError(signal);
      if (come === 0) {
        await new Promise((resolve) => {
          wake = resolve;
        });
        continue;
      }
      for (; come > 0; come--) yield value;
    }
  } finally {
    timers.clearInterval(interval);
    signal?.removeEventListener('abort', abort);
  }
}

export const scheduler = {
  wait: (delay, options) => setTimeout(delay, undefined, options),
  yield: () => setImmediate(),
};

export default { scheduler, setImmediate, setInterval, setTimeout };
