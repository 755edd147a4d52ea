// Request, as the Fetch Standard has it. Evaluated when one is first used.

import { AbortController, dependentOf, isSignal } from 'hyperlight:abort';
import { interfaces, requireArguments } from 'hyperlight:interfaces';
import { lazy } from 'hyperlight:lazy';
import { dictionary, platformObjects } from 'hyperlight:platform';
import { URL } from 'hyperlight:url';

const { extracted, includeBody } = lazy('body');
const { addMissing, byteString, copyOf, fill, Headers, combinedValue } = lazy('headers');
const { toWellFormed } = String.prototype;
const TOKEN = /^[!#$%&'*+\-.^_\x60|~0-9A-Za-z]+$/;
const NORMALIZED = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'];
const FORBIDDEN = ['CONNECT', 'TRACE', 'TRACK'];
/** What properties may be, in the order in which WebIDL reads them; text if there is no list. */
const OPTIONS = {
  cache: ['default', 'no-store', 'reload', 'no-cache', 'force-cache', 'only-if-cached'],
  credentials: ['omit', 'same-origin', 'include'],
  duplex: ['half'],
  integrity: undefined,
  mode: ['navigate', 'same-origin', 'no-cors', 'cors'],
  priority: ['high', 'low', 'auto'],
  redirect: ['follow', 'error', 'manual'],
  referrer: undefined,
  referrerPolicy: [
    '',
    'no-referrer',
    'no-referrer-when-downgrade',
    'same-origin',
    'origin',
    'strict-origin',
    'origin-when-cross-origin',
    'strict-origin-when-cross-origin',
    'unsafe-url',
  ],
};

/** The parts of a request. */
export let stateOf;
let isRequest;
/** Makes a request of its parts. */
let fromParts;

export class Request {
  #state;

  static {
    stateOf = (request) => request.#state;
    isRequest = (value) => typeof value === 'object' && value !== null && #state in value;
    fromParts = (parts) => {
      const request = new Request('about:blank');
      Object.assign(request.#state, parts);
      return request;
    };
    platformObjects((value) => #state in value);
  }

  constructor(input, init = undefined) {
    requireArguments(arguments, 1);
    const source = isRequest(input) ? stateOf(input) : undefined;
    const text = source ? undefined : toWellFormed.call(`${input}`);
    const options = optionsOf(init);
    this.#state = stateFrom(source, text, options);
  }

  get method() {
    return this.#state.method;
  }

  get url() {
    return this.#state.url;
  }

  get headers() {
    return this.#state.headers;
  }

  get destination() {
    this.#state;
    return '';
  }

  get referrer() {
    return this.#state.referrer;
  }

  get referrerPolicy() {
    return this.#state.referrerPolicy;
  }

  get mode() {
    return this.#state.mode;
  }

  get credentials() {
    return this.#state.credentials;
  }

  get cache() {
    return this.#state.cache;
  }

  get redirect() {
    return this.#state.redirect;
  }

  get integrity() {
    return this.#state.integrity;
  }

  get keepalive() {
    return this.#state.keepalive;
  }

  get isReloadNavigation() {
    this.#state;
    return false;
  }

  get isHistoryNavigation() {
    this.#state;
    return false;
  }

  get signal() {
    return this.#state.signal;
  }

  get duplex() {
    this.#state;
    return 'half';
  }

  clone() {
    const state = this.#state;
    if (state.body?.isUnusable) throw new TypeError('the body has been used, or is in use');
    return fromParts({
      ...state,
      headers: copyOf(state.headers),
      signal: dependentOf([state.signal]),
      body: state.body?.clone(),
    });
  }
}

includeBody(
  Request,
  (request) => stateOf(request).body,
  (request) => combinedValue(stateOf(request).headers, 'content-type'),
);
interfaces(Request);

/** The options of the constructor, each read once. */
function optionsOf(init) {
  const given = dictionary(init);
  const options = { isEmpty: true };
  const note = (name, convert) => {
    const value = given[name];
    if (value === undefined) return;
    options.isEmpty = false;
    options[name] = convert(value);
  };
  const text = (name) => {
    const values = OPTIONS[name];
    note(name, (value) => {
      const converted = toWellFormed.call(`${value}`);
      if (values && !values.includes(converted)) throw new TypeError(`"${converted}" is no value of ${name}`);
      return converted;
    });
  };
  note('body', (value) => value);
  text('cache');
  text('credentials');
  text('duplex');
  note('headers', (value) => value);
  text('integrity');
  note('keepalive', Boolean);
  note('method', byteString);
  text('mode');
  text('priority');
  text('redirect');
  text('referrer');
  text('referrerPolicy');
  note('signal', (value) => {
    if (value !== null && !isSignal(value)) throw new TypeError('the signal is no AbortSignal');
    return value;
  });
  note('window', (value) => value);
  return options;
}

function stateFrom(source, text, options) {
  const state = source
    ? { ...source, body: undefined }
    : {
        method: 'GET',
        url: parsed(text),
        referrer: 'about:client',
        referrerPolicy: '',
        mode: 'cors',
        credentials: 'same-origin',
        cache: 'default',
        redirect: 'follow',
        integrity: '',
        keepalive: false,
      };
  if (options.window !== undefined && options.window !== null) throw new TypeError('window must be null');
  if (options.mode === 'navigate') throw new TypeError('the mode "navigate" is not for scripts');
  if (options.referrer !== undefined) state.referrer = referrerOf(options.referrer);
  for (const name of ['referrerPolicy', 'mode', 'credentials', 'cache', 'redirect', 'integrity', 'keepalive']) {
    if (options[name] !== undefined) state[name] = options[name];
  }
  if (state.cache === 'only-if-cached' && state.mode !== 'same-origin') {
    throw new TypeError('the cache "only-if-cached" needs the mode "same-origin"');
  }
  if (options.method !== undefined) state.method = methodOf(options.method);
  const signal = options.signal === undefined ? source?.signal : options.signal;
  state.signal = signal ? dependentOf([signal]) : new AbortController().signal;
  state.headers = source ? copyOf(source.headers) : new Headers();
  if (state.mode === 'no-cors' && !['GET', 'HEAD', 'POST'].includes(state.method)) {
    throw new TypeError(`the mode "no-cors" has no method ${state.method}`);
  }
  if (options.headers !== undefined) {
    state.headers = new Headers();
    fill(state.headers, options.headers);
  }
  setBody(state, source?.body, options);
  return state;
}

function setBody(state, inherited, { body, duplex }) {
  const hasOwn = body !== undefined && body !== null;
  if ((hasOwn || inherited) && (state.method === 'GET' || state.method === 'HEAD')) {
    throw new TypeError(`a request with the method ${state.method} has no body`);
  }
  if (!hasOwn) {
    if (inherited?.isUnusable) throw new TypeError('the body has been used, or is in use');
    state.body = inherited?.moved();
    return;
  }
  const content = extracted(body);
  if (content.isStream && duplex === undefined) throw new TypeError('a body that is a stream needs the duplex "half"');
  state.body = content.body;
  if (content.type !== null) addMissing(state.headers, 'content-type', content.type);
}

/** The whole of a URL, which may be relative only if the guest has said what to. */
function parsed(text) {
  const { href, username, password } = new URL(text, globalThis.location?.href);
  if (username !== '' || password !== '') throw new TypeError('the URL of a request has no user name or password');
  return href;
}

function referrerOf(text) {
  if (text === '') return 'no-referrer';
  const { href, protocol, pathname, origin } = new URL(text, globalThis.location?.href);
  if (protocol === 'about:' && pathname === 'client') return 'about:client';
  const base = globalThis.location?.href;
  return base !== undefined && new URL(base).origin !== origin ? 'about:client' : href;
}

function methodOf(text) {
  const upper = text.toUpperCase();
  if (!TOKEN.test(text) || FORBIDDEN.includes(upper)) throw new TypeError(`"${text}" is no method of a request`);
  return NORMALIZED.includes(upper) ? upper : text;
}
