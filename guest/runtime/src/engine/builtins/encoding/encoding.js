// TextEncoder and TextDecoder, as the Encoding Standard has them.

import { bytesOf, utf8Of } from 'hyperlight:bytes';
import { interfaces, requireArguments } from 'hyperlight:interfaces';
import {
  classOf,
  decodeLegacy,
  decodeUtf8,
  decodeUtf16be,
  decodeUtf16le,
  decodeWindows1252,
  encodeInto,
  encodingOf,
  legacyDecoder,
} from 'hyperlight:native';
import { dictionary, platformObjects } from 'hyperlight:platform';

// As it is before any guest code runs, which may change it.
const { toWellFormed } = String.prototype;

const BYTES = classOf(new Uint8Array());

export class TextEncoder {
  #isEncoder;

  static {
    platformObjects((value) => #isEncoder in value);
  }

  get encoding() {
    this.#isEncoder;
    return 'utf-8';
  }

  encode(input = '') {
    this.#isEncoder;
    return utf8Of(`${input}`);
  }

  encodeInto(source, destination) {
    this.#isEncoder;
    requireArguments(arguments, 2);
    const wellFormed = toWellFormed.call(`${source}`);
    if (classOf(destination) !== BYTES) throw new TypeError('the destination must be a Uint8Array');
    const counts = encodeInto(wellFormed, bytesOf(destination));
    return { read: counts[0], written: counts[1] };
  }
}

/** Those that most text is in. The others have a state beside the bytes that no text has come of yet. */
const DECODERS = {
  __proto__: null,
  'utf-8': decodeUtf8,
  'utf-16le': decodeUtf16le,
  'utf-16be': decodeUtf16be,
  'windows-1252': decodeWindows1252,
};

const { slice } = String.prototype;

const EMPTY = new Uint8Array();

/** The text of bytes that come in pieces, for TextDecoder and TextDecoderStream. */
export class Decoding {
  encoding;
  fatal;
  ignoreBom;
  #decode;
  /** What decodes, unless it is a function: it is made with the first bytes, and once more after the last ones. */
  #legacy;
  /** Bytes that no text has come of yet. */
  #pending = EMPTY;
  #isBomSeen = false;

  constructor(label, options) {
    const name = `${label}`;
    const { fatal, ignoreBOM } = dictionary(options);
    this.fatal = Boolean(fatal);
    this.ignoreBom = Boolean(ignoreBOM);
    this.encoding = encodingOf(toWellFormed.call(name));
    if (this.encoding === undefined) throw new RangeError(`The encoding "${name}" is not supported`);
    this.#decode = DECODERS[this.encoding];
  }

  reset() {
    this.#pending = EMPTY;
    this.#isBomSeen = false;
    this.#legacy = undefined;
  }

  /** The text of the next bytes, which are the last ones unless there is a stream of them. */
  decode(bytes, stream) {
    const text = this.#decode ? this.#decoded(bytes, stream) : this.#decodedLegacy(bytes, stream);
    if (text === undefined) throw new TypeError(`The encoded data was not valid for encoding ${this.encoding}`);
    return text;
  }

  #decoded(bytes, stream) {
    const all = joined(this.#pending, bytes);
    const { 0: text, 1: used } = this.#decode(all, this.fatal, stream);
    this.#pending = stream && used < all.length ? all.slice(used) : EMPTY;
    if (this.encoding === 'windows-1252' || this.ignoreBom || this.#isBomSeen || !text) return text;
    this.#isBomSeen = true;
    return text[0] === '\ufeff' ? slice.call(text, 1) : text;
  }

  #decodedLegacy(bytes, stream) {
    this.#legacy ??= legacyDecoder(this.encoding);
    const text = decodeLegacy(this.#legacy, bytes, this.fatal, stream);
    if (!stream || text === undefined) this.#legacy = undefined;
    return text;
  }
}

export class TextDecoder {
  #decoding;
  #isStreaming = false;

  static {
    platformObjects((value) => #decoding in value);
  }

  constructor(label = 'utf-8', options = undefined) {
    this.#decoding = new Decoding(label, options);
  }

  get encoding() {
    return this.#decoding.encoding;
  }

  get fatal() {
    return this.#decoding.fatal;
  }

  get ignoreBOM() {
    return this.#decoding.ignoreBom;
  }

  decode(input = EMPTY, options = undefined) {
    const decoding = this.#decoding;
    const bytes = bytesOf(input);
    const stream = Boolean(dictionary(options).stream);
    if (!this.#isStreaming) decoding.reset();
    this.#isStreaming = stream;
    return decoding.decode(bytes, stream);
  }
}

interfaces(TextEncoder, TextDecoder);

function joined(first, second) {
  if (first.length === 0) return second;
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
