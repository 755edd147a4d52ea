// The global `console`, which is the module `console` too. A call makes one line for the host, which may have line breaks.
//
// What is written is cut where the host's lines end, so no more is made of values than that. And it never makes the code fail
// that writes: what cannot be shown is told as short as it can be.

import { importNow, shortText, writeLine } from 'hyperlight:native';
import { now } from 'hyperlight:performance';

// As they are before any guest code runs, which may change them.
const { floor } = Math;
const { defineProperty } = Object;
const { apply } = Reflect;
const { includes, slice } = String.prototype;

const DEBUG = 0;
const INFO = 1;
const WARN = 2;
const ERROR = 3;
/** Characters of the longest line. It may have fewer: the host counts bytes. */
const LINE_MAX = 16 << 10;
const GROUPS_MAX = 1_000;

let formats;
let inspects;
let tables;
const formatBeginning = (values) => {
  formats ??= importNow('hyperlight:inspect/format');
  return formats.formatBeginning({}, values, LINE_MAX);
};

let indentation = '';
const counts = new Map();
const timers = new Map();

function write(level, text) {
  if (text.length > LINE_MAX) text = apply(slice, text, [0, LINE_MAX]);
  writeLine(level, indentation === '' ? text : indented(text));
}

function indented(text) {
  let result = '';
  for (const line of text.split('\n')) {
    result += result === '' ? indentation + line : `\n${indentation}${line}`;
    if (result.length > LINE_MAX) return result.slice(0, LINE_MAX);
  }
  return result;
}

function formatted(values) {
  try {
    return formatBeginning(values);
  } catch {
    let text = '';
    for (let i = 0; i < values.length && text.length <= LINE_MAX; i++) {
      if (i > 0) text += ' ';
      text += typeof values[i] === 'string' ? values[i] : shortText(values[i]);
    }
    return text;
  }
}

/** The text of values that are themselves what is shown of them; undefined if there are others. */
function plain(values) {
  let text = '';
  for (let i = 0; i < values.length && text.length <= LINE_MAX; i++) {
    const value = values[i];
    if (typeof value === 'string') {
      if (i === 0 && values.length > 1 && apply(includes, value, ['%'])) return undefined;
    } else if (!isPlain(value)) return undefined;
    if (i > 0) text += ' ';
    text += value;
  }
  return text;
}

function isPlain(value) {
  if (typeof value === 'number') return value !== 0 || 1 / value > 0;
  return value === undefined || value === null || typeof value === 'boolean';
}

const writer =
  (level) =>
  (...values) =>
    write(level, plain(values) ?? formatted(values));

const debug = writer(DEBUG);
const log = writer(INFO);
const info = writer(INFO);
const warn = writer(WARN);
const error = writer(ERROR);

/** The stack of the code that has called. */
function callers() {
  const frames = String(new Error().stack).split('\n');
  return frames.filter((frame) => frame !== '' && !frame.includes('(hyperlight:')).join('\n');
}

function trace(...values) {
  const text = values.length === 0 ? 'Trace' : `Trace: ${formatted(values)}`;
  const stack = callers();
  write(DEBUG, stack === '' ? text : `${text}\n${stack}`);
}

function assert(condition, ...values) {
  if (condition) return;
  if (typeof values[0] === 'string') values[0] = `Assertion failed: ${values[0]}`;
  else values.unshift('Assertion failed');
  warn(...values);
}

function dir(value, options) {
  let text;
  try {
    inspects ??= importNow('hyperlight:inspect');
    text = inspects.inspectBeginning(value, { customInspect: false, ...options }, LINE_MAX);
  } catch {
    text = shortText(value);
  }
  write(INFO, text);
}

function dirxml(...values) {
  log(...values);
}

function table(data, columns) {
  let text;
  try {
    tables ??= importNow('hyperlight:console/table');
    text = tables.table(data, columns, LINE_MAX);
  } catch {
    text = shortText(data);
  }
  if (text === undefined) log(data);
  else write(INFO, text);
}

function group(...values) {
  if (values.length > 0) log(...values);
  if (indentation.length < 2 * GROUPS_MAX) indentation += '  ';
}

function groupCollapsed(...values) {
  group(...values);
}

function groupEnd() {
  indentation = indentation.slice(2);
}

function count(label = 'default') {
  const name = `${label}`;
  const times = (counts.get(name) ?? 0) + 1;
  counts.set(name, times);
  log(`${name}: ${times}`);
}

function countReset(label = 'default') {
  const name = `${label}`;
  if (!counts.delete(name)) warn(`Warning: Count for '${name}' does not exist`);
}

function time(label = 'default') {
  const name = `${label}`;
  if (timers.has(name)) warn(`Warning: Label '${name}' already exists for console.time()`);
  else timers.set(name, now());
}

const padded = (number) => `${number}`.padStart(2, '0');

function duration(milliseconds) {
  if (milliseconds < 1000) return `${Number(milliseconds.toFixed(3))}ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(3)}s`;
  const hours = floor(milliseconds / 3_600_000);
  const minutes = floor((milliseconds % 3_600_000) / 60_000);
  const seconds = ((milliseconds % 60_000) / 1000).toFixed(3).padStart(6, '0');
  return hours === 0 ? `${minutes}:${seconds} (m:ss.mmm)` : `${hours}:${padded(minutes)}:${seconds} (h:mm:ss.mmm)`;
}

/** Writes how long it is since a label was given to time(). */
function tellTime(name, values, method) {
  const start = timers.get(name);
  if (start === undefined) warn(`Warning: No such label '${name}' for console.${method}()`);
  else log('%s: %s', name, duration(now() - start), ...values);
}

function timeLog(label = 'default', ...values) {
  tellTime(`${label}`, values, 'timeLog');
}

function timeEnd(label = 'default') {
  tellTime(`${label}`, [], 'timeEnd');
  timers.delete(`${label}`);
}

function clear() {}

export const console = Object.create(
  {},
  {
    [Symbol.toStringTag]: { value: 'console', configurable: true },
  },
);

for (const [name, method] of Object.entries({
  debug,
  log,
  info,
  warn,
  error,
  trace,
  assert,
  dir,
  dirxml,
  table,
  group,
  groupCollapsed,
  groupEnd,
  count,
  countReset,
  time,
  timeLog,
  timeEnd,
  clear,
})) {
  defineProperty(method, 'name', { value: name, configurable: true });
  defineProperty(console, name, { value: method, configurable: true, enumerable: true, writable: true });
}
defineProperty(globalThis, 'console', { value: console, configurable: true, enumerable: false, writable: true });

export {
  assert,
  clear,
  count,
  countReset,
  debug,
  dir,
  dirxml,
  error,
  group,
  groupCollapsed,
  groupEnd,
  info,
  log,
  table,
  time,
  timeEnd,
  timeLog,
  trace,
  warn,
};
export default console;
