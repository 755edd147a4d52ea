// Where the calls of guests were asked for, and what host functions can ask of the call that they serve.
({ AsyncLocalStorage, AsyncResource }, isWaiting) => {
  const { AbortController } = globalThis;
  /** During which host call JavaScript code runs. */
  const hostCalls = new AsyncLocalStorage();
  const { run, getStore } = hostCalls;
  const { apply } = Reflect;

  /**
   * During which host call this runs that a guest still waits for: the innermost one. Those that have ended are forgotten, so that
   * chains of calls do not grow for ever.
   */
  const running = () => {
    let hostCall = apply(getStore, hostCalls, []);
    while (hostCall !== undefined && !isWaiting(hostCall.number)) hostCall = hostCall.origin.cause;
    return hostCall;
  };

  return {
    /** A call of a guest begins here. */
    begin: (context) => ({
      // Nobody waits for it to be collected: `end` says when it is of no more use.
      resource: new AsyncResource('HyperlightCall', { requireManualDestroy: true }),
      context,
      cause: running(),
      aborts: undefined,
      hasEnded: false,
      watcher: undefined,
    }),

    /** It has ended: so have all that listen to its signal. */
    end(origin) {
      const { resource, aborts } = origin;
      origin.hasEnded = true;
      // It keeps the context alive in which the call was made, and that may keep another call's.
      origin.resource = undefined;
      if (aborts !== undefined) resource.runInAsyncScope(aborts.abort, aborts);
      resource.emitDestroy();
    },

    /** Runs a function during a host call, where the guest's call was asked for. It is given the host call and values. */
    enter: (origin, hostCall, serve, values) =>
      origin.resource.runInAsyncScope(run, hostCalls, hostCall, serve, hostCall, values),

    /** The number of the host call during which this runs, if a guest still waits for it or for one that has caused it. */
    current: () => running()?.number,

    /** What code can know of the host call during which it runs. */
    describe() {
      const hostCall = apply(getStore, hostCalls, []);
      if (hostCall === undefined) return undefined;
      const { origin, callee } = hostCall;
      return {
        context: origin.context,
        get signal() {
          if (origin.aborts === undefined) {
            origin.aborts = new AbortController();
            if (origin.hasEnded) origin.aborts.abort();
          }
          return origin.aborts.signal;
        },
        module: callee.module,
        name: callee.name,
      };
    },
  };
};
