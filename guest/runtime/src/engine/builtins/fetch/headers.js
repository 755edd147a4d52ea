// Headers, as the Fetch Standard has them. Names that the standard forbids to scripts of a browser are not forbidden, as they
// are not in Node.js: a program on a server is to set cookies. Evaluated when one is first used.

import { interfaces, iterable, requireArguments } from 'hyperlight:interfaces';
import { platformObjects } from 'hyperlight:platform';

const { ownKeys, getOwnPropertyDescriptor } = Reflect;
const TOKEN = /^[!#$%&'*+\-.^_\x60|~0-9A-Za-z]+$/;

/** A list of headers, and whether it may be changed. */
let stateOf;

export class Headers {
  #state = { list: [], isImmutable: false };

  static {
    stateOf = (headers) => headers.#state;
    platformObjects((value) => #state in value);
  }

  constructor(init = undefined) {
    if (init !== undefined) fill(this, init);
  }

  append(name, value) {
    const state = this.#state;
    requireArguments(arguments, 2);
    const pair = checked(name, value);
    checkMutable(state);
    state.list.push(pair);
  }

  delete(name) {
    const state = this.#state;
    requireArguments(arguments, 1);
    const key = keyOf(name);
    checkMutable(state);
    state.list = state.list.filter((pair) => pair[0] !== key);
  }

  get(name) {
    const state = this.#state;
    requireArguments(arguments, 1);
    return combined(state.list, keyOf(name));
  }

  getSetCookie() {
    return this.#state.list.filter(([name]) => name === 'set-cookie').map(([, value]) => value);
  }

  has(name) {
    const state = this.#state;
    requireArguments(arguments, 1);
    const key = keyOf(name);
    return state.list.some((pair) => pair[0] === key);
  }

  set(name, value) {
    const state = this.#state;
    requireArguments(arguments, 2);
    const pair = checked(name, value);
    checkMutable(state);
    const at = state.list.findIndex((other) => other[0] === pair[0]);
    if (at < 0) state.list.push(pair);
    else state.list = state.list.flatMap((other, i) => (i === at ? [pair] : other[0] === pair[0] ? [] : [other]));
  }
}

interfaces(Headers);
iterable(Headers, (headers) => sorted(stateOf(headers).list));

/** The text of a value of which each unit is to be a byte. */
export function byteString(value) {
  const text = `${value}`;
  if (/[\u0100-\uffff]/.test(text)) throw new TypeError('there is a character that is no byte');
  return text;
}

function keyOf(name) {
  const text = byteString(name);
  if (!TOKEN.test(text)) throw new TypeError(`"${text}" is no name of a header`);
  return text.toLowerCase();
}

function checked(name, value) {
  const texts = [byteString(name), byteString(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '')];
  const key = keyOf(texts[0]);
  if (/[\0\n\r]/.test(texts[1])) throw new TypeError('the value of a header has a character that it cannot have');
  return [key, texts[1]];
}

function checkMutable({ isImmutable }) {
  if (isImmutable) throw new TypeError('these headers are immutable');
}

function combined(list, key) {
  const values = list.filter(([name]) => name === key);
  return values.length === 0 ? null : values.map(([, value]) => value).join(', ');
}

/** As they are iterated: in the order of their names, with one value each but for cookies. */
function sorted(list) {
  const names = [...new Set(list.map(([name]) => name))].sort();
  return names.flatMap((name) =>
    name === 'set-cookie' ? list.filter((pair) => pair[0] === name) : [[name, combined(list, name)]],
  );
}

/** Adds what the constructor takes. */
export function fill(headers, init) {
  if ((typeof init !== 'object' && typeof init !== 'function') || init === null) {
    throw new TypeError('headers are made of a sequence of pairs or of an object');
  }
  const iterate = init[Symbol.iterator];
  if (iterate !== undefined && iterate !== null) {
    if (typeof iterate !== 'function') throw new TypeError('what headers are made of cannot be iterated');
    const pairs = Array.from({ [Symbol.iterator]: () => iterate.call(init) }, (pair) => {
      const isObject = (typeof pair === 'object' && pair !== null) || typeof pair === 'function';
      if (!isObject || typeof pair[Symbol.iterator] !== 'function') throw new TypeError('a header is no pair');
      return Array.from(pair, byteString);
    });
    for (const pair of pairs) {
      if (pair.length !== 2) throw new TypeError('a header is no pair of a name and a value');
      headers.append(...pair);
    }
    return;
  }
  const record = new Map();
  for (const key of ownKeys(init)) {
    if (getOwnPropertyDescriptor(init, key)?.enumerable) record.set(byteString(key), byteString(init[key]));
  }
  for (const [name, value] of record) headers.append(name, value);
}

/** Headers that nobody can change. */
export function immutable(headers) {
  stateOf(headers).isImmutable = true;
  return headers;
}

/** A copy, which can be changed. */
export function copyOf(headers) {
  const copy = new Headers();
  stateOf(copy).list = [...stateOf(headers).list];
  return copy;
}

/** The value of a header, whatever the guest has made of `Headers.prototype`. */
export function combinedValue(headers, key) {
  return combined(stateOf(headers).list, key);
}

/** Adds a header that is not there. */
export function addMissing(headers, key, value) {
  if (combinedValue(headers, key) === null) stateOf(headers).list.push([key, value]);
}
