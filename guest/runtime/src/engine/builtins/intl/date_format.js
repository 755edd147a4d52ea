// Intl.DateTimeFormat. Patterns are found in skeleton.js and filled in date_parts.js.

import { datePartsOf, fieldsAt } from 'hyperlight:intl/date_parts';
import {
  callable,
  canonicalList,
  cycleIn,
  dataOf,
  intlClass,
  keywords,
  numberingSystemOf,
  numberingSystems,
  numbersOf,
  regionOf,
  resolve,
  slotsOf,
  supported,
} from 'hyperlight:intl/locales';
import { coerced, flag, keyword, matcher, text, whole } from 'hyperlight:intl/options';
import { glued, Patterns, patternOf, skeletonOf, tokens } from 'hyperlight:intl/skeleton';
import { canonicalZone } from 'hyperlight:intl/time_zones';
import { importNow } from 'hyperlight:native';
import { kindOfObject } from 'hyperlight:temporal/values';

const objects = new WeakMap();
const patterns = new Map();
const CYCLES = ['h11', 'h12', 'h23', 'h24'];
const LETTERS = { h11: 'K', h12: 'h', h23: 'H', h24: 'k' };
const STYLES = ['full', 'long', 'medium', 'short'];
const LAST = 8.64e15;
/** The options that name fields, with the letters of skeletons for what they can be. */
const FIELDS = [
  ['weekday', { short: 'EEE', long: 'EEEE', narrow: 'EEEEE' }],
  ['era', { short: 'G', long: 'GGGG', narrow: 'GGGGG' }],
  ['year', { numeric: 'y', '2-digit': 'yy' }],
  ['month', { numeric: 'M', '2-digit': 'MM', short: 'MMM', long: 'MMMM', narrow: 'MMMMM' }],
  ['day', { numeric: 'd', '2-digit': 'dd' }],
  ['dayPeriod', { short: 'B', long: 'BBBB', narrow: 'BBBBB' }],
  ['hour', { numeric: 'h', '2-digit': 'hh' }],
  ['minute', { numeric: 'm', '2-digit': 'mm' }],
  ['second', { numeric: 's', '2-digit': 'ss' }],
  ['fractionalSecondDigits', { 1: 'S', 2: 'SS', 3: 'SSS' }],
  [
    'timeZoneName',
    { short: 'z', long: 'zzzz', shortOffset: 'O', longOffset: 'OOOO', shortGeneric: 'v', longGeneric: 'vvvv' },
  ],
];
const DATE_FIELDS = ['weekday', 'year', 'month', 'day'];
const TIME_FIELDS = ['dayPeriod', 'hour', 'minute', 'second', 'fractionalSecondDigits'];
/** Of each letter of a pattern, the option that it comes of, and its value by its length. */
const RESOLVED = {
  G: ['era', 'short', 'short', 'short', 'long', 'narrow'],
  y: ['year', 'numeric', '2-digit'],
  M: ['month', 'numeric', '2-digit', 'short', 'long', 'narrow'],
  E: ['weekday', 'short', 'short', 'short', 'long', 'narrow'],
  d: ['day', 'numeric', '2-digit'],
  B: ['dayPeriod', 'short', 'short', 'short', 'long', 'narrow'],
  h: ['hour', 'numeric', '2-digit'],
  m: ['minute', 'numeric', '2-digit'],
  s: ['second', 'numeric', '2-digit'],
  z: ['timeZoneName', 'short', 'short', 'short', 'long'],
  O: ['timeZoneName', 'shortOffset', 'shortOffset', 'shortOffset', 'longOffset'],
  v: ['timeZoneName', 'shortGeneric', 'shortGeneric', 'shortGeneric', 'longGeneric'],
};
const SAME = { L: 'M', c: 'E', b: 'B', H: 'h', K: 'h', k: 'h' };

export function patternsOf(data, system) {
  const key = `${data}/${system}`;
  if (!patterns.has(key))
    patterns.set(key, new Patterns(dataOf(data, 'dates'), numbersOf(data, system).symbols.decimal));
  return patterns.get(key);
}

/** The calendars that are known and not there: to show other dates than those asked for would be wrong. */
const OTHER_CALENDARS =
  /^(?:buddhist|chinese|coptic|dangi|ethioaa|ethiopic|ethiopic-amete-alem|hebrew|indian|islamic(?:-civil|-rgsa|-tbla|-umalqura)?|islamicc|japanese|persian|roc)$/;

function checkCalendar(calendar) {
  if (OTHER_CALENDARS.test(calendar ?? '')) {
    throw new RangeError(`The calendar ${calendar} is not supported: there are gregory and iso8601 only`);
  }
  return calendar === 'gregorian' ? 'gregory' : calendar;
}

/** The preferred cycle of hours of a locale. */
function cycleOf(locale) {
  return cycleIn(locale.split('-')[0], regionOf(locale));
}

/** The cycle of hours that the option `hour12` stands for. */
function cycleBy(hour12, locale) {
  const preferred = cycleOf(locale);
  if (!hour12) return preferred === 'h23' || preferred === 'h24' ? preferred : 'h23';
  if (preferred === 'h11' || preferred === 'h12') return preferred;
  return regionOf(locale) === 'JP' ? 'h11' : 'h12';
}

/**
 * What a format is made of. `required` and `defaults` say which fields are shown if none is asked for, and `ownZone` the time
 * zone of what is shown, if it has one.
 */
export function settings(locales, options, required, defaults, ownZone) {
  const list = canonicalList(locales);
  const given = coerced(options);
  matcher(given);
  const calendar = checkCalendar(keyword(given, 'calendar'));
  const numbering = numberingSystemOf(given);
  const hour12 = flag(given, 'hour12', undefined);
  let cycle = text(given, 'hourCycle', CYCLES, undefined);
  if (hour12 !== undefined) cycle = null;
  const cycles = (_, found) => [null, ...(hour12 === undefined ? CYCLES : [cycleBy(hour12, found)])];
  const { locale, data, values } = resolve(
    list,
    { ca: () => ['gregory', 'iso8601'], hc: cycles, nu: numberingSystems },
    { ca: calendar, hc: cycle === null ? undefined : cycle, nu: numbering },
  );
  for (const tag of calendar === undefined ? list.slice(0, 1) : []) checkCalendar(keywords(tag).ca);
  let zone = given.timeZone;
  if (ownZone !== undefined && zone !== undefined) throw new TypeError("Can't set option timeZone of what has one");
  zone = zone === undefined ? (ownZone ?? 'UTC') : canonicalZone(`${zone}`);
  const fields = { __proto__: null };
  let hasFields = false;
  for (const [name, letters] of FIELDS) {
    const value =
      name === 'fractionalSecondDigits'
        ? whole(given[name], name, 1, 3, undefined)
        : text(given, name, Object.keys(letters), undefined);
    fields[name] = value;
    if (value !== undefined) hasFields = true;
  }
  text(given, 'formatMatcher', ['basic', 'best fit'], 'best fit');
  const dateStyle = text(given, 'dateStyle', STYLES, undefined);
  const timeStyle = text(given, 'timeStyle', STYLES, undefined);
  const usesStyles = dateStyle !== undefined || timeStyle !== undefined;
  const asked = { ...fields };
  if (usesStyles) {
    const named = FIELDS.find(([name]) => fields[name] !== undefined)?.[0];
    if (hasFields)
      throw new TypeError(`Can't set option ${named} when ${dateStyle ? 'dateStyle' : 'timeStyle'} is used`);
    if (required === 'date' && timeStyle !== undefined) throw new TypeError('Invalid option : timeStyle');
    if (required === 'time' && dateStyle !== undefined) throw new TypeError('Invalid option : dateStyle');
  } else {
    const isShown = (names) => names.some((name) => fields[name] !== undefined);
    const needsDefaults = !(
      (required !== 'time' && isShown(DATE_FIELDS)) ||
      (required !== 'date' && isShown(TIME_FIELDS))
    );
    if (needsDefaults && defaults !== 'time') fields.year = fields.month = fields.day = 'numeric';
    if (needsDefaults && defaults !== 'date') fields.hour = fields.minute = fields.second = 'numeric';
    if (needsDefaults && ownZone !== undefined) fields.timeZoneName ??= 'short';
  }
  const hours = hour12 === undefined ? (values.hc ?? cycleOf(locale)) : cycleBy(hour12, locale);
  const slots = { locale, data, calendar: values.ca, system: values.nu, timeZone: zone, dateStyle, timeStyle };
  slots.isOwnCycle = hour12 !== undefined || values.hc !== null;
  slots.cycle = hours;
  slots.asked = usesStyles ? undefined : asked;
  return withPattern(slots, usesStyles ? stylePattern(slots, hours) : fieldPattern(slots, fields, hours));
}

export function withPattern(slots, pattern) {
  slots.pattern = pattern;
  slots.hours = /[hHkK]/.test(pattern.replace(/'[^']*'/g, '')) ? slots.cycle : undefined;
  return slots;
}

export function fieldPattern(slots, fields, hours) {
  let skeleton = '';
  for (const [name, letters] of FIELDS) {
    if (fields[name] === undefined) continue;
    // It says which hour of two that is.
    if (name === 'dayPeriod' && fields.hour !== undefined && (hours === 'h23' || hours === 'h24')) continue;
    const text = letters[fields[name]];
    skeleton += name === 'hour' ? text.replace(/h/g, LETTERS[hours]) : text;
  }
  return withCycle(patternsOf(slots.data, slots.system).best(skeleton), hours);
}

export function stylePattern(slots, hours) {
  const { dateStyle, timeStyle } = slots;
  const dates = dataOf(slots.data, 'dates');
  let pattern = dateStyle ? dates.date[dateStyle] : dates.time[timeStyle];
  if (dateStyle && timeStyle) {
    pattern = glued(dates.atTime[dateStyle], pattern, dates.time[timeStyle]);
  }
  const letter = tokens(pattern).find(({ letter }) => /^[hHkK]$/.test(letter ?? ''))?.letter;
  if (!letter) return pattern;
  const own = Object.keys(LETTERS).find((cycle) => LETTERS[cycle] === letter);
  if (!slots.isOwnCycle || own === hours) return withCycle(pattern, own === hours || !slots.isOwnCycle ? own : hours);
  const skeleton = skeletonOf(pattern).replace(/[hHkK]/g, LETTERS[hours]);
  return withCycle(patternsOf(slots.data, slots.system).best(skeleton), hours);
}

/** A pattern with the hours of a cycle. */
export function withCycle(pattern, hours) {
  return patternOf(
    tokens(pattern).map((token) =>
      /^[hHkK]$/.test(token.letter ?? '') ? { ...token, letter: LETTERS[hours] } : token,
    ),
  );
}

function checked(value) {
  const time = value === undefined ? Date.now() : +value;
  if (!(Math.abs(time) <= LAST)) throw new RangeError('Invalid time value');
  return Math.trunc(time);
}

/** A value as a format shows it: the pattern and time zone for values of its kind, and its fields. */
function viewOf(slots, value) {
  if (kindOfObject(value) !== 0) return importNow('hyperlight:intl/temporal_format').viewOf(slots, value);
  return { slots, fields: fieldsAt(slots.timeZone, checked(value)) };
}

function shownParts({ slots, fields }) {
  return datePartsOf(slots, slots.pattern, fields);
}

function partsOf(slots, value) {
  return shownParts(viewOf(slots, value));
}

/** The text of what a format shows. */
export function shownText(view) {
  return withSpaces(textOf(shownParts(view)));
}

/** As other engines have it, since programs compare what they get with texts that have a space there. */
function withSpaces(text) {
  return text.replaceAll('\u202f', ' ');
}

function textOf(parts) {
  let text = '';
  for (const { value } of parts) text += value;
  return text;
}

class DateTimeFormat {
  #format;

  constructor(locales, options) {
    objects.set(this, settings(locales, options, 'any', 'date'));
  }

  get format() {
    const slots = slotsOf(objects, this, 'get Intl.DateTimeFormat.prototype.format');
    this.#format ??= { '': (date) => withSpaces(textOf(partsOf(slots, date))) }[''];
    return this.#format;
  }

  formatToParts(date) {
    return partsOf(slotsOf(objects, this, 'Intl.DateTimeFormat.prototype.formatToParts'), date);
  }

  formatRange(start, end) {
    return textOf(rangeParts(slotsOf(objects, this, 'Intl.DateTimeFormat.prototype.formatRange'), start, end));
  }

  formatRangeToParts(start, end) {
    return rangeParts(slotsOf(objects, this, 'Intl.DateTimeFormat.prototype.formatRangeToParts'), start, end);
  }

  resolvedOptions() {
    const slots = slotsOf(objects, this, 'Intl.DateTimeFormat.prototype.resolvedOptions');
    const result = {
      locale: slots.locale,
      calendar: slots.calendar,
      numberingSystem: slots.system,
      timeZone: slots.timeZone,
    };
    if (slots.hours) {
      result.hourCycle = slots.hours;
      result.hour12 = slots.hours === 'h11' || slots.hours === 'h12';
    }
    if (slots.dateStyle === undefined && slots.timeStyle === undefined) {
      const found = { __proto__: null };
      for (const { letter, length } of tokens(slots.pattern)) {
        const [name, ...values] = RESOLVED[SAME[letter] ?? letter] ?? [];
        if (name) found[name] = values[length - 1];
        else if (letter === 'S') found.fractionalSecondDigits = length;
      }
      for (const [name] of FIELDS) if (found[name] !== undefined) result[name] = found[name];
    }
    if (slots.dateStyle) result.dateStyle = slots.dateStyle;
    if (slots.timeStyle) result.timeStyle = slots.timeStyle;
    return result;
  }

  static supportedLocalesOf(locales, options = undefined) {
    return supported(locales, options);
  }
}
intlClass(DateTimeFormat);
const Callable = callable(DateTimeFormat);

export { Callable as DateTimeFormat };

/** The fields from the largest on, with the letter that the data has for a difference of it. */
const DIFFERENCES = [
  ['G', ({ year }) => year > 0, /G/],
  ['y', ({ year }) => year, /y/],
  ['M', ({ month }) => month, /[ML]/],
  ['d', ({ date }) => date, /[dEc]/],
  ['a', ({ hour }) => hour < 12, /[ahK]/],
  ['h', ({ hour }) => hour, /[hHkK]/],
  ['m', ({ minute }) => minute, /m/],
  ['s', ({ second }) => second, /s/],
  ['S', ({ fraction }) => fraction, /S/],
];

function rangeParts(format, start, end) {
  if (start === undefined || end === undefined) throw new TypeError('startDate and endDate are required');
  const [first, last] = [start, end].map((value) => (kindOfObject(value) === 0 ? +value : value));
  if (kindOfObject(first) !== kindOfObject(last)) throw new TypeError('The ends of a range must be of one kind');
  const view = viewOf(format, first);
  const { slots, fields: from } = view;
  const { fields: to } = viewOf(format, last);
  const of = (parts, source) => parts.map(({ type, value }) => ({ type, value, source }));
  const parts = (pattern, fields) => datePartsOf(slots, pattern, fields);
  const bare = slots.pattern.replace(/'[^']*'/g, '');
  const largest = DIFFERENCES.find(([, value]) => value(from) !== value(to));
  const isShown = (at) => DIFFERENCES.slice(at).some(([, , letters]) => letters.test(bare));
  if (!largest || !isShown(DIFFERENCES.indexOf(largest))) return of(withoutRange(view), 'shared');
  const [field] = largest;
  const { intervals } = dataOf(slots.data, 'dates');
  const { skeleton, pattern: whole } = forRange(slots, field);
  const pattern = intervalPattern(slots, skeleton, field);
  if (pattern) {
    const [before, after] = divided(pattern);
    return [...intervalParts(slots, before, after, from, to)];
  }
  if (textOf(parts(whole, from)) === textOf(parts(whole, to))) return of(withoutRange(view), 'shared');
  const [before, middle, after] = /^(.*)\{0\}(.*)\{1\}(.*)$/s.exec(intervals.intervalFormatFallback).slice(1);
  const literal = (value) => (value ? [{ type: 'literal', value, source: 'shared' }] : []);
  return [
    ...literal(before),
    ...of(parts(whole, from), 'startRange'),
    ...literal(middle),
    ...of(parts(whole, to), 'endRange'),
    ...literal(after),
  ];
}

function withoutRange(view) {
  return shownParts(view).map(({ type, value }) => ({ type, value: withSpaces(value) }));
}

/** What a range is shown by: with the fields that tell its ends apart. */
function forRange(slots, field) {
  const own = skeletonOf(slots.pattern);
  const isOfDate = ['G', 'y', 'M', 'd'].includes(field);
  let added = '';
  if (isOfDate && !/[yMdE]/.test(own)) added = 'yMd';
  else if (field === 'y' && !own.includes('y')) added = 'y';
  else if (field === 'M' && !own.includes('M')) added = 'M';
  if (!added) return { skeleton: own, pattern: slots.pattern };
  const skeleton = added + own;
  const pattern = patternsOf(slots.data, slots.system).best(skeleton);
  return { skeleton, pattern: slots.hours ? withCycle(pattern, slots.hours) : pattern };
}

/** Numbers of two digits, which ranges do not tell from others. */
const NUMERIC = /([ydhHkKms])\1+|(?<!M)(M)M(?!M)/g;

function intervalPattern(slots, skeleton, field) {
  const all = patternsOf(slots.data, slots.system);
  const of = (wanted) => {
    const patterns = wanted && all.interval(wanted.replace(NUMERIC, '$1$2'));
    const isWhole = /[Hk]/.test(wanted);
    return patterns?.(isWhole && (field === 'a' || field === 'h') ? 'H' : field);
  };
  const own = of(skeleton);
  if (own) return slots.hours ? withCycle(own, slots.hours) : own;
  // Of a date and a time on one day, the date is shown once.
  const time = skeleton.replace(/[^hHkKmsSBzvO]/g, '');
  const date = skeleton.replace(/[hHkKmsSBzvO]/g, '');
  if (!date || !time || !['a', 'h', 'm'].includes(field)) return undefined;
  const times = of(time);
  if (!times) return undefined;
  return glued(
    dataOf(slots.data, 'dates').glue.medium,
    all.best(date),
    slots.hours ? withCycle(times, slots.hours) : times,
  );
}

/** The two halves of a pattern of an interval: the second begins with the first field that there was before. */
function divided(pattern) {
  const list = tokens(pattern);
  const seen = new Set();
  const at = list.findIndex(({ letter }) => {
    const same = SAME[letter] ?? letter;
    if (!letter) return false;
    if (seen.has(same)) return true;
    seen.add(same);
    return false;
  });
  return at < 0 ? [list, []] : [list.slice(0, at), list.slice(at)];
}

function* intervalParts(slots, first, second, from, to) {
  const twice = new Set(second.map(({ letter }) => SAME[letter] ?? letter).filter(Boolean));
  for (const [list, fields, source] of [
    [first, from, 'startRange'],
    [second, to, 'endRange'],
  ]) {
    const ends = list.map(({ letter }) => letter !== undefined && twice.has(SAME[letter] ?? letter));
    const start = ends.indexOf(true);
    const last = ends.lastIndexOf(true);
    for (let i = 0; i < list.length; i++) {
      for (const { type, value } of datePartsOf(slots, patternOf([list[i]]), fields, [...first, ...second])) {
        yield { type, value, source: i >= start && i <= last && start >= 0 ? source : 'shared' };
      }
    }
  }
}

/** What a date is shown as, as the methods of `Date` have it. */
export function formatted(locales, options, required, defaults, time) {
  // Before anything that is asked for is looked at.
  if (Number.isNaN(time)) return 'Invalid Date';
  return withSpaces(textOf(partsOf(settings(locales, options, required, defaults), time)));
}
