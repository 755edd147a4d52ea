// The global `crypto`: the interface of the web, and what of Node's module `crypto` needs the digests and random bytes only.

import { bytesOf, fromEncoding, toEncoding } from 'hyperlight:bytes';
import { interfaces } from 'hyperlight:interfaces';
import { classOf, digest, equal, fillRandom, hmac, importNow } from 'hyperlight:native';
import { platformObjects } from 'hyperlight:platform';

const SIZES = { md5: 16, sha1: 20, sha256: 32, sha384: 48, sha512: 64 };
const RANDOM_SIZE_MAX = 65536;
const INTEGER_ARRAYS = new Set(
  [
    new Int8Array(),
    new Uint8Array(),
    new Uint8ClampedArray(),
    new Int16Array(),
    new Uint16Array(),
    new Int32Array(),
    new Uint32Array(),
    new BigInt64Array(),
    new BigUint64Array(),
  ].map(classOf),
);

const { isView } = ArrayBuffer;

let buffers;
let errors;
/** A Buffer with the memory of an array. */
export const bufferOf = ({ buffer, byteOffset, byteLength }) => {
  buffers ??= importNow('hyperlight:node/buffer');
  return buffers.Buffer.from(buffer, byteOffset, byteLength);
};
/** Errors in the words of Node.js. */
export const wrong = () => {
  errors ??= importNow('hyperlight:node/errors');
  return errors;
};

export function algorithmOf(name) {
  const algorithm = String(name).toLowerCase().replace('-', '');
  if (!Object.hasOwn(SIZES, algorithm)) throw new Error(`Digest method not supported: ${name}`);
  return algorithm;
}

class Digest {
  #finish;
  #chunks = [];

  constructor(finish) {
    this.#finish = finish;
  }

  update(data, encoding) {
    if (!this.#finish) throw new Error('Digest already called');
    // A copy: the caller may change its bytes before the digest is made.
    this.#chunks.push(typeof data === 'string' ? fromEncoding(data, encoding) : bytesOf(data).slice());
    return this;
  }

  digest(encoding) {
    if (!this.#finish) throw new Error('Digest already called');
    const all = new Uint8Array(this.#chunks.reduce((size, chunk) => size + chunk.length, 0));
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    const result = this.#finish(all);
    this.#finish = undefined;
    this.#chunks = [];
    const bytes = bufferOf(result);
    return encoding === undefined || encoding === 'buffer' ? bytes : bytes.toString(encoding);
  }

  copy() {
    if (!this.#finish) throw new Error('Digest already called');
    const copy = new this.constructor(this.#finish);
    for (const chunk of this.#chunks) copy.#chunks.push(chunk);
    return copy;
  }
}

export class Hash extends Digest {}
export class Hmac extends Digest {}

export function createHash(name) {
  const algorithm = algorithmOf(name);
  return new Hash((bytes) => digest(algorithm, bytes));
}

export function createHmac(name, key) {
  const algorithm = algorithmOf(name);
  const keyBytes = typeof key === 'string' ? fromEncoding(key) : bytesOf(key).slice();
  return new Hmac((bytes) => hmac(algorithm, keyBytes, bytes));
}

export function getHashes() {
  return Object.keys(SIZES);
}

/** The result; or none, and a callback is given it when the code that runs is done. */
export function given(callback, make) {
  if (callback === undefined) return make();
  wrong().checkFunction(callback, 'callback');
  const result = make();
  setImmediate(callback, null, result);
  return undefined;
}

export function randomBytes(size, callback = undefined) {
  if (!Number.isInteger(size) || size < 0 || size > 0x7fffffff) {
    throw new RangeError(`the size must be an integer from 0 to 2147483647, not ${size}`);
  }
  return given(callback, () => bufferOf(fillRandom(new Uint8Array(size))));
}

export function randomFillSync(data, offset = 0, size = undefined) {
  const all = bytesOf(data);
  const unit = isView(data) ? (data.BYTES_PER_ELEMENT ?? 1) : 1;
  const from = unit * offset;
  const count = size === undefined ? all.length - from : unit * size;
  if (!(from >= 0 && from <= all.length)) throw wrong().outOfRange('offset', `>= 0 && <= ${all.length / unit}`, offset);
  if (!(count >= 0 && count <= all.length - from)) {
    throw wrong().outOfRange('size + offset', `<= ${all.length / unit}`, offset + size);
  }
  fillRandom(all.subarray(from, from + count));
  return data;
}

const INTEGERS = 2 ** 48;

export function randomInt(min, max, callback = undefined) {
  const isLimit = max === undefined || typeof max === 'function';
  if (isLimit) [min, max, callback] = [0, min, max];
  for (const [name, value] of Object.entries({ min, max })) {
    if (!Number.isSafeInteger(value)) throw wrong().invalidType(`"${name}" argument`, 'a safe integer', value);
  }
  if (max <= min) throw wrong().outOfRange('max', `greater than the value of "min" (${min})`, max);
  const range = max - min;
  if (range > INTEGERS - 1) throw wrong().outOfRange(isLimit ? 'max' : 'max - min', `<= ${INTEGERS - 1}`, range);
  return given(callback, () => {
    // Those beyond the last whole multiple would make some results more likely than others.
    const limit = INTEGERS - (INTEGERS % range);
    for (;;) {
      const number = bufferOf(fillRandom(new Uint8Array(6))).readUIntBE(0, 6);
      if (number < limit) return min + (number % range);
    }
  });
}

export function getRandomValues(array) {
  if (!isView(array)) throw new TypeError('the argument must be an array of integers');
  if (!INTEGER_ARRAYS.has(classOf(array))) {
    throw new DOMException('the argument must be an array of integers', 'TypeMismatchError');
  }
  if (array.byteLength > RANDOM_SIZE_MAX) {
    throw new DOMException(`at most ${RANDOM_SIZE_MAX} bytes can be had at once`, 'QuotaExceededError');
  }
  fillRandom(bytesOf(array));
  return array;
}

export function randomUUID() {
  const bytes = fillRandom(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return toEncoding(bytes, 'hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

export function timingSafeEqual(a, b) {
  const [left, right] = [bytesOf(a), bytesOf(b)];
  if (left.length !== right.length) throw new RangeError('Input buffers must have the same byte length');
  return equal(left, right);
}

let module;
let isAllowed = true;

export class Crypto {
  #isCrypto;

  static {
    platformObjects((value) => #isCrypto in value);
  }

  constructor() {
    if (!isAllowed) throw new TypeError('there is one Crypto only');
  }

  get subtle() {
    this.#isCrypto;
    module ??= importNow('hyperlight:crypto/subtle');
    return module.subtle;
  }

  getRandomValues(array) {
    return getRandomValues(array);
  }

  randomUUID() {
    return randomUUID();
  }
}

interfaces(Crypto);

/** The part of Node.js' module that the global object has too. */
export const shared = {
  Hash,
  Hmac,
  createHash,
  createHmac,
  getHashes,
  randomBytes,
  randomFillSync,
  randomInt,
  timingSafeEqual,
};

export const webcrypto = Object.freeze(Object.assign(new Crypto(), shared));
isAllowed = false;
