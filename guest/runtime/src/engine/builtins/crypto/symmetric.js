// HMAC and AES.

import {
  BLOCK_BITS,
  bytesMember,
  DIGESTS,
  hashMember,
  integerMember,
  optionalBytes,
  optionalInteger,
  plain,
  register,
  taking,
} from 'hyperlight:crypto/algorithms';
import {
  includes,
  made,
  OCTET,
  operationFailed,
  UNSIGNED_LONG,
  UNSIGNED_SHORT,
  wrongData,
} from 'hyperlight:crypto/conversion';
import { bytesIn, check, exported, notSupported } from 'hyperlight:crypto/json_web_key';
import { checkUsages, newKey } from 'hyperlight:crypto/key';
import { equal } from 'hyperlight:native';
import {
  addAdditional,
  cipher,
  counter,
  exportKey,
  exportParts,
  finish,
  finishWithTag,
  hmacSign,
  joined,
  randomKey,
  secretKey,
  secretSize,
  truncatedSecret,
  unwrap,
  update,
  wrap,
} from 'hyperlight:native/crypto';

const JWK_HASHES = { __proto__: null, 'SHA-1': 'HS1', 'SHA-256': 'HS256', 'SHA-384': 'HS384', 'SHA-512': 'HS512' };

/** The handle of a secret key in a format. */
function imported(format, data, isAlgorithm, use, extractable, usages) {
  if (format === 'raw') return secretKey(data);
  if (format !== 'jwk') throw notSupported(format);
  check(data, 'oct', use, extractable, usages);
  const handle = secretKey(made(bytesIn(data, 'k'), wrongData));
  if (data.alg !== undefined && !isAlgorithm(data.alg, handle)) throw wrongData('"alg" is that of other keys');
  return handle;
}

function exportedSecret(format, parts, alg) {
  if (format === 'raw') return exportKey(parts.handle, format);
  if (format !== 'jwk') throw notSupported(format);
  return exported(parts, 'oct', ['k'], exportParts(parts.handle), { alg });
}

function hmacKey(handle, hash, bits, extractable, usages) {
  const algorithm = { __proto__: null, name: 'HMAC', length: bits, hash };
  return newKey('secret', handle, algorithm, extractable, usages);
}

const HMAC_USAGES = { __proto__: null, sign: true, verify: true };
const HMAC_MEMBERS = { hash: hashMember, length: optionalInteger(UNSIGNED_LONG) };

register('HMAC', {
  generateKey: taking(HMAC_MEMBERS, ({ hash, length = BLOCK_BITS[hash] }, extractable, usages) => {
    checkUsages(usages, HMAC_USAGES);
    if (length === 0) throw operationFailed('the length must not be 0');
    return hmacKey(truncatedSecret(randomKey(Math.ceil(length / 8)), length), hash, length, extractable, usages);
  }),
  importKey: taking(HMAC_MEMBERS, ({ hash, length }, format, data, extractable, usages) => {
    checkUsages(usages, HMAC_USAGES);
    const handle = imported(format, data, (alg) => alg === JWK_HASHES[hash], 'sig', extractable, usages);
    const bits = secretSize(handle) * 8;
    if (bits === 0) throw wrongData('the key is empty');
    if (length === undefined) return hmacKey(handle, hash, bits, extractable, usages);
    if (length > bits || length <= bits - 8) throw wrongData('the length is not that of the key');
    return hmacKey(truncatedSecret(handle, length), hash, length, extractable, usages);
  }),
  exportKey: plain((format, parts) => exportedSecret(format, parts, JWK_HASHES[parts.algorithm.hash])),
  keyLength: taking(HMAC_MEMBERS, ({ hash, length = BLOCK_BITS[hash] }) => {
    if (length === 0) throw new TypeError('the length must not be 0');
    return length;
  }),
  sign: plain((_, parts, data) => hmacSign(DIGESTS[parts.algorithm.hash], parts.handle, data)),
  verify: plain((_, parts, signature, data) =>
    equal(signature, hmacSign(DIGESTS[parts.algorithm.hash], parts.handle, data)),
  ),
});

const AES_LENGTHS = [128, 192, 256];
const TAG_LENGTHS = [32, 64, 96, 104, 112, 120, 128];

function checkedLength(length) {
  if (!includes(AES_LENGTHS, length)) throw operationFailed('the length must be 128, 192 or 256');
  return length;
}

/** Registers what keys of all modes have in common, and what a mode does. */
function registerAes(mode, usagesOfMode, operations) {
  const name = `AES-${mode}`;
  const key = (handle, extractable, usages) => {
    const algorithm = { __proto__: null, name, length: secretSize(handle) * 8 };
    return newKey('secret', handle, algorithm, extractable, usages);
  };
  const members = { length: integerMember(UNSIGNED_SHORT) };
  register(name, {
    generateKey: taking(members, ({ length }, extractable, usages) => {
      checkUsages(usages, usagesOfMode);
      return key(randomKey(checkedLength(length) / 8), extractable, usages);
    }),
    importKey: plain((_, format, data, extractable, usages) => {
      checkUsages(usages, usagesOfMode);
      const isAlgorithm = (alg, handle) => alg === `A${secretSize(handle) * 8}${mode}`;
      const handle = imported(format, data, isAlgorithm, 'enc', extractable, usages);
      if (!includes(AES_LENGTHS, secretSize(handle) * 8)) throw wrongData('the key must have 128, 192 or 256 bits');
      return key(handle, extractable, usages);
    }),
    exportKey: plain((format, parts) => exportedSecret(format, parts, `A${parts.algorithm.length}${mode}`)),
    keyLength: taking(members, ({ length }) => checkedLength(length)),
    ...operations,
  });
}

const CIPHER_USAGES = { __proto__: null, encrypt: true, decrypt: true, wrapKey: true, unwrapKey: true };

function cbc(isEncryption) {
  return taking({ iv: bytesMember }, ({ iv }, parts, data) => {
    const state = made(cipher('cbc', isEncryption, parts.handle, iv), () => operationFailed('"iv" must have 16 bytes'));
    const first = made(update(state, data));
    return joined(first, made(finish(state)));
  });
}

registerAes('CBC', CIPHER_USAGES, { encrypt: cbc(true), decrypt: cbc(false) });

const ctr = taking({ counter: bytesMember, length: integerMember(OCTET) }, (parameters, parts, data) => {
  const { length } = parameters;
  if (parameters.counter.length !== 16) throw operationFailed('the counter must have 16 bytes');
  if (length === 0 || length > 128) throw operationFailed('the length must be from 1 to 128');
  return made(counter(parts.handle, parameters.counter, length, data));
});

registerAes('CTR', CIPHER_USAGES, { encrypt: ctr, decrypt: ctr });

const GCM_MEMBERS = { additionalData: optionalBytes, iv: bytesMember, tagLength: optionalInteger(OCTET) };

function gcm(isEncryption, { additionalData, iv, tagLength = 128 }, parts) {
  if (!includes(TAG_LENGTHS, tagLength)) throw operationFailed(`a tag of ${tagLength} bits is not possible`);
  if (iv.length === 0) throw operationFailed('"iv" must not be empty');
  const state = made(cipher('gcm', isEncryption, parts.handle, iv));
  if (additionalData) addAdditional(state, additionalData);
  return state;
}

registerAes('GCM', CIPHER_USAGES, {
  encrypt: taking(GCM_MEMBERS, (parameters, parts, data) => {
    const state = gcm(true, parameters, parts);
    const encrypted = made(update(state, data));
    return joined(encrypted, made(finish(state)), (parameters.tagLength ?? 128) / 8);
  }),
  decrypt: taking(GCM_MEMBERS, (parameters, parts, data) => {
    const state = gcm(false, parameters, parts);
    const size = data.length - (parameters.tagLength ?? 128) / 8;
    if (size < 0) throw operationFailed('the data is shorter than a tag');
    const decrypted = made(update(state, new Uint8Array(data.buffer, 0, size)));
    if (!finishWithTag(state, new Uint8Array(data.buffer, size))) throw operationFailed('the tag is another');
    return decrypted;
  }),
});

registerAes(
  'KW',
  { __proto__: null, wrapKey: true, unwrapKey: true },
  {
    wrapKey: plain((_, parts, data) => made(wrap(parts.handle, data))),
    unwrapKey: plain((_, parts, data) => made(unwrap(parts.handle, data))),
  },
);
