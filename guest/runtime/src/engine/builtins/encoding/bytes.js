// Bytes and their encodings, for the modules beside this one.
import { classOf, encodeUtf8 } from 'hyperlight:native';

// As they are before any guest code runs, which may change them.
const { fromBase64, fromHex, prototype } = Uint8Array;
const { toBase64, toHex } = prototype;
const { charCodeAt, toWellFormed } = String.prototype;
const { isView } = ArrayBuffer;

const BUFFER = classOf(new ArrayBuffer());
const SHARED_BUFFER = classOf(new SharedArrayBuffer());

/** The bytes behind a buffer or a view, not a copy; none if the buffer is detached. */
export function bytesOf(data) {
  const kind = classOf(data);
  if (data?.byteLength === 0 && (kind === BUFFER || isView(data))) return new Uint8Array();
  if (kind === BUFFER || kind === SHARED_BUFFER) return new Uint8Array(data);
  if (isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  throw new TypeError('the data must be a string, an ArrayBuffer or a view of one');
}

/** Whether a value is a buffer that is not shared, or a view of one. */
export function isBufferSource(value) {
  return classOf(value) === BUFFER || (isView(value) && classOf(value.buffer) !== SHARED_BUFFER);
}

/** The bytes of a string in UTF-8, in which lone surrogates become U+FFFD. */
export function utf8Of(text) {
  return encodeUtf8(toWellFormed.call(text));
}

/** The bytes that a string stands for. */
export function fromEncoding(text, encoding = 'utf8') {
  switch (String(encoding).toLowerCase()) {
    case 'utf8':
    case 'utf-8':
      return utf8Of(text);
    case 'hex':
      return fromHex.call(Uint8Array, text);
    case 'base64':
      return fromBase64.call(Uint8Array, text);
    case 'base64url':
      return fromBase64.call(Uint8Array, text, { alphabet: 'base64url' });
    case 'latin1':
    case 'binary':
      return Uint8Array.from({ length: text.length }, (_, i) => charCodeAt.call(text, i));
    default:
      throw new TypeError(`Unknown encoding: ${encoding}`);
  }
}

/** A string that stands for bytes. */
export function toEncoding(bytes, encoding) {
  switch (String(encoding).toLowerCase()) {
    case 'hex':
      return toHex.call(bytes);
    case 'base64':
      return toBase64.call(bytes);
    case 'base64url':
      return toBase64.call(bytes, { alphabet: 'base64url', omitPadding: true });
    case 'latin1':
    case 'binary':
      return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
    default:
      throw new TypeError(`Unknown encoding: ${encoding}`);
  }
}
