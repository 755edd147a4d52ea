// The module `io`, and what else hyperlight-js has beside the console.

import { decodeUtf8, writeLine } from 'hyperlight:native';

const { fromBase64 } = Uint8Array;
const { replaceAll, slice } = String.prototype;
const INFO = 1;
const LINE_MAX = 16 << 10;

/** Writes a text as a line. A line break at its end is the end of the line. */
export function print(text) {
  const line = `${text}`;
  writeLine(INFO, slice.call(line, 0, line.endsWith('\n') ? Math.min(line.length - 1, LINE_MAX) : LINE_MAX));
}

/** Does nothing: what is printed is not kept back. */
export function flush() {}

/** The text whose bytes in UTF-8 are encoded in Base64, in either alphabet. */
export function bytesFrom(data, encoding) {
  if (encoding !== 'base64url') {
    throw new TypeError("Unsupported encoding, only 'base64url' is supported");
  }
  const encoded = typeof data === 'string' ? data : decodeUtf8(Uint8Array.from(data), false, false)[0];
  const bytes = fromBase64.call(Uint8Array, replaceAll.call(replaceAll.call(encoded, '-', '+'), '_', '/'));
  return decodeUtf8(bytes, false, false)[0];
}

for (const [object, name, value] of [
  [globalThis, 'print', print],
  [String, 'bytesFrom', bytesFrom],
]) {
  Object.defineProperty(object, name, { value, configurable: true, enumerable: false, writable: true });
}

export default { flush, print };
