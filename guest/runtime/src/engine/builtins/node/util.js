// The module `util`.

import { TextDecoder, TextEncoder } from 'hyperlight:encoding';
import { inspect } from 'hyperlight:inspect';
import { format, formatWithOptions } from 'hyperlight:inspect/format';
import { isDeepStrictEqual } from 'hyperlight:node/equal';
import { checkFunction, coded, invalidType } from 'hyperlight:node/errors';
import promises from 'hyperlight:node/timers_promises';
import types from 'hyperlight:node/types';

const { apply } = Reflect;
const { defineProperty, getOwnPropertyDescriptors, getPrototypeOf, setPrototypeOf } = Object;

const customPromisify = Symbol.for('nodejs.util.promisify.custom');

/** A function that gives a promise, for one that calls back. */
export function promisify(original) {
  checkFunction(original, 'original');
  const own = original[customPromisify];
  if (own) {
    checkFunction(own, 'util.promisify.custom');
    return defineProperty(own, customPromisify, { value: own, configurable: true });
  }
  function promisified(...values) {
    return new Promise((resolve, reject) => {
      apply(original, this, [...values, (error, ...results) => (error ? reject(error) : resolve(results[0]))]);
    });
  }
  setPrototypeOf(promisified, getPrototypeOf(original));
  defineProperty(promisified, customPromisify, { value: promisified, configurable: true });
  return Object.defineProperties(promisified, getOwnPropertyDescriptors(original));
}
promisify.custom = customPromisify;

for (const name of ['setTimeout', 'setImmediate']) {
  const timer = globalThis[name];
  if (typeof timer === 'function') {
    Reflect.defineProperty(timer, customPromisify, { value: promises[name], configurable: true });
  }
}

/** The other way round. */
export function callbackify(original) {
  checkFunction(original, 'original');
  function callbackified(...values) {
    const callback = values.pop();
    checkFunction(callback, 'last argument');
    const done = (...results) => queueMicrotask(() => apply(callback, this, results));
    apply(original, this, values).then(
      (result) => done(null, result),
      (reason) => {
        if (reason) return done(reason);
        const error = coded(Error, 'ERR_FALSY_VALUE_REJECTION', 'Promise was rejected with falsy value');
        error.reason = reason;
        return done(error);
      },
    );
  }
  const properties = getOwnPropertyDescriptors(original);
  if (typeof properties.length?.value === 'number') properties.length.value += 1;
  if (typeof properties.name?.value === 'string') properties.name.value += 'Callbackified';
  return Object.defineProperties(callbackified, properties);
}

const told = new Set();

/** A function that says once that it is deprecated. */
export function deprecate(original, message, code) {
  let isTold = false;
  function deprecated(...values) {
    if (!isTold) {
      isTold = true;
      if (code === undefined || !told.has(code)) {
        if (code !== undefined) told.add(code);
        console.error(`${code === undefined ? '' : `[${code}] `}DeprecationWarning: ${message}`);
      }
    }
    return new.target ? Reflect.construct(original, values, new.target) : apply(original, this, values);
  }
  setPrototypeOf(deprecated, original);
  if (original.prototype) deprecated.prototype = original.prototype;
  return defineProperty(deprecated, 'length', { ...Object.getOwnPropertyDescriptor(original, 'length') });
}

export function inherits(Class, Parent) {
  if (Class === undefined || Class === null) throw invalidType('"ctor" argument', 'of type function', Class);
  if (Parent === undefined || Parent === null) throw invalidType('"superCtor" argument', 'of type function', Parent);
  if (Parent.prototype === undefined) {
    throw invalidType('"superCtor.prototype" property', 'of type object', Parent.prototype);
  }
  defineProperty(Class, 'super_', { value: Parent, configurable: true, writable: true });
  setPrototypeOf(Class.prototype, Parent.prototype);
}

export function debuglog() {
  return Object.assign(() => {}, { enabled: false });
}
export { debuglog as debug };

export function stripVTControlCharacters(text) {
  if (typeof text !== 'string') throw invalidType('"str" argument', 'of type string', text);
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    /[\u001b\u009b][[\]()#;?]*(?:(?:(?:(?:;[-a-zA-Z\d/#&.:=?%@~_]+)*|[a-zA-Z\d]+(?:;[-a-zA-Z\d/#&.:=?%@~_]*)*)?(?:\u0007|\u001b\u005c|\u009c))|(?:(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-nq-uy=><~]))/g,
    '',
  );
}

export function toUSVString(text) {
  return `${text}`.toWellFormed();
}

/** A text in colors and styles for a terminal. */
export function styleText(styles, text) {
  if (typeof text !== 'string') throw invalidType('"text" argument', 'of type string', text);
  let [before, after] = ['', ''];
  for (const style of Array.isArray(styles) ? styles : [styles]) {
    const color = inspect.colors[style];
    if (color === undefined) throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `There is no style '${style}'`);
    before += `\u001b[${color[0]}m`;
    after = `\u001b[${color[1]}m${after}`;
  }
  return before + text + after;
}

/** Rejects when the signal is aborted. */
export async function aborted(signal, resource) {
  if (signal === undefined) throw invalidType('"signal" argument', 'an instance of AbortSignal', signal);
  if (resource === null || typeof resource !== 'object') {
    throw invalidType('"resource" argument', 'of type object', resource);
  }
  if (signal.aborted) return undefined;
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

export const isArray = Array.isArray;
const isObject = (value) => value !== null && typeof value === 'object';
const old = {
  isBoolean: (value) => typeof value === 'boolean',
  isDate: types.isDate,
  isError: (value) => types.isNativeError(value) || value instanceof Error,
  isFunction: (value) => typeof value === 'function',
  isNull: (value) => value === null,
  isNullOrUndefined: (value) => value === null || value === undefined,
  isNumber: (value) => typeof value === 'number',
  isObject,
  isPrimitive: (value) => !isObject(value) && typeof value !== 'function',
  isRegExp: types.isRegExp,
  isString: (value) => typeof value === 'string',
  isSymbol: (value) => typeof value === 'symbol',
  isUndefined: (value) => value === undefined,
  _extend: (target, source) => (isObject(source) ? Object.assign(target, source) : target),
};
export const {
  isBoolean,
  isDate,
  isError,
  isFunction,
  isNull,
  isNullOrUndefined,
  isNumber,
  isPrimitive,
  isRegExp,
  isString,
  isSymbol,
  isUndefined,
  _extend,
} = old;
export { format, formatWithOptions, inspect, isDeepStrictEqual, isObject, TextDecoder, TextEncoder, types };

export default {
  ...old,
  TextDecoder,
  TextEncoder,
  aborted,
  callbackify,
  debug: debuglog,
  debuglog,
  deprecate,
  format,
  formatWithOptions,
  inherits,
  inspect,
  isArray,
  isDeepStrictEqual,
  promisify,
  stripVTControlCharacters,
  styleText,
  toUSVString,
  types,
};
