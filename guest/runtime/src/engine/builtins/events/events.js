// Events, and signals to abort with: the parts of the DOM standard that make sense without a document.

// As they are now: guest code may change the originals.
const { console, DOMException, setTimeout } = globalThis;
const now = performance.now.bind(performance);

const NONE = 0;
const AT_TARGET = 2;

/** What is known of an event while it is dispatched, and of a target's listeners: nothing that guest code can reach. */
const states = new WeakMap();

class Event {
  #type;
  #bubbles;
  #cancelable;
  #composed;
  #timeStamp = now();

  constructor(...parameters) {
    if (parameters.length === 0) throw new TypeError('an Event needs a type');
    const [type, options] = parameters;
    const { bubbles = false, cancelable = false, composed = false } = dictionary(options);
    this.#type = String(type);
    this.#bubbles = Boolean(bubbles);
    this.#cancelable = Boolean(cancelable);
    this.#composed = Boolean(composed);
    states.set(this, {
      target: null,
      phase: NONE,
      isDispatched: false,
      isStopped: false,
      isPassive: false,
      isCanceled: false,
    });
  }

  get type() {
    return this.#type;
  }

  get target() {
    return stateOf(this, Event).target;
  }

  get srcElement() {
    return this.target;
  }

  get currentTarget() {
    const { phase, target } = stateOf(this, Event);
    return phase === NONE ? null : target;
  }

  get eventPhase() {
    return stateOf(this, Event).phase;
  }

  get bubbles() {
    return this.#bubbles;
  }

  get cancelable() {
    return this.#cancelable;
  }

  get composed() {
    return this.#composed;
  }

  get defaultPrevented() {
    return stateOf(this, Event).isCanceled;
  }

  get returnValue() {
    return !this.defaultPrevented;
  }

  get isTrusted() {
    return false;
  }

  get timeStamp() {
    return this.#timeStamp;
  }

  composedPath() {
    const { phase, target } = stateOf(this, Event);
    return phase === NONE ? [] : [target];
  }

  preventDefault() {
    const state = stateOf(this, Event);
    if (this.#cancelable && !state.isPassive) state.isCanceled = true;
  }

  /** There is one target, so nothing is propagated. */
  stopPropagation() {}

  stopImmediatePropagation() {
    stateOf(this, Event).isStopped = true;
  }
}

class CustomEvent extends Event {
  #detail;

  constructor(...parameters) {
    super(...parameters);
    this.#detail = dictionary(parameters[1]).detail ?? null;
  }

  get detail() {
    return this.#detail;
  }
}

class EventTarget {
  constructor() {
    states.set(this, { listeners: [] });
  }

  addEventListener(type, callback, options) {
    const state = stateOf(this, EventTarget);
    const { capture, once, passive, signal } = listenerOptions(options);
    if (signal !== undefined && !(signal instanceof AbortSignal)) throw new TypeError('the signal is no AbortSignal');
    if (callback === null || callback === undefined) return;
    if (typeof callback !== 'object' && typeof callback !== 'function') {
      throw new TypeError('the listener is neither a function nor an object');
    }
    if (signal?.aborted || find(state, String(type), callback, capture) >= 0) return;
    const listener = { type: String(type), callback, capture, once, passive, isRemoved: false };
    state.listeners.push(listener);
    if (signal) onAbort(signal, () => remove(state, listener));
  }

  removeEventListener(type, callback, options) {
    const state = stateOf(this, EventTarget);
    const place = find(state, String(type), callback, listenerOptions(options).capture);
    if (place >= 0) remove(state, state.listeners[place]);
  }

  dispatchEvent(event) {
    stateOf(this, EventTarget);
    if (!(event instanceof Event)) throw new TypeError('what is dispatched must be an Event');
    const state = stateOf(event, Event);
    if (state.isDispatched) throw new DOMException('the event is being dispatched already', 'InvalidStateError');
    dispatch(this, event, state);
    return !state.isCanceled;
  }
}

function dispatch(target, event, state) {
  state.isDispatched = true;
  state.target = target;
  state.phase = AT_TARGET;
  const all = states.get(target);
  // Those that are added meanwhile are not called; capturing ones are called first.
  const listeners = all.listeners.filter(({ type }) => type === event.type);
  for (const listener of [
    ...listeners.filter(({ capture }) => capture),
    ...listeners.filter(({ capture }) => !capture),
  ]) {
    if (state.isStopped) break;
    if (listener.isRemoved) continue;
    if (listener.once) remove(all, listener);
    state.isPassive = listener.passive;
    const { callback } = listener;
    try {
      if (typeof callback === 'function') callback.call(target, event);
      else callback.handleEvent(event);
    } catch (error) {
      console.error(error);
    }
    state.isPassive = false;
  }
  state.phase = NONE;
  state.isDispatched = false;
  state.isStopped = false;
}

function find(state, type, callback, capture) {
  return state.listeners.findIndex(
    (listener) => listener.type === type && listener.callback === callback && listener.capture === capture,
  );
}

function remove(state, listener) {
  listener.isRemoved = true;
  state.listeners = state.listeners.filter((other) => other !== listener);
}

function listenerOptions(options) {
  if (typeof options === 'boolean') return { capture: options, once: false, passive: false, signal: undefined };
  const { capture = false, once = false, passive = false, signal } = dictionary(options);
  return { capture: Boolean(capture), once: Boolean(once), passive: Boolean(passive), signal };
}

function dictionary(options) {
  if (options === undefined || options === null) return {};
  if (typeof options !== 'object' && typeof options !== 'function') throw new TypeError('the options are no object');
  return options;
}

function stateOf(object, Class) {
  const state = states.get(object);
  if (state === undefined) throw new TypeError(`this is no ${Class.name}`);
  return state;
}

/** `on…` of a target: a listener that keeps its place when it is replaced. */
function handlerProperty(Class, type) {
  Object.defineProperty(Class.prototype, `on${type}`, {
    get() {
      return stateOf(this, Class)[type]?.handler ?? null;
    },
    set(handler) {
      const state = stateOf(this, Class);
      const isHandler = typeof handler === 'function' || (typeof handler === 'object' && handler !== null);
      if (isHandler && state[type]) state[type].handler = handler;
      else if (isHandler) {
        const own = { handler };
        own.callback = (event) => typeof own.handler === 'function' && own.handler.call(this, event);
        state[type] = own;
        this.addEventListener(type, own.callback);
      } else if (state[type]) {
        this.removeEventListener(type, state[type].callback);
        state[type] = undefined;
      }
    },
    configurable: true,
    enumerable: true,
  });
}

/** Lets nobody but this module make an AbortSignal. */
const KEY = Symbol('AbortSignal');

class AbortSignal extends EventTarget {
  constructor(key) {
    if (key !== KEY) throw new TypeError('an AbortSignal comes from an AbortController');
    super();
    Object.assign(states.get(this), {
      isAborted: false,
      reason: undefined,
      algorithms: [],
      dependents: [],
      sources: [],
    });
  }

  static abort(reason = new DOMException('This operation was aborted', 'AbortError')) {
    const signal = new AbortSignal(KEY);
    Object.assign(states.get(signal), { isAborted: true, reason });
    return signal;
  }

  static timeout(milliseconds) {
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
    const all = [...signals];
    for (const signal of all) {
      if (!(signal instanceof AbortSignal)) throw new TypeError('there is something that is no AbortSignal');
    }
    const aborted = all.find((signal) => signal.aborted);
    if (aborted) return AbortSignal.abort(aborted.reason);
    const any = new AbortSignal(KEY);
    const state = states.get(any);
    for (const signal of all) {
      const { sources } = states.get(signal);
      for (const source of sources.length > 0 ? sources : [signal]) {
        if (state.sources.includes(source)) continue;
        state.sources.push(source);
        states.get(source).dependents.push(any);
      }
    }
    return any;
  }

  get aborted() {
    return stateOf(this, AbortSignal).isAborted;
  }

  get reason() {
    return stateOf(this, AbortSignal).reason;
  }

  throwIfAborted() {
    const { isAborted, reason } = stateOf(this, AbortSignal);
    if (isAborted) throw reason;
  }
}

function onAbort(signal, algorithm) {
  states.get(signal).algorithms.push(algorithm);
}

function abortSignal(signal, reason) {
  const state = states.get(signal);
  if (state.isAborted) return;
  Object.assign(state, { isAborted: true, reason });
  // All of them are aborted before any of their listeners can see one.
  const dependents = state.dependents.filter((dependent) => !states.get(dependent).isAborted);
  for (const dependent of dependents) Object.assign(states.get(dependent), { isAborted: true, reason });
  for (const aborted of [signal, ...dependents]) {
    const { algorithms } = states.get(aborted);
    Object.assign(states.get(aborted), { algorithms: [], dependents: [], sources: [] });
    for (const algorithm of algorithms) algorithm();
    const event = new Event('abort');
    dispatch(aborted, event, states.get(event));
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

handlerProperty(AbortSignal, 'abort');

for (const Class of [Event, CustomEvent, EventTarget, AbortSignal, AbortController]) {
  Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: Class.name, configurable: true });
  Object.defineProperty(globalThis, Class.name, {
    value: Class,
    configurable: true,
    enumerable: false,
    writable: true,
  });
}
for (const [name, value] of Object.entries({ NONE, CAPTURING_PHASE: 1, AT_TARGET, BUBBLING_PHASE: 3 })) {
  for (const object of [Event, Event.prototype]) Object.defineProperty(object, name, { value, enumerable: true });
}
