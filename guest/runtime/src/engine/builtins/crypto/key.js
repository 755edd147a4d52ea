// CryptoKey. What it is made of inherits nothing and is in no array, whose methods guest code may have changed; its bytes are
// where JavaScript cannot see them.

import { failure, sequence } from 'hyperlight:crypto/conversion';
import { interfaces } from 'hyperlight:interfaces';
import { cloneable, platformObjects } from 'hyperlight:platform';

/** All usages, in the order in which keys show theirs. What has usages has them as the names of properties. */
const USAGES = ['encrypt', 'decrypt', 'sign', 'verify', 'deriveKey', 'deriveBits', 'wrapKey', 'unwrapKey'];
const ALL = { __proto__: null };
for (let i = 0; i < USAGES.length; i++) ALL[USAGES[i]] = true;

/** Usages that guest code has asked for. */
export function usagesOf(value) {
  const list = sequence(value, 'usages', (item) => {
    const usage = `${item}`;
    if (!ALL[usage]) throw new TypeError(`"${usage}" is no usage of keys`);
    return usage;
  });
  const usages = { __proto__: null };
  for (let i = 0; i < list.length; i++) usages[list[i]] = true;
  return usages;
}

/** Usages as guest code sees them, who may change what it sees. */
export function listed(usages) {
  const list = [];
  for (let i = 0; i < USAGES.length; i++) if (usages[USAGES[i]]) list[list.length] = USAGES[i];
  return list;
}

export function isEmpty(usages) {
  for (const _ in usages) return false;
  return true;
}

let allowed;
let partsIn;

export class CryptoKey {
  #parts;
  #algorithm;
  #usages;

  static {
    platformObjects((value) => #parts in value);
    partsIn = (value) => value.#parts;
    cloneable(
      (value) => #parts in value,
      (value) => withParts(value.#parts),
    );
  }

  constructor() {
    if (!allowed) throw new TypeError('a CryptoKey is made by crypto.subtle only');
    this.#parts = allowed;
    allowed = undefined;
  }

  get type() {
    return this.#parts.type;
  }

  get extractable() {
    return this.#parts.extractable;
  }

  get algorithm() {
    const { algorithm } = this.#parts;
    this.#algorithm ??= shown(algorithm);
    return this.#algorithm;
  }

  get usages() {
    const { usages } = this.#parts;
    this.#usages ??= listed(usages);
    return this.#usages;
  }
}

interfaces(CryptoKey);

/** An algorithm as guest code sees it, who may change what it sees. */
function shown(algorithm) {
  const { hash, publicExponent, ...rest } = algorithm;
  if (publicExponent) rest.publicExponent = new Uint8Array(publicExponent);
  if (hash) rest.hash = { name: hash };
  return rest;
}

function withParts(parts) {
  allowed = parts;
  return new CryptoKey();
}

/** A key of a type, with those usages that it may have. */
export function newKey(type, handle, algorithm, extractable, usages, allowedUsages = ALL) {
  const own = { __proto__: null };
  for (const usage in usages) if (allowedUsages[usage]) own[usage] = true;
  return withParts({ __proto__: null, type, handle, algorithm, extractable, usages: own });
}

/** What a key is made of. */
export function partsOf(key) {
  try {
    return partsIn(key);
  } catch {
    throw new TypeError('the key must be a CryptoKey');
  }
}

/** Checks that a key is for an algorithm and a usage. */
export function checkUse(parts, name, usage) {
  if (parts.algorithm.name !== name) throw failure('InvalidAccessError', `the key is not for ${name}`);
  checkUsage(parts, usage);
}

export function checkUsage(parts, usage) {
  if (!parts.usages[usage]) throw failure('InvalidAccessError', `the key is not for ${usage}`);
}

/** Checks that all usages are among others. */
export function checkUsages(usages, allowedUsages, moreUsages = undefined) {
  for (const usage in usages) {
    if (!allowedUsages[usage] && !moreUsages?.[usage]) {
      throw failure('SyntaxError', `a key of this kind is not for ${usage}`);
    }
  }
}
