// Whether two values are the same all through, as `assert.deepStrictEqual` and `assert.deepEqual` mean it.

import { isError, kindOf, typedArrayName } from 'hyperlight:inspect/kinds';

const { getOwnPropertySymbols, getPrototypeOf, hasOwn, is, keys: keysOf } = Object;
const isEnumerable = Object.prototype.propertyIsEnumerable;
const { isArray } = Array;

const BOXED = {
  __proto__: null,
  Number: Number.prototype.valueOf,
  String: String.prototype.valueOf,
  Boolean: Boolean.prototype.valueOf,
  Symbol: Symbol.prototype.valueOf,
  BigInt: BigInt.prototype.valueOf,
};

export function isDeepEqual(one, other) {
  return equal(one, other, false, []);
}

export function isDeepStrictEqual(one, other) {
  return equal(one, other, true, []);
}

const isPrimitive = (value) => value === null || (typeof value !== 'object' && typeof value !== 'function');

/** `open` are the pairs that are being compared: what comes back to one is as equal as the rest. */
function equal(one, other, isStrict, open) {
  if (one === other) return one !== 0 || !isStrict || is(one, other);
  if (isStrict) {
    if (isPrimitive(one) || isPrimitive(other)) return typeof one === 'number' && is(one, other);
    if (typeof one !== 'object' || typeof other !== 'object') return false;
    if (getPrototypeOf(one) !== getPrototypeOf(other)) return false;
  } else {
    if (one === null || typeof one !== 'object') {
      // biome-ignore lint/suspicious/noDoubleEquals: this is what it is about
      return (other === null || typeof other !== 'object') && (one == other || is(one, other));
    }
    if (other === null || typeof other !== 'object') return false;
  }
  const tags = [one, other].map((value) => Object.prototype.toString.call(value));
  if (tags[0] !== tags[1] || isArray(one) !== isArray(other)) return false;
  const kind = kindOf(one);
  if (kind !== kindOf(other) && !(isError(one) && isError(other))) return false;
  const array = typedArrayName(one);
  if (array !== typedArrayName(other)) return false;

  switch (kind) {
    case 'Date':
      if (!is(Date.prototype.getTime.call(one), Date.prototype.getTime.call(other))) return false;
      break;
    case 'RegExp':
      if (one.source !== other.source || one.flags !== other.flags || one.lastIndex !== other.lastIndex) return false;
      break;
    case 'ArrayBuffer':
    case 'SharedArrayBuffer':
      if (!isSameBytes(new Uint8Array(one), new Uint8Array(other))) return false;
      break;
    case 'Number':
    case 'String':
    case 'Boolean':
    case 'Symbol':
    case 'BigInt':
      if (!is(BOXED[kind].call(one), BOXED[kind].call(other))) return false;
      break;
    case 'DataView': {
      const views = [one, other].map((view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
      if (!isSameBytes(...views)) return false;
      break;
    }
    case 'WeakMap':
    case 'WeakSet':
    case 'Promise':
      return false;
  }
  if (isError(one)) {
    if (one.message !== other.message || one.name !== other.name) return false;
    for (const name of ['cause', 'errors']) {
      if (hasOwn(one, name) !== hasOwn(other, name)) return false;
      if (hasOwn(one, name) && !equal(one[name], other[name], isStrict, open)) return false;
    }
  }
  if (array !== undefined) {
    if (one.length !== other.length) return false;
    for (let i = 0; i < one.length; i++) {
      if (isStrict ? !is(one[i], other[i]) : one[i] !== other[i] && !is(one[i], other[i])) {
        return false;
      }
    }
  }
  if (isArray(one) && one.length !== other.length) return false;
  const keys = ownKeys(one, isStrict, array !== undefined);
  const others = ownKeys(other, isStrict, array !== undefined);
  if (keys.length !== others.length || !keys.every((key) => isEnumerable.call(other, key))) return false;

  if (open.some(([left, right]) => left === one && right === other)) return true;
  open.push([one, other]);
  let result = true;
  if (kind === 'Set') result = isSameSet(one, other, isStrict, open);
  else if (kind === 'Map') result = isSameMap(one, other, isStrict, open);
  for (let i = 0; i < keys.length && result; i++) result = equal(one[keys[i]], other[keys[i]], isStrict, open);
  open.pop();
  return result;
}

function ownKeys(value, isStrict, isTypedArray) {
  let keys = keysOf(value);
  if (isTypedArray) keys = keys.filter((key) => !/^\d+$/.test(key));
  if (!isStrict) return keys;
  return [...keys, ...getOwnPropertySymbols(value).filter((symbol) => isEnumerable.call(value, symbol))];
}

function isSameBytes(one, other) {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}

function isSameSet(one, other, isStrict, open) {
  if (one.size !== other.size) return false;
  const left = [];
  for (const value of one) if (!other.has(value)) left.push(value);
  if (left.length === 0) return true;
  const candidates = [...other].filter((value) => !one.has(value));
  for (const value of left) {
    if (isStrict && isPrimitive(value)) return false;
    const place = candidates.findIndex((candidate) => equal(value, candidate, isStrict, open));
    if (place === -1) return false;
    candidates.splice(place, 1);
  }
  return true;
}

function isSameMap(one, other, isStrict, open) {
  if (one.size !== other.size) return false;
  const left = [];
  for (const [key, value] of one) {
    if (other.has(key)) {
      if (!equal(value, other.get(key), isStrict, open)) return false;
    } else if (isStrict && isPrimitive(key)) return false;
    else left.push([key, value]);
  }
  const candidates = [...other].filter(([key]) => !one.has(key));
  for (const [key, value] of left) {
    const place = candidates.findIndex(
      (candidate) => equal(key, candidate[0], isStrict, open) && equal(value, candidate[1], isStrict, open),
    );
    if (place === -1) return false;
    candidates.splice(place, 1);
  }
  return true;
}
