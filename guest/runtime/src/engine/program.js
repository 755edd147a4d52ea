// Programs that are run once: program.rs compiles them.
//
// Nothing that guest code may have changed is used, but for what `await` looks up.
(call, start, globals) => {
  const { defineProperty } = globals.Object;

  function define(object, name, value) {
    defineProperty(object, name, { __proto__: null, value, configurable: true, enumerable: true, writable: true });
  }

  return {
    __proto__: null,

    isGlobal: (name) => name in globals,

    /** Makes a global variable. */
    setGlobal(name, value) {
      define(globals, name, value);
    },

    /** Adds a host function to the global object of its module. */
    addFunction(module, name, isAsync) {
      const made = isAsync ? (...args) => start(module, name, args) : (...args) => call(module, name, args);
      define(made, 'name', name);
      define(globals[module], name, made);
    },

    /** Runs an expression. */
    async runExpression(expression, input) {
      const found = await expression();
      return typeof found === 'function' ? found(input) : found;
    },

    /** Runs the body of a function, which tells its handler if it comes to its end. */
    async runBody(body, input) {
      let handler;
      const value = await body((found) => {
        handler = found;
      });
      return handler === undefined ? value : handler(input);
    },

    /** Runs a module whose evaluation has begun. */
    async runModule(evaluation, namespace, handlerName, input) {
      await evaluation;
      const found = namespace.default ?? namespace[handlerName];
      return typeof found === 'function' ? found(input) : found;
    },
  };
};
