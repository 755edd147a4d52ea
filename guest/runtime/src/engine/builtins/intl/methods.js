// Methods of the language that depend on a locale. What they need is evaluated when one is called, but for what is plain: numbers
// and texts in ASCII that are asked for in English, which is the usual language.

import { comparePlain, importNow, plainNumber } from 'hyperlight:native';

// As they are before any guest code runs, which may change them.
const { Object: NativeObject, TypeError: NativeTypeError } = globalThis;
const { defineProperty, getPrototypeOf } = Object;
const { max, min, trunc } = Math;
const { MAX_SAFE_INTEGER } = Number;
const { apply } = Reflect;
const { toUpperCase, toLowerCase } = String.prototype;
const { valueOf: numberOf } = Number.prototype;
const { valueOf: bigintOf } = BigInt.prototype;
const { getTime } = Date.prototype;

const modules = { __proto__: null };

function intl(name) {
  modules[name] ??= importNow(`hyperlight:intl/${name}`);
  return modules[name];
}

/** Whether nothing is asked for but what is usual. */
function isUsual(locales, options) {
  return options === undefined && (locales === undefined || locales === 'en-US' || locales === 'en');
}

function define(object, methods) {
  for (const name of Object.keys(methods)) {
    const { length } = object[name];
    const value = methods[name];
    defineProperty(value, 'length', { value: length, configurable: true });
    defineProperty(object, name, { value, configurable: true, enumerable: false, writable: true });
  }
}

function textOf(value, name) {
  if (value === undefined || value === null)
    throw new NativeTypeError(`String.prototype.${name} called on null or undefined`);
  return `${value}`;
}

define(Number.prototype, {
  toLocaleString(locales, options) {
    const number = apply(numberOf, this, []);
    const plain = isUsual(locales, options) ? plainNumber(number) : undefined;
    return plain ?? intl('number_format').formatted(locales, options, number);
  },
});
define(BigInt.prototype, {
  toLocaleString(locales, options) {
    return intl('number_format').formatted(locales, options, apply(bigintOf, this, []));
  },
});
define(Date.prototype, {
  toLocaleString(locales, options) {
    return intl('date_format').formatted(locales, options, 'any', 'all', apply(getTime, this, []));
  },
  toLocaleDateString(locales, options) {
    return intl('date_format').formatted(locales, options, 'date', 'date', apply(getTime, this, []));
  },
  toLocaleTimeString(locales, options) {
    return intl('date_format').formatted(locales, options, 'time', 'time', apply(getTime, this, []));
  },
});
const { toTemporalInstant } = {
  toTemporalInstant() {
    return importNow('hyperlight:temporal').instantOf(apply(getTime, this, []));
  },
};
defineProperty(Date.prototype, 'toTemporalInstant', {
  __proto__: null,
  value: toTemporalInstant,
  configurable: true,
  enumerable: false,
  writable: true,
});
define(String.prototype, {
  localeCompare(that, locales, options) {
    const left = textOf(this, 'localeCompare');
    const right = `${that}`;
    const plain = isUsual(locales, options) ? comparePlain(left, right) : undefined;
    return plain ?? intl('collator').compared(locales, options, left, right);
  },
  toLocaleUpperCase(locales) {
    const text = textOf(this, 'toLocaleUpperCase');
    return locales === undefined ? apply(toUpperCase, text, []) : intl('collator').upper(locales, text);
  },
  toLocaleLowerCase(locales) {
    const text = textOf(this, 'toLocaleLowerCase');
    return locales === undefined ? apply(toLowerCase, text, []) : intl('collator').lower(locales, text);
  },
});

/** As the language has it for arrays: each element by its own method, with the same arguments. */
function joined(elements, length, locales, options) {
  let text = '';
  for (let i = 0; i < length; i++) {
    if (i > 0) text += ',';
    const element = elements[i];
    if (element !== undefined && element !== null) text += `${element.toLocaleString(locales, options)}`;
  }
  return text;
}

const TypedArray = getPrototypeOf(Uint8Array);
const { get: typedLength } = Object.getOwnPropertyDescriptor(TypedArray.prototype, 'length');
const { values: typedValues } = TypedArray.prototype;
/** The arrays that are being joined, the innermost first: `{ array, outer }`. */
let joining;

function isJoined(array) {
  for (let entry = joining; entry !== undefined; entry = entry.outer) if (entry.array === array) return true;
  return false;
}

define(Array.prototype, {
  toLocaleString(locales, options) {
    if (this === undefined || this === null) throw new NativeTypeError('Cannot convert undefined or null to object');
    const array = NativeObject(this);
    // What contains itself is shown as nothing there.
    if (isJoined(array)) return '';
    const outer = joining;
    joining = { __proto__: null, array, outer };
    try {
      return joined(array, min(max(trunc(+array.length) || 0, 0), MAX_SAFE_INTEGER), locales, options);
    } finally {
      joining = outer;
    }
  },
});
define(TypedArray.prototype, {
  toLocaleString(locales, options) {
    // Throws unless it is one whose memory is there.
    apply(typedValues, this, []);
    return joined(this, apply(typedLength, this, []), locales, options);
  },
});
