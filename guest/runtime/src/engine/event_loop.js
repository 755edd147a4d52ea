// What a call waits for beside host functions: timers and immediates. event_loop.rs decides what runs when.
//
// All that a call leaves behind is dropped when it ends. It is kept in plain objects and arrays, so that it counts as the
// guest's memory, and nothing that guest code may have changed is used.
(native, globals) => {
  // As they are now: guest code may change the originals.
  const { Number: numberOf, RangeError: NativeRangeError, TypeError: NativeTypeError } = globals;
  const { defineProperty } = globals.Object;
  const { apply } = globals.Reflect;
  const TIMERS_MAX = 10_000;
  const KEPT_MIN = 64;
  // Milliseconds, as in Node.js: what is shorter or longer is the shortest.
  const DELAY_MIN = 1;
  const DELAY_MAX = 2 ** 31 - 1;

  /** Number of the timer or the immediate that was made last. None is used again. */
  let last = 0;
  /** What there is of each by number. */
  let timers;
  let immediates;
  let timerCount;
  /** Timers that wait: a binary heap with the one that is due first at its top. */
  let heap;
  /** Immediates from `oldest` on, the oldest first; those that were taken back are missing in `immediates`. */
  let queue;
  let oldest;
  /** Calls that wait for the end of the code that runs, from `nextOfTicks` on. */
  let ticks;
  let nextOfTicks;
  /** Promises that keep the call open, until they are settled. Settled ones are looked for when there are so many. */
  let kept;
  let keptMax;
  /** What follows the contexts of asynchronous code, from when `async_hooks` is first used. */
  let contexts;

  function clear() {
    timers = { __proto__: null };
    immediates = { __proto__: null };
    timerCount = oldest = nextOfTicks = 0;
    heap = [];
    queue = [];
    ticks = [];
    kept = [];
    keptMax = KEPT_MIN;
  }

  const isBefore = (a, b) => a.due < b.due || (a.due === b.due && a.order < b.order);

  function put(timer, place) {
    define(heap, place, timer);
    timer.place = place;
  }

  // An index of an array may have a setter that its prototype has been given.
  function define(array, index, value) {
    defineProperty(array, index, { __proto__: null, value, configurable: true, enumerable: true, writable: true });
  }

  /** Moves a timer to where it belongs, from a place that is free. */
  function sift(timer, place) {
    while (place > 0) {
      const parent = heap[(place - 1) >> 1];
      if (!isBefore(timer, parent)) break;
      put(parent, place);
      place = (place - 1) >> 1;
    }
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child += 1;
      if (!isBefore(heap[child], timer)) break;
      put(heap[child], place);
      place = child;
    }
    put(timer, place);
  }

  function leaveHeap(timer) {
    const { place } = timer;
    const moved = heap[heap.length - 1];
    heap.length -= 1;
    timer.place = -1;
    if (moved !== timer) sift(moved, place);
  }

  function enterHeap(timer, now) {
    timer.due = now + timer.delay;
    last += 1;
    timer.order = last;
    define(heap, heap.length, timer);
    sift(timer, heap.length - 1);
  }

  /** Calls what was put off, in the context in which it was. */
  function call({ callback, parameters, context }) {
    if (contexts === undefined) apply(callback, undefined, parameters);
    else contexts.run(context, callback, parameters);
  }

  function checkCallback(callback, name) {
    if (typeof callback !== 'function') throw new NativeTypeError(`the first argument of ${name}() must be a function`);
    if (timerCount >= TIMERS_MAX) throw new NativeRangeError(`there are ${TIMERS_MAX} timers already`);
  }

  function addTimer(callback, delay, parameters, repeats, name) {
    // To make a number of the delay may run code, which may add timers too.
    delay = numberOf(delay);
    if (!(delay >= DELAY_MIN && delay <= DELAY_MAX)) delay = DELAY_MIN;
    checkCallback(callback, name);
    native.use();
    last += 1;
    const timer = { __proto__: null, number: last, callback, parameters, delay, repeats, due: 0, order: 0, place: -1 };
    timer.context = contexts?.current();
    timers[timer.number] = timer;
    timerCount += 1;
    enterHeap(timer, native.now());
    return timer.number;
  }

  function setTimeout(callback, delay = DELAY_MIN, ...parameters) {
    return addTimer(callback, delay, parameters, false, 'setTimeout');
  }

  function setInterval(callback, delay = DELAY_MIN, ...parameters) {
    return addTimer(callback, delay, parameters, true, 'setInterval');
  }

  function setImmediate(callback, ...parameters) {
    checkCallback(callback, 'setImmediate');
    native.use();
    last += 1;
    immediates[last] = { __proto__: null, callback, parameters, context: contexts?.current() };
    timerCount += 1;
    define(queue, queue.length, last);
    return last;
  }

  function nextTick(callback, parameters) {
    native.use();
    define(ticks, ticks.length, { __proto__: null, callback, parameters, context: contexts?.current() });
    native.tick();
  }

  /** Takes back a timer or an immediate, whichever of the three is used. What is none is ignored. */
  function takeBack(number) {
    if (typeof number !== 'number') return;
    const timer = timers[number];
    if (timer !== undefined) {
      delete timers[number];
      timerCount -= 1;
      if (timer.place >= 0) leaveHeap(timer);
    } else if (immediates[number] !== undefined) {
      delete immediates[number];
      timerCount -= 1;
    }
  }

  function clearTimeout(number) {
    takeBack(number);
  }

  function clearInterval(number) {
    takeBack(number);
  }

  function clearImmediate(number) {
    takeBack(number);
  }

  /** Keeps the call open until a promise is settled. That does not count as handling its rejection. */
  function waitUntil(promise) {
    const made = native.promise(promise);
    native.use();
    if (kept.length >= keptMax) {
      const all = kept;
      kept = [];
      for (let i = 0; i < all.length; i++) if (native.isPending(all[i])) define(kept, kept.length, all[i]);
      keptMax = 2 * kept.length + KEPT_MIN;
    }
    define(kept, kept.length, made);
  }

  clear();
  for (const value of [setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate]) {
    defineProperty(globals, value.name, { value, configurable: true, enumerable: true, writable: true });
  }
  return {
    __proto__: null,
    clear,
    waitUntil,
    nextTick,

    /** Begins to follow contexts. */
    followContexts(functions) {
      contexts = functions;
      native.follow(functions);
    },

    /** Makes the call that has waited longest for the end of the code that ran; gives whether there was one. */
    runTick() {
      if (nextOfTicks === ticks.length) {
        ticks = [];
        nextOfTicks = 0;
        return false;
      }
      const tick = ticks[nextOfTicks];
      nextOfTicks += 1;
      call(tick);
      return true;
    },

    /** Whether a promise that keeps the call open is pending. */
    isKept() {
      while (kept.length > 0 && !native.isPending(kept[kept.length - 1])) kept.length -= 1;
      return kept.length > 0;
    },

    /** Number of the immediate that was made last. */
    lastImmediate: () => (queue.length > oldest ? queue[queue.length - 1] : 0),

    /** Runs the oldest immediate if its number is at most that; returns whether it was. */
    runImmediate(until) {
      if (oldest === queue.length || queue[oldest] > until) return false;
      const number = queue[oldest];
      oldest += 1;
      if (oldest === queue.length) {
        queue = [];
        oldest = 0;
      }
      const immediate = immediates[number];
      if (immediate === undefined) return true;
      takeBack(number);
      call(immediate);
      return true;
    },

    /** Milliseconds until there is an immediate or a timer to run, 0 if there is; undefined if there is none to come. */
    untilNext() {
      if (queue.length > oldest) return 0;
      if (heap.length === 0) return undefined;
      const left = heap[0].due - native.now();
      return left > 0 ? left : 0;
    },

    /** Runs the timer that is due next, if that was by then; returns whether it was. */
    runDue(now) {
      if (heap.length === 0 || heap[0].due > now) return false;
      const timer = heap[0];
      leaveHeap(timer);
      if (!timer.repeats) takeBack(timer.number);
      call(timer);
      // It may have been taken back by itself.
      if (timers[timer.number] === timer) enterHeap(timer, native.now());
      return true;
    },
  };
};
