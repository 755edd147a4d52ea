// The module `assert`. An error's `diff` of two values is shorter than that of Node.js, which differs from version to version:
// it shows both values.

import { inspect } from 'hyperlight:inspect';
import { isDeepEqual, isDeepStrictEqual } from 'hyperlight:node/equal';
import { checkFunction, coded, described, invalidType, invalidValue } from 'hyperlight:node/errors';

const { is } = Object;

const TEXTS = {
  deepStrictEqual: 'Expected values to be strictly deep-equal:',
  strictEqual: 'Expected values to be strictly equal:',
  deepEqual: 'Expected values to be loosely deep-equal:',
  notDeepStrictEqual: 'Expected "actual" not to be strictly deep-equal to:',
  notStrictEqual: 'Expected "actual" to be strictly unequal to:',
  notDeepEqual: 'Expected "actual" not to be loosely deep-equal to:',
  notIdentical: 'Values identical but not reference-equal:',
};

const shown = (value) =>
  inspect(value, {
    compact: false,
    customInspect: false,
    depth: 1000,
    maxArrayLength: Infinity,
    showProxy: false,
    sorted: true,
    getters: true,
  });

function messageOf(operator, actual, expected) {
  switch (operator) {
    case 'equal':
    case '==':
    case 'notEqual':
    case '!=':
      return `${inspect(actual)} ${operator === 'equal' || operator === '==' ? '==' : '!='} ${inspect(expected)}`;
    case 'notStrictEqual':
    case 'notDeepStrictEqual':
    case 'notDeepEqual': {
      const text = shown(actual);
      if (operator === 'notStrictEqual' && isPrimitive(actual)) {
        return `${TEXTS[operator].replace(/:$/, '')} ${text}`.replace('strictly unequal to', 'strictly unequal to:');
      }
      return `${TEXTS[operator]}${text.includes('\n') ? '\n\n' : ' '}${text}${text.includes('\n') ? '\n' : ''}`;
    }
    case 'strictEqual':
      if (isPrimitive(actual) && isPrimitive(expected) && shown(actual).length + shown(expected).length < 30) {
        return `${TEXTS.strictEqual}\n\n${shown(actual)} !== ${shown(expected)}\n`;
      }
  }
  return `${TEXTS[operator] ?? `${operator}:`}\n+ actual - expected\n\n${difference(shown(actual), shown(expected))}\n`;
}

/** Lines that both have, and of the others whose they are. */
function difference(actual, expected) {
  const [left, right] = [actual.split('\n'), expected.split('\n')];
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) start += 1;
  let end = 0;
  while (
    end < left.length - start &&
    end < right.length - start &&
    left[left.length - 1 - end] === right[right.length - 1 - end]
  ) {
    end += 1;
  }
  return [
    ...left.slice(0, start).map((line) => `  ${line}`),
    ...left.slice(start, left.length - end).map((line) => `+ ${line}`),
    ...right.slice(start, right.length - end).map((line) => `- ${line}`),
    ...left.slice(left.length - end).map((line) => `  ${line}`),
  ].join('\n');
}

const isPrimitive = (value) => (typeof value !== 'object' || value === null) && typeof value !== 'function';

export class AssertionError extends Error {
  constructor(options) {
    if (options === null || typeof options !== 'object') {
      throw invalidType('"options" argument', 'of type object', options);
    }
    const { message, operator, actual, expected } = options;
    super(message === undefined || message === null ? messageOf(operator, actual, expected) : String(message));
    this.generatedMessage = !message;
    Object.defineProperty(this, 'name', {
      value: 'AssertionError',
      configurable: true,
      enumerable: false,
      writable: true,
    });
    this.code = 'ERR_ASSERTION';
    this.actual = actual;
    this.expected = expected;
    this.operator = operator;
  }

  toString() {
    return `${this.name} [${this.code}]: ${this.message}`;
  }
}

function fail(message, operator, actual, expected) {
  if (message instanceof Error) throw message;
  throw new AssertionError({ message, operator, actual, expected });
}

function need(count, ...names) {
  if (count >= names.length) return;
  const list = names.map((name) => `"${name}"`).join(' and ');
  throw coded(TypeError, 'ERR_MISSING_ARGS', `The ${list} arguments must be specified`);
}

function checkTruth(given, value, message, operator) {
  if (value) return;
  if (given === 0) {
    const error = new AssertionError({
      actual: undefined,
      expected: true,
      message: 'No value argument passed to `assert.ok()`',
      operator: '==',
    });
    error.generatedMessage = true;
    throw error;
  }
  if (message instanceof Error) throw message;
  const error = new AssertionError({
    actual: value,
    expected: true,
    message: message ?? 'The expression evaluated to a falsy value',
    operator,
  });
  error.generatedMessage = message === undefined || message === null;
  throw error;
}

function ok(...values) {
  checkTruth(values.length, values[0], values[1], '==');
}

/** An assertion on two values. */
const comparison = (name, holds) => {
  const { [name]: check } = {
    [name](...given) {
      need(given.length, 'actual', 'expected');
      const [actual, expected, message] = given;
      if (!holds(actual, expected)) fail(message, operatorOf(name), actual, expected);
    },
  };
  return check;
};

const operatorOf = (name) => (name === 'equal' ? '==' : name === 'notEqual' ? '!=' : name);

// biome-ignore lint/suspicious/noDoubleEquals: this is what it is about
const isLooselyEqual = (one, other) => one == other || is(one, other);

const equal = comparison('equal', isLooselyEqual);
const notEqual = comparison('notEqual', (one, other) => !isLooselyEqual(one, other));
const strictEqual = comparison('strictEqual', is);
const notStrictEqual = comparison('notStrictEqual', (one, other) => !is(one, other));
const deepEqual = comparison('deepEqual', isDeepEqual);
const notDeepEqual = comparison('notDeepEqual', (one, other) => !isDeepEqual(one, other));
const deepStrictEqual = comparison('deepStrictEqual', isDeepStrictEqual);
const notDeepStrictEqual = comparison('notDeepStrictEqual', (one, other) => !isDeepStrictEqual(one, other));

function failNow(message) {
  if (message instanceof Error) throw message;
  const error = new AssertionError({ message: message ?? 'Failed', operator: 'fail' });
  error.generatedMessage = message === undefined;
  throw error;
}

/** Whether what was thrown is what was expected; throws if not. */
function checkThrown(thrown, expected, message, name) {
  const wrong = (text) => {
    if (message instanceof Error) throw message;
    const error = new AssertionError({
      actual: thrown,
      expected,
      message: message ?? text,
      operator: name,
    });
    error.generatedMessage = !message;
    throw error;
  };
  if (expected === undefined) return;
  if (typeof expected === 'function') {
    if (expected.prototype !== undefined && thrown instanceof expected) return;
    if (Error === expected || Object.prototype.isPrototypeOf.call(Error, expected)) {
      const found = thrown?.constructor?.name;
      const text = `The error is expected to be an instance of "${expected.name}". Received `;
      wrong(
        thrown instanceof Error ? `${text}"${found}"\n\nError message:\n\n${thrown.message}` : text + inspect(thrown),
      );
    }
    const result = Reflect.apply(expected, {}, [thrown]);
    if (result === true) return;
    const called = expected.name ? `"${expected.name}" ` : '';
    const about = thrown instanceof Error ? `\n\nCaught error:\n\n${inspect(thrown)}` : '';
    wrong(`The ${called}validation function is expected to return "true". Received ${inspect(result)}${about}`);
  }
  if (expected instanceof RegExp) {
    if (RegExp.prototype.exec.call(expected, String(thrown)) !== null) return;
    wrong(
      `The input did not match the regular expression ${inspect(expected)}. Input:\n\n${inspect(String(thrown))}\n`,
    );
  }
  if (isPrimitive(thrown)) wrong(messageOf('deepStrictEqual', thrown, expected));
  const keys = Object.keys(expected);
  if (expected instanceof Error) keys.push('name', 'message');
  else if (keys.length === 0) throw invalidValue('error', expected, 'may not be an empty object');
  for (const key of keys) {
    const [found, wanted] = [thrown[key], expected[key]];
    const matches = wanted instanceof RegExp && typeof found === 'string';
    if (
      matches ? RegExp.prototype.exec.call(wanted, found) !== null : key in thrown && isDeepStrictEqual(found, wanted)
    ) {
      continue;
    }
    const pick = (from) => Object.fromEntries(keys.filter((name) => name in from).map((name) => [name, from[name]]));
    wrong(messageOf('deepStrictEqual', pick(thrown), pick(expected)));
  }
}

/** The expectation and the message, of which either may be left out. */
function expectation(error, message, thrown) {
  if (typeof error !== 'string') {
    if (error !== undefined && (error === null || (typeof error !== 'object' && typeof error !== 'function'))) {
      throw invalidType('"error" argument', 'of type function or an instance of Error, RegExp, or Object', error);
    }
    return [error, message];
  }
  if (message !== undefined) {
    throw invalidType('"error" argument', 'of type function or an instance of Error, RegExp, or Object', error);
  }
  if (thrown !== undefined && (thrown.value === error || thrown.value?.message === error)) {
    const what = thrown.value === error ? 'error' : 'error message';
    throw coded(
      TypeError,
      'ERR_AMBIGUOUS_ARGUMENT',
      `The "error/message" argument is ambiguous. The ${what} "${error}" is identical to the message.`,
    );
  }
  return [undefined, error];
}

function missing(name, error, message) {
  const what = name === 'rejects' ? 'rejection' : 'exception';
  const named = error?.name ? ` (${error.name})` : '';
  const text = `Missing expected ${what}${named}${message ? `: ${message}` : '.'}`;
  if (message instanceof Error) throw message;
  const failure = new AssertionError({ actual: undefined, expected: error, message: text, operator: name });
  failure.generatedMessage = !message;
  throw failure;
}

function unwanted(name, thrown, error, message) {
  if (typeof error === 'function' && !(thrown instanceof error)) throw thrown;
  if (error instanceof RegExp && !error.test(String(thrown))) throw thrown;
  const what = name === 'doesNotReject' ? 'rejection' : 'exception';
  const text = `Got unwanted ${what}${message ? `: ${message}` : '.'}\nActual message: "${thrown?.message}"`;
  const failure = new AssertionError({ actual: thrown, expected: error, message: text, operator: name });
  failure.generatedMessage = !message;
  throw failure;
}

function attempt(code) {
  checkFunction(code, 'fn');
  try {
    code();
  } catch (error) {
    return { value: error };
  }
  return undefined;
}

async function attemptLater(code) {
  let promise = code;
  if (typeof code === 'function') {
    promise = code();
    if (typeof promise?.then !== 'function') {
      throw coded(
        TypeError,
        'ERR_INVALID_RETURN_VALUE',
        `Expected instance of Promise to be returned from the "promiseFn" function but got ${described(promise)}.`,
      );
    }
  } else if (typeof promise?.then !== 'function') {
    throw invalidType('"promiseFn" argument', 'of type function or an instance of Promise', promise);
  }
  try {
    await promise;
  } catch (error) {
    return { value: error };
  }
  return undefined;
}

function throws(code, error, message) {
  const thrown = attempt(code);
  const [expected, text] = expectation(error, message, thrown);
  if (!thrown) missing('throws', expected, text);
  checkThrown(thrown.value, expected, text, 'throws');
}

async function rejects(code, error, message) {
  const thrown = await attemptLater(code);
  const [expected, text] = expectation(error, message, thrown);
  if (!thrown) missing('rejects', expected, text);
  checkThrown(thrown.value, expected, text, 'rejects');
}

function doesNotThrow(code, error, message) {
  const thrown = attempt(code);
  if (!thrown) return;
  const [expected, text] = expectation(error, message, undefined);
  unwanted('doesNotThrow', thrown.value, expected, text);
}

async function doesNotReject(code, error, message) {
  const thrown = await attemptLater(code);
  if (!thrown) return;
  const [expected, text] = expectation(error, message, undefined);
  unwanted('doesNotReject', thrown.value, expected, text);
}

function ifError(value) {
  if (value === null || value === undefined) return;
  const text =
    typeof value === 'object' && typeof value.message === 'string'
      ? value.message || value.constructor?.name
      : inspect(value);
  const failure = new AssertionError({
    actual: value,
    expected: null,
    message: `ifError got unwanted exception: ${text}`,
    operator: 'ifError',
  });
  failure.generatedMessage = true;
  throw failure;
}

function checkMatch(text, pattern, message, name) {
  if (!(pattern instanceof RegExp)) throw invalidType('"regexp" argument', 'an instance of RegExp', pattern);
  const wanted = name === 'match';
  if (typeof text === 'string' && (RegExp.prototype.exec.call(pattern, text) !== null) === wanted) return;
  if (message instanceof Error) throw message;
  const generated =
    typeof text !== 'string'
      ? `The "string" argument must be of type string. Received type ${typeof text} (${inspect(text)})`
      : `The input ${wanted ? 'did not match' : 'was expected to not match'} the regular expression ` +
        `${inspect(pattern)}. Input:\n\n${inspect(text)}\n`;
  const failure = new AssertionError({
    actual: text,
    expected: pattern,
    message: message ?? generated,
    operator: name,
  });
  failure.generatedMessage = message === undefined;
  throw failure;
}

function match(text, pattern, message) {
  checkMatch(text, pattern, message, 'match');
}

function doesNotMatch(text, pattern, message) {
  checkMatch(text, pattern, message, 'doesNotMatch');
}

function assert(...values) {
  checkTruth(values.length, values[0], values[1], '==');
}

const shared = {
  AssertionError,
  doesNotMatch,
  doesNotReject,
  doesNotThrow,
  fail: failNow,
  ifError,
  match,
  ok,
  rejects,
  throws,
};
Object.assign(assert, shared, {
  deepEqual,
  deepStrictEqual,
  equal,
  notDeepEqual,
  notDeepStrictEqual,
  notEqual,
  notStrictEqual,
  strictEqual,
});

/** The same with the strict comparisons only. */
function strict(...values) {
  checkTruth(values.length, values[0], values[1], '==');
}
Object.assign(strict, shared, {
  deepEqual: deepStrictEqual,
  deepStrictEqual,
  equal: strictEqual,
  notDeepEqual: notDeepStrictEqual,
  notDeepStrictEqual,
  notEqual: notStrictEqual,
  notStrictEqual,
  strictEqual,
});
assert.strict = strict;
strict.strict = strict;

export {
  deepEqual,
  deepStrictEqual,
  doesNotMatch,
  doesNotReject,
  doesNotThrow,
  equal,
  failNow as fail,
  ifError,
  match,
  notDeepEqual,
  notDeepStrictEqual,
  notEqual,
  notStrictEqual,
  ok,
  rejects,
  strict,
  strictEqual,
  throws,
};
export default assert;
