// JSON Web Keys.

import { failure, sequence, wrongData } from 'hyperlight:crypto/conversion';
import { isEmpty, listed } from 'hyperlight:crypto/key';
import { decodeText, encodeText } from 'hyperlight:native/crypto';

const TEXTS = ['alg', 'crv', 'd', 'dp', 'dq', 'e', 'k', 'kty', 'n', 'p', 'q', 'qi', 'use', 'x', 'y'];

/** The members of a JSON Web Key that an object has. */
export function jsonWebKey(object) {
  const key = { __proto__: null };
  for (let i = 0; i < TEXTS.length; i++) {
    const value = object[TEXTS[i]];
    // A template is concatenated by a method, which guest code may have changed.
    if (value !== undefined) key[TEXTS[i]] = typeof value === 'string' ? value : `${value}`;
  }
  if (object.ext !== undefined) key.ext = Boolean(object.ext);
  if (object.key_ops !== undefined) key.key_ops = sequence(object.key_ops, '"key_ops"', (item) => `${item}`);
  if (object.oth !== undefined) key.oth = sequence(object.oth, '"oth"', (item) => item);
  return key;
}

/** Checks what is in keys of all kinds. */
export function check(key, type, use, extractable, usages) {
  if (key.kty !== type) throw wrongData(`"kty" must be "${type}"`);
  if (!isEmpty(usages) && key.use !== undefined && key.use !== use) throw wrongData(`"use" must be "${use}"`);
  checkOperations(key.key_ops, usages);
  if (key.ext === false && extractable) throw wrongData('"ext" forbids that the key is extractable');
}

function checkOperations(operations, usages) {
  if (operations === undefined) return;
  const has = (text, end) => {
    for (let i = 0; i < end; i++) if (operations[i] === text) return true;
    return false;
  };
  for (let i = 0; i < operations.length; i++) {
    if (has(operations[i], i)) throw wrongData('"key_ops" has an operation twice');
  }
  for (const usage in usages) {
    if (!has(usage, operations.length)) throw wrongData(`"key_ops" has no "${usage}"`);
  }
}

/** The bytes of a member; none if the key has not got it. */
export function bytesIn(key, member) {
  if (key[member] === undefined) return undefined;
  const bytes = decodeText(key[member]);
  if (bytes === undefined || bytes === null) throw wrongData(`"${member}" is not base64url`);
  return bytes;
}

/** The bytes of eight members at most, in an array that is made at once: to set an element guest code may have a say. */
export function allBytesIn(key, members) {
  const at = (i) => (members[i] === undefined ? undefined : bytesIn(key, members[i]));
  return [at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)];
}

/** A key to export: members with bytes, after what all have. */
export function exported(parts, kty, members, bytes, rest) {
  const key = { key_ops: listed(parts.usages), ext: parts.extractable, kty, ...rest };
  for (let i = 0; i < members.length && i < bytes.length; i++) key[members[i]] = encodeText(bytes[i]);
  return key;
}

export function notSupported(format) {
  return failure('NotSupportedError', `a key of this kind has no format "${format}"`);
}
