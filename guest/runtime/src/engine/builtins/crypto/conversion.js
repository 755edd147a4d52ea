// What WebIDL makes of arguments, and the errors of the Web Cryptography API.

import { bytesOf, isBufferSource } from 'hyperlight:bytes';

export function failure(name, message) {
  return new DOMException(message, name);
}

export function operationFailed(message = 'the operation failed') {
  return failure('OperationError', message);
}

export function wrongData(message = 'the data of the key is not valid') {
  return failure('DataError', message);
}

/** What a native function has made, or the error if it has been given something wrong. */
export function made(result, error = operationFailed) {
  if (result === undefined || result === null) throw error();
  return result;
}

/** A copy of the bytes of an argument: nothing that runs later can change them. */
export function copyOf(value, name = 'data') {
  if (!isBufferSource(value)) throw new TypeError(`the ${name} must be an ArrayBuffer or a view of one`);
  return new Uint8Array(bytesOf(value));
}

export function required(object, name) {
  const value = object[name];
  if (value === undefined) throw new TypeError(`the algorithm has no "${name}"`);
  return value;
}

/** An integer from 0 to a limit, as for `[EnforceRange]`. */
export function integer(value, name, limit) {
  const number = Math.trunc(Number(value));
  if (!(number >= 0 && number <= limit)) throw new TypeError(`"${name}" must be an integer from 0 to ${limit}`);
  return number + 0;
}

export const OCTET = 255;
export const UNSIGNED_SHORT = 65535;
export const UNSIGNED_LONG = 2 ** 32 - 1;

/** What is iterable, as an array of what each item is converted to. */
export function sequence(value, name, convert) {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  if (!isObject || typeof value[Symbol.iterator] !== 'function') throw new TypeError(`the ${name} must be iterable`);
  const list = [];
  for (const item of value) list[list.length] = convert(item);
  return list;
}

/** A function that takes one of some texts only. */
export function oneOf(name, ...texts) {
  return (value) => {
    const text = `${value}`;
    for (let i = 0; i < texts.length; i++) if (texts[i] === text) return text;
    throw new TypeError(`"${text}" is no ${name}`);
  };
}

export function includes(list, item) {
  for (let i = 0; i < list.length; i++) if (list[i] === item) return true;
  return false;
}
