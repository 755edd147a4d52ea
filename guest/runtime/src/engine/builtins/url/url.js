// The module `url`: the classes that are global too, as the URL Standard has them.

import { encodeForm, parseForm, parseUrl, setUrlPart } from 'hyperlight:native';
import { platformObjects } from 'hyperlight:platform';

// As it is before any guest code runs, which may change it.
const { toWellFormed } = String.prototype;

function textOf(value) {
  return toWellFormed.call(`${value}`);
}

function typeError(message, properties) {
  return Object.assign(new TypeError(message), properties);
}

/** The arguments of a method, of which there are at most two, as texts. Those with a name here must be given. */
function textsOf(given, ...names) {
  if (given.length < names.length) {
    const list = names.map((name) => `"${name}"`).join(' and ');
    throw typeError(`The ${list} argument${names.length > 1 ? 's' : ''} must be specified`, {
      code: 'ERR_MISSING_ARGS',
    });
  }
  return [0, 1].map((i) => (given[i] === undefined && i >= names.length ? undefined : textOf(given[i])));
}

class PairIterator extends Iterator {
  #pairs;
  #pick;
  #at = 0;

  static {
    platformObjects((value) => #pairs in value);
  }

  constructor(pairs, pick) {
    super();
    this.#pairs = pairs;
    this.#pick = pick;
  }

  next() {
    const pair = this.#pairs()[this.#at];
    if (!pair) return { value: undefined, done: true };
    this.#at++;
    return { value: this.#pick(pair), done: false };
  }

  get [Symbol.toStringTag]() {
    return 'URLSearchParams Iterator';
  }
}

/** Pairs of names and values from what the constructor of URLSearchParams takes. */
function pairsOf(init) {
  if ((typeof init !== 'object' && typeof init !== 'function') || init === null) {
    const text = textOf(init);
    return parseForm(text.startsWith('?') ? text.slice(1) : text);
  }
  const iterate = init[Symbol.iterator];
  if (iterate === undefined || iterate === null) {
    const record = new Map();
    for (const key of Reflect.ownKeys(init)) {
      if (Object.getOwnPropertyDescriptor(init, key)?.enumerable) record.set(textOf(key), textOf(init[key]));
    }
    return [...record];
  }
  if (typeof iterate !== 'function') {
    throw typeError('Query pairs must be iterable', { code: 'ERR_ARG_NOT_ITERABLE' });
  }
  return Array.from(init, (item) => {
    const pair = typeof item === 'object' || typeof item === 'function' ? item : undefined;
    const texts = typeof pair?.[Symbol.iterator] === 'function' ? Array.from(pair, textOf) : [];
    if (texts.length !== 2) {
      throw typeError('Each query pair must be an iterable [name, value] tuple', { code: 'ERR_INVALID_TUPLE' });
    }
    return texts;
  });
}

// What only URL may do with a URLSearchParams.
let connected;
let refill;

export class URLSearchParams {
  #pairs;
  #changed = () => {};

  static {
    platformObjects((value) => #pairs in value);
    connected = (search, changed) => {
      const params = new URLSearchParams(search);
      params.#changed = changed;
      return params;
    };
    refill = (params, search) => {
      params.#pairs = pairsOf(search);
    };
  }

  constructor(init = '') {
    this.#pairs = pairsOf(init);
  }

  get size() {
    return this.#pairs.length;
  }

  append(...given) {
    this.#pairs.push(textsOf(given, 'name', 'value'));
    this.#changed();
  }

  delete(...given) {
    const matches = matcher(textsOf(given, 'name'));
    this.#pairs = this.#pairs.filter((pair) => !matches(pair));
    this.#changed();
  }

  get(...given) {
    const [name] = textsOf(given, 'name');
    return this.#pairs.find(matcher([name]))?.[1] ?? null;
  }

  getAll(...given) {
    const [name] = textsOf(given, 'name');
    return this.#pairs.filter(matcher([name])).map(([, value]) => value);
  }

  has(...given) {
    return this.#pairs.some(matcher(textsOf(given, 'name')));
  }

  set(...given) {
    const pair = textsOf(given, 'name', 'value');
    const matches = matcher([pair[0]]);
    const at = this.#pairs.findIndex(matches);
    if (at < 0) this.#pairs.push(pair);
    else this.#pairs = this.#pairs.flatMap((old, i) => (i === at ? [pair] : matches(old) ? [] : [old]));
    this.#changed();
  }

  sort() {
    this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#changed();
  }

  forEach(callback, thisArgument) {
    if (typeof callback !== 'function') {
      throw typeError('The "callback" argument must be of type function', { code: 'ERR_INVALID_ARG_TYPE' });
    }
    for (let at = 0; at < this.#pairs.length; at++) {
      const [name, value] = this.#pairs[at];
      callback.call(thisArgument, value, name, this);
    }
  }

  entries() {
    return this.#iterator(([name, value]) => [name, value]);
  }

  keys() {
    return this.#iterator(([name]) => name);
  }

  values() {
    return this.#iterator(([, value]) => value);
  }

  #iterator(pick) {
    return new PairIterator(() => this.#pairs, pick);
  }

  toString() {
    return this.#pairs.map(([name, value]) => `${encodeForm(name)}=${encodeForm(value)}`).join('&');
  }
}

/** Whether a pair has this name, and this value if there is one. */
function matcher([name, value]) {
  return ([a, b]) => a === name && (value === undefined || b === value);
}

Object.defineProperties(URLSearchParams.prototype, {
  [Symbol.iterator]: { value: URLSearchParams.prototype.entries, configurable: true, writable: true },
  [Symbol.toStringTag]: { value: 'URLSearchParams', configurable: true },
});

const SETTABLE = ['protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'];

export class URL {
  #parts;
  #searchParams;

  static {
    platformObjects((value) => #parts in value);
    for (const name of SETTABLE) {
      Object.defineProperty(URL.prototype, name, {
        get() {
          return this.#parts[name];
        },
        set(value) {
          this.#set(name, textOf(value));
          if (name === 'search') this.#refillParams();
        },
        configurable: true,
        enumerable: true,
      });
    }
  }

  static canParse(...given) {
    const [url, base] = textsOf(given, 'url');
    return parseUrl(url, base) !== undefined;
  }

  static parse(...given) {
    const texts = textsOf(given, 'url');
    return URL.canParse(...texts) ? new URL(...texts) : null;
  }

  constructor(...given) {
    const [url, base] = textsOf(given, 'url');
    this.#parts = parsed(url, base);
  }

  get href() {
    return this.#parts.href;
  }

  set href(value) {
    this.#parts = parsed(textOf(value));
    this.#refillParams();
  }

  get origin() {
    return this.#parts.origin;
  }

  get searchParams() {
    const { search } = this.#parts;
    this.#searchParams ??= connected(search, () => this.#set('search', String(this.#searchParams)));
    return this.#searchParams;
  }

  toString() {
    return this.#parts.href;
  }

  toJSON() {
    return this.#parts.href;
  }

  #set(name, text) {
    this.#parts = setUrlPart(this.#parts.href, name, text) ?? this.#parts;
  }

  #refillParams() {
    if (this.#searchParams) refill(this.#searchParams, this.#parts.search);
  }
}

Object.defineProperty(URL.prototype, Symbol.toStringTag, { value: 'URL', configurable: true });

function parsed(input, base) {
  const parts = parseUrl(input, base);
  if (parts) return parts;
  throw typeError('Invalid URL', { code: 'ERR_INVALID_URL', input, ...(base === undefined ? {} : { base }) });
}

export default { URL, URLSearchParams };
