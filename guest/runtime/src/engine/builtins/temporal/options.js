// How options are read, in the order of their names. What they say goes to native code as an array of numbers.

import { isObject } from 'hyperlight:temporal/values';

const { trunc, floor } = Math;

/** The place of each in the array. */
const OVERFLOW = 0;
const DISAMBIGUATION = 1;
const OFFSET = 2;
const LARGEST_UNIT = 3;
const SMALLEST_UNIT = 4;
const ROUNDING_MODE = 5;
const INCREMENT = 6;
const DIGITS = 7;
const SHOW_CALENDAR = 8;
const SHOW_OFFSET = 9;
const SHOW_TIME_ZONE = 10;

const UNITS = {
  __proto__: null,
  auto: 0,
  nanosecond: 1,
  nanoseconds: 1,
  microsecond: 2,
  microseconds: 2,
  millisecond: 3,
  milliseconds: 3,
  second: 4,
  seconds: 4,
  minute: 5,
  minutes: 5,
  hour: 6,
  hours: 6,
  day: 7,
  days: 7,
  week: 8,
  weeks: 8,
  month: 9,
  months: 9,
  year: 10,
  years: 10,
};
const HOUR = 6;

/** The values of other options, with their numbers. */
function numbered(...names) {
  const result = { __proto__: null };
  for (let i = 0; i < names.length; i++) result[names[i]] = i;
  return result;
}

const OVERFLOWS = numbered('constrain', 'reject');
const DISAMBIGUATIONS = numbered('compatible', 'earlier', 'later', 'reject');
const OFFSETS = numbered('prefer', 'use', 'ignore', 'reject');
const MODES = numbered(
  'ceil',
  'floor',
  'expand',
  'trunc',
  'halfCeil',
  'halfFloor',
  'halfExpand',
  'halfTrunc',
  'halfEven',
);
const CALENDARS = numbered('auto', 'always', 'never', 'critical');
const SHOWN_OFFSETS = numbered('auto', 'never');
const TIME_ZONES = numbered('auto', 'never', 'critical');
const DIRECTIONS = numbered('next', 'previous');

const TRUNC = MODES.trunc;
const HALF_EXPAND = MODES.halfExpand;

const none = undefined;

/** An array with a place for each, so that none is ever looked for in what arrays inherit. */
export function newChoices() {
  return [none, none, none, none, none, none, none, none, none, none, none];
}

export function optionsOf(options) {
  if (options === undefined) return { __proto__: null };
  if (!isObject(options)) throw new TypeError('The options must be an object');
  return options;
}

/** Options, or what the most important one of them is. */
export function optionsOrText(given, name) {
  if (given === undefined) throw new TypeError(`Options or a text for ${name} are needed`);
  return typeof given === 'string' ? { __proto__: null, [name]: given } : optionsOf(given);
}

function numberOf(options, name, values, fallback) {
  const value = options[name];
  if (value === undefined) return fallback;
  const text = `${value}`;
  const number = values[text];
  if (number === undefined) {
    throw new RangeError(
      text.length > 100 ? `The option ${name} cannot be that` : `The option ${name} cannot be "${text}"`,
    );
  }
  return number;
}

export function overflowOf(options) {
  const choices = newChoices();
  choices[OVERFLOW] = numberOf(optionsOf(options), 'overflow', OVERFLOWS, 0);
  return choices;
}

/** Those of a date and time in a time zone, as `from` has them; `with` prefers the offset that it has. */
export function zonedOptions(options, offset = 'reject') {
  const choices = newChoices();
  const given = optionsOf(options);
  choices[DISAMBIGUATION] = numberOf(given, 'disambiguation', DISAMBIGUATIONS, 0);
  choices[OFFSET] = numberOf(given, 'offset', OFFSETS, OFFSETS[offset]);
  choices[OVERFLOW] = numberOf(given, 'overflow', OVERFLOWS, 0);
  return choices;
}

export function disambiguationOf(options) {
  const choices = newChoices();
  choices[DISAMBIGUATION] = numberOf(optionsOf(options), 'disambiguation', DISAMBIGUATIONS, 0);
  return choices;
}

export function isNext(options) {
  const direction = numberOf(options, 'direction', DIRECTIONS, undefined);
  if (direction === undefined) throw new RangeError('The option direction is needed');
  return direction === 0;
}

function unitOf(options, name) {
  return numberOf(options, name, UNITS, undefined);
}

function incrementOf(options) {
  const value = options.roundingIncrement;
  if (value === undefined) return 1;
  const increment = truncated(value);
  if (!(increment >= 1 && increment <= 1e9)) throw new RangeError('The option roundingIncrement is out of range');
  return increment;
}

/** Those of `until` and `since`. */
export function differenceOptions(options) {
  const choices = newChoices();
  const given = optionsOf(options);
  choices[LARGEST_UNIT] = unitOf(given, 'largestUnit');
  choices[INCREMENT] = incrementOf(given);
  choices[ROUNDING_MODE] = numberOf(given, 'roundingMode', MODES, TRUNC);
  choices[SMALLEST_UNIT] = unitOf(given, 'smallestUnit');
  return choices;
}

/** Those of `round`; a duration has some more, of which the function reads one where it comes. */
export function roundOptions(given, relativeTo) {
  const choices = newChoices();
  if (relativeTo) choices[LARGEST_UNIT] = unitOf(given, 'largestUnit');
  relativeTo?.();
  choices[INCREMENT] = incrementOf(given);
  choices[ROUNDING_MODE] = numberOf(given, 'roundingMode', MODES, HALF_EXPAND);
  choices[SMALLEST_UNIT] = unitOf(given, 'smallestUnit');
  if (!relativeTo && choices[SMALLEST_UNIT] === undefined) throw new RangeError('The option smallestUnit is needed');
  return choices;
}

/** That of `total`, which is the unit. */
export function totalOptions(given) {
  const choices = newChoices();
  const unit = unitOf(given, 'unit');
  if (unit === undefined || unit === UNITS.auto) throw new RangeError('The option unit is needed');
  choices[SMALLEST_UNIT] = unit;
  return choices;
}

function digitsOf(options) {
  const value = options.fractionalSecondDigits;
  if (value === undefined) return undefined;
  if (typeof value !== 'number') {
    if (`${value}` !== 'auto') throw new RangeError('The option fractionalSecondDigits must be "auto" or a number');
    return undefined;
  }
  const digits = floor(value);
  if (!(digits >= 0 && digits <= 9)) throw new RangeError('The option fractionalSecondDigits is out of range');
  return digits;
}

/** Those of `toString`, of which the kinds have some. */
export function textOptions(options, { calendar = false, time = false, zone = false, readZone = undefined }) {
  const choices = newChoices();
  const given = optionsOf(options);
  if (calendar) choices[SHOW_CALENDAR] = numberOf(given, 'calendarName', CALENDARS, 0);
  if (!time) return choices;
  choices[DIGITS] = digitsOf(given);
  if (zone) choices[SHOW_OFFSET] = numberOf(given, 'offset', SHOWN_OFFSETS, 0);
  choices[ROUNDING_MODE] = numberOf(given, 'roundingMode', MODES, TRUNC);
  choices[SMALLEST_UNIT] = unitOf(given, 'smallestUnit');
  if (zone) choices[SHOW_TIME_ZONE] = numberOf(given, 'timeZoneName', TIME_ZONES, 0);
  readZone?.(given);
  const unit = choices[SMALLEST_UNIT];
  if (unit !== undefined && (unit === UNITS.auto || unit >= HOUR)) {
    throw new RangeError('The option smallestUnit must be one of minute, second and their parts');
  }
  return choices;
}

/** A number without its fraction. */
export function truncated(value) {
  const number = +value;
  if (number - number !== 0) throw new RangeError('A number must be finite');
  return trunc(number) + 0;
}

/** A number without its fraction that is more than 0. */
export function positive(value) {
  const number = truncated(value);
  if (number <= 0) throw new RangeError('A number must be positive');
  return number;
}

/** A number that has no fraction. */
export function integral(value) {
  const number = +value;
  if (number - number !== 0 || trunc(number) !== number) throw new RangeError('A number must be whole');
  return number + 0;
}
