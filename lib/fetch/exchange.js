// One request of a guest, from the first server that it goes to until the end of the response's body. Each server on the way is one hop,
// and for each the whole policy is asked.
const { request } = require('node:http');
const { pipeline, PassThrough, Readable, Transform } = require('node:stream');
const { createBrotliDecompress, createGunzip, createInflate } = require('node:zlib');
const { open, unlessAborted } = require('./connection.js');
const { cancelled, closed, invalid, noResponse, refusal, told } = require('./errors.js');
const headersOf = require('./headers.js');
const { parsed, ruleFor } = require('./policy.js');

const CANCELLED = cancelled().code;
const URL_SIZE_MAX = 16 * 1024;
/** Most bytes of the headers of a response. */
const HEADERS_SIZE_MAX = 16 * 1024;
/** Most bytes of a body that go to the guest at once; about as many are there before the guest asks for them. */
const PIECE = 64 * 1024;
const REDIRECTIONS = [301, 302, 303, 307, 308];
const NULL_BODY = [204, 205, 304];
const DECODERS = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

class Exchange {
  #call;
  #policy;
  #upload;
  #abort = new AbortController();
  #timer;
  #release;
  /** What the body is sent to. */
  #outgoing;
  /** What has come of the body and is not taken; and what is left of the last piece. */
  #body;
  #rest;
  #isReading = false;
  #hasEnded = false;

  /** `onEnd` is called when nothing is left of it, with what the body has failed with, if that is not known yet. */
  constructor(call, upload, onEnd) {
    this.#call = call;
    this.#policy = call.policy;
    this.#upload = upload;
    this.onEnd = onEnd;
    const late = () => this.end(refusal('timeoutMs', `the request has taken more than ${this.#policy.timeoutMs} ms`));
    this.#timer = setTimeout(late, this.#policy.timeoutMs);
    // Whoever waits hears of it by the promise.
    this.#abort.signal.addEventListener('abort', () => this.#upload?.end(this.#abort.signal.reason), { once: true });
  }

  get upload() {
    return this.#upload;
  }

  /** Makes the request: the head of the response. */
  async head({ method, url, headers, redirect }) {
    try {
      const hasBody = this.#upload !== undefined;
      const current = { method, url: target(url), headers: headersOf.requested(headers), hasBody };
      const { signal } = this.#abort;
      const hold = (release) => {
        this.#release = release;
      };
      await unlessAborted(signal, this.#call.slot(signal, hold));
      for (let redirects = 0; ; redirects++) {
        const { response, secrets } = await this.#hop(current, redirects);
        const { location } = response.headers;
        const isRedirection = REDIRECTIONS.includes(response.statusCode) && location !== undefined;
        if (!isRedirection || redirect === 'manual') return this.#headOf(response, current, secrets, redirects > 0);
        this.#outgoing = undefined;
        response.destroy();
        if (redirect === 'error')
          throw refusal('redirect', 'the server has redirected the request, which was not to be');
        if (redirects === this.#policy.maxRedirects) throw refusal('maxRedirects', 'there are too many redirections');
        // It would go to whoever the server wants to have it, and be seen in the URL of the response.
        if (headersOf.reflects(location, secrets))
          throw refusal('redirect', 'the server has redirected the request with a secret');
        this.#follow(current, response.statusCode, location);
      }
    } catch (error) {
      throw this.end(error);
    }
  }

  /** Sends the request to one server: its response. */
  async #hop({ method, url, headers, hasBody }, redirects) {
    const { signal } = this.#abort;
    const rule = ruleFor(this.#policy, method, url);
    this.#call.count('requests', 1);
    await this.#ask({ method, url: url.href, headers: Object.fromEntries(headers), redirects });
    const sent = new Map(headers);
    const secrets = [];
    for (const { name, value } of rule.secrets) {
      const secret = await unlessAborted(signal, added(value));
      secrets.push(secret);
      sent.set(name, secret);
    }
    const socket = await open(url, rule, this.#policy, signal);
    return { response: await this.#exchanged(socket, method, url, sent, hasBody), secrets };
  }

  /** Asks whoever watches requests. */
  async #ask(described) {
    const { onRequest } = this.#policy;
    if (!onRequest) return;
    let answer;
    try {
      answer = await unlessAborted(this.#abort.signal, Promise.resolve(onRequest(described)));
    } catch (error) {
      if (this.#abort.signal.aborted) throw error;
      answer = false;
    }
    if (answer === false) throw refusal('onRequest', 'the host has refused the request');
  }

  #exchanged(socket, method, url, headers, hasBody) {
    return new Promise((resolve, reject) => {
      const { signal } = this.#abort;
      const ended = () => {
        socket.destroy(signal.reason);
        reject(signal.reason);
      };
      signal.addEventListener('abort', ended, { once: true });
      socket.once('close', () => signal.removeEventListener('abort', ended));
      // Both are nothing but the connection's own.
      const connection = { host: url.host, 'accept-encoding': 'gzip, deflate, br', connection: 'close' };
      const framing = !hasBody
        ? ['POST', 'PUT', 'PATCH'].includes(method) && { 'content-length': '0' }
        : this.#upload.canBeRepeated
          ? { 'content-length': String(this.#upload.length) }
          : { 'transfer-encoding': 'chunked' };
      const outgoing = request({
        createConnection: () => socket,
        method,
        path: url.pathname + url.search,
        headers: { __proto__: null, ...Object.fromEntries(headers), ...connection, ...framing },
        setHost: false,
        maxHeaderSize: HEADERS_SIZE_MAX,
        insecureHTTPParser: false,
      });
      outgoing.once('response', resolve);
      // After the response there is nothing to tell: its body has an error of its own.
      outgoing.on('error', (error) => reject(signal.aborted ? signal.reason : error));
      // Nothing else tells that the server has closed the connection in the midst of something.
      outgoing.once('close', () => reject(closed()));
      outgoing.once('upgrade', (_, upgraded) => {
        upgraded.destroy();
        reject(noResponse());
      });
      if (!hasBody) outgoing.end();
      else this.#send(outgoing);
      if (signal.aborted) ended();
    });
  }

  #send(outgoing) {
    this.#outgoing = outgoing;
    pipeline(Readable.from(this.#upload.parts(), { objectMode: true, highWaterMark: 1 }), outgoing, () => {
      // It has been sent, or the server has answered without it. If something has failed, the response tells.
      if (this.#outgoing !== outgoing) return;
      this.#outgoing = undefined;
      if (this.#body) this.#upload.discard();
    });
  }

  /** Makes of a request the one that a redirection asks for. */
  #follow(current, status, location) {
    const { method, url } = current;
    const next = target(location, url);
    if (next.hash === '') next.hash = url.hash;
    const becomesGet = status === 303 ? !['GET', 'HEAD'].includes(method) : status < 303 && method === 'POST';
    if (becomesGet) {
      current.method = 'GET';
      current.hasBody = false;
      this.#upload?.discard();
      headersOf.withoutContent(current.headers);
    } else if (current.hasBody && !this.#upload.canBeRepeated) {
      throw refusal('redirect', 'the server has redirected a request whose body cannot be sent again');
    }
    if (next.origin !== url.origin) headersOf.forOtherOrigin(current.headers);
    current.url = next;
  }

  #headOf(response, { method, url }, secrets, isRedirected) {
    const { statusCode: status, statusMessage, rawHeaders, headers } = response;
    const hasBody = method !== 'HEAD' && !NULL_BODY.includes(status);
    const decoder = hasBody ? decoderOf(headers['content-encoding']) : undefined;
    this.#receive(response, decoder, hasBody);
    // No other server will be sent it.
    if (!this.#outgoing) this.#upload?.discard();
    return {
      status,
      statusText:
        headersOf.reflects(statusMessage, secrets) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(statusMessage)
          ? ''
          : statusMessage,
      headers: headersOf.answered(rawHeaders, secrets, this.#policy.hidden, decoder !== undefined),
      url: url.href,
      isRedirected,
      hasBody,
    };
  }

  /** Has the body come, as far as there is room for it. */
  #receive(response, decoder, hasBody) {
    const count = (chunk, _, callback) => {
      try {
        this.#call.count('responseBytes', chunk.length);
        callback(null, chunk);
      } catch (error) {
        callback(error);
      }
    };
    const counting = new Transform({ transform: count, highWaterMark: PIECE });
    const stages = [response, decoder?.(), counting, new PassThrough({ highWaterMark: PIECE })];
    this.#body = pipeline(...stages.filter(Boolean), (error) => {
      if (error) this.end(this.#abort.signal.aborted ? this.#abort.signal.reason : error);
    });
    // All has come that will: nothing is open any more.
    counting.once('end', () => (hasBody ? this.#closed() : this.end()));
    // Nobody else would read it.
    if (!hasBody) this.#body.resume();
  }

  /** The next piece of the body, or nothing at its end. */
  async read() {
    if (this.#isReading || !this.#body) throw invalid('the body is being read, or there is none');
    this.#isReading = true;
    try {
      const piece = this.#rest ?? (await this.#next());
      if (!piece) {
        this.end();
        return undefined;
      }
      this.#rest = piece.length > PIECE ? piece.subarray(PIECE) : undefined;
      return piece.subarray(0, PIECE);
    } catch (error) {
      throw this.end(error);
    } finally {
      this.#isReading = false;
    }
  }

  #next() {
    const body = this.#body;
    const { signal } = this.#abort;
    return new Promise((resolve, reject) => {
      const look = () => {
        const piece = body.read();
        const isOver = piece === null && body.readableEnded;
        if (!piece && !isOver && !signal.aborted) return;
        for (const name of ['readable', 'end']) body.removeListener(name, look);
        signal.removeEventListener('abort', look);
        if (piece || isOver) resolve(piece ?? undefined);
        else reject(signal.reason);
      };
      for (const name of ['readable', 'end']) body.on(name, look);
      signal.addEventListener('abort', look);
      look();
    });
  }

  #closed() {
    clearTimeout(this.#timer);
    this.#release?.();
    this.#release = undefined;
  }

  /** Ends it, whatever it is doing: the error that whoever waits for it is told. */
  end(error = cancelled()) {
    const { signal } = this.#abort;
    const reason = signal.aborted ? signal.reason : told(error);
    if (!this.#hasEnded) {
      this.#hasEnded = true;
      this.#closed();
      this.#abort.abort(reason);
      this.#rest = undefined;
      this.#body?.destroy();
      this.onEnd(this.#body && reason.code !== CANCELLED ? reason : undefined);
    }
    return reason;
  }
}

function target(text, base) {
  const url = typeof text === 'string' && text.length <= URL_SIZE_MAX ? parsed(text, base?.href) : undefined;
  if (!url || url.href.length > URL_SIZE_MAX) throw invalid('the URL of the request is none, or too long');
  return url;
}

/** The value of a header that the host adds. */
async function added(value) {
  try {
    return await value();
  } catch {
    throw refusal('headers', 'the host cannot give a header that it adds');
  }
}

/** What decodes a body of this coding, if it is one that was asked for. */
function decoderOf(coding) {
  const name = coding?.trim().toLowerCase();
  if (name === undefined || name === '' || name === 'identity' || !Object.hasOwn(DECODERS, name)) return undefined;
  return () => DECODERS[name]();
}

module.exports = { Exchange };
