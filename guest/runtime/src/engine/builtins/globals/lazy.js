// Modules that are compiled and evaluated when they are first used, and global names that stand for what they export.

import { load } from 'hyperlight:native';

// As they are before any guest code runs, which may change them.
const { defineProperty, getOwnPropertyDescriptor } = Object;

const loaded = { __proto__: null };

/** What a lazy module exports. */
export function lazy(name) {
  loaded[name] ??= load(name);
  return loaded[name];
}

/** What a lazy module exports if it has been used: what it has made there is none of, if not. */
export function ifLoaded(name) {
  return loaded[name];
}

function define(name, value) {
  defineProperty(globalThis, name, { __proto__: null, value, configurable: true, enumerable: false, writable: true });
  return value;
}

/**
 * Global names of what a lazy module exports, or of one that another function gives. Until one is used, they are accessors; then
 * they are like any other.
 */
export function defineLazily(module, names, exportsOf = lazy) {
  const getters = { __proto__: null };
  for (const name of names) {
    getters[name] = () => {
      const exports = exportsOf(module);
      for (let i = 0; i < names.length; i++) {
        const isUntouched = getOwnPropertyDescriptor(globalThis, names[i])?.get === getters[names[i]];
        if (isUntouched) define(names[i], exports[names[i]]);
      }
      return exports[name];
    };
    defineProperty(globalThis, name, {
      __proto__: null,
      get: getters[name],
      set: (value) => {
        define(name, value);
      },
      configurable: true,
      enumerable: false,
    });
  }
}
