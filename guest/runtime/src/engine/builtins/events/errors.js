// ErrorEvent, PromiseRejectionEvent and reportError, as the HTML Standard has them.

import console from 'hyperlight:console';
import { Event } from 'hyperlight:event';
import { EventTarget, fire, handlerProperty, reportBy } from 'hyperlight:event_target';
import { interfaces, requireArguments } from 'hyperlight:interfaces';
import { dictionary } from 'hyperlight:platform';

// As they are now: guest code may change the originals.
const { globalThis: globals } = globalThis;
const { apply } = Reflect;

export class ErrorEvent extends Event {
  #message;
  #filename;
  #lineno;
  #colno;
  #error;

  constructor(type, eventInitDict = undefined) {
    requireArguments(arguments, 1);
    super(type, eventInitDict);
    const { colno = 0, error, filename = '', lineno = 0, message = '' } = dictionary(eventInitDict);
    this.#colno = colno >>> 0;
    this.#error = error;
    this.#filename = `${filename}`;
    this.#lineno = lineno >>> 0;
    this.#message = `${message}`;
  }

  get message() {
    return this.#message;
  }

  get filename() {
    return this.#filename;
  }

  get lineno() {
    return this.#lineno;
  }

  get colno() {
    return this.#colno;
  }

  get error() {
    return this.#error;
  }
}

export class PromiseRejectionEvent extends Event {
  #promise;
  #reason;

  constructor(type, eventInitDict) {
    requireArguments(arguments, 2);
    super(type, eventInitDict);
    const { promise, reason } = dictionary(eventInitDict);
    if (promise === undefined) throw new TypeError('a promise is required');
    this.#promise = promise;
    this.#reason = reason;
  }

  get promise() {
    return this.#promise;
  }

  get reason() {
    return this.#reason;
  }
}

interfaces(ErrorEvent, PromiseRejectionEvent);

/** Whether something is being told of: what a listener throws meanwhile goes to the console. */
let isReporting = false;

/** Tells of what was thrown where no code can catch it: listeners of the global object, or else the console. */
function report(error) {
  if (isReporting) {
    console.error(error);
    return;
  }
  isReporting = true;
  try {
    let message = '';
    try {
      message = `Uncaught ${error}`;
    } catch {
      // It says nothing.
    }
    if (fire(globals, new ErrorEvent('error', { message, error, cancelable: true }))) console.error(error);
  } finally {
    isReporting = false;
  }
}

reportBy(report);

export const { reportError } = {
  reportError(e) {
    requireArguments(arguments, 1);
    report(e);
  },
};

/** Makes the global object a target of events. */
export function installTarget() {
  for (const name of ['addEventListener', 'dispatchEvent', 'removeEventListener']) {
    const { [name]: value } = EventTarget.prototype;
    Object.defineProperty(globals, name, { value, configurable: true, enumerable: true, writable: true });
  }
  // A handler of errors has its own parameters, and says by `true` that the error is dealt with.
  handlerProperty(globals, 'error', (handler, target, event) => {
    const { message, filename, lineno, colno, error } = event;
    if (apply(handler, target, [message, filename, lineno, colno, error]) === true) event.preventDefault();
  });
}
