// The module `string_decoder`: text out of bytes that come in pieces.

import { Buffer } from 'hyperlight:node/buffer';
import { normalizeEncoding } from 'hyperlight:node/encodings';
import { coded, invalidType } from 'hyperlight:node/errors';

/** How many bytes at the end of these belong to a character of which more is to come. */
function incomplete(bytes, encoding) {
  switch (encoding) {
    case 'utf8':
      return incompleteUtf8(bytes);
    case 'utf16le': {
      const odd = bytes.length & 1;
      const last = bytes.length - odd;
      // Half of a pair waits for the other half.
      const isLead = last >= 2 && (bytes[last - 1] & 0xfc) === 0xd8;
      return odd + (isLead ? 2 : 0);
    }
    case 'base64':
    case 'base64url':
      return bytes.length % 3;
    default:
      return 0;
  }
}

function incompleteUtf8(bytes) {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if ((byte & 0xc0) === 0x80) continue;
    const size =
      byte >= 0xf0 && byte <= 0xf4 ? 4 : byte >= 0xe0 && byte < 0xf0 ? 3 : byte >= 0xc2 && byte < 0xe0 ? 2 : 1;
    if (size <= back) return 0;
    // What cannot go on after the first byte does not wait for more.
    const second = bytes[bytes.length - back + 1];
    if (back > 1) {
      if (byte === 0xe0 && second < 0xa0) return 0;
      if (byte === 0xed && second > 0x9f) return 0;
      if (byte === 0xf0 && second < 0x90) return 0;
      if (byte === 0xf4 && second > 0x8f) return 0;
    }
    return back;
  }
  return 0;
}

export class StringDecoder {
  #pending = Buffer.alloc(0);

  constructor(encoding) {
    const name = normalizeEncoding(encoding);
    if (name === undefined) throw coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${String(encoding)}`);
    this.encoding = name;
  }

  write(data) {
    if (typeof data === 'string') return data;
    if (!ArrayBuffer.isView(data)) {
      throw invalidType('"buf" argument', 'an instance of Buffer, TypedArray, or DataView', data);
    }
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const all = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    const left = incomplete(all, this.encoding);
    this.#pending = Buffer.from(all.subarray(all.length - left));
    return all.toString(this.encoding, 0, all.length - left);
  }

  end(data) {
    const text = data === undefined ? '' : this.write(data);
    const rest = this.#pending;
    this.#pending = Buffer.alloc(0);
    return text + rest.toString(this.encoding);
  }

  text(data, offset) {
    this.#pending = Buffer.alloc(0);
    return this.write(data.subarray(offset));
  }

  get lastNeed() {
    const { length } = this.#pending;
    if (length === 0) return 0;
    if (this.encoding === 'utf16le') return length % 2 === 1 ? 1 : 2;
    if (this.encoding !== 'utf8') return 3 - length;
    const first = this.#pending[0];
    return (first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2) - length;
  }

  get lastTotal() {
    return this.#pending.length === 0 ? 0 : this.lastNeed + this.#pending.length;
  }
}

export default { StringDecoder };
