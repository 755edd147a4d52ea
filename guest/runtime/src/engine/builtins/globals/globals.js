// Global objects that the language does not have but the web and Node.js do.

import 'hyperlight:iterators';
import 'hyperlight:weak_refs';
import { structuredClone } from 'hyperlight:clone';
import { TextDecoder, TextEncoder } from 'hyperlight:encoding';
import { timeOrigin } from 'hyperlight:native';
import { requiring } from 'hyperlight:platform';
import crypto from 'crypto';
import { URL, URLSearchParams } from 'url';

const engine = { atob: globalThis.atob, btoa: globalThis.btoa, now: globalThis.performance.now };

// The engine's own take a missing argument for the text "undefined".
const atob = requiring(function atob(data) {
  return engine.atob(data);
});

const btoa = requiring(function btoa(data) {
  return engine.btoa(data);
});

// The engine's own says that time began at 0: when it was made, there was no clock yet.
const performance = {
  now() {
    return engine.now();
  },
  get timeOrigin() {
    return timeOrigin();
  },
  toJSON() {
    return { timeOrigin: timeOrigin() };
  },
};

for (const [name, value] of Object.entries({
  TextDecoder,
  TextEncoder,
  URL,
  URLSearchParams,
  atob,
  btoa,
  crypto: Object.freeze({ ...crypto }),
  performance,
  structuredClone,
})) {
  Object.defineProperty(globalThis, name, { value, configurable: true, enumerable: false, writable: true });
}
