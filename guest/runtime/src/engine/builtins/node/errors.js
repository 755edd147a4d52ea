// Errors with the codes and the words of Node.js.

import { inspect } from 'hyperlight:inspect';

/** An error with a code, which its stack names too. */
export function coded(Class, code, message) {
  const error = new Class(message);
  Object.defineProperty(error, 'code', { value: code, configurable: true, enumerable: true, writable: true });
  Object.defineProperty(error, 'toString', {
    value: () => `${error.name} [${code}]: ${error.message}`,
    configurable: true,
    enumerable: false,
    writable: true,
  });
  return error;
}

/** What a value is, in the words of errors. */
export function described(value) {
  if (value === null || value === undefined) return `${value}`;
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value === 'object') {
    const name = value.constructor?.name;
    return name ? `an instance of ${name}` : inspect(value, { depth: -1 });
  }
  let text = inspect(value, { colors: false });
  if (text.length > 28) text = `${text.slice(0, 25)}...`;
  return `type ${typeof value} (${text})`;
}

/** `subject` is such as `"size" argument`, `expected` such as `of type number`. */
export function invalidType(subject, expected, value) {
  return coded(TypeError, 'ERR_INVALID_ARG_TYPE', `The ${subject} must be ${expected}. Received ${described(value)}`);
}

export function invalidValue(name, value, reason = 'is invalid') {
  const text = inspect(value);
  const shown = text.length > 128 ? `${text.slice(0, 128)}...` : text;
  const kind = name.includes('.') ? 'property' : 'argument';
  return coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The ${kind} '${name}' ${reason}. Received ${shown}`);
}

export function outOfRange(name, range, value) {
  let shown;
  if (Number.isInteger(value) && Math.abs(value) > 2 ** 32) shown = separated(String(value));
  else if (typeof value === 'bigint') {
    shown = String(value);
    if (value > 2n ** 32n || value < -(2n ** 32n)) shown = separated(shown);
    shown += 'n';
  } else shown = inspect(value);
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${shown}`;
  return coded(RangeError, 'ERR_OUT_OF_RANGE', message);
}

const separated = (digits) => digits.replace(/\d(?=(?:\d{3})+$)/g, '$&_');

export function checkFunction(value, name) {
  if (typeof value !== 'function') throw invalidType(`"${name}" argument`, 'of type function', value);
}

export function checkString(value, name) {
  if (typeof value !== 'string') throw invalidType(`"${name}" argument`, 'of type string', value);
}
