// What WebIDL asks of all functions and classes of the web.

// As it is before any guest code runs, which may change it.
const { apply } = Reflect;

// Classes that are first used later register as well, when a program may have changed what arrays inherit.
const brands = { __proto__: null };
let brandCount = 0;

/** Registers the objects of a class, by a function that tells them. */
export function platformObjects(isOne) {
  brands[brandCount] = isOne;
  brandCount++;
}

/** Whether a value is an object of a class that does not belong to the language. */
export function isPlatformObject(value) {
  for (let i = 0; i < brandCount; i++) if (brands[i](value)) return true;
  return false;
}

const cloners = { __proto__: null };
let clonerCount = 0;

/** Has objects of a class cloned by `structuredClone()`: by a function that tells them, and one that gives a clone. */
export function cloneable(isOne, clone) {
  cloners[clonerCount] = { __proto__: null, isOne, clone };
  clonerCount++;
}

/** What clones an object of a class that does not belong to the language, if it can be cloned. */
export function clonerOf(value) {
  for (let i = 0; i < clonerCount; i++) if (cloners[i].isOne(value)) return cloners[i].clone;
  return undefined;
}

/** A function that throws if it is given fewer arguments than it requires, and otherwise does what this one does. */
export function requiring(implementation) {
  const { name, length } = implementation;
  const { [name]: checked } = {
    [name](...given) {
      if (given.length >= length) return apply(implementation, this, given);
      throw new TypeError(`${name} requires ${length} argument${length > 1 ? 's' : ''}, but got ${given.length}`);
    },
  };
  return Object.defineProperty(checked, 'length', { value: length });
}

/** An argument whose properties are options; without any if it is missing. */
export function dictionary(value) {
  if (value === undefined || value === null) return {};
  if (typeof value === 'object' || typeof value === 'function') return value;
  throw new TypeError('the options must be an object');
}
