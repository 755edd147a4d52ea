// Reads objects that a run or a builder is given, as flat lists. Only own enumerable properties with names that are texts count.
(() => {
  /** What `sync()` marks objects with. */
  const mark = Symbol.for('hyperlight-js.sync');
  const { keys } = Object;
  const TypeErrorNow = TypeError;

  const check = (value, what) => {
    if (typeof value !== 'object' || value === null) throw new TypeErrorNow(`${what} must be an object`);
    return value;
  };

  return {
    /** For each function: its module, its name, whether the guest waits for it, itself. */
    functions(functions) {
      const list = [];
      for (const module of keys(check(functions, 'the option functions'))) {
        const members = check(functions[module], `the module ${module} of the option functions`);
        const isSync = members[mark] === true;
        for (const name of keys(members)) {
          const member = members[name];
          if (typeof member !== 'function')
            throw new TypeErrorNow(`${module}.${name} of the option functions must be a function`);
          list.push(module, name, isSync, member);
        }
      }
      return list;
    },

    /** For each module: its specifier, its source. */
    modules(modules) {
      const list = [];
      for (const specifier of keys(check(modules, 'the object of modules'))) {
        const source = modules[specifier];
        if (typeof source !== 'string') throw new TypeErrorNow(`the module ${specifier} must be a string`);
        list.push(specifier, source);
      }
      return list;
    },

    /** For each variable: its name, its value. */
    variables(variables) {
      const list = [];
      for (const name of keys(check(variables, 'the environment'))) {
        const value = variables[name];
        if (typeof value !== 'string') throw new TypeErrorNow(`the variable ${name} must be a string`);
        list.push(name, value);
      }
      return list;
    },
  };
})();
