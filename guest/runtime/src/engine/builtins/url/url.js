// The module `url`: the classes that are global too, as the URL Standard has them.

import { interfaces, iterable } from 'hyperlight:interfaces';
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

/** The pairs of a URLSearchParams. */
let contentOf;
/** Whether a value is a URLSearchParams. */
export let isSearchParams;
// What only URL may do with one.
let connected;
let refill;

export class URLSearchParams {
  #pairs;
  #changed = () => {};

  static {
    platformObjects((value) => #pairs in value);
    contentOf = (params) => params.#pairs;
    isSearchParams = (value) => typeof value === 'object' && value !== null && #pairs in value;
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

  append(name, value) {
    this.#pairs.push(textsOf(arguments, 'name', 'value'));
    this.#changed();
  }

  delete(name, value = undefined) {
    const pairs = this.#pairs;
    const matches = matcher(textsOf(arguments, 'name'));
    this.#pairs = pairs.filter((pair) => !matches(pair));
    this.#changed();
  }

  get(name) {
    const pairs = this.#pairs;
    const [text] = textsOf(arguments, 'name');
    return pairs.find(matcher([text]))?.[1] ?? null;
  }

  getAll(name) {
    const pairs = this.#pairs;
    const [text] = textsOf(arguments, 'name');
    return pairs.filter(matcher([text])).map((pair) => pair[1]);
  }

  has(name, value = undefined) {
    const pairs = this.#pairs;
    return pairs.some(matcher(textsOf(arguments, 'name')));
  }

  set(name, value) {
    const pair = textsOf(arguments, 'name', 'value');
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

  toString() {
    return this.#pairs.map(([name, value]) => `${encodeForm(name)}=${encodeForm(value)}`).join('&');
  }
}

/** Whether a pair has this name, and this value if there is one. */
function matcher([name, value]) {
  return ([a, b]) => a === name && (value === undefined || b === value);
}

interfaces(URLSearchParams);
iterable(URLSearchParams, contentOf);

const SETTABLE = ['protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'];

export class URL {
  #parts;
  #searchParams;

  static {
    platformObjects((value) => #parts in value);
    for (const name of SETTABLE) {
      const accessor = {
        get [name]() {
          return this.#parts[name];
        },
        set [name](value) {
          this.#set(name, textOf(value));
          if (name === 'search') this.#refillParams();
        },
      };
      Object.defineProperty(URL.prototype, name, Object.getOwnPropertyDescriptor(accessor, name));
    }
  }

  static canParse(url, base = undefined) {
    const [text, baseText] = textsOf(arguments, 'url');
    return parseUrl(text, baseText) !== undefined;
  }

  static parse(url, base = undefined) {
    const texts = textsOf(arguments, 'url');
    return parseUrl(...texts) === undefined ? null : new URL(...texts);
  }

  constructor(url, base = undefined) {
    const [text, baseText] = textsOf(arguments, 'url');
    this.#parts = parsed(text, baseText);
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

interfaces(URL);

function parsed(input, base) {
  const parts = parseUrl(input, base);
  if (parts) return parts;
  throw typeError('Invalid URL', { code: 'ERR_INVALID_URL', input, ...(base === undefined ? {} : { base }) });
}

export default { URL, URLSearchParams };
