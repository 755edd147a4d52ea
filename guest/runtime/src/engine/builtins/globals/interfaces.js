// What makes a class of the language an interface of the web, as WebIDL has it.

import { platformObjects } from 'hyperlight:platform';

// As they are before any guest code runs, which may change them.
const { defineProperty } = Object;
const { apply, ownKeys } = Reflect;

const OF_CLASSES = ['length', 'name', 'prototype'];
const OF_PROTOTYPES = ['constructor'];

/** Makes the members of classes enumerable, and has their objects say what they are. */
export function interfaces(...classes) {
  for (const Class of classes) {
    enumerate(Class, OF_CLASSES);
    enumerate(Class.prototype, OF_PROTOTYPES);
    named(Class.prototype, Class.name);
  }
}

function enumerate(object, others) {
  for (const key of ownKeys(object)) {
    if (typeof key === 'string' && !others.includes(key)) defineProperty(object, key, { enumerable: true });
  }
}

/** Has objects with this prototype say what they are. */
export function named(prototype, name) {
  defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
}

/** Checks that so many arguments were given. */
export function requireArguments(given, count) {
  if (given.length < count) {
    throw new TypeError(
      `${count} argument${count > 1 ? 's are' : ' is'} required, but there ${given.length === 1 ? 'is' : 'are'} ${given.length}`,
    );
  }
}

/** Defines constants of an interface, on the class and on its objects. */
export function constants(Class, values) {
  for (const object of [Class, Class.prototype]) {
    for (const name of ownKeys(values)) defineProperty(object, name, { value: values[name], enumerable: true });
  }
}

/** Makes objects of a class iterable, by what gives the pairs of one, of names and values. */
export function iterable(Class, pairsOf) {
  class PairIterator {
    #target;
    #pick;
    #at = 0;

    static {
      platformObjects((value) => #at in value);
    }

    constructor(target, pick) {
      this.#target = target;
      this.#pick = pick;
    }

    next() {
      const pair = pairsOf(this.#target)[this.#at];
      if (!pair) return { value: undefined, done: true };
      this.#at++;
      return { value: this.#pick(pair), done: false };
    }
  }
  const { prototype } = PairIterator;
  delete prototype.constructor;
  Object.setPrototypeOf(prototype, Iterator.prototype);
  defineProperty(prototype, 'next', { enumerable: true });
  named(prototype, `${Class.name} Iterator`);

  const iterator = (target, pick) => {
    pairsOf(target);
    return new PairIterator(target, pick);
  };
  const methods = {
    entries() {
      return iterator(this, ([name, value]) => [name, value]);
    },
    keys() {
      return iterator(this, ([name]) => name);
    },
    values() {
      return iterator(this, ([, value]) => value);
    },
    forEach(callback, thisArg = undefined) {
      pairsOf(this);
      requireArguments(arguments, 1);
      if (typeof callback !== 'function') {
        throw Object.assign(new TypeError('The "callback" argument must be of type function'), {
          code: 'ERR_INVALID_ARG_TYPE',
        });
      }
      for (let at = 0; at < pairsOf(this).length; at++) {
        const [name, value] = pairsOf(this)[at];
        apply(callback, thisArg, [value, name, this]);
      }
    },
  };
  for (const name of ownKeys(methods)) {
    defineProperty(Class.prototype, name, {
      value: methods[name],
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
  defineProperty(Class.prototype, Symbol.iterator, { value: methods.entries, configurable: true, writable: true });
}
