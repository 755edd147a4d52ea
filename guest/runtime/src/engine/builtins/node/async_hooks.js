// The module `async_hooks`: values that follow code through what it puts off.
//
// A context is a list of stores, which never changes. That of the code that runs is `current`. Timers and the like keep the one
// that they were made in (`event_loop.js`). Promises: the engine says of none of its jobs whose it is, but
//
// - `then`, `finally` and `await` read `constructor` of a promise right before they add their reaction to it. A getter there adds
//   a reaction of ours, the marker, so that its job comes right before the one of that reaction;
// - what is no promise yet, `await` makes one of, which it adds its reaction to unseen. The engine's hook for promises says when
//   such a promise is made and when it is fulfilled: then a marker goes before its reactions, with the context that it was made in;
// - the same hook says when the `then` of something like a promise is called.
//
// The job after a marker runs in the marker's context, and any other outside of all. So a marker that nothing follows gives its
// context to the next job that has no marker: that of a function which was given to the `queueMicrotask` of before, or that of
// an `await` of something like a promise, which rejects. A promise that is fulfilled and has no reactions leaves such a marker.
// `then` of promises that have a `constructor` of their own, for which there is no marker, keeps the context itself.
//
// Whoever reads `constructor` of a pending promise adds a marker too, which counts as handling its rejection.
//
// None of this is there before something asks for it.

import { followContexts, originals, promiseState } from 'hyperlight:native';
import { checkFunction, invalidType } from 'hyperlight:node/errors';

const { apply, defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
// As they were before any guest code ran, such as one that has a clock of its own in their place.
const { Promise: NativePromise, then: nativeThen, resolve: nativeResolve, queueMicrotask: queue } = originals;
const created = new WeakMap();
const getCreated = created.get;
const setCreated = created.set;

/** The context of the code that runs, and that of the job that comes next. */
let current;
let next;
/** Whether `constructor` is read by our own code. */
let isOwn = false;
let isFollowing = false;

const NONE = -1;
const REJECTED = 2;

const markerOf = (context) => () => {
  next = context;
};

function mark(promise) {
  const marker = markerOf(current);
  // A reaction of ours would count as handling a rejection.
  if (promiseState(promise) === REJECTED) {
    queue(marker);
    return;
  }
  isOwn = true;
  try {
    apply(nativeThen, promise, [marker, marker]);
  } finally {
    isOwn = false;
  }
}

/** Runs a function in a context. */
function runIn(context, callback, self, values) {
  const before = current;
  current = context;
  try {
    return apply(callback, self, values);
  } finally {
    current = before;
  }
}

function hasOtherConstructor(promise) {
  return (
    getPrototypeOf(promise) !== NativePromise.prototype ||
    getOwnPropertyDescriptor(promise, 'constructor') !== undefined
  );
}

/** A reaction that runs in the context that there is now. */
function inside(callback) {
  if (typeof callback !== 'function') return callback;
  const context = current;
  return (value) => runIn(context, callback, undefined, [value]);
}

function follow() {
  if (isFollowing) return;
  isFollowing = true;
  defineProperty(NativePromise.prototype, 'constructor', {
    __proto__: null,
    get() {
      if (!isOwn && promiseState(this) !== NONE) mark(this);
      return NativePromise;
    },
    set(value) {
      defineProperty(this, 'constructor', {
        __proto__: null,
        value,
        configurable: true,
        enumerable: true,
        writable: true,
      });
    },
    configurable: true,
    enumerable: false,
  });
  const resolve = getOwnPropertyDescriptor(NativePromise, 'resolve');
  if (resolve?.value === nativeResolve) {
    // It reads `constructor` too, and adds no reaction.
    const { resolve: quiet } = {
      resolve(value) {
        isOwn = true;
        try {
          return apply(nativeResolve, this, [value]);
        } finally {
          isOwn = false;
        }
      },
    };
    defineProperty(NativePromise, 'resolve', { __proto__: null, ...resolve, value: quiet });
  }
  const then = getOwnPropertyDescriptor(NativePromise.prototype, 'then');
  if (then?.value === nativeThen) {
    const { then: following } = {
      // biome-ignore lint/suspicious/noThenProperty: it is taken out again
      then(onFulfilled, onRejected) {
        // Nothing marks a promise whose `constructor` is another one, such as that of a subclass.
        const isOther = promiseState(this) !== NONE && hasOtherConstructor(this);
        return apply(nativeThen, this, isOther ? [inside(onFulfilled), inside(onRejected)] : [onFulfilled, onRejected]);
      },
    };
    defineProperty(NativePromise.prototype, 'then', { __proto__: null, ...then, value: following });
  }
  const microtask = getOwnPropertyDescriptor(globalThis, 'queueMicrotask');
  if (microtask?.value === queue) {
    const { queueMicrotask } = {
      queueMicrotask(callback) {
        checkFunction(callback, 'callback');
        const context = current;
        queue(() => runIn(context, callback, undefined, []));
      },
    };
    defineProperty(globalThis, 'queueMicrotask', { __proto__: null, ...microtask, value: queueMicrotask });
  }
  followContexts({
    __proto__: null,
    current: () => current,
    run: (context, callback, values) => runIn(context, callback, undefined, values),
    beginJob() {
      current = next;
      next = undefined;
    },
    reset() {
      current = next = undefined;
    },
    promiseMade(promise) {
      if (current !== undefined) apply(setCreated, created, [promise, current]);
    },
    promiseFulfilled(promise) {
      // One that `Promise.resolve` is just making has no reactions yet.
      if (!isOwn) queue(markerOf(apply(getCreated, created, [promise])));
    },
    thenCalled(promise) {
      current = apply(getCreated, created, [promise]);
    },
  });
}

/** The entry of a key in a context. */
function entryOf(context, key) {
  for (let entry = context; entry !== undefined; entry = entry.rest) if (entry.key === key) return entry;
  return undefined;
}

/** The context without a key, and with a store for it if one is given. */
function changed(context, key, store) {
  let rest;
  for (let entry = context; entry !== undefined; entry = entry.rest) {
    if (entry.key !== key) rest = { __proto__: null, key: entry.key, store: entry.store, rest };
  }
  return store === undefined ? rest : { __proto__: null, key, store: store.value, rest };
}

export class AsyncLocalStorage {
  /** Stands for the storage in contexts, until it is disabled. */
  #key = {};

  constructor() {
    follow();
  }

  static bind(callback) {
    checkFunction(callback, 'fn');
    return bound(callback, undefined, 'asyncResource');
  }

  static snapshot() {
    follow();
    const context = current;
    return (callback, ...values) => runIn(context, callback, undefined, values);
  }

  getStore() {
    return entryOf(current, this.#key)?.store;
  }

  run(store, callback, ...values) {
    return runIn(changed(current, this.#key, { value: store }), callback, undefined, values);
  }

  exit(callback, ...values) {
    return runIn(changed(current, this.#key), callback, undefined, values);
  }

  enterWith(store) {
    current = changed(current, this.#key, { value: store });
  }

  disable() {
    this.#key = {};
  }
}

let last = 1;

export class AsyncResource {
  #context;
  #id;
  #triggerId;

  constructor(type, options = {}) {
    if (typeof type !== 'string') throw invalidType('"type" argument', 'of type string', type);
    follow();
    const triggerId = typeof options === 'number' ? options : options?.triggerAsyncId;
    last += 1;
    this.#id = last;
    this.#triggerId = triggerId ?? executionAsyncId();
    this.#context = current;
  }

  static bind(callback, type, self) {
    checkFunction(callback, 'fn');
    return new AsyncResource(type ?? callback.name ?? 'bound-anonymous-fn').bind(callback, self);
  }

  bind(callback, self) {
    checkFunction(callback, 'fn');
    return bound(callback, self, 'asyncResource', this);
  }

  runInAsyncScope(callback, self, ...values) {
    return runIn(this.#context, callback, self, values);
  }

  emitDestroy() {
    return this;
  }

  asyncId() {
    return this.#id;
  }

  triggerAsyncId() {
    return this.#triggerId;
  }
}

/** A function that runs in the context that there is now, or in that of a resource. */
function bound(callback, self, name, resource = new AsyncResource(callback.name || 'bound-anonymous-fn')) {
  const result = function (...values) {
    return resource.runInAsyncScope(callback, self === undefined ? this : self, ...values);
  };
  defineProperty(result, 'length', { __proto__: null, value: callback.length, configurable: true });
  defineProperty(result, name, {
    __proto__: null,
    value: resource,
    configurable: true,
    enumerable: true,
    writable: true,
  });
  return result;
}

export function executionAsyncId() {
  return 1;
}

export function triggerAsyncId() {
  return 0;
}

export function executionAsyncResource() {
  return {};
}

export function createHook() {
  throw new Error('createHook() is not supported: use AsyncLocalStorage or AsyncResource');
}

export default {
  AsyncLocalStorage,
  AsyncResource,
  createHook,
  executionAsyncId,
  executionAsyncResource,
  triggerAsyncId,
};
