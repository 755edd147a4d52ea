// The body of a request, as it comes from the guest piece by piece.
const { cancelled, invalid } = require('./errors.js');

class Upload {
  /** The length, if the guest has told it. Then the body is kept, so that it can be sent again. */
  length;
  #parts = [];
  #size = 0;
  /** How many parts have been dropped. */
  #dropped = 0;
  #isComplete = false;
  #isDiscarded = false;
  #error;
  /** Who waits for a part to be taken, and who for a part. */
  #writers = [];
  #reader;

  constructor(length) {
    this.length = length;
  }

  get canBeRepeated() {
    return this.length !== undefined;
  }

  /** Adds a part. It resolves when that is on its way. */
  write(bytes) {
    if (this.#error) return Promise.reject(this.#error);
    this.#size += bytes.length;
    if (this.#isComplete || (this.canBeRepeated && this.#size > this.length)) {
      return Promise.reject(invalid('the body of the request is longer than it was to be'));
    }
    if (bytes.length === 0 || this.#isDiscarded) return Promise.resolve();
    this.#parts.push(bytes);
    this.#reader?.();
    const at = this.#dropped + this.#parts.length - 1;
    return new Promise((resolve, reject) => this.#writers.push({ at, resolve, reject }));
  }

  finish() {
    if (this.#error) throw this.#error;
    if (this.canBeRepeated && this.#size < this.length) {
      throw invalid('the body of the request is shorter than it was to be');
    }
    this.#isComplete = true;
    this.#reader?.();
  }

  /** Nobody wants what comes now: the response is known without it. */
  discard() {
    this.#isDiscarded = true;
    this.#parts = [];
    for (const { resolve } of this.#writers.splice(0)) resolve();
  }

  /** Nothing is sent any more. */
  end(error = cancelled()) {
    this.#error ??= error;
    for (const { reject } of this.#writers.splice(0)) reject(this.#error);
    this.#parts = [];
    this.#reader?.();
  }

  /** All of the body, from its beginning. One reader at a time. */
  async *parts() {
    for (let at = 0; ; ) {
      if (this.#error) throw this.#error;
      const part = this.#parts[at - this.#dropped];
      if (part) {
        at++;
        if (!this.canBeRepeated) {
          this.#parts.shift();
          this.#dropped++;
        }
        yield part;
        // There is room for another one.
        while (this.#writers[0]?.at < at) this.#writers.shift().resolve();
      } else if (this.#isComplete) {
        return;
      } else {
        await new Promise((resolve) => {
          this.#reader = resolve;
        });
      }
    }
  }
}

module.exports = { Upload };
