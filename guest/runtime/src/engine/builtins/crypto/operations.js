// What the methods of SubtleCrypto do, as the Web Cryptography API has it. What they are given is copied, and what they give is
// computed, before they return. This is evaluated when it is first used, so guest code may have changed what there is in the
// language: a secret that guest code may not see is passed from one native function to the next, and no method of JavaScript's
// is called on it.

import { DIGESTS, normalized, operationOf, plain, register } from 'hyperlight:crypto/algorithms';
import { copyOf, failure, made, oneOf, wrongData } from 'hyperlight:crypto/conversion';
import 'hyperlight:crypto/derivation';
import 'hyperlight:crypto/elliptic';
import { jsonWebKey } from 'hyperlight:crypto/json_web_key';
import { checkUse, isEmpty, partsOf, usagesOf } from 'hyperlight:crypto/key';
import 'hyperlight:crypto/rsa';
import 'hyperlight:crypto/symmetric';
import { isBufferSource } from 'hyperlight:bytes';
import { digest as digestOf } from 'hyperlight:native';
import { jsonBytes, parseJson } from 'hyperlight:native/crypto';

for (const name in DIGESTS) register(name, { digest: plain((_, data) => digestOf(DIGESTS[name], data)) });

const formatOf = oneOf('format of keys', 'raw', 'pkcs8', 'spki', 'jwk');

/** What an operation does, for an algorithm of which another operation may serve as well. */
function normalizedAs(operation, other, algorithm) {
  try {
    return normalized(operation, algorithm);
  } catch (error) {
    if (error?.name !== 'NotSupportedError') throw error;
    return normalized(other, algorithm);
  }
}

/** Checks that a key which can be used without a usage has one. */
function checkUsable(key, usages) {
  const { type } = partsOf(key);
  if ((type === 'secret' || type === 'private') && isEmpty(usages)) {
    throw failure('SyntaxError', 'a key that nothing can be done with');
  }
  return key;
}

function exportedKey(format, parts) {
  const run = operationOf(parts.algorithm.name, 'exportKey');
  if (!run) throw failure('NotSupportedError', `a key for ${parts.algorithm.name} cannot be exported`);
  if (!parts.extractable) throw failure('InvalidAccessError', 'the key is not extractable');
  return run(format, parts);
}

/** A key from data, which is a copy already. */
function importedKey({ parameters, run }, format, data, extractable, usages) {
  return checkUsable(run(parameters, format, data, extractable, usages), usages);
}

/** What a base key gives for an algorithm. */
function derived({ parameters, run }, parts, length) {
  return run(parameters, parts, length);
}

export function encrypt(algorithm, key, data) {
  return ciphered('encrypt', algorithm, key, data);
}

export function decrypt(algorithm, key, data) {
  return ciphered('decrypt', algorithm, key, data);
}

export function sign(algorithm, key, data) {
  const parts = partsOf(key);
  const bytes = copyOf(data);
  const { parameters, run } = normalized('sign', algorithm);
  checkUse(parts, parameters.name, 'sign');
  return run(parameters, parts, bytes).buffer;
}

export function verify(algorithm, key, signature, data) {
  const parts = partsOf(key);
  const signatureBytes = copyOf(signature, 'signature');
  const bytes = copyOf(data);
  const { parameters, run } = normalized('verify', algorithm);
  checkUse(parts, parameters.name, 'verify');
  return run(parameters, parts, signatureBytes, bytes);
}

export function digest(algorithm, data) {
  const bytes = copyOf(data);
  const { parameters, run } = normalized('digest', algorithm);
  return run(parameters, bytes).buffer;
}

export function generateKey(algorithm, extractable, keyUsages) {
  const usages = usagesOf(keyUsages);
  const { parameters, run } = normalized('generateKey', algorithm);
  const made = run(parameters, Boolean(extractable), usages);
  const first = made.privateKey ?? made;
  checkUsable(first, partsOf(first).usages);
  return made;
}

export function deriveKey(algorithm, baseKey, derivedKeyType, extractable, keyUsages) {
  const parts = partsOf(baseKey);
  const usages = usagesOf(keyUsages);
  const derivation = normalized('deriveBits', algorithm);
  const importing = normalized('importKey', derivedKeyType);
  const lengthOf = normalized('keyLength', derivedKeyType);
  checkUse(parts, derivation.parameters.name, 'deriveKey');
  const length = lengthOf.run(lengthOf.parameters);
  const secret = derived(derivation, parts, length);
  return importedKey(importing, 'raw', secret, Boolean(extractable), usages);
}

export function deriveBits(algorithm, baseKey, length = null) {
  const parts = partsOf(baseKey);
  const bits = length === null ? null : length >>> 0;
  const derivation = normalized('deriveBits', algorithm);
  checkUse(parts, derivation.parameters.name, 'deriveBits');
  return derived(derivation, parts, bits).buffer;
}

export function importKey(format, keyData, algorithm, extractable, keyUsages) {
  const kind = formatOf(format);
  const usages = usagesOf(keyUsages);
  const importing = normalized('importKey', algorithm);
  let data;
  if (kind === 'jwk') {
    if (typeof keyData !== 'object' || keyData === null || isBufferSource(keyData)) {
      throw new TypeError('a JSON Web Key must be an object');
    }
    data = jsonWebKey(keyData);
  } else {
    data = copyOf(keyData, 'key');
  }
  return importedKey(importing, kind, data, Boolean(extractable), usages);
}

export function exportKey(format, key) {
  const kind = formatOf(format);
  const exported = exportedKey(kind, partsOf(key));
  return kind === 'jwk' ? exported : exported.buffer;
}

export function wrapKey(format, key, wrappingKey, wrapAlgorithm) {
  const kind = formatOf(format);
  const keyParts = partsOf(key);
  const wrapping = partsOf(wrappingKey);
  const { parameters, run } = normalizedAs('wrapKey', 'encrypt', wrapAlgorithm);
  checkUse(wrapping, parameters.name, 'wrapKey');
  const exported = exportedKey(kind, keyParts);
  return run(parameters, wrapping, kind === 'jwk' ? jsonBytes(exported) : exported).buffer;
}

export function unwrapKey(
  format,
  wrappedKey,
  unwrappingKey,
  unwrapAlgorithm,
  unwrappedKeyAlgorithm,
  extractable,
  keyUsages,
) {
  const kind = formatOf(format);
  const bytes = copyOf(wrappedKey, 'wrapped key');
  const unwrapping = partsOf(unwrappingKey);
  const usages = usagesOf(keyUsages);
  const { parameters, run } = normalizedAs('unwrapKey', 'decrypt', unwrapAlgorithm);
  const importing = normalized('importKey', unwrappedKeyAlgorithm);
  checkUse(unwrapping, parameters.name, 'unwrapKey');
  const secret = run(parameters, unwrapping, bytes);
  const data = kind === 'jwk' ? jsonWebKey(made(parseJson(secret), wrongData)) : secret;
  return importedKey(importing, kind, data, Boolean(extractable), usages);
}

function ciphered(operation, algorithm, key, data) {
  const parts = partsOf(key);
  const bytes = copyOf(data);
  const { parameters, run } = normalized(operation, algorithm);
  checkUse(parts, parameters.name, operation);
  return run(parameters, parts, bytes).buffer;
}
