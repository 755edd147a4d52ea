// Calls host functions, and gives the addon what they come to.
//
// A host call has a number, by which the addon knows it as long as the guest waits. `settle` gives its reply: the text of the
// value and its byte arrays, as `stringify` makes them, or what was thrown. `refuse` says that its arguments cannot be passed.
// `giveUp` names those that nobody is left to settle. `enter` runs a function during a host call, where the guest's call was made;
// `tracer` returns what traces host calls, if anything does.
({ settle, refuse, giveUp, argumentsMax }, { enter, tracer }, { stringify, parse: parseWithBytes }) => {
  const { isArray } = Array;
  const { parse } = JSON;
  const { apply } = Reflect;
  const PromiseNow = Promise;
  const { resolve } = PromiseNow;
  const { then } = PromiseNow.prototype;

  /** Most calls of which each is given up only when nobody is left who could settle any of them. To watch each would take longer. */
  const WATCHED_TOGETHER = 16;
  const watched = new FinalizationRegistry(giveUp);
  const { register } = FinalizationRegistry.prototype;
  const WeakRefNow = WeakRef;
  const { deref } = WeakRef.prototype;

  /** Whether `await` would wait for it. */
  const isThenable = (value) =>
    ((typeof value === 'object' && value !== null) || typeof value === 'function') && typeof value.then === 'function';

  /** Has the tracer call a function. Programs can replace the iterator of arrays, so it is not used. */
  const traced = (trace, { module, name, callback }, values) => {
    const all = [module, name, callback];
    for (let i = 0; i < values.length; i++) all[i + 3] = values[i];
    return apply(trace, undefined, all);
  };

  const fulfil = (number, value) => {
    const byteArrays = [];
    let text;
    try {
      text = stringify(value, byteArrays);
    } catch (thrown) {
      settle(number, false, thrown, undefined);
      return;
    }
    settle(number, true, text, byteArrays.length > 0 ? byteArrays : undefined);
  };

  /** What the functions hold that will settle a call: it is not collected before they are. */
  const watch = ({ number, origin }) => {
    let watcher = origin.watcher === undefined ? undefined : apply(deref, origin.watcher, []);
    if (watcher === undefined || watcher.numbers.length === WATCHED_TOGETHER) {
      const numbers = [];
      watcher = { numbers };
      origin.watcher = new WeakRefNow(watcher);
      apply(register, watched, [watcher, numbers]);
    }
    const { numbers } = watcher;
    numbers[numbers.length] = number;
    return watcher;
  };

  /** Calls a function with the arguments in an array. What traces host calls, if anything does, calls it instead. */
  const call = (hostCall, values) => {
    const { number, origin, callee } = hostCall;
    let value;
    let promise;
    try {
      const trace = tracer();
      value = trace === undefined ? apply(callee.callback, undefined, values) : traced(trace, callee, values);
      if (isThenable(value)) promise = apply(resolve, PromiseNow, [value]);
    } catch (thrown) {
      settle(number, false, thrown, undefined);
      return;
    }
    if (promise === undefined) {
      fulfil(number, value);
      return;
    }
    let watcher = watch(hostCall);
    const fulfilled = (value) => {
      watcher = undefined;
      // Nobody needs the reply to a call of a guest's that has ended.
      if (!origin.hasEnded) fulfil(number, value);
    };
    const rejected = (reason) => {
      watcher = undefined;
      if (!origin.hasEnded) settle(number, false, reason, undefined);
    };
    apply(then, promise, [fulfilled, rejected]);
  };

  /** Serves a host call that was made by a guest's call with this origin, and has arguments as they were sent. */
  return (origin, number, callee, text, byteArrays) => {
    // The guest's runtime made this, so it is as little to be trusted as the guest.
    let values;
    try {
      values = byteArrays === undefined ? parse(text) : parseWithBytes(text, byteArrays);
    } catch {}
    if (!isArray(values)) refuse(number, false);
    else if (values.length > argumentsMax) refuse(number, true);
    else enter(origin, { number, origin, callee }, call, values);
  };
};
