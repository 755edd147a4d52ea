// Response, as the Fetch Standard has it. Evaluated when one is first used.

import { interfaces, requireArguments } from 'hyperlight:interfaces';
import { lazy } from 'hyperlight:lazy';
import { dictionary, platformObjects } from 'hyperlight:platform';
import { URL } from 'hyperlight:url';

const { extracted, includeBody } = lazy('body');
const { addMissing, byteString, copyOf, fill, Headers, immutable, combinedValue } = lazy('headers');
const { stringify } = JSON;
const NULL_BODY = [101, 103, 204, 205, 304];
const REDIRECT = [301, 302, 303, 307, 308];

let stateOf;
/** Makes a response of its parts. */
export let fromParts;

export class Response {
  #state;

  static {
    stateOf = (response) => response.#state;
    fromParts = (parts) => {
      const response = new Response();
      Object.assign(response.#state, parts);
      return response;
    };
    platformObjects((value) => #state in value);
  }

  static error() {
    return fromParts({ type: 'error', status: 0, headers: immutable(new Headers()) });
  }

  static json(data, init = undefined) {
    requireArguments(arguments, 1);
    const text = stringify(data);
    if (text === undefined) throw new TypeError('the value has no form in JSON');
    const { body } = extracted(text);
    return initialized(init, body, 'application/json');
  }

  static redirect(url, status = 302) {
    requireArguments(arguments, 1);
    const { href } = new URL(`${url}`, globalThis.location?.href);
    const code = unsignedShort(status);
    if (!REDIRECT.includes(code)) throw new RangeError(`${code} is no status of a redirection`);
    const headers = new Headers();
    addMissing(headers, 'location', href);
    return fromParts({ status: code, headers: immutable(headers) });
  }

  constructor(body = null, init = undefined) {
    this.#state = {
      type: 'default',
      url: '',
      status: 200,
      statusText: '',
      headers: undefined,
      body: undefined,
      isRedirected: false,
    };
    const options = optionsOf(init);
    this.#state.headers = new Headers();
    initialize(this.#state, options, body === null || body === undefined ? undefined : extracted(body));
  }

  get type() {
    return this.#state.type;
  }

  get url() {
    return this.#state.url;
  }

  get redirected() {
    return this.#state.isRedirected;
  }

  get status() {
    return this.#state.status;
  }

  get ok() {
    return this.#state.status >= 200 && this.#state.status <= 299;
  }

  get statusText() {
    return this.#state.statusText;
  }

  get headers() {
    return this.#state.headers;
  }

  clone() {
    const state = this.#state;
    if (state.body?.isUnusable) throw new TypeError('the body has been used, or is in use');
    return fromParts({ ...state, headers: copyOf(state.headers), body: state.body?.clone() });
  }
}

function initialized(init, body, type) {
  const response = new Response();
  initialize(stateOf(response), optionsOf(init), { body, type });
  return response;
}

function unsignedShort(value) {
  const number = Math.trunc(Number(value));
  return Number.isFinite(number) ? ((number % 65536) + 65536) % 65536 : 0;
}

function optionsOf(init) {
  const { headers, status = 200, statusText = '' } = dictionary(init);
  return { headers, status: unsignedShort(status), statusText: byteString(statusText) };
}

function initialize(state, { headers, status, statusText }, content) {
  if (status < 200 || status > 599) throw new RangeError(`the status ${status} is not from 200 to 599`);
  if (/[^\t\x20-\x7e\x80-\xff]/.test(statusText)) throw new TypeError('the text of the status is no reason phrase');
  state.status = status;
  state.statusText = statusText;
  if (headers !== undefined) fill(state.headers, headers);
  if (!content) return;
  if (NULL_BODY.includes(status)) throw new TypeError(`a response with the status ${status} has no body`);
  state.body = content.body;
  if (content.type !== null) addMissing(state.headers, 'content-type', content.type);
}

includeBody(
  Response,
  (response) => stateOf(response).body,
  (response) => combinedValue(stateOf(response).headers, 'content-type'),
);
interfaces(Response);
