// What objects of Temporal are: each has a value of its own kind, which native code keeps.

import { kindOf, property } from 'hyperlight:native/temporal';
import { platformObjects } from 'hyperlight:platform';

const { create: newObject, defineProperty, getOwnPropertyDescriptor } = Object;

/** The kinds, by the numbers that native code has for them. `RELATIVE` is a date, or one with a time zone. */
export const DATE = 1;
export const TIME = 2;
export const DATE_TIME = 3;
export const YEAR_MONTH = 4;
export const MONTH_DAY = 5;
export const ZONED = 6;
export const INSTANT = 7;
export const DURATION = 8;
export const RELATIVE = 9;

class Given {
  constructor(object) {
    // biome-ignore lint/correctness/noConstructorReturn: the fields of a class become those of this object.
    return object;
  }
}

/** Gives objects a kind and a value, which nothing else can give or take. */
class Marked extends Given {
  #kind;
  #value;

  constructor(object, kind, value) {
    super(object);
    this.#kind = kind;
    this.#value = value;
  }

  static kind(object) {
    return #kind in object ? object.#kind : 0;
  }

  static value(object) {
    return object.#value;
  }
}

/** Makes an object one of a kind. */
export function mark(object, kind, value) {
  new Marked(object, kind, value);
}

export function isObject(value) {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** The kind of an object, or 0 if it is none of Temporal. */
export function kindOfObject(value) {
  return isObject(value) ? Marked.kind(value) : 0;
}

platformObjects((value) => kindOfObject(value) !== 0);

/** The value of an object that must have a kind. */
export function slotOf(object, kind) {
  if (kindOfObject(object) !== kind) throw new TypeError(`This is not an object of Temporal.${names[kind]}`);
  return Marked.value(object);
}

/** The value of an object whose kind is known. */
export const valueIn = Marked.value;

// No arrays: a program may have changed what those inherit before it uses this for the first time.
const prototypes = { __proto__: null };
const names = { __proto__: null };

/** A new object with a value, which tells its kind. */
export function wrap(value) {
  const kind = kindOf(value);
  const object = newObject(prototypes[kind]);
  new Marked(object, kind, value);
  return object;
}

/** Finishes a class: the properties that its objects have, each read of native code, and what they are called. */
export function finish(Class, kind, properties) {
  const { prototype } = Class;
  prototypes[kind] = prototype;
  names[kind] = Class.name;
  for (let i = 0; i < properties.length; i++) {
    const name = properties[i];
    const getter = {
      get [name]() {
        return property(slotOf(this, kind), name);
      },
    };
    const { get } = getOwnPropertyDescriptor(getter, name);
    defineProperty(prototype, name, { __proto__: null, get, configurable: true, enumerable: false });
  }
  label(prototype, `Temporal.${Class.name}`);
}

export function label(object, value) {
  defineProperty(object, Symbol.toStringTag, { __proto__: null, value, configurable: true });
}

/** What `valueOf` of each kind does: there is no order for operators. */
export function noValue(kind) {
  const method = kind === MONTH_DAY ? 'equals' : 'compare';
  const name = `Temporal.${names[kind]}.prototype`;
  throw new TypeError(`Do not use ${name}.valueOf; use ${name}.${method} for comparison.`);
}
