// Marks and measures, as User Timing and the Performance Timeline have them. Evaluated when one is first used.

import { structuredClone } from 'hyperlight:clone';
import { interfaces, requireArguments } from 'hyperlight:interfaces';
import { performance } from 'hyperlight:performance';
import { dictionary, platformObjects } from 'hyperlight:platform';

const { console, queueMicrotask } = globalThis;
const { now: nowOf } = performance;
const now = () => nowOf.call(performance);
const TYPES = ['mark', 'measure'];
/** So many entries are kept, the latest: whoever makes more has no use for all. */
const ENTRIES_MAX = 10_000;

/** Lets nobody but this module make entries and lists. */
const KEY = Symbol('PerformanceEntry');

export class PerformanceEntry {
  #name;
  #entryType;
  #startTime;
  #duration;

  static {
    platformObjects((value) => #name in value);
  }

  constructor() {
    const [key, name, entryType, startTime, duration] = arguments;
    if (key !== KEY) throw new TypeError('entries are made by performance');
    this.#name = name;
    this.#entryType = entryType;
    this.#startTime = startTime;
    this.#duration = duration;
  }

  get name() {
    return this.#name;
  }

  get entryType() {
    return this.#entryType;
  }

  get startTime() {
    return this.#startTime;
  }

  get duration() {
    return this.#duration;
  }

  toJSON() {
    const { name, entryType, startTime, duration } = this;
    const json = { name, entryType, startTime, duration };
    if ('detail' in this) json.detail = this.detail;
    return json;
  }
}

export class PerformanceMark extends PerformanceEntry {
  #detail;

  constructor(markName, markOptions = undefined) {
    requireArguments(arguments, 1);
    const name = `${markName}`;
    const { detail = null, startTime } = dictionary(markOptions);
    const start = startTime === undefined ? now() : finite(startTime);
    if (start < 0) throw new TypeError('the time of a mark is negative');
    super(KEY, name, 'mark', start, 0);
    this.#detail = detail === null ? null : structuredClone(detail);
  }

  get detail() {
    return this.#detail;
  }
}

let measureOf;

export class PerformanceMeasure extends PerformanceEntry {
  #detail;

  static {
    measureOf = (name, start, duration, detail) => {
      const made = new PerformanceMeasure(KEY, name, 'measure', start, duration);
      made.#detail = detail;
      return made;
    };
  }

  constructor() {
    super(...arguments);
    this.#detail = null;
  }

  get detail() {
    return this.#detail;
  }
}

/** All marks and measures, in the order in which they begin. */
let kept = [];

function keep(entry) {
  let at = kept.length;
  while (at > 0 && kept[at - 1].startTime > entry.startTime) at--;
  kept.splice(at, 0, entry);
  if (kept.length > ENTRIES_MAX) kept.shift();
  for (const observer of observers) tell(observer, entry);
  return entry;
}

export function mark(name, options) {
  return keep(new PerformanceMark(name, options));
}

export function measure(measureName, startOrOptions, endMark) {
  const name = `${measureName}`;
  const isObject = typeof startOrOptions === 'object' || typeof startOrOptions === 'function';
  const given = isObject ? dictionary(startOrOptions) : {};
  const { detail = null, duration, end, start } = given;
  const hasOptions = isObject && [start, end, duration, given.detail].some((value) => value !== undefined);
  if (hasOptions) {
    if (endMark !== undefined) throw new TypeError('the end is an option already');
    if (start === undefined && end === undefined) throw new TypeError('there is neither a start nor an end');
    if (start !== undefined && end !== undefined && duration !== undefined) {
      throw new TypeError('of a start, an end and a duration there can be two');
    }
  }
  const first = hasOptions ? start : isObject ? undefined : startOrOptions;
  const length = duration === undefined ? undefined : finite(duration);
  let endTime = now();
  if (endMark !== undefined) endTime = timeOf(endMark);
  else if (hasOptions && end !== undefined) endTime = timeOf(end);
  else if (hasOptions && start !== undefined && length !== undefined) endTime = timeOf(start) + length;
  let startTime = 0;
  if (first !== undefined) startTime = timeOf(first);
  else if (hasOptions && length !== undefined && end !== undefined) startTime = timeOf(end) - length;
  const clone = detail === null ? null : structuredClone(detail);
  return keep(measureOf(name, startTime, endTime - startTime, clone));
}

/** The time that a number is, or that of the latest mark with a name. */
function timeOf(value) {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('a time must be finite');
    if (value < 0) throw new TypeError('a time is negative');
    return value;
  }
  const name = `${value}`;
  const found = kept.findLast((entry) => entry.entryType === 'mark' && entry.name === name);
  if (!found) throw new DOMException(`there is no mark "${name}"`, 'SyntaxError');
  return found.startTime;
}

function finite(value) {
  const number = Number(value);
  if (!Number.isFinite(number)) throw new TypeError('a time must be finite');
  return number;
}

export function clear(type, name) {
  const text = name === undefined ? undefined : `${name}`;
  kept = kept.filter((entry) => entry.entryType !== type || (text !== undefined && entry.name !== text));
}

function selected(all, name, type) {
  return all.filter(
    (entry) => (type === undefined || entry.entryType === type) && (name === undefined || entry.name === name),
  );
}

export function entries(name, type) {
  return selected(kept, name, type);
}

export class PerformanceObserverEntryList {
  #entries;

  constructor() {
    const [key, entries] = arguments;
    if (key !== KEY) throw new TypeError('lists of entries are made by observers');
    this.#entries = entries;
  }

  getEntries() {
    return [...this.#entries];
  }

  getEntriesByType(type) {
    requireArguments(arguments, 1);
    return selected(this.#entries, undefined, `${type}`);
  }

  getEntriesByName(name, type = undefined) {
    requireArguments(arguments, 1);
    return selected(this.#entries, `${name}`, type === undefined ? undefined : `${type}`);
  }
}

const observers = new Set();
let stateOf;

export class PerformanceObserver {
  #state;

  static {
    stateOf = (observer) => observer.#state;
  }

  static get supportedEntryTypes() {
    return SUPPORTED;
  }

  constructor(callback) {
    requireArguments(arguments, 1);
    if (typeof callback !== 'function') throw new TypeError('the callback is no function');
    this.#state = { callback, types: [], isByType: undefined, buffer: [], isScheduled: false };
  }

  observe(options = undefined) {
    const state = this.#state;
    const { buffered, entryTypes, type } = dictionary(options);
    if (entryTypes === undefined && type === undefined) throw new TypeError('there is no type to observe');
    if (entryTypes !== undefined && (type !== undefined || buffered !== undefined)) {
      throw new TypeError('there are several types, which goes with no other option');
    }
    const isByType = type !== undefined;
    if (state.isByType !== undefined && state.isByType !== isByType) {
      throw new DOMException('it observes in another way already', 'InvalidModificationError');
    }
    state.isByType = isByType;
    const types = isByType ? [`${type}`] : Array.from(entryTypes, (value) => `${value}`);
    const known = types.filter((one) => TYPES.includes(one));
    if (known.length === 0) return;
    state.types = isByType ? [...new Set([...state.types, ...known])] : known;
    observers.add(this);
    if (isByType && buffered) for (const entry of selected(kept, undefined, known[0])) tell(this, entry);
  }

  disconnect() {
    const state = this.#state;
    observers.delete(this);
    state.types = [];
    state.buffer = [];
    state.isByType = undefined;
  }

  takeRecords() {
    const state = this.#state;
    const records = state.buffer;
    state.buffer = [];
    return records;
  }
}

const SUPPORTED = Object.freeze(TYPES);

function tell(observer, entry) {
  const state = stateOf(observer);
  if (!state.types.includes(entry.entryType)) return;
  state.buffer.push(entry);
  if (state.isScheduled) return;
  state.isScheduled = true;
  queueMicrotask(() => {
    state.isScheduled = false;
    const records = state.buffer;
    if (records.length === 0) return;
    state.buffer = [];
    try {
      state.callback.call(observer, new PerformanceObserverEntryList(KEY, records), observer);
    } catch (error) {
      console.error(error);
    }
  });
}

interfaces(PerformanceEntry, PerformanceMark, PerformanceMeasure, PerformanceObserver, PerformanceObserverEntryList);
