// Host functions of one call: call_functions.rs says which.
//
// Nothing that guest code may have changed is used.
(call, start, load, globals) => {
  const { defineProperty } = globals.Object;
  const { deleteProperty, getOwnPropertyDescriptor } = globals.Reflect;

  /** The modules of the call, by name, and their names. */
  let modules = { __proto__: null };
  let names = [];
  /** The `fetch` that is there for the call. */
  let fetchOfCall;
  /** What `fetch` does, as soon as it has been called. */
  let implementation;

  function define(object, name, value) {
    defineProperty(object, name, { __proto__: null, value, configurable: true, enumerable: true, writable: true });
  }

  return {
    __proto__: null,

    isGlobal: (name) => name in globals,

    /** Makes the global object of a module. */
    addModule(name) {
      define(modules, name, {});
      define(names, names.length, name);
      define(globals, name, modules[name]);
    },

    /** Adds a function to the object of its module. */
    addFunction(module, name, isAsync) {
      const made = isAsync ? (...args) => start(module, name, args) : (...args) => call(module, name, args);
      define(made, 'name', name);
      define(modules[module], name, made);
    },

    /** Makes the global `fetch`, unless there is one by that name. */
    addFetch(isOfCall) {
      if (getOwnPropertyDescriptor(globals, 'fetch') !== undefined) return;
      const { fetch } = {
        fetch(input) {
          implementation ??= load('fetch').fetching(start);
          return implementation(...arguments);
        },
      };
      define(globals, 'fetch', fetch);
      if (isOfCall) fetchOfCall = fetch;
    },

    /** Takes the globals away, but for those that the call has made something else of. */
    clear() {
      for (let i = 0; i < names.length; i++) {
        const name = names[i];
        if (getOwnPropertyDescriptor(globals, name)?.value === modules[name]) deleteProperty(globals, name);
      }
      if (fetchOfCall !== undefined && getOwnPropertyDescriptor(globals, 'fetch')?.value === fetchOfCall) {
        deleteProperty(globals, 'fetch');
      }
      fetchOfCall = undefined;
      modules = { __proto__: null };
      names = [];
    },
  };
};
