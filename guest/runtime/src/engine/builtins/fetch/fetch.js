// fetch, as the Fetch Standard has it, over the functions of the host that make requests: lib/fetch has these. Evaluated when it is first
// called.

import { onAbort } from 'hyperlight:abort';
import { lazy } from 'hyperlight:lazy';

const { Request, stateOf } = lazy('request');
const { fromParts } = lazy('response');
const { Body, reading } = lazy('body');
const { Headers, immutable } = lazy('headers');
const MODULE = 'hyperlight:fetch';
/** Most bytes of a request's body that go to the host at once. */
const PIECE = 64 * 1024;

/** `fetch`, by what calls an asynchronous function of the host. */
export function fetching(start) {
  const ask = (name, ...args) => start(MODULE, name, args);
  /** The number of the last request: the host knows them by it. */
  let last = 0;

  return async (input, init = undefined) => {
    const request = new Request(input, init);
    const { method, url, redirect, integrity, signal, headers, body } = stateOf(request);
    if (integrity !== '') throw new TypeError('fetch does not check the integrity of responses');
    signal.throwIfAborted();
    last += 1;
    const exchange = new Exchange(ask, last, signal);
    const described = { method, url, redirect, headers: [...headers], ...bodyOf(body) };
    const head = exchange.ask('request', described);
    if (body && !described.bytes) exchange.send(body);
    const { status, statusText, headers: fields, url: finalUrl, isRedirected, hasBody } = await head;
    return fromParts({
      type: 'basic',
      status,
      statusText,
      url: finalUrl,
      isRedirected,
      headers: immutable(new Headers(fields)),
      body: hasBody ? new Body(undefined, undefined, exchange) : undefined,
    });
  };
}

/** What the host is told of a body: all of it, or its length, or that it will come. */
function bodyOf(body) {
  if (!body) return { hasBody: false };
  const { bytes } = body;
  if (!bytes) return { hasBody: true };
  return bytes.length <= PIECE ? { hasBody: true, bytes } : { hasBody: true, length: bytes.length };
}

/** A request on its way, and the source of the body of its response. */
class Exchange {
  #ask;
  #number;
  /** Rejects what waits for the host, if something does. */
  #waiting = new Set();
  #failure;

  constructor(ask, number, signal) {
    this.#ask = ask;
    this.#number = number;
    onAbort(signal, () => this.#fail(signal.reason));
    this.pull = () => this.ask('read');
  }

  /** Asks the host for something of this request. That ends when the request is aborted. */
  ask(name, ...args) {
    return new Promise((resolve, reject) => {
      if (this.#failure) {
        reject(this.#failure.reason);
        return;
      }
      this.#waiting.add(reject);
      this.#ask(name, this.#number, ...args).then(
        (value) => {
          this.#waiting.delete(reject);
          resolve(value);
        },
        (error) => {
          this.#waiting.delete(reject);
          reject(failureOf(error));
        },
      );
    });
  }

  /** Sends a body, piece by piece, as the host takes it. */
  async send(body) {
    const { next, cancel } = body.bytes ? inOnePiece(body) : reading(body.stream);
    for (;;) {
      let chunk;
      try {
        chunk = await next();
      } catch (error) {
        this.#fail(error);
        return;
      }
      try {
        for (let at = 0; at < (chunk?.length ?? 0); at += PIECE)
          await this.ask('write', chunk.subarray(at, at + PIECE));
        if (!chunk) {
          await this.ask('finish');
          return;
        }
      } catch (error) {
        // Whoever waits for the response hears of it, or has it already.
        cancel(error);
        return;
      }
    }
  }

  cancel() {
    this.#fail(new TypeError('the body has been cancelled'));
  }

  #fail(reason) {
    if (this.#failure) return;
    this.#failure = { reason };
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const reject of waiting) reject(reason);
    this.#ask('cancel', this.#number).catch(() => {});
  }
}

function inOnePiece(body) {
  let piece = body.consumed();
  const next = () => {
    const taken = piece;
    piece = undefined;
    return taken;
  };
  return { next, cancel() {} };
}

/** What a request fails with, by what the host has thrown. */
function failureOf({ message, code, rule }) {
  const cause = new Error(message);
  if (code !== undefined) cause.code = code;
  if (rule !== undefined) cause.rule = rule;
  return new TypeError('fetch failed', { cause });
}
