// Programs that are run once: program.rs compiles them.
//
// Nothing that guest code may have changed is used, but for what `await` looks up.
(globals) => {
  const { defineProperty } = globals.Object;

  return {
    __proto__: null,

    /** Makes the input a global variable. */
    setInput(value) {
      defineProperty(globals, 'input', {
        __proto__: null,
        value,
        configurable: true,
        enumerable: true,
        writable: true,
      });
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
      const found = namespace.default ?? namespace[handlerName] ?? namespace.handler;
      return typeof found === 'function' ? found(input) : found;
    },
  };
};
