// Ends what waits for a registry from which nothing comes.

/** A signal that aborts when nothing has come for a time, or when the signal of the user does. */
export class Patience {
  #controller = new AbortController();
  #timer;
  #milliseconds;
  #hasEnded = false;
  signal;

  constructor(milliseconds, signal) {
    this.#milliseconds = milliseconds;
    this.signal = signal === undefined ? this.#controller.signal : AbortSignal.any([this.#controller.signal, signal]);
    this.renew();
  }

  /** Something has come. */
  renew() {
    if (this.#hasEnded) return;
    clearTimeout(this.#timer);
    const end = () => this.#controller.abort(new Error(`nothing came for ${this.#milliseconds} ms`));
    this.#timer = setTimeout(end, this.#milliseconds);
  }

  end() {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
  }
}
