// Values as text for people, as `util.inspect` of Node.js shows them.
//
// Getters are not called, and proxies are shown by their targets without their traps. `room` is how many characters are worth
// writing: what comes after is left out, so that what is large costs no more than what can be shown of it.

import { isError, kindOf, proxyParts, typedArrayName } from 'hyperlight:inspect/kinds';
import { assembled } from 'hyperlight:inspect/layout';
import { quoted, withEscapes } from 'hyperlight:inspect/text';
import { classOf, promiseParts } from 'hyperlight:native';

const NativePromise = Promise;
const { prototype: promisePrototype } = Promise;
const { isArray } = Array;
const {
  defineProperty,
  getOwnPropertyDescriptor,
  getOwnPropertyNames,
  getOwnPropertySymbols,
  getPrototypeOf,
  hasOwn,
  keys: keysOf,
} = Object;
const { apply } = Reflect;
const { max, min } = Math;
const functionText = Function.prototype.toString;
const dateText = Date.prototype.toString;
const { getTime, toISOString } = Date.prototype;
const regExpText = RegExp.prototype.toString;
const symbolText = Symbol.prototype.toString;
const errorText = Error.prototype.toString;
const stackOfEngine = getOwnPropertyDescriptor(Error.prototype, 'stack')?.get;
const isEnumerable = Object.prototype.propertyIsEnumerable;
const mapSize = getOwnPropertyDescriptor(Map.prototype, 'size').get;
const setSize = getOwnPropertyDescriptor(Set.prototype, 'size').get;
const mapEntries = Map.prototype.entries;
const setValues = Set.prototype.values;
const valueOfBoxed = {
  Number: Number.prototype.valueOf,
  String: String.prototype.valueOf,
  Boolean: Boolean.prototype.valueOf,
  Symbol: Symbol.prototype.valueOf,
  BigInt: BigInt.prototype.valueOf,
};

export const custom = Symbol.for('nodejs.util.inspect.custom');

const DEFAULTS = {
  showHidden: false,
  depth: 2,
  colors: false,
  customInspect: true,
  showProxy: false,
  maxArrayLength: 100,
  maxStringLength: 10000,
  breakLength: 80,
  compact: 3,
  sorted: false,
  getters: false,
  numericSeparator: false,
};
const defaults = Object.seal({ ...DEFAULTS });

const COLORS = {
  __proto__: null,
  reset: [0, 0],
  bold: [1, 22],
  dim: [2, 22],
  italic: [3, 23],
  underline: [4, 24],
  blink: [5, 25],
  inverse: [7, 27],
  hidden: [8, 28],
  strikethrough: [9, 29],
  black: [30, 39],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
  white: [37, 39],
  gray: [90, 39],
  grey: [90, 39],
};
const STYLES = {
  __proto__: null,
  special: 'cyan',
  number: 'yellow',
  bigint: 'yellow',
  boolean: 'yellow',
  undefined: 'grey',
  null: 'bold',
  string: 'green',
  symbol: 'green',
  date: 'magenta',
  regexp: 'red',
  module: 'underline',
};

const plain = (text) => text;

function colored(text, kind) {
  const color = inspect.colors[inspect.styles[kind]];
  return color === undefined ? text : `\u001b[${color[0]}m${text}\u001b[${color[1]}m`;
}

export function inspect(value, options, depth, colors) {
  const context = { ...DEFAULTS, ...defaults };
  if (typeof options === 'boolean') context.showHidden = options;
  else if (options) {
    for (const name of keysOf(options)) {
      if (hasOwn(DEFAULTS, name) || name === 'stylize') context[name] = options[name];
      else context.further = options;
    }
  }
  if (typeof options !== 'object' || options === null) {
    if (depth !== undefined) context.depth = depth;
    if (colors !== undefined) context.colors = colors;
  }
  return shownWith(context, value, Infinity);
}
inspect.custom = custom;
inspect.colors = COLORS;
inspect.styles = STYLES;
defineProperty(inspect, 'defaultOptions', {
  get: () => defaults,
  set(options) {
    if (options === null || typeof options !== 'object') throw new TypeError('the options must be an object');
    Object.assign(defaults, options);
  },
  configurable: true,
  enumerable: true,
});

/** A value, of whose text no more than so many characters are needed. */
export function inspectBeginning(value, options, room) {
  return shownWith({ ...DEFAULTS, ...defaults, ...options }, value, room);
}

function shownWith(context, value, room) {
  context.stylize = context.colors ? colored : (context.stylize ?? plain);
  if (context.maxArrayLength === null) context.maxArrayLength = Infinity;
  if (context.maxStringLength === null) context.maxStringLength = Infinity;
  context.indentation = 0;
  context.deepest = 0;
  context.open = new Set();
  context.circular = undefined;
  context.room = room;
  return shown(context, value, 0);
}

const isTooDeep = ({ depth }, level) => depth !== null && level > depth;
const plural = (count) => (count > 1 ? 's' : '');
const more = (count, what) => `... ${count} more ${what}${plural(count)}`;

function shown(context, value, level, isInTypedArray) {
  if (context.room <= 0) return '...';
  if (value === null) return context.stylize('null', 'null');
  if (typeof value !== 'object' && typeof value !== 'function') {
    const text = shownPrimitive(context.stylize, value, context);
    context.room -= text.length;
    return text;
  }
  const original = value;
  const parts = proxyParts(value);
  if (parts === null) return context.stylize('<Revoked Proxy>', 'special');
  if (parts !== undefined) {
    if (context.showProxy) return shownProxy(context, parts, level);
    for (let inner = parts; inner !== undefined; inner = proxyParts(value)) {
      if (inner === null) return context.stylize('<Revoked Proxy>', 'special');
      value = inner[0];
    }
  }
  if (context.customInspect) {
    const own = shownByItself(context, value, original, level);
    if (own !== undefined) return own;
  }
  if (context.open.has(value)) {
    context.circular ??= new Map();
    let index = context.circular.get(value);
    if (index === undefined) {
      index = context.circular.size + 1;
      context.circular.set(value, index);
    }
    return context.stylize(`[Circular *${index}]`, 'special');
  }
  return shownObject(context, value, level, isInTypedArray);
}

/** What an object's own method for it says; undefined if it has none. */
function shownByItself(context, value, original, level) {
  const own = value[custom];
  if (typeof own !== 'function' || own === inspect) return undefined;
  const Class = getOwnPropertyDescriptor(value, 'constructor')?.value;
  if (Class?.prototype === value) return undefined;
  const depth = context.depth === null ? null : context.depth - level;
  const options = { ...context.further, ...optionsOf(context) };
  options.stylize = context.stylize;
  const result = apply(own, original, [depth, options, inspect]);
  if (result === original) return undefined;
  if (typeof result !== 'object' || result === null) {
    const text = `${result}`;
    context.room -= text.length;
    return text.replaceAll('\n', `\n${' '.repeat(context.indentation)}`);
  }
  return shown(context, result, level);
}

function shownProxy(context, parts, level) {
  if (isTooDeep(context, level)) return context.stylize('Proxy [Array]', 'special');
  level += 1;
  context.deepest = level;
  context.indentation += 2;
  const items = [shown(context, parts[0], level), shown(context, parts[1], level)];
  context.indentation -= 2;
  return assembled(context, items, '', ['Proxy [', ']'], true, level);
}

function shownNumber(stylize, number, separated) {
  if (!separated || !Number.isFinite(number)) {
    return stylize(Object.is(number, -0) ? '-0' : `${number}`, 'number');
  }
  const text = String(number);
  const { 0: whole, 1: fraction } = text.split('.');
  if (text.includes('e')) return stylize(text, 'number');
  const grouped = fraction === undefined ? '' : `.${fraction.replace(/\d{3}(?=\d)/g, '$&_')}`;
  return stylize(withSeparators(Object.is(number, -0) ? '-0' : whole) + grouped, 'number');
}

const withSeparators = (digits) => digits.replace(/\d(?=(?:\d{3})+$)/g, '$&_');

export function shownPrimitive(stylize, value, context) {
  switch (typeof value) {
    case 'string': {
      let trailer = '';
      if (value.length > context.maxStringLength) {
        const left = value.length - max(context.maxStringLength, 0);
        value = value.slice(0, max(context.maxStringLength, 0));
        trailer = more(left, 'character');
      }
      const isLong = value.length > 16 && value.length > context.breakLength - context.indentation - 4;
      if (context.compact !== true && isLong && value.includes('\n')) {
        const lines = value.match(/[^\n]*\n|[^\n]+$/g);
        const separator = ` +\n${' '.repeat(context.indentation + 2)}`;
        return lines.map((line) => stylize(quoted(line), 'string')).join(separator) + trailer;
      }
      return stylize(quoted(value), 'string') + trailer;
    }
    case 'number':
      return shownNumber(stylize, value, context.numericSeparator);
    case 'bigint':
      return stylize(`${context.numericSeparator ? withSeparators(`${value}`) : value}n`, 'bigint');
    case 'boolean':
      return stylize(`${value}`, 'boolean');
    case 'undefined':
      return stylize('undefined', 'undefined');
    default:
      return stylize(apply(symbolText, value, []), 'symbol');
  }
}

function isInstance(value, Class) {
  try {
    return value instanceof Class;
  } catch {
    return false;
  }
}

/** The name of the class that an object says it is of; null if it has no prototype. */
function constructorName(context, value, level) {
  let first;
  for (let object = value; object !== null; ) {
    const named = getOwnPropertyDescriptor(object, 'constructor');
    // `async_hooks` makes a getter of that of promises.
    const Class = named?.get && object === promisePrototype ? NativePromise : named?.value;
    if (typeof Class === 'function' && Class.name !== '' && isInstance(value, Class)) {
      return String(Class.name);
    }
    object = getPrototypeOf(object);
    first ??= object === null ? undefined : { object };
  }
  if (first === undefined) return null;
  const own = typeof value === 'function' ? 'Function' : isArray(value) ? 'Array' : (kindOf(value) ?? 'Object');
  if (isTooDeep(context, level)) return `${own} <Complex prototype>`;
  const name = constructorName(context, first.object, level + 1);
  if (name !== null) return `${own} <${name}>`;
  return `${own} <${inspect(first.object, { ...optionsOf(context), customInspect: false, depth: -1 })}>`;
}

function optionsOf(context) {
  const options = {};
  for (const name in DEFAULTS) options[name] = context[name];
  return options;
}

function prefix(className, tag, fallback, size = '') {
  if (className === null) {
    return tag !== '' && fallback !== tag
      ? `[${fallback}${size}: null prototype] [${tag}] `
      : `[${fallback}${size}: null prototype] `;
  }
  // As versions of Node.js that have Temporal show its objects.
  if (tag === `Temporal.${className}`) return `${tag}${size} `;
  return tag !== '' && className !== tag ? `${className}${size} [${tag}] ` : `${className}${size} `;
}

function shownKeys(context, value) {
  const symbols = getOwnPropertySymbols(value);
  if (context.showHidden) return [...getOwnPropertyNames(value), ...symbols];
  let names;
  try {
    names = keysOf(value);
  } catch {
    // A module's namespace, some of whose variables have no value yet.
    names = getOwnPropertyNames(value);
  }
  for (const symbol of symbols) if (apply(isEnumerable, value, [symbol])) names.push(symbol);
  return names;
}

const INDEX = /^(?:0|[1-9]\d{0,9})$/;

/** Keys that are no places of a list. An engine gives those in their order, before all others. */
function keysBesideItems(context, value, length) {
  if (length > context.maxArrayLength && length > 1000) {
    // Of a long list most places are not shown, so no names of them are made.
    const names = [];
    for (const name of context.showHidden ? getOwnPropertyNames(value) : keysOf(value)) {
      if (!INDEX.test(name) || Number(name) >= 0xffff_ffff) names.push(name);
    }
    return withSymbols(context, value, names);
  }
  return shownKeys(context, value).filter((key) => typeof key === 'symbol' || !INDEX.test(key) || key >= 0xffff_ffff);
}

function withSymbols(context, value, names) {
  for (const symbol of getOwnPropertySymbols(value)) {
    if (context.showHidden || apply(isEnumerable, value, [symbol])) names.push(symbol);
  }
  return names;
}

const nothing = () => [];

/** How an object of some kind is shown: `{ braces, keys, parts }` and, if there are no braces without properties, `base`. */
function shownObject(context, value, level, isInTypedArray) {
  const className = constructorName(context, value, level);
  let tag = value[Symbol.toStringTag];
  const isOwn = () =>
    context.showHidden ? hasOwn(value, Symbol.toStringTag) : apply(isEnumerable, value, [Symbol.toStringTag]);
  if (typeof tag !== 'string' || (tag !== '' && isOwn())) tag = '';
  const how = describe(context, value, className, tag, level, isInTypedArray);
  if (typeof how === 'string') {
    context.room -= how.length;
    return how;
  }
  const { base = '', braces, isList = false, keys, parts: partsOf = nothing } = how;

  if (isTooDeep(context, level)) {
    const name = prefix(className, tag, isArray(value) ? 'Array' : 'Object').slice(0, -1);
    return context.stylize(className === null ? name : `[${name}]`, 'special');
  }
  level += 1;
  context.open.add(value);
  context.deepest = level;
  const { indentation } = context;
  let parts;
  try {
    parts = partsOf(level);
    for (const key of keys) {
      if (context.room <= 0) {
        parts.push('...');
        break;
      }
      parts.push(shownProperty(context, value, level, key, isList ? 'extra' : 'property'));
    }
  } catch (error) {
    if (!isStackOverflow(error)) throw error;
    context.open.delete(value);
    context.indentation = indentation;
    const name = prefix(className, tag, isArray(value) ? 'Array' : 'Object').slice(0, -1);
    return context.stylize(
      `[${name}: Inspection interrupted prematurely. Maximum call stack size exceeded.]`,
      'special',
    );
  }
  context.open.delete(value);

  let before = base;
  const index = context.circular?.get(value);
  if (index !== undefined) {
    const reference = context.stylize(`<ref *${index}>`, 'special');
    if (context.compact === true) braces[0] = `${reference} ${braces[0]}`;
    else before = before === '' ? reference : `${reference} ${before}`;
  }
  if (context.sorted) {
    const order = context.sorted === true ? undefined : context.sorted;
    if (!isList) parts.sort(order);
    else if (keys.length > 1) {
      const sorted = parts.slice(parts.length - keys.length).sort(order);
      parts.splice(parts.length - keys.length, keys.length, ...sorted);
    }
  }
  const text = assembled(context, parts, before, braces, isList, level, isList ? value : undefined);
  context.room -= braces[0].length + before.length;
  return text;
}

function isStackOverflow(error) {
  const name = kindOf(error) === 'Error' ? error.name : '';
  return (name === 'RangeError' || name === 'InternalError') && /stack/.test(error.message);
}

function describe(context, value, className, tag, level, isInTypedArray) {
  const { stylize } = context;
  if (isArray(value)) {
    const { length } = value;
    const before = className !== 'Array' || tag !== '' ? prefix(className, tag, 'Array', `(${length})`) : '';
    const keys = keysBesideItems(context, value, length);
    if (length === 0 && keys.length === 0) return `${before}[]`;
    return { braces: [`${before}[`, ']'], isList: true, keys, parts: (next) => items(context, value, next) };
  }
  const arrayName = typedArrayName(value);
  if (arrayName !== undefined) {
    const { length } = className === null ? new globalThis[arrayName](value) : value;
    const keys = keysBesideItems(context, value, length);
    const before = prefix(className, tag, arrayName, `(${length})`);
    if (length === 0 && keys.length === 0 && !context.showHidden) return `${before}[]`;
    const parts = (next) => typedItems(context, value, length, next);
    return { braces: [`${before}[`, ']'], isList: true, keys, parts };
  }
  const kind = kindOf(value);
  const keys = shownKeys(context, value);
  const braces = (fallback) => [`${prefix(className, tag, fallback)}{`, '}'];
  if (typeof value === 'function') {
    const base = shownFunction(value, className, tag);
    return keys.length === 0 ? stylize(base, 'special') : { base, braces: ['{', '}'], keys };
  }
  switch (kind) {
    case 'Set': {
      const size = apply(setSize, value, []);
      const before = prefix(className, tag, 'Set', `(${size})`);
      if (size === 0 && keys.length === 0) return `${before}{}`;
      return { braces: [`${before}{`, '}'], keys, parts: (next) => setItems(context, value, size, next) };
    }
    case 'Map': {
      const size = apply(mapSize, value, []);
      const before = prefix(className, tag, 'Map', `(${size})`);
      if (size === 0 && keys.length === 0) return `${before}{}`;
      return { braces: [`${before}{`, '}'], keys, parts: (next) => mapItems(context, value, size, next) };
    }
    case 'Arguments':
      if (className !== 'Object') break;
      return keys.length === 0 ? '[Arguments] {}' : { braces: ['[Arguments] {', '}'], keys };
    case 'RegExp': {
      const text = apply(regExpText, className === null ? new RegExp(value) : value, []);
      const before = prefix(className, tag, 'RegExp');
      const base = before === 'RegExp ' ? text : before + text;
      const isShort = keys.length === 0 || isTooDeep(context, level);
      return isShort ? stylize(base, 'regexp') : { base, braces: ['{', '}'], keys };
    }
    case 'Date': {
      const isValid = !Number.isNaN(apply(getTime, value, []));
      const text = apply(isValid ? toISOString : dateText, value, []);
      const before = prefix(className, tag, 'Date');
      const base = before === 'Date ' ? text : before + text;
      return keys.length === 0 ? stylize(base, 'date') : { base, braces: ['{', '}'], keys };
    }
    case 'ArrayBuffer':
    case 'SharedArrayBuffer': {
      const before = prefix(className, tag, kind);
      if (isInTypedArray && keys.length === 0) {
        return `${before}{ byteLength: ${shownNumber(stylize, value.byteLength, false)} }`;
      }
      const all = ['byteLength', ...keys];
      const parts = isInTypedArray ? nothing : () => [contents(context, value)];
      return { braces: [`${before}{`, '}'], keys: all, parts };
    }
    case 'DataView':
      return { braces: braces('DataView'), keys: ['byteLength', 'byteOffset', 'buffer', ...keys] };
    case 'Promise':
      return { braces: braces('Promise'), keys, parts: (next) => [promiseState(context, value, next)] };
    case 'WeakSet':
    case 'WeakMap':
      return { braces: braces(kind), keys, parts: () => [stylize('<items unknown>', 'special')] };
    case 'WeakRef':
      return { braces: braces(kind), keys, parts: () => [stylize('<ref>', 'special')] };
    case 'Map Iterator':
    case 'Set Iterator':
      return { braces: [`[${tag}] {`, '}'], keys, parts: () => [stylize('<items unknown>', 'special')] };
    case 'Number':
    case 'String':
    case 'Boolean':
    case 'Symbol':
    case 'BigInt': {
      const inner = apply(valueOfBoxed[kind], value, []);
      const others = kind === 'String' ? keys.slice(inner.length) : keys;
      let base = `[${kind}`;
      if (kind !== className) base += className === null ? ' (null prototype)' : ` (${className})`;
      base += `: ${shownPrimitive(plain, inner, context)}]`;
      if (tag !== '' && tag !== className) base += ` [${tag}]`;
      return others.length === 0 ? stylize(base, kind.toLowerCase()) : { base, braces: ['{', '}'], keys: others };
    }
  }
  if (isError(value)) {
    const base = shownError(context, value, className, tag, keys);
    return keys.length === 0 ? base : { base, braces: ['{', '}'], keys };
  }
  if (kind === 'Module') {
    const parts = (next) => keys.map((key) => namespaceProperty(context, value, next, key));
    return { braces: braces('Module'), keys: [], parts };
  }
  if (className === 'Object') {
    const before = tag === '' ? '' : prefix(className, tag, 'Object');
    return keys.length === 0 ? `${before}{}` : { braces: [`${before}{`, '}'], keys };
  }
  return keys.length === 0 ? `${braces('Object')[0]}}` : { braces: braces('Object'), keys };
}

const CLASS = /^class\b(?:\s|\/\*[\s\S]*?\*\/|\/\/.*)*(?:[^\s({]|\{)/;

function shownFunction(value, className, tag) {
  const text = apply(functionText, value, []);
  if (text.startsWith('class') && text.endsWith('}') && CLASS.test(text)) {
    return shownClass(value, className, tag);
  }
  const type = typeOf(value);
  let base = `[${type}`;
  if (className === null) base += ' (null prototype)';
  base +=
    value.name === '' ? ' (anonymous)]' : `: ${typeof value.name === 'string' ? value.name : inspect(value.name)}]`;
  if (className !== type && className !== null) base += ` ${className}`;
  if (tag !== '' && className !== tag) base += ` [${tag}]`;
  return base;
}

/** The kind of a function, of which there are four. */
function typeOf(value) {
  return functionKinds.get(classOf(value)) ?? 'Function';
}

const functionKinds = new Map([
  [classOf(async () => {}), 'AsyncFunction'],
  [classOf(function* () {}), 'GeneratorFunction'],
  [classOf(async function* () {}), 'AsyncGeneratorFunction'],
]);

function shownClass(value, className, tag) {
  const name = (hasOwn(value, 'name') && value.name) || '(anonymous)';
  let base = `class ${name}`;
  if (className !== 'Function' && className !== null) base += ` [${className}]`;
  if (tag !== '' && className !== tag) base += ` [${tag}]`;
  if (className === null) return `[${base} extends null]`;
  const parent = getPrototypeOf(value)?.name;
  return `[${parent ? `${base} extends ${parent}` : base}]`;
}

/** The stack as Node.js has it, with the error itself on the first line. */
function stackOf(error) {
  const isOfEngine = stackOfEngine !== undefined && kindOf(error) === 'Error' && !hasOwn(error, 'stack');
  const stack = isOfEngine ? apply(stackOfEngine, error, []) : error.stack;
  const text = typeof stack === 'string' ? stack : '';
  if (text !== '' && !/^\s+at /.test(text)) return text;
  const head = apply(errorText, error, []);
  return text === '' ? head : `${head}\n${text.replace(/\n+$/, '')}`;
}

function shownError(context, error, className, tag, keys) {
  const name = error.name === undefined || error.name === null ? 'Error' : String(error.name);
  let stack = stackOf(error);
  if (!context.showHidden) {
    for (const key of ['name', 'message', 'stack']) {
      const place = keys.indexOf(key);
      if (place === -1) continue;
      if (typeof error[key] !== 'string' || stack.includes(error[key])) keys.splice(place, 1);
    }
  }
  if ('cause' in error && !keys.includes('cause')) keys.push('cause');
  if (isArray(error.errors) && !keys.includes('errors')) keys.push('errors');
  stack = withClass(stack, className, name, tag);
  const { message } = error;
  const at = typeof message === 'string' && message !== '' ? stack.indexOf(message) : -1;
  const frames = stack.indexOf('\n    at', at === -1 ? 0 : at + message.length);
  if (frames === -1) stack = `[${stack}]`;
  else stack = stack.slice(0, frames + 1) + withoutThoseOf(error.cause, stack.slice(frames + 1));
  return context.indentation === 0 ? stack : stack.replaceAll('\n', `\n${' '.repeat(context.indentation)}`);
}

/** Frames of an error, without most of those that its cause has as well. */
function withoutThoseOf(cause, frames) {
  if (typeof cause !== 'object' || cause === null || !isError(cause)) return frames;
  const text = stackOf(cause);
  const start = text.indexOf('\n    at');
  if (start === -1) return frames;
  const own = frames.split('\n');
  const others = text.slice(start + 1).split('\n');
  for (let i = 0; i < own.length - 3; i++) {
    const place = others.indexOf(own[i]);
    let length = 0;
    if (place === -1) continue;
    while (i + length < own.length && own[i + length] === others[place + length]) length += 1;
    if (length <= 3) continue;
    own.splice(i + 1, length - 2, `    ... ${length - 2} lines matching cause stack trace ...`);
    break;
  }
  return own.join('\n');
}

/** A stack that begins with the name of the error's class, if it does not yet. */
function withClass(stack, className, name, tag) {
  const after = stack[name.length];
  const begins = stack.startsWith(name) && (after === undefined || after === ':' || after === '\n');
  if (className !== null && !(name.endsWith('Error') && begins)) return stack;
  let { length } = name;
  let fallback = 'Error';
  if (className === null) {
    const found = /^([A-Z][a-z_ A-Z0-9[\]()-]+)(?::|\n\s+at)/.exec(stack) ?? /^([a-z_A-Z0-9-]*Error)$/.exec(stack);
    fallback = found?.[1] ?? '';
    length = fallback.length;
    fallback ||= 'Error';
  }
  const own = prefix(className, tag, fallback).slice(0, -1);
  if (own === name) return stack;
  if (!own.includes(name)) return `${own} [${name}]${stack.slice(length)}`;
  return length === 0 ? `${own}: ${stack}` : `${own}${stack.slice(length)}`;
}

function items(context, list, level) {
  const count = min(max(0, context.maxArrayLength), list.length);
  const parts = [];
  for (let i = 0; i < count && context.room > 0; i++) {
    if (!hasOwn(list, i)) return sparseItems(context, list, level, parts, i, count);
    parts.push(shownProperty(context, list, level, i, 'item'));
  }
  if (list.length > count) parts.push(more(list.length - count, 'item'));
  return parts;
}

function sparseItems(context, list, level, parts, from, count) {
  const names = keysOf(list);
  let place = from;
  for (let i = from; i < names.length && parts.length < count && context.room > 0; i++) {
    const name = names[i];
    if (!INDEX.test(name)) break;
    if (`${place}` !== name) {
      const empty = name - place;
      parts.push(context.stylize(`<${empty} empty item${plural(empty)}>`, 'undefined'));
      place = Number(name);
      if (parts.length === count) break;
    }
    parts.push(shownProperty(context, list, level, name, 'item'));
    place += 1;
  }
  const left = list.length - place;
  if (left <= 0) return parts;
  if (parts.length === count) parts.push(more(left, 'item'));
  else parts.push(context.stylize(`<${left} empty item${plural(left)}>`, 'undefined'));
  return parts;
}

const HIDDEN_OF_TYPED_ARRAY = ['BYTES_PER_ELEMENT', 'length', 'byteLength', 'byteOffset', 'buffer'];

function typedItems(context, array, length, level) {
  const count = min(max(0, context.maxArrayLength), length);
  const parts = [];
  for (let i = 0; i < count && context.room > 0; i++) parts.push(shown(context, array[i], level));
  if (length > count) parts.push(more(length - count, 'item'));
  if (context.showHidden) {
    context.indentation += 2;
    for (const key of HIDDEN_OF_TYPED_ARRAY) parts.push(`[${key}]: ${shown(context, array[key], level, true)}`);
    context.indentation -= 2;
  }
  return parts;
}

function setItems(context, set, size, level) {
  const count = min(max(0, context.maxArrayLength), size);
  const parts = [];
  context.indentation += 2;
  for (const value of apply(setValues, set, [])) {
    if (parts.length >= count || context.room <= 0) break;
    parts.push(shown(context, value, level));
  }
  if (size > count) parts.push(more(size - count, 'item'));
  context.indentation -= 2;
  return parts;
}

function mapItems(context, map, size, level) {
  const count = min(max(0, context.maxArrayLength), size);
  const parts = [];
  context.indentation += 2;
  for (const { 0: key, 1: value } of apply(mapEntries, map, [])) {
    if (parts.length >= count || context.room <= 0) break;
    parts.push(`${shown(context, key, level)} => ${shown(context, value, level)}`);
  }
  if (size > count) parts.push(more(size - count, 'item'));
  context.indentation -= 2;
  return parts;
}

function contents(context, buffer) {
  if (buffer.detached) return context.stylize('(detached)', 'special');
  const bytes = new Uint8Array(buffer);
  const count = min(max(0, context.maxArrayLength), bytes.length);
  const digits = [];
  for (let i = 0; i < count; i++) digits.push(bytes[i].toString(16).padStart(2, '0'));
  let text = digits.join(' ');
  if (bytes.length > count) text += ` ${more(bytes.length - count, 'byte')}`;
  return `${context.stylize('[Uint8Contents]', 'special')}: <${text}>`;
}

function promiseState(context, promise, level) {
  const { 0: state, 1: result } = promiseParts(promise);
  if (state === 'pending') return context.stylize('<pending>', 'special');
  context.indentation += 2;
  const text = shown(context, result, level);
  context.indentation -= 2;
  return state === 'rejected' ? `${context.stylize('<rejected>', 'special')} ${text}` : text;
}

function namespaceProperty(context, namespace, level, key) {
  try {
    return shownProperty(context, namespace, level, key, 'property');
  } catch (error) {
    if (error?.name !== 'ReferenceError') throw error;
    const name = typeof key === 'symbol' ? `[${apply(symbolText, key, [])}]` : shownKey(context, key, true);
    return `${name}: ${context.stylize('<uninitialized>', 'special')}`;
  }
}

const NAME = /^[a-zA-Z_][a-zA-Z_0-9]*$/;

function shownKey({ stylize }, key, isListed) {
  if (typeof key === 'symbol') {
    return `[${stylize(withEscapes(apply(symbolText, key, [])), 'symbol')}]`;
  }
  if (key === '__proto__') return "['__proto__']";
  if (!isListed) return `[${withEscapes(key)}]`;
  return NAME.test(key) ? stylize(key, 'name') : stylize(quoted(key), 'string');
}

/** A property: with its name, unless it is an item of a list. */
function shownProperty(context, object, level, key, role) {
  const { stylize } = context;
  const property = getOwnPropertyDescriptor(object, key) ?? { value: object[key], enumerable: true };
  let text;
  let space = ' ';
  if (property.get === undefined && property.set === undefined) {
    const step = context.compact !== true || role !== 'property' ? 2 : 3;
    context.indentation += step;
    text = shown(context, property.value, level);
    if (step === 3 && context.breakLength < text.length) space = `\n${' '.repeat(context.indentation)}`;
    context.indentation -= step;
  } else if (property.get === undefined) {
    text = stylize('[Setter]', 'special');
  } else {
    text = shownGetter(context, object, level, property);
  }
  if (role === 'item') return text;
  const name = shownKey(context, key, property.enumerable);
  context.room -= name.length;
  return `${name}:${space}${text}`;
}

function shownGetter(context, object, level, { get, set }) {
  const { getters, stylize } = context;
  const label = set === undefined ? 'Getter' : 'Getter/Setter';
  const isCalled =
    getters === true || (getters === 'get' && set === undefined) || (getters === 'set' && set !== undefined);
  if (!isCalled) return stylize(`[${label}]`, 'special');
  try {
    const value = apply(get, object, []);
    context.indentation += 2;
    let text;
    if (value === null)
      text = `${stylize(`[${label}:`, 'special')} ${stylize('null', 'null')}${stylize(']', 'special')}`;
    else if (typeof value === 'object') text = `${stylize(`[${label}]`, 'special')} ${shown(context, value, level)}`;
    else {
      const inner = shownPrimitive(stylize, value, context);
      text = `${stylize(`[${label}:`, 'special')} ${inner}${stylize(']', 'special')}`;
    }
    context.indentation -= 2;
    return text;
  } catch (error) {
    return stylize(`[${label}: <Inspection threw (${error?.message})>]`, 'special');
  }
}
