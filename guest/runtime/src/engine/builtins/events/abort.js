// AbortController and AbortSignal, as the DOM Standard has them.

import { Event } from 'hyperlight:event';
import { EventTarget, fire, handlerProperty, useSignals } from 'hyperlight:event_target';
import { interfaces, requireArguments } from 'hyperlight:interfaces';

// As they are now: guest code may change the originals.
const { DOMException, setTimeout } = globalThis;

/** Lets nobody but this module make an AbortSignal. */
const KEY = Symbol('AbortSignal');

/** What is known of a signal, which is nothing that guest code can reach. */
let stateOf;
/** Whether a value is a signal. */
let isSignal;

class AbortSignal extends EventTarget {
  #state = { isAborted: false, reason: undefined, algorithms: [], dependents: [], sources: [] };

  static {
    stateOf = (signal) => signal.#state;
    isSignal = (value) => typeof value === 'object' && value !== null && #state in value;
  }

  constructor() {
    if (arguments[0] !== KEY) throw new TypeError('an AbortSignal comes from an AbortController');
    super();
  }

  static abort(reason = new DOMException('This operation was aborted', 'AbortError')) {
    return aborted(reason);
  }

  static timeout(milliseconds) {
    requireArguments(arguments, 1);
    const delay = Math.trunc(Number(milliseconds));
    if (!(delay >= 0 && delay <= Number.MAX_SAFE_INTEGER)) {
      throw new TypeError('the time must be a number of milliseconds from 0 to 2^53 - 1');
    }
    const signal = new AbortSignal(KEY);
    const abort = () =>
      abortSignal(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    // A timer cannot be longer. What is, never comes.
    if (delay < 2 ** 31) setTimeout(abort, delay);
    return signal;
  }

  static any(signals) {
    requireArguments(arguments, 1);
    return dependentOf(signals);
  }

  get aborted() {
    return this.#state.isAborted;
  }

  get reason() {
    return this.#state.reason;
  }

  throwIfAborted() {
    const { isAborted, reason } = this.#state;
    if (isAborted) throw reason;
  }
}

function aborted(reason) {
  const signal = new AbortSignal(KEY);
  Object.assign(stateOf(signal), { isAborted: true, reason });
  return signal;
}

/** A signal that is aborted when one of these is. */
function dependentOf(signals) {
  const all = [...signals];
  for (const signal of all) {
    if (!isSignal(signal)) throw new TypeError('there is something that is no AbortSignal');
  }
  const first = all.find((signal) => stateOf(signal).isAborted);
  if (first) return aborted(stateOf(first).reason);
  const any = new AbortSignal(KEY);
  const state = stateOf(any);
  for (const signal of all) {
    const { sources } = stateOf(signal);
    for (const source of sources.length > 0 ? sources : [signal]) {
      if (state.sources.includes(source)) continue;
      state.sources.push(source);
      stateOf(source).dependents.push(any);
    }
  }
  return any;
}

function onAbort(signal, algorithm) {
  stateOf(signal).algorithms.push(algorithm);
}

function abortSignal(signal, reason) {
  const state = stateOf(signal);
  if (state.isAborted) return;
  Object.assign(state, { isAborted: true, reason });
  // All of them are aborted before any of their listeners can see one.
  const dependents = state.dependents.filter((dependent) => !stateOf(dependent).isAborted);
  for (const dependent of dependents) Object.assign(stateOf(dependent), { isAborted: true, reason });
  for (const one of [signal, ...dependents]) {
    const { algorithms } = stateOf(one);
    Object.assign(stateOf(one), { algorithms: [], dependents: [], sources: [] });
    for (const algorithm of algorithms) algorithm();
    fire(one, new Event('abort'));
  }
}

class AbortController {
  #signal = new AbortSignal(KEY);

  get signal() {
    return this.#signal;
  }

  abort(reason = new DOMException('This operation was aborted', 'AbortError')) {
    abortSignal(this.#signal, reason);
  }
}

useSignals(isSignal, onAbort);
interfaces(AbortSignal, AbortController);
handlerProperty(AbortSignal.prototype, 'abort');

export { AbortController, AbortSignal, dependentOf, isSignal, onAbort };
