// The module `events`.

import { inspect } from 'hyperlight:inspect';
import { checkFunction, coded, invalidType, outOfRange } from 'hyperlight:node/errors';

const { apply } = Reflect;

export const errorMonitor = Symbol('events.errorMonitor');
export const captureRejectionSymbol = Symbol.for('nodejs.rejection');
const captures = Symbol('kCapture');
const WARN_AT = 10;
let defaultMaxListeners = WARN_AT;
let captureRejections = false;

function checkCount(value, name) {
  if (typeof value !== 'number') throw invalidType(`"${name}" argument`, 'of type number', value);
  if (!(value >= 0)) throw outOfRange(name, '>= 0', value);
}

const abortError = (signal) =>
  Object.assign(new Error('The operation was aborted', { cause: signal.reason }), {
    name: 'AbortError',
    code: 'ABORT_ERR',
  });

/** The listeners of a type: none, a function, or a list of them. */
function listOf(emitter, type) {
  const found = emitter._events?.[type];
  if (found === undefined) return [];
  return typeof found === 'function' ? [found] : found;
}

function add(emitter, type, listener, isFirst) {
  checkFunction(listener, 'listener');
  if (emitter._events === undefined || emitter._events === null) {
    emitter._events = { __proto__: null };
    emitter._eventsCount = 0;
  }
  if (emitter._events.newListener !== undefined) {
    emitter.emit('newListener', type, listener.listener ?? listener);
  }
  const before = emitter._events[type];
  if (before === undefined) {
    emitter._events[type] = listener;
    emitter._eventsCount += 1;
    return emitter;
  }
  const list = typeof before === 'function' ? [before] : before;
  if (isFirst) list.unshift(listener);
  else list.push(listener);
  emitter._events[type] = list;
  const most = maxOf(emitter);
  if (most > 0 && list.length > most && !list.warned) {
    list.warned = true;
    console.error(
      `MaxListenersExceededWarning: Possible EventEmitter memory leak detected. ${list.length} ${String(type)} listeners ` +
        `added to ${inspect(emitter, { depth: -1 })}. MaxListeners is ${most}. Use emitter.setMaxListeners() to increase limit`,
    );
  }
  return emitter;
}

const maxOf = (emitter) => emitter._maxListeners ?? defaultMaxListeners;

/** A listener that takes itself back before it runs. */
function wrapped(emitter, type, listener) {
  const state = { isFired: false };
  const once = (...values) => {
    if (state.isFired) return undefined;
    state.isFired = true;
    emitter.removeListener(type, once);
    return apply(listener, emitter, values);
  };
  Object.defineProperty(once, 'name', { value: 'bound onceWrapper' });
  once.listener = listener;
  return once;
}

function captured(emitter, type, values, result) {
  if (result === undefined || result === null || typeof result.then !== 'function') return;
  result.then(undefined, (error) => {
    queueMicrotask(() => {
      if (typeof emitter[captureRejectionSymbol] === 'function') {
        emitter[captureRejectionSymbol](error, type, ...values);
        return;
      }
      const before = emitter[captures];
      emitter[captures] = false;
      try {
        emitter.emit('error', error);
      } finally {
        emitter[captures] = before;
      }
    });
  });
}

export function EventEmitter(options) {
  EventEmitter.init.call(this, options);
}

EventEmitter.prototype._events = undefined;
EventEmitter.prototype._eventsCount = 0;
EventEmitter.prototype._maxListeners = undefined;
Object.defineProperty(EventEmitter.prototype, captures, { value: false, writable: true });

EventEmitter.init = function (options) {
  if (this._events === undefined || this._events === Object.getPrototypeOf(this)._events) {
    this._events = { __proto__: null };
    this._eventsCount = 0;
  }
  this._maxListeners = this._maxListeners || undefined;
  const asked = options?.captureRejections;
  if (asked !== undefined && typeof asked !== 'boolean') {
    throw invalidType('"options.captureRejections" property', 'of type boolean', asked);
  }
  if (asked || captureRejections) {
    Object.defineProperty(this, captures, { value: true, configurable: true, writable: true });
  }
};

const methods = {
  setMaxListeners(count) {
    checkCount(count, 'setMaxListeners');
    this._maxListeners = count;
    return this;
  },

  getMaxListeners() {
    return maxOf(this);
  },

  emit(type, ...values) {
    if (type === 'error') {
      if (this._events?.[errorMonitor] !== undefined) this.emit(errorMonitor, ...values);
      if (this._events?.error === undefined) {
        const error = values[0];
        if (error instanceof Error) throw error;
        let shown;
        try {
          shown = inspect(error);
        } catch {
          shown = error;
        }
        const failure = coded(Error, 'ERR_UNHANDLED_ERROR', `Unhandled error. (${shown})`);
        failure.context = error;
        throw failure;
      }
    }
    const found = this._events?.[type];
    if (found === undefined) return false;
    const list = typeof found === 'function' ? [found] : [...found];
    for (const listener of list) {
      const result = apply(listener, this, values);
      if (this[captures]) captured(this, type, values, result);
    }
    return true;
  },

  addListener(type, listener) {
    return add(this, type, listener, false);
  },

  on(type, listener) {
    return add(this, type, listener, false);
  },

  prependListener(type, listener) {
    return add(this, type, listener, true);
  },

  once(type, listener) {
    checkFunction(listener, 'listener');
    return this.on(type, wrapped(this, type, listener));
  },

  prependOnceListener(type, listener) {
    checkFunction(listener, 'listener');
    return this.prependListener(type, wrapped(this, type, listener));
  },

  removeListener(type, listener) {
    checkFunction(listener, 'listener');
    const list = listOf(this, type);
    let place = list.length - 1;
    while (place >= 0 && list[place] !== listener && list[place].listener !== listener) place -= 1;
    if (place < 0) return this;
    const removed = list[place];
    if (list.length === 1) {
      this._eventsCount -= 1;
      if (this._eventsCount === 0) this._events = { __proto__: null };
      else delete this._events[type];
    } else {
      list.splice(place, 1);
      if (list.length === 1) this._events[type] = list[0];
    }
    if (this._events.removeListener !== undefined) {
      this.emit('removeListener', type, removed.listener ?? listener);
    }
    return this;
  },

  off(type, listener) {
    return this.removeListener(type, listener);
  },

  removeAllListeners(...types) {
    const [type] = types;
    const events = this._events;
    if (events === undefined) return this;
    if (events.removeListener === undefined) {
      if (types.length === 0) {
        this._events = { __proto__: null };
        this._eventsCount = 0;
      } else if (events[type] !== undefined) {
        this._eventsCount -= 1;
        if (this._eventsCount === 0) this._events = { __proto__: null };
        else delete events[type];
      }
      return this;
    }
    if (types.length === 0) {
      for (const key of Reflect.ownKeys(events)) if (key !== 'removeListener') this.removeAllListeners(key);
      this.removeAllListeners('removeListener');
      this._events = { __proto__: null };
      this._eventsCount = 0;
      return this;
    }
    for (const listener of [...listOf(this, type)].reverse()) this.removeListener(type, listener);
    return this;
  },

  listeners(type) {
    return listOf(this, type).map((listener) => listener.listener ?? listener);
  },

  rawListeners(type) {
    return [...listOf(this, type)];
  },

  listenerCount(type, listener) {
    const list = listOf(this, type);
    if (listener === undefined || listener === null) return list.length;
    return list.filter((one) => one === listener || one.listener === listener).length;
  },

  eventNames() {
    return this._eventsCount > 0 ? Reflect.ownKeys(this._events) : [];
  },
};
Object.assign(EventEmitter.prototype, methods);
// Some code asks whether they are one.
EventEmitter.prototype.on = EventEmitter.prototype.addListener;
EventEmitter.prototype.off = EventEmitter.prototype.removeListener;

/** A promise for the arguments of the next event. */
export function once(emitter, name, options = {}) {
  const { signal } = options ?? {};
  return new Promise((resolve, reject) => {
    if (signal?.aborted) throw abortError(signal);
    const isTarget = typeof emitter.on !== 'function';
    const listen = (type, listener) =>
      isTarget ? emitter.addEventListener(type, listener, { once: true }) : emitter.once(type, listener);
    const leave = (type, listener) =>
      isTarget ? emitter.removeEventListener(type, listener) : emitter.removeListener(type, listener);
    const done = () => {
      leave(name, settle);
      if (!isTarget && name !== 'error') leave('error', fail);
      signal?.removeEventListener('abort', abort);
    };
    const settle = (...values) => {
      done();
      resolve(values);
    };
    const fail = (error) => {
      done();
      reject(error);
    };
    const abort = () => {
      done();
      reject(abortError(signal));
    };
    listen(name, settle);
    if (!isTarget && name !== 'error') listen('error', fail);
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/** All events of a type, one after another. */
export function on(emitter, name, options = {}) {
  const { signal, close = [] } = options ?? {};
  if (signal?.aborted) throw abortError(signal);
  const isTarget = typeof emitter.on !== 'function';
  const come = [];
  const waiting = [];
  let error;
  let isDone = false;
  const listen = (type, listener) => (isTarget ? emitter.addEventListener(type, listener) : emitter.on(type, listener));
  const leave = (type, listener) =>
    isTarget ? emitter.removeEventListener(type, listener) : emitter.removeListener(type, listener);
  const take = (...values) => {
    const next = waiting.shift();
    if (next) next.resolve({ value: values, done: false });
    else come.push(values);
  };
  const fail = (reason) => {
    const next = waiting.shift();
    if (next) next.reject(reason);
    else error = { reason };
    finish();
  };
  const abort = () => fail(abortError(signal));
  const finish = () => {
    leave(name, take);
    if (!isTarget) leave('error', fail);
    for (const type of close) leave(type, finish);
    signal?.removeEventListener('abort', abort);
    isDone = true;
    for (const next of waiting.splice(0)) next.resolve({ value: undefined, done: true });
    return Promise.resolve({ value: undefined, done: true });
  };
  listen(name, take);
  if (!isTarget && name !== 'error') listen('error', fail);
  for (const type of close) listen(type, finish);
  signal?.addEventListener('abort', abort, { once: true });
  return {
    next() {
      if (come.length > 0) return Promise.resolve({ value: come.shift(), done: false });
      if (error) {
        const { reason } = error;
        error = undefined;
        return Promise.reject(reason);
      }
      if (isDone) return Promise.resolve({ value: undefined, done: true });
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    return: finish,
    throw(reason) {
      if (!(reason instanceof Error))
        throw invalidType('"EventEmitter.AsyncIterator" property', 'an instance of Error', reason);
      fail(reason);
      return Promise.resolve({ value: undefined, done: true });
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

export function getEventListeners(emitter, type) {
  if (typeof emitter.listeners === 'function') return emitter.listeners(type);
  throw invalidType('"emitter" argument', 'an instance of EventEmitter', emitter);
}

export function getMaxListeners(emitter) {
  if (typeof emitter?.getMaxListeners === 'function') return maxOf(emitter);
  throw invalidType('"emitter" argument', 'an instance of EventEmitter', emitter);
}

export function setMaxListeners(count = defaultMaxListeners, ...emitters) {
  checkCount(count, 'setMaxListeners');
  if (emitters.length === 0) defaultMaxListeners = count;
  for (const emitter of emitters) emitter.setMaxListeners?.(count);
}

export function listenerCount(emitter, type) {
  return typeof emitter.listenerCount === 'function' ? emitter.listenerCount(type) : listOf(emitter, type).length;
}

export function addAbortListener(signal, listener) {
  if (signal === undefined) throw invalidType('"signal" argument', 'an instance of AbortSignal', signal);
  checkFunction(listener, 'listener');
  if (signal.aborted) queueMicrotask(() => listener());
  else signal.addEventListener('abort', listener, { once: true });
  return {
    __proto__: null,
    [Symbol.dispose ?? Symbol.for('Symbol.dispose')]() {
      signal.removeEventListener('abort', listener);
    },
  };
}

Object.defineProperty(EventEmitter, 'defaultMaxListeners', {
  get: () => defaultMaxListeners,
  set(count) {
    checkCount(count, 'defaultMaxListeners');
    defaultMaxListeners = count;
  },
  enumerable: true,
});
Object.defineProperty(EventEmitter, 'captureRejections', {
  get: () => captureRejections,
  set(value) {
    if (typeof value !== 'boolean')
      throw invalidType('"EventEmitter.captureRejections" property', 'of type boolean', value);
    captureRejections = value;
  },
  enumerable: true,
});
Object.assign(EventEmitter, {
  EventEmitter,
  addAbortListener,
  captureRejectionSymbol,
  errorMonitor,
  getEventListeners,
  getMaxListeners,
  listenerCount,
  on,
  once,
  setMaxListeners,
  usingDomains: false,
});

export default EventEmitter;
