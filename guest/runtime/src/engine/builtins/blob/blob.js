// Blob and File, as the File API has them. Evaluated when one is first used.

import { bytesOf, isBufferSource, utf8Of } from 'hyperlight:bytes';
import { TextDecoder } from 'hyperlight:encoding';
import { interfaces, requireArguments } from 'hyperlight:interfaces';
import { lazy } from 'hyperlight:lazy';
import { cloneable, dictionary, platformObjects } from 'hyperlight:platform';

const { toWellFormed } = String.prototype;
const { now } = Date;
/** A stream of a blob has chunks of so many bytes at most. */
const CHUNK_SIZE = 64 << 10;

/** The bytes of a blob: nobody changes them. */
let contentOf;
/** Whether a value is a blob; whether it is a file. */
let isBlob;
let isFile;

/** Makes a blob or a file of bytes that nobody else has. */
let fromBytes;

export class Blob {
  #bytes;
  #type;

  static {
    contentOf = (blob) => blob.#bytes;
    isBlob = (value) => typeof value === 'object' && value !== null && #bytes in value;
    fromBytes = (bytes, type) => {
      const blob = new Blob();
      blob.#bytes = bytes;
      blob.#type = type;
      return blob;
    };
    platformObjects((value) => #bytes in value);
  }

  constructor(blobParts = undefined, options = undefined) {
    const parts = blobParts === undefined ? [] : sequenceOf(blobParts);
    const { endings = 'transparent', type = '' } = dictionary(options);
    const lineEndings = `${endings}`;
    if (lineEndings !== 'transparent' && lineEndings !== 'native') {
      throw new TypeError(`the value "${lineEndings}" of endings is neither "transparent" nor "native"`);
    }
    this.#type = normalized(`${type}`);
    this.#bytes = joined(parts, lineEndings === 'native');
  }

  get size() {
    return this.#bytes.length;
  }

  get type() {
    return this.#type;
  }

  slice(start = 0, end = undefined, contentType = '') {
    const bytes = this.#bytes;
    const from = clamped(start, bytes.length);
    const to = end === undefined ? bytes.length : clamped(end, bytes.length);
    return fromBytes(bytes.subarray(from, Math.max(from, to)), normalized(`${contentType}`));
  }

  stream() {
    return streamOf(this.#bytes);
  }

  // A promise, whatever is wrong: hence the functions that are asynchronous.
  async text() {
    return new TextDecoder().decode(this.#bytes);
  }

  async arrayBuffer() {
    return this.#bytes.slice().buffer;
  }

  async bytes() {
    return this.#bytes.slice();
  }
}

export class File extends Blob {
  #name;
  #lastModified;

  static {
    isFile = (value) => typeof value === 'object' && value !== null && #name in value;
  }

  constructor(fileBits, fileName, options = undefined) {
    requireArguments(arguments, 2);
    const parts = sequenceOf(fileBits);
    const name = toWellFormed.call(`${fileName}`);
    super(parts, options);
    const { lastModified } = dictionary(options);
    this.#name = name;
    this.#lastModified = lastModified === undefined ? now() : longLong(lastModified);
  }

  get name() {
    return this.#name;
  }

  get lastModified() {
    return this.#lastModified;
  }

  get webkitRelativePath() {
    this.#name;
    return '';
  }
}

interfaces(Blob, File);
cloneable(isBlob, (blob) => {
  const content = contentOf(blob);
  if (!isFile(blob)) return fromBytes(content, blob.type);
  return new File([fromBytes(content, '')], blob.name, { type: blob.type, lastModified: blob.lastModified });
});

/** A byte stream of these bytes, which are copied chunk by chunk. */
function streamOf(bytes) {
  const { ReadableStream } = lazy('streams');
  let at = 0;
  return new ReadableStream({
    type: 'bytes',
    pull(controller) {
      if (at < bytes.length) {
        const chunk = bytes.slice(at, at + CHUNK_SIZE);
        at += chunk.length;
        controller.enqueue(chunk);
      }
      if (at >= bytes.length) {
        controller.close();
        controller.byobRequest?.respond(0);
      }
    },
  });
}

/** What WebIDL makes of a value for a sequence of parts. */
function sequenceOf(value) {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  const iterate = isObject ? value[Symbol.iterator] : undefined;
  if (typeof iterate !== 'function') throw new TypeError('the parts must be a sequence');
  const parts = [];
  for (const part of { [Symbol.iterator]: () => iterate.call(value) }) {
    parts[parts.length] = isBlob(part) || isBufferSource(part) ? part : toWellFormed.call(`${part}`);
  }
  return parts;
}

function joined(parts, isNative) {
  const all = parts.map((part) => {
    if (isBlob(part)) return contentOf(part);
    if (typeof part !== 'string') return bytesOf(part);
    return utf8Of(isNative ? part.replace(/\r\n?|\n/g, '\n') : part);
  });
  const bytes = new Uint8Array(all.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of all) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function normalized(type) {
  return /[^\x20-\x7e]/.test(type) ? '' : type.toLowerCase();
}

/** An offset from the start, or from the end if it is negative; WebIDL's `[Clamp] long long`. */
function clamped(value, size) {
  const number = Number(value);
  const offset = Number.isNaN(number) ? 0 : Math.min(Math.max(number, -(2 ** 53 - 1)), 2 ** 53 - 1);
  const lower = Math.floor(offset);
  const isEven = lower % 2 === 0;
  const rest = offset - lower;
  const whole = rest < 0.5 || (rest === 0.5 && isEven) ? lower : lower + 1;
  return whole < 0 ? Math.max(size + whole, 0) : Math.min(whole, size);
}

/** WebIDL's `long long`, of numbers that are integers. */
function longLong(value) {
  const number = Math.trunc(Number(value));
  return Number.isFinite(number) ? Number(BigInt.asIntN(64, BigInt(number))) + 0 : 0;
}

export { contentOf, fromBytes, isBlob, isFile, streamOf };
