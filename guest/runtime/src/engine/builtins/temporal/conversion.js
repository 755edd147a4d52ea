// What methods make of their arguments: values of the kinds, of objects of any class and of texts.

import {
  calendarName,
  fromFields,
  isOffset,
  parse,
  property,
  resolved,
  toKind,
  zoneName,
} from 'hyperlight:native/temporal';
import { integral, newChoices, overflowOf, positive, truncated, zonedOptions } from 'hyperlight:temporal/options';
import {
  DATE,
  DATE_TIME,
  INSTANT,
  isObject,
  kindOfObject,
  MONTH_DAY,
  RELATIVE,
  TIME,
  valueIn,
  YEAR_MONTH,
  ZONED,
} from 'hyperlight:temporal/values';

/** The kinds that have a calendar. */
const WITH_CALENDAR = {
  __proto__: null,
  [DATE]: true,
  [DATE_TIME]: true,
  [MONTH_DAY]: true,
  [YEAR_MONTH]: true,
  [ZONED]: true,
};
const LONGEST_ERA = 19;
const { apply } = Reflect;
const { isWellFormed } = String.prototype;
const { toPrimitive: conversion } = Symbol;
const none = undefined;

/** The fields, in the order in which they are read, with their places in the array for native code. */
const FIELDS = [
  'day',
  'era',
  'eraYear',
  'hour',
  'microsecond',
  'millisecond',
  'minute',
  'month',
  'monthCode',
  'nanosecond',
  'offset',
  'second',
  'timeZone',
  'year',
];
const ZONE = 13;
const PLACES = {
  __proto__: null,
  year: 0,
  month: 1,
  monthCode: 2,
  day: 3,
  era: 4,
  eraYear: 5,
  hour: 6,
  minute: 7,
  second: 8,
  millisecond: 9,
  microsecond: 10,
  nanosecond: 11,
  offset: 12,
  timeZone: ZONE,
};

function fieldSet(...names) {
  const result = { __proto__: null };
  for (let i = 0; i < names.length; i++) result[names[i]] = true;
  return result;
}

/** The fields of each kind. */
export const OF_DATE = fieldSet('year', 'month', 'monthCode', 'day');
export const OF_YEAR_MONTH = fieldSet('year', 'month', 'monthCode');
const OF_TIME = fieldSet('hour', 'minute', 'second', 'millisecond', 'microsecond', 'nanosecond');
export const OF_DATE_TIME = { __proto__: null, ...OF_DATE, ...OF_TIME };
export const OF_ZONED = { __proto__: null, ...OF_DATE_TIME, offset: true };
const OF_ZONED_AND_ZONE = { __proto__: null, ...OF_ZONED, timeZone: true };
export const OF_YEAR = fieldSet('year');
export const OF_DAY = fieldSet('day');
/** Calendars without eras. */
const WITHOUT_ERAS = fieldSet('iso8601', 'chinese', 'dangi');

function textOnly(value, what) {
  if (typeof value !== 'string') throw new TypeError(`${what} must be a string`);
  return value;
}

/** A text, or what an object says that it is. */
function primitiveText(value, what) {
  return textOnly(isObject(value) ? toPrimitive(value) : value, what);
}

/** The primitive value of an object of which a text is wanted. */
function toPrimitive(object) {
  const exotic = object[conversion];
  if (exotic !== undefined && exotic !== null) {
    if (typeof exotic !== 'function') throw new TypeError('Symbol.toPrimitive must be a function');
    const value = apply(exotic, object, ['string']);
    if (!isObject(value)) return value;
    throw new TypeError('An object cannot be converted to a primitive value');
  }
  for (let i = 0; i < 2; i++) {
    const method = object[i === 0 ? 'toString' : 'valueOf'];
    if (typeof method !== 'function') continue;
    const value = apply(method, object, []);
    if (!isObject(value)) return value;
  }
  throw new TypeError('An object cannot be converted to a primitive value');
}

function isDigit(text) {
  return text >= '0' && text <= '9';
}

/** Whether a text could be the code of a month in some calendar. */
function isMonthCode(code) {
  if (code.length !== 3 && !(code.length === 4 && code[3] === 'L')) return false;
  return code[0] === 'M' && isDigit(code[1]) && isDigit(code[2]) && code !== 'M00';
}

function fieldOf(name, value) {
  switch (name) {
    case 'day':
    case 'month':
      return positive(value);
    case 'era': {
      const era = `${value}`;
      // No calendar has a longer one, and native code takes memory for it without asking; it takes only well-formed text.
      return era.length > LONGEST_ERA || !apply(isWellFormed, era, []) ? 'none' : era;
    }
    case 'monthCode': {
      const code = primitiveText(value, 'A month code');
      if (!isMonthCode(code)) throw new RangeError('A month code is wrong');
      return code;
    }
    case 'offset': {
      const offset = primitiveText(value, 'An offset');
      if (!isOffset(offset)) throw new RangeError('An offset is wrong');
      return offset;
    }
    case 'timeZone':
      return toZone(value);
    default:
      return truncated(value);
  }
}

/**
 * The fields of an object, as an array for native code. `required` names one that must be there; with `null`, at least
 * one must be.
 */
export function fieldsOf(object, calendar, wanted, required) {
  const fields = [none, none, none, none, none, none, none, none, none, none, none, none, none, none];
  let isEmpty = true;
  for (let i = 0; i < FIELDS.length; i++) {
    const name = FIELDS[i];
    const isEra = name === 'era' || name === 'eraYear';
    if (isEra ? !wanted.year || WITHOUT_ERAS[calendar] : !wanted[name]) continue;
    const value = object[name];
    if (value !== undefined) {
      isEmpty = false;
      fields[PLACES[name]] = fieldOf(name, value);
    } else if (name === required) throw new TypeError(`The field ${name} is needed`);
  }
  if (required === null && isEmpty) throw new TypeError('No field was given');
  return fields;
}

/** Checks that an object says other fields of a value, and none that it cannot change. */
export function checkPartial(object) {
  if (!isObject(object)) throw new TypeError('An object with fields is needed');
  const kind = kindOfObject(object);
  if (WITH_CALENDAR[kind] || kind === TIME) throw new TypeError('An object of Temporal has no fields to change others');
  if (object.calendar !== undefined) throw new TypeError('The calendar cannot be changed with other fields');
  if (object.timeZone !== undefined) throw new TypeError('The time zone cannot be changed with other fields');
}

/** The name of a calendar. */
export function toCalendar(value) {
  if (WITH_CALENDAR[kindOfObject(value)]) return property(valueIn(value), 'calendarId');
  return calendarName(textOnly(value, 'A calendar'), true);
}

/** That which a constructor is given. */
export function givenCalendar(value) {
  return value === undefined ? 'iso8601' : calendarName(textOnly(value, 'A calendar'), false);
}

function calendarOf(object) {
  if (WITH_CALENDAR[kindOfObject(object)]) return property(valueIn(object), 'calendarId');
  const { calendar } = object;
  return calendar === undefined ? 'iso8601' : toCalendar(calendar);
}

/** The name of a time zone. */
export function toZone(value) {
  if (kindOfObject(value) === ZONED) return property(valueIn(value), 'timeZoneId');
  return zoneName(textOnly(value, 'A time zone'), true);
}

/** That which a constructor is given. */
export function givenZone(value) {
  return zoneName(textOnly(value, 'A time zone'), false);
}

/** What a text tells; then its options are read. */
function parsed(kind, value, options) {
  const result = parse(kind, textOnly(value, 'What is no object'));
  overflowOf(options);
  return result;
}

export function toDate(item, options) {
  if (!isObject(item)) return parsed(DATE, item, options);
  const kind = kindOfObject(item);
  if (kind === DATE || kind === ZONED || kind === DATE_TIME) {
    overflowOf(options);
    return toKind(valueIn(item), DATE);
  }
  const calendar = calendarOf(item);
  const fields = fieldsOf(item, calendar, OF_DATE);
  return fromFields(DATE, fields, calendar, undefined, overflowOf(options));
}

export function toDateTime(item, options) {
  if (!isObject(item)) return parsed(DATE_TIME, item, options);
  const kind = kindOfObject(item);
  if (kind === DATE_TIME || kind === ZONED || kind === DATE) {
    overflowOf(options);
    return toKind(valueIn(item), DATE_TIME);
  }
  const calendar = calendarOf(item);
  const fields = fieldsOf(item, calendar, OF_DATE_TIME);
  return fromFields(DATE_TIME, fields, calendar, undefined, overflowOf(options));
}

export function toTime(item, options) {
  if (!isObject(item)) return parsed(TIME, item, options);
  const kind = kindOfObject(item);
  if (kind === TIME || kind === DATE_TIME || kind === ZONED) {
    overflowOf(options);
    return toKind(valueIn(item), TIME);
  }
  const fields = timeFields(item);
  return fromFields(TIME, fields, 'iso8601', undefined, overflowOf(options));
}

export function timeFields(object) {
  return fieldsOf(object, 'iso8601', OF_TIME, null);
}

/** A time, or nothing for when the day begins. */
export function toTimeOrNone(item) {
  return item === undefined ? undefined : toTime(item);
}

export function toYearMonth(item, options) {
  if (!isObject(item)) return parsed(YEAR_MONTH, item, options);
  if (kindOfObject(item) === YEAR_MONTH) {
    overflowOf(options);
    return valueIn(item);
  }
  const calendar = calendarOf(item);
  const fields = fieldsOf(item, calendar, OF_YEAR_MONTH);
  return fromFields(YEAR_MONTH, fields, calendar, undefined, overflowOf(options));
}

export function toMonthDay(item, options) {
  if (!isObject(item)) return parsed(MONTH_DAY, item, options);
  if (kindOfObject(item) === MONTH_DAY) {
    overflowOf(options);
    return valueIn(item);
  }
  const calendar = calendarOf(item);
  const fields = fieldsOf(item, calendar, OF_DATE);
  return fromFields(MONTH_DAY, fields, calendar, undefined, overflowOf(options));
}

export function toZoned(item, options) {
  if (!isObject(item)) {
    const value = parse(ZONED, textOnly(item, 'What is no object'));
    return resolved(value, zonedOptions(options));
  }
  if (kindOfObject(item) === ZONED) {
    zonedOptions(options);
    return valueIn(item);
  }
  const calendar = calendarOf(item);
  const fields = fieldsOf(item, calendar, OF_ZONED_AND_ZONE, 'timeZone');
  return fromFields(ZONED, fields, calendar, fields[ZONE], zonedOptions(options));
}

export function toInstant(item) {
  if (isObject(item)) {
    const kind = kindOfObject(item);
    if (kind === INSTANT || kind === ZONED) return toKind(valueIn(item), INSTANT);
    item = toPrimitive(item);
  }
  return parse(INSTANT, textOnly(item, 'An instant'));
}

const DURATION_FIELDS = [
  'days',
  'hours',
  'microseconds',
  'milliseconds',
  'minutes',
  'months',
  'nanoseconds',
  'seconds',
  'weeks',
  'years',
];
/** The order of a constructor's arguments. */
const UNITS = [
  'years',
  'months',
  'weeks',
  'days',
  'hours',
  'minutes',
  'seconds',
  'milliseconds',
  'microseconds',
  'nanoseconds',
];

/** The numbers of a duration that an object says; others are those of another duration, or 0. */
export function durationNumbers(object, others) {
  if (!isObject(object)) throw new TypeError('An object with fields of a duration is needed');
  const found = { __proto__: null };
  let isEmpty = true;
  for (let i = 0; i < DURATION_FIELDS.length; i++) {
    const name = DURATION_FIELDS[i];
    const value = object[name];
    if (value === undefined) continue;
    isEmpty = false;
    found[name] = integral(value);
  }
  if (isEmpty) throw new TypeError('No field of a duration was given');
  const numbers = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < UNITS.length; i++) {
    numbers[i] = found[UNITS[i]] ?? (others ? property(others, UNITS[i]) : 0);
  }
  return numbers;
}

/** What a duration is relative to, if that is given. */
export function relativeTo(options) {
  const value = options.relativeTo;
  if (value === undefined) return undefined;
  if (!isObject(value)) return parse(RELATIVE, textOnly(value, 'The option relativeTo'));
  const kind = kindOfObject(value);
  if (kind === ZONED || kind === DATE) return valueIn(value);
  if (kind === DATE_TIME) return toKind(valueIn(value), DATE);
  const calendar = calendarOf(value);
  const fields = fieldsOf(value, calendar, OF_ZONED_AND_ZONE);
  const zone = fields[ZONE];
  return fromFields(zone === undefined ? DATE : ZONED, fields, calendar, zone, newChoices());
}
