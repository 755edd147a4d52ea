// What the requests of one call of a guest have together: the budgets of its policy, and their end.
const { cancelled, invalid, refusal } = require('./errors.js');
const { Exchange } = require('./exchange.js');
const { Upload } = require('./upload.js');

const BUDGETS = {
  requests: ['maxRequests', 'requests'],
  requestBytes: ['maxRequestBytes', 'bytes in the bodies of requests'],
  responseBytes: ['maxResponseBytes', 'bytes in the bodies of responses'],
};

class Call {
  #used = { requests: 0, requestBytes: 0, responseBytes: 0 };
  /** Those that have not ended, by the numbers that the guest knows them by. */
  #exchanges = new Map();
  /** What bodies have failed with that the guest has not read to their end. */
  #failures = new Map();
  #active = 0;
  #waiting = [];
  #hasEnded = false;

  constructor(policy, signal) {
    this.policy = policy;
    if (signal.aborted) throw cancelled();
    signal.addEventListener('abort', () => this.#end(), { once: true });
  }

  /** Uses up some of a budget. Throws a refusal if that is more than is left. */
  count(budget, amount) {
    this.#used[budget] += amount;
    if (this.#used[budget] > this.policy[BUDGETS[budget][0]]) throw exhausted(budget, this.policy);
  }

  /** Waits until another request may be open. `hold` is given what says that it is not any more, at once when it is. */
  slot(signal, hold) {
    return new Promise((resolve) => {
      const take = () => {
        // It does not wait any more.
        if (signal.aborted) return;
        this.#active++;
        hold(() => this.#free());
        resolve();
      };
      if (this.#active < this.policy.maxConcurrent) take();
      else this.#waiting.push(take);
    });
  }

  #free() {
    this.#active--;
    while (this.#waiting.length > 0 && this.#active < this.policy.maxConcurrent) this.#waiting.shift()();
  }

  /** Makes a request: the head of its response. */
  request(number, described) {
    if (this.#hasEnded) throw cancelled();
    if (typeof described !== 'object' || described === null) throw invalid('there is no request');
    if (!Number.isSafeInteger(number) || this.#exchanges.has(number)) throw invalid('the number is none of a request');
    // Each costs memory until its body has been read, also one that waits for others.
    if (this.#exchanges.size >= this.policy.maxRequests) throw exhausted('requests', this.policy);
    const { url, headers, redirect, hasBody, length, bytes } = described;
    const method = String(described.method).toUpperCase();
    if (hasBody && (method === 'GET' || method === 'HEAD'))
      throw invalid(`a request with the method ${method} has no body`);
    let upload;
    if (hasBody) {
      const isBytes = bytes instanceof Uint8Array;
      upload = new Upload(isBytes ? bytes.length : lengthOf(length));
      if (isBytes) {
        this.count('requestBytes', bytes.length);
        upload.write(bytes).catch(() => {});
        upload.finish();
      }
    }
    const exchange = new Exchange(this, upload, (failure) => {
      this.#exchanges.delete(number);
      if (failure) this.#failures.set(number, failure);
    });
    this.#exchanges.set(number, exchange);
    return exchange.head({ method, url, headers, redirect });
  }

  /** Sends on a piece of the body of a request. It resolves when there is room for more. */
  async write(number, bytes) {
    const { upload, exchange } = this.#uploading(number);
    if (!(bytes instanceof Uint8Array)) throw invalid('a body is made of bytes');
    try {
      this.count('requestBytes', bytes.length);
      await upload.write(bytes);
    } catch (error) {
      throw exchange.end(error);
    }
  }

  finish(number) {
    const { upload, exchange } = this.#uploading(number);
    try {
      upload.finish();
    } catch (error) {
      throw exchange.end(error);
    }
  }

  #uploading(number) {
    const exchange = this.#exchange(number);
    if (!exchange.upload) throw invalid('the request has no body');
    return { exchange, upload: exchange.upload };
  }

  /** The next piece of the body of a response, or nothing at its end. */
  read(number) {
    return this.#exchange(number).read();
  }

  /** Gives up a request. */
  cancel(number) {
    this.#exchanges.get(number)?.end();
  }

  #exchange(number) {
    const exchange = this.#exchanges.get(number);
    if (!exchange) throw this.#failures.get(number) ?? cancelled();
    return exchange;
  }

  #end() {
    this.#hasEnded = true;
    for (const exchange of [...this.#exchanges.values()]) exchange.end();
  }
}

function exhausted(budget, policy) {
  const [limit, what] = BUDGETS[budget];
  return refusal(limit, `a call may have ${policy[limit]} ${what}, and no more`);
}

function lengthOf(length) {
  if (length === undefined || (Number.isSafeInteger(length) && length >= 0)) return length;
  throw invalid('the length of the body is none');
}

module.exports = { Call };
