// Lines with placeholders, as `util.format` of Node.js makes them.

import { inspectBeginning } from 'hyperlight:inspect';
import { proxyParts } from 'hyperlight:inspect/kinds';
import { invalidType } from 'hyperlight:node/errors';

const { getOwnPropertyDescriptor, getPrototypeOf, hasOwn } = Object;
const { stringify } = JSON;

const BUILT_IN = new Set(
  Object.getOwnPropertyNames(globalThis).filter(
    (name) => /^[A-Z]/.test(name) && typeof globalThis[name] === 'function',
  ),
);

const numeric = (number) => (Object.is(number, -0) ? '-0' : `${number}`);

/** Whether `String(value)` would tell nothing, since nobody has made it tell something. */
function isMute(value) {
  for (let parts = proxyParts(value); parts !== undefined; parts = proxyParts(value)) {
    if (parts === null) return true;
    value = parts[0];
  }
  if (hasOwn(value, 'toString') && typeof value.toString === 'function') return false;
  if (hasOwn(value, Symbol.toPrimitive)) return false;
  // Whose class is it of, and where does its method come from?
  let object = value;
  do {
    object = getPrototypeOf(object);
    if (object === null) return true;
  } while (!hasOwn(object, 'toString') && !hasOwn(object, Symbol.toPrimitive));
  const Class = getOwnPropertyDescriptor(object, 'constructor')?.value;
  return typeof Class === 'function' && BUILT_IN.has(Class.name);
}

function json(value) {
  try {
    return stringify(value);
  } catch (error) {
    if (error instanceof TypeError && /circular|cyclic/.test(error.message)) return '[Circular]';
    throw error;
  }
}

/** A number for `%d`, `%i` and `%f`: what this function makes of the value. */
function number(value, parse) {
  if (typeof value === 'bigint' && parse !== Number.parseFloat) return `${value}n`;
  return typeof value === 'symbol' ? 'NaN' : numeric(parse(value));
}

export function format(...values) {
  return formatBeginning({}, values, Infinity);
}

export function formatWithOptions(options, ...values) {
  if (typeof options !== 'object' || options === null) {
    throw invalidType('"inspectOptions" argument', 'of type object', options);
  }
  return formatBeginning(options, values, Infinity);
}

/** The text, of which no more than so many characters are needed. */
export function formatBeginning(options, values, room) {
  const shown = (value, more) => inspectBeginning(value, { ...options, ...more }, room);
  const first = values[0];
  let text = '';
  let next = 0;
  if (typeof first === 'string') {
    if (values.length === 1) return first;
    next = 1;
    let from = 0;
    for (let at = first.indexOf('%'); at !== -1 && at < first.length - 1; at = first.indexOf('%', at)) {
      const kind = first[at + 1];
      if (kind === '%') {
        text += first.slice(from, at + 1);
        from = at += 2;
        continue;
      }
      if (next === values.length || !'sjdOoifc'.includes(kind)) {
        at += 1;
        continue;
      }
      text += first.slice(from, at) + placed(kind, values[next], shown);
      next += 1;
      from = at += 2;
      if (text.length > room) return text;
    }
    text += first.slice(from);
  }
  for (; next < values.length && text.length <= room; next++) {
    const value = values[next];
    if (next > 0) text += ' ';
    text += typeof value === 'string' ? value : shown(value);
  }
  return text;
}

function placed(kind, value, shown) {
  switch (kind) {
    case 's':
      if (typeof value === 'number') return numeric(value);
      if (typeof value === 'bigint') return `${value}n`;
      if (typeof value !== 'object' || value === null || !isMute(value)) return String(value);
      return shown(value, { depth: 0, colors: false, compact: 3 });
    case 'j':
      return json(value);
    case 'd':
      return typeof value === 'object' && value !== null ? numeric(Number(value)) : number(value, Number);
    case 'i':
      return typeof value === 'object' && value !== null
        ? numeric(Number.parseInt(value, 10))
        : number(value, Number.parseInt);
    case 'f':
      return number(value, Number.parseFloat);
    case 'O':
      return shown(value);
    case 'o':
      return shown(value, { showHidden: true, showProxy: true, depth: 4 });
    default:
      return '';
  }
}
