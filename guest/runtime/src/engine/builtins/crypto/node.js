// The module `crypto`: what of Node.js' is there. Beside what the global object has, keys from passwords, and AES.

import { bytesOf, fromEncoding } from 'hyperlight:bytes';
import { algorithmOf, bufferOf, getRandomValues, given, randomUUID, shared, webcrypto } from 'hyperlight:crypto';
import { subtle } from 'hyperlight:crypto/subtle';
import {
  addAdditional,
  cipher,
  hkdf as deriveHkdf,
  pbkdf2 as derivePbkdf2,
  scrypt as deriveScrypt,
  finish,
  finishWithTag,
  secretKey,
  update,
} from 'hyperlight:native/crypto';
import { checkFunction, checkString, coded, invalidType, invalidValue, outOfRange } from 'hyperlight:node/errors';

export { getRandomValues, randomUUID, subtle, webcrypto };
export const {
  Hash,
  Hmac,
  createHash,
  createHmac,
  getHashes,
  randomBytes,
  randomFillSync,
  randomInt,
  timingSafeEqual,
} = shared;

const INT32_MAX = 2 ** 31 - 1;
const UINT32_MAX = 2 ** 32 - 1;
const BYTES = 'of type string or an instance of ArrayBuffer, Buffer, TypedArray, or DataView';
const KEY_BYTES = 'of type string or an instance of ArrayBuffer, Buffer, TypedArray, DataView, KeyObject, or CryptoKey';
const DATA_BYTES = 'of type string or an instance of Buffer, TypedArray, or DataView';

/** A copy of the bytes of an argument that may be a string too. */
function bytesIn(value, name, encoding = 'utf8', expected = BYTES) {
  if (typeof value === 'string') return fromEncoding(value, encoding);
  const isBytes = ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer;
  if (!isBytes) throw invalidType(`"${name}" argument`, expected, value);
  return new Uint8Array(bytesOf(value));
}

function checkInteger(value, name, min, max) {
  if (typeof value !== 'number') throw invalidType(`"${name}" argument`, 'of type number', value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < min || value > max) throw outOfRange(name, `>= ${min} && <= ${max}`, value);
}

function digestOf(name) {
  checkString(name, 'digest');
  try {
    return algorithmOf(name);
  } catch {
    throw coded(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${name}`);
  }
}

function pbkdf2Of(password, salt, iterations, keylen, digest) {
  checkString(digest, 'digest');
  const [passwordBytes, saltBytes] = [bytesIn(password, 'password'), bytesIn(salt, 'salt')];
  checkInteger(iterations, 'iterations', 1, INT32_MAX);
  checkInteger(keylen, 'keylen', 0, INT32_MAX);
  const algorithm = digestOf(digest);
  return () => bufferOf(derivePbkdf2(algorithm, secretKey(passwordBytes), saltBytes, iterations, keylen));
}

export function pbkdf2Sync(password, salt, iterations, keylen, digest) {
  return pbkdf2Of(password, salt, iterations, keylen, digest)();
}

export function pbkdf2(password, salt, iterations, keylen, digest, callback) {
  if (typeof digest === 'function') [digest, callback] = [undefined, digest];
  const derive = pbkdf2Of(password, salt, iterations, keylen, digest);
  checkFunction(callback, 'callback');
  given(callback, derive);
}

function hkdfOf(digest, key, salt, info, length) {
  checkString(digest, 'digest');
  const [keyBytes, saltBytes, infoBytes] = [bytesIn(key, 'ikm'), bytesIn(salt, 'salt'), bytesIn(info, 'info')];
  checkInteger(length, 'length', 0, INT32_MAX);
  if (infoBytes.length > 1024) throw outOfRange('info', 'must not contain more than 1024 bytes', infoBytes.length);
  const algorithm = digestOf(digest);
  return () => {
    const derived = deriveHkdf(algorithm, secretKey(keyBytes), saltBytes, infoBytes, length);
    if (!derived) throw coded(RangeError, 'ERR_CRYPTO_INVALID_KEYLEN', 'Invalid key length');
    return derived.buffer;
  };
}

export function hkdfSync(digest, ikm, salt, info, keylen) {
  return hkdfOf(digest, ikm, salt, info, keylen)();
}

export function hkdf(digest, ikm, salt, info, keylen, callback) {
  const derive = hkdfOf(digest, ikm, salt, info, keylen);
  checkFunction(callback, 'callback');
  given(callback, derive);
}

/** An option that has two names. */
function option(options, name, other, standard) {
  const [first, second] = [options[name], options[other]];
  if (first !== undefined && second !== undefined) {
    throw coded(Error, 'ERR_CRYPTO_SCRYPT_INVALID_PARAMETER', 'Invalid scrypt parameter');
  }
  const value = first ?? second;
  if (value !== undefined) checkInteger(value, first === undefined ? other : name, 0, UINT32_MAX);
  return value || standard;
}

const MEMORY_LIMIT = 'error:030000AC:digital envelope routines::memory limit exceeded';

function scryptOf(password, salt, keylen, options = undefined) {
  const [passwordBytes, saltBytes] = [bytesIn(password, 'password'), bytesIn(salt, 'salt')];
  checkInteger(keylen, 'keylen', 0, INT32_MAX);
  const given = options ?? {};
  const N = option(given, 'N', 'cost', 16384);
  const r = option(given, 'r', 'blockSize', 8);
  const p = option(given, 'p', 'parallelization', 1);
  const maxmem = given.maxmem ?? 32 * 1024 * 1024;
  const isPowerOf2 = N > 1 && (N & (N - 1)) === 0;
  if (!isPowerOf2) throw coded(RangeError, 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS', 'Invalid scrypt params');
  if (128 * r * (N + p + 2) > maxmem) {
    throw coded(RangeError, 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS', `Invalid scrypt params: ${MEMORY_LIMIT}`);
  }
  return () => {
    if (keylen === 0) return bufferOf(new Uint8Array());
    const derived = deriveScrypt(secretKey(passwordBytes), saltBytes, Math.log2(N), r, p, keylen);
    if (!derived) throw coded(RangeError, 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS', 'Invalid scrypt params');
    return bufferOf(derived);
  };
}

export function scryptSync(password, salt, keylen, options = undefined) {
  return scryptOf(password, salt, keylen, options)();
}

export function scrypt(password, salt, keylen, options, callback = undefined) {
  if (callback === undefined) [options, callback] = [undefined, options];
  const derive = scryptOf(password, salt, keylen, options);
  checkFunction(callback, 'callback');
  given(callback, derive);
}

const CIPHER = /^aes-?(128|192|256)-(cbc|ctr|gcm)$/;

export function getCiphers() {
  return [128, 192, 256].flatMap((bits) => ['cbc', 'ctr', 'gcm'].map((mode) => `aes-${bits}-${mode}`));
}

class Cipher {
  #mode;
  #isEncryption;
  #key;
  #iv;
  #state;
  #isPadded = true;
  #size = 0;
  #isEnded = false;
  #tagLength;
  #tag;

  constructor(isEncryption, name, key, iv, options) {
    checkString(name, 'cipher');
    const [, bits, mode] = CIPHER.exec(name.toLowerCase()) ?? [];
    const keyBytes = bytesIn(key, 'key', undefined, KEY_BYTES);
    const ivBytes = bytesIn(iv, 'iv');
    if (!mode) throw coded(Error, 'ERR_CRYPTO_UNKNOWN_CIPHER', 'Unknown cipher');
    if (keyBytes.length * 8 !== Number(bits))
      throw coded(RangeError, 'ERR_CRYPTO_INVALID_KEYLEN', 'Invalid key length');
    if (mode === 'gcm' ? ivBytes.length === 0 : ivBytes.length !== 16) {
      throw coded(TypeError, 'ERR_CRYPTO_INVALID_IV', 'Invalid initialization vector');
    }
    const tagLength = options?.authTagLength;
    if (mode === 'gcm' && tagLength !== undefined) this.#tagLength = checkedTagLength(tagLength);
    this.#mode = mode;
    this.#isEncryption = isEncryption;
    this.#key = secretKey(keyBytes);
    this.#iv = ivBytes;
  }

  /** What computes: padding can be chosen until then. */
  #begun() {
    if (!this.#state) {
      const mode = this.#mode === 'cbc' && !this.#isPadded ? 'cbc-whole' : this.#mode;
      this.#state = cipher(mode, this.#isEncryption, this.#key, this.#iv);
    }
    return this.#state;
  }

  setAutoPadding(isPadded = true) {
    if (this.#isEnded) throw coded(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state for operation setAutoPadding');
    // The state is made anew only if nothing was put in.
    if (this.#size === 0) {
      this.#isPadded = Boolean(isPadded);
      this.#state = undefined;
    }
    return this;
  }

  setAAD(data, options = undefined) {
    if (this.#mode !== 'gcm' || this.#isEnded) {
      throw coded(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state for operation setAAD');
    }
    addAdditional(this.#begun(), bytesIn(data, 'buffer', options?.encoding));
    return this;
  }

  getAuthTag() {
    if (!this.#isEncryption || !this.#isEnded || !this.#tag) {
      throw coded(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state for operation getAuthTag');
    }
    return bufferOf(this.#tag.slice());
  }

  setAuthTag(tag, encoding = undefined) {
    const bytes = bytesIn(tag, 'buffer', encoding);
    if (this.#mode !== 'gcm' || this.#isEncryption || this.#tag) {
      throw coded(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state for operation setAuthTag');
    }
    if (this.#tagLength !== undefined ? bytes.length !== this.#tagLength : !TAG_LENGTHS.includes(bytes.length)) {
      throw invalidTagLength(bytes.length);
    }
    this.#tag = bytes;
    return this;
  }

  update(data, inputEncoding = undefined, outputEncoding = undefined) {
    if (this.#isEnded) throw new Error('Trying to add data in unsupported state');
    const bytes = bytesIn(data, 'data', inputEncoding === 'buffer' ? undefined : inputEncoding, DATA_BYTES);
    this.#size += bytes.length;
    const result = update(this.#begun(), bytes);
    if (!result) throw invalidState();
    return encoded(result, outputEncoding);
  }

  final(outputEncoding = undefined) {
    if (this.#isEnded) throw coded(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state');
    const state = this.#begun();
    this.#isEnded = true;
    if (this.#mode !== 'gcm') {
      const result = finish(state);
      if (result) return encoded(result, outputEncoding);
      throw this.#wrongEnd();
    }
    if (this.#isEncryption) this.#tag = finish(state).slice(0, this.#tagLength ?? 16);
    else if (!this.#tag || !finishWithTag(state, this.#tag)) throw invalidState();
    return encoded(new Uint8Array(), outputEncoding);
  }

  #wrongEnd() {
    const isWhole = this.#size > 0 && this.#size % 16 === 0;
    if (!isWhole) return ossl('1C80006B', 'wrong final block length', 'WRONG_FINAL_BLOCK_LENGTH');
    return ossl('1C800064', 'bad decrypt', 'BAD_DECRYPT');
  }
}

const TAG_LENGTHS = [4, 8, 12, 13, 14, 15, 16];

function invalidTagLength(length) {
  return coded(TypeError, 'ERR_CRYPTO_INVALID_AUTH_TAG', `Invalid authentication tag length: ${length}`);
}

function checkedTagLength(length) {
  if (!Number.isInteger(length) || length < 0) throw invalidValue('options.authTagLength', length);
  if (!TAG_LENGTHS.includes(length)) throw invalidTagLength(length);
  return length;
}

const invalidState = () => new Error('Unsupported state or unable to authenticate data');

/** An error as OpenSSL has it. */
function ossl(number, reason, code) {
  const error = new Error(`error:${number}:Provider routines::${reason}`);
  return Object.assign(error, { library: 'Provider routines', reason, code: `ERR_OSSL_${code}` });
}

function encoded(bytes, encoding) {
  const buffer = bufferOf(bytes);
  return encoding === undefined || encoding === 'buffer' ? buffer : buffer.toString(encoding);
}

export class Cipheriv extends Cipher {
  constructor(cipherName, key, iv, options = undefined) {
    super(true, cipherName, key, iv, options);
  }
}

export class Decipheriv extends Cipher {
  constructor(cipherName, key, iv, options = undefined) {
    super(false, cipherName, key, iv, options);
  }
}

export function createCipheriv(algorithm, key, iv, options = undefined) {
  return new Cipheriv(algorithm, key, iv, options);
}

export function createDecipheriv(algorithm, key, iv, options = undefined) {
  return new Decipheriv(algorithm, key, iv, options);
}

export default {
  ...shared,
  Cipheriv,
  Decipheriv,
  createCipheriv,
  createDecipheriv,
  getCiphers,
  getRandomValues,
  hkdf,
  hkdfSync,
  pbkdf2,
  pbkdf2Sync,
  randomUUID,
  scrypt,
  scryptSync,
  subtle,
  webcrypto,
};
