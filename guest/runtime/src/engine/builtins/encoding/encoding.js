// TextEncoder and TextDecoder, as the Encoding Standard has them, for the encodings that nearly all text is in.

import { bytesOf, utf8Of } from 'hyperlight:bytes';
import { classOf, decodeUtf8, decodeUtf16be, decodeUtf16le, decodeWindows1252, encodeInto } from 'hyperlight:native';
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
    return 'utf-8';
  }

  encode(text = '') {
    return utf8Of(`${text}`);
  }

  encodeInto(text, into) {
    const wellFormed = toWellFormed.call(`${text}`);
    if (classOf(into) !== BYTES) throw new TypeError('the destination must be a Uint8Array');
    const counts = encodeInto(wellFormed, bytesOf(into));
    return { read: counts[0], written: counts[1] };
  }
}

const DECODERS = new Map();

function decoder(encoding, decode, labels) {
  for (const label of labels.split(' ')) DECODERS.set(label, { encoding, decode, hasBom: encoding.startsWith('utf') });
}

decoder('utf-8', decodeUtf8, 'unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8');
decoder('utf-16le', decodeUtf16le, 'csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le');
decoder('utf-16be', decodeUtf16be, 'unicodefffe utf-16be');
decoder(
  'windows-1252',
  decodeWindows1252,
  'ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 ' +
    'iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252',
);

const { get } = Map.prototype;
const { replace, slice } = String.prototype;

/** What a label stands for, in any case and with white space of ASCII around it. */
function decoderOf(label) {
  const trimmed = replace.call(label, /^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, '');
  const found = get.call(
    DECODERS,
    replace.call(trimmed, /[A-Z]+/g, (letters) => letters.toLowerCase()),
  );
  if (!found) throw new RangeError(`The encoding "${label}" is not supported`);
  return found;
}

const EMPTY = new Uint8Array();

export class TextDecoder {
  #decoder;
  #fatal;
  #ignoreBom;
  /** Bytes that no text has come of yet. */
  #pending = EMPTY;
  #isStreaming = false;
  #isBomSeen = false;

  static {
    platformObjects((value) => #pending in value);
  }

  constructor(label = 'utf-8', options = undefined) {
    const name = `${label}`;
    const { fatal, ignoreBOM } = dictionary(options);
    this.#decoder = decoderOf(name);
    this.#fatal = Boolean(fatal);
    this.#ignoreBom = Boolean(ignoreBOM);
  }

  get encoding() {
    return this.#decoder.encoding;
  }

  get fatal() {
    return this.#fatal;
  }

  get ignoreBOM() {
    return this.#ignoreBom;
  }

  decode(input = EMPTY, options = undefined) {
    const bytes = bytesOf(input);
    const stream = Boolean(dictionary(options).stream);
    const { encoding, decode, hasBom } = this.#decoder;
    if (!this.#isStreaming) {
      this.#pending = EMPTY;
      this.#isBomSeen = false;
    }
    this.#isStreaming = stream;
    const all = joined(this.#pending, bytes);
    const { 0: text, 1: used } = decode(all, this.#fatal, stream);
    this.#pending = stream && used < all.length ? all.slice(used) : EMPTY;
    if (text === undefined) throw new TypeError(`The encoded data was not valid for encoding ${encoding}`);
    if (!hasBom || this.#ignoreBom || this.#isBomSeen || text === '') return text;
    this.#isBomSeen = true;
    return text[0] === '\ufeff' ? slice.call(text, 1) : text;
  }
}

function joined(first, second) {
  if (first.length === 0) return second;
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
