// Calls host functions, and gives the addon what they come to.
//
// `settle` gives the reply to a host call. One that comes later does so by means of what `expect` makes of the call: should that be
// collected, nobody is left who could settle it. `nameOf` has the module and the name of the function.
(settle, expect, nameOf) => {
  const { apply } = Reflect;
  const PromiseNow = Promise;
  const { resolve } = PromiseNow;
  const { then } = PromiseNow.prototype;

  /** Whether `await` would wait for it. */
  const isThenable = (value) =>
    ((typeof value === 'object' && value !== null) || typeof value === 'function') && typeof value.then === 'function';

  /** Has the tracer call a function. Programs can replace the iterator of arrays, so it is not used. */
  const traced = (tracer, names, callback, values) => {
    const all = [names[0], names[1], callback];
    for (let i = 0; i < values.length; i++) all[i + 3] = values[i];
    return apply(tracer, undefined, all);
  };

  /** Calls a function with the arguments in an array. What traces host calls, if anything does, calls it instead. */
  return (tracer, hostCall, callback, values) => {
    let value;
    let promise;
    try {
      value =
        tracer === undefined ? apply(callback, undefined, values) : traced(tracer, nameOf(hostCall), callback, values);
      if (isThenable(value)) promise = apply(resolve, PromiseNow, [value]);
    } catch (thrown) {
      settle(hostCall, false, thrown);
      return;
    }
    if (promise === undefined) {
      settle(hostCall, true, value);
      return;
    }
    const later = expect(hostCall);
    const fulfilled = (value) => settle(later, true, value);
    const rejected = (reason) => settle(later, false, reason);
    apply(then, promise, [fulfilled, rejected]);
  };
};
