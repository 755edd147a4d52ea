// Global objects that the language does not have but the web and Node.js do.

import 'hyperlight:call_sites';
import 'hyperlight:intl/methods';
import 'hyperlight:iterators';
import 'hyperlight:weak_refs';
import { AbortController, AbortSignal } from 'hyperlight:abort';
import { structuredClone } from 'hyperlight:clone';
import { Crypto, webcrypto } from 'hyperlight:crypto';
import { TextDecoder, TextEncoder } from 'hyperlight:encoding';
import { ErrorEvent, installTarget, PromiseRejectionEvent, reportError } from 'hyperlight:errors';
import { CustomEvent, Event } from 'hyperlight:event';
import { EventTarget } from 'hyperlight:event_target';
import { named } from 'hyperlight:interfaces';
import { defineLazily } from 'hyperlight:lazy';
import { importNow } from 'hyperlight:native';
import { Navigator, navigator } from 'hyperlight:navigator';
import { Performance, performance } from 'hyperlight:performance';
import { requiring } from 'hyperlight:platform';
import { URL, URLSearchParams } from 'url';

const engine = { atob: globalThis.atob, btoa: globalThis.btoa };

// The engine's own take a missing argument for the text "undefined".
const atob = requiring(function atob(data) {
  return engine.atob(data);
});

const btoa = requiring(function btoa(data) {
  return engine.btoa(data);
});

for (const [name, value] of Object.entries({
  AbortController,
  AbortSignal,
  Crypto,
  CustomEvent,
  ErrorEvent,
  Event,
  EventTarget,
  Navigator,
  Performance,
  PromiseRejectionEvent,
  TextDecoder,
  TextEncoder,
  URL,
  URLSearchParams,
  atob,
  btoa,
  crypto: webcrypto,
  navigator,
  performance,
  reportError,
  self: globalThis,
  structuredClone,
})) {
  Object.defineProperty(globalThis, name, { value, configurable: true, enumerable: false, writable: true });
}
installTarget();
named(globalThis, 'global');

defineLazily('hyperlight:crypto/key', ['CryptoKey'], importNow);
defineLazily('hyperlight:crypto/subtle', ['SubtleCrypto'], importNow);
defineLazily('hyperlight:intl', ['Intl'], importNow);
defineLazily('hyperlight:temporal', ['Temporal'], importNow);
defineLazily('blob', ['Blob', 'File']);
defineLazily('compression', ['CompressionStream', 'DecompressionStream']);
defineLazily('form_data', ['FormData']);
defineLazily('headers', ['Headers']);
defineLazily('request', ['Request']);
defineLazily('response', ['Response']);
defineLazily('streams', [
  'ByteLengthQueuingStrategy',
  'CountQueuingStrategy',
  'ReadableByteStreamController',
  'ReadableStream',
  'ReadableStreamBYOBReader',
  'ReadableStreamBYOBRequest',
  'ReadableStreamDefaultController',
  'ReadableStreamDefaultReader',
  'TransformStream',
  'TransformStreamDefaultController',
  'WritableStream',
  'WritableStreamDefaultController',
  'WritableStreamDefaultWriter',
]);
defineLazily('text_streams', ['TextDecoderStream', 'TextEncoderStream']);
defineLazily('timeline', [
  'PerformanceEntry',
  'PerformanceMark',
  'PerformanceMeasure',
  'PerformanceObserver',
  'PerformanceObserverEntryList',
]);
defineLazily('urlpattern', ['URLPattern']);
