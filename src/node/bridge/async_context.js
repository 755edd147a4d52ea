// Where the calls of guests were asked for, and what host functions can ask of the call that they serve.
({ AsyncLocalStorage, AsyncResource }, tracer) => {
  const { AbortController } = globalThis;
  /** During which host call JavaScript code runs: what the addon keeps of that. */
  const hostCalls = new AsyncLocalStorage();
  const { run, getStore } = hostCalls;
  const { apply } = Reflect;

  return {
    /** A call of a guest begins here. */
    begin: (context) => ({
      // Nobody waits for it to be collected: `end` says when it is of no more use.
      resource: new AsyncResource('HyperlightCall', { requireManualDestroy: true }),
      context,
      aborts: undefined,
      hasEnded: false,
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

    /**
     * Has a function serve a host call, where the guest's call was asked for: it is given what traces host calls, if anything does,
     * the host call, the function of the host and its arguments.
     */
    serve: (origin, hostCall, serve, callback, values) =>
      origin.resource.runInAsyncScope(run, hostCalls, hostCall, serve, tracer(), hostCall, callback, values),

    /** During which host call this runs. */
    current: () => apply(getStore, hostCalls, []),

    /** What a host function can know of the call that it serves. */
    describe: (origin, module, name) => ({
      context: origin.context,
      get signal() {
        if (origin.aborts === undefined) {
          origin.aborts = new AbortController();
          if (origin.hasEnded) origin.aborts.abort();
        }
        return origin.aborts.signal;
      },
      module,
      name,
    }),
  };
};
