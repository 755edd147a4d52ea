// Dates and times of Temporal as Intl.DateTimeFormat shows them: each kind with those fields that it has.

import {
  fieldPattern,
  patternsOf,
  settings,
  shownText,
  stylePattern,
  withCycle,
  withPattern,
} from 'hyperlight:intl/date_format';
import { fieldsAt } from 'hyperlight:intl/date_parts';
import { skeletonOf } from 'hyperlight:intl/skeleton';
import { canonicalZone } from 'hyperlight:intl/time_zones';
import { kindOf, property, shownAt } from 'hyperlight:native/temporal';
import {
  DATE,
  DATE_TIME,
  DURATION,
  INSTANT,
  MONTH_DAY,
  TIME,
  valueIn,
  YEAR_MONTH,
  ZONED,
} from 'hyperlight:temporal/values';

const DATE_FIELDS = ['weekday', 'year', 'month', 'day'];
const TIME_FIELDS = ['dayPeriod', 'hour', 'minute', 'second', 'fractionalSecondDigits'];
const ALL_FIELDS = [...DATE_FIELDS, ...TIME_FIELDS];
/** Of each kind: the fields that it can show, those that it shows if none is asked for, and their letters in patterns. */
const KINDS = { __proto__: null };
KINDS[DATE] = { own: DATE_FIELDS, defaults: ['year', 'month', 'day'], letters: /[GyMLEcd]/, required: 'date' };
KINDS[TIME] = { own: TIME_FIELDS, defaults: ['hour', 'minute', 'second'], letters: /[abBhHkKmsS]/, required: 'time' };
KINDS[DATE_TIME] = {
  own: ALL_FIELDS,
  defaults: ['year', 'month', 'day', 'hour', 'minute', 'second'],
  letters: /[GyMLEcdabBhHkKmsS]/,
  required: 'any',
};
KINDS[INSTANT] = KINDS[DATE_TIME];
KINDS[YEAR_MONTH] = { own: ['year', 'month'], defaults: ['year', 'month'], letters: /[GyML]/, required: 'date' };
KINDS[MONTH_DAY] = { own: ['month', 'day'], defaults: ['month', 'day'], letters: /[MLd]/, required: 'date' };

function unsupported() {
  throw new TypeError('This cannot be shown with the options of the format');
}

/** A pattern without fields that a kind has not. */
function without(slots, pattern, letters) {
  const skeleton = skeletonOf(pattern);
  let rest = '';
  for (const letter of skeleton) if (letters.test(letter)) rest += letter;
  return rest === skeleton ? pattern : withCycle(patternsOf(slots.data, slots.system).best(rest), slots.cycle);
}

/** The pattern of a style for a kind. */
function ofStyle(slots, kind) {
  const { letters, own } = KINDS[kind];
  const hasDate = own.some((field) => DATE_FIELDS.includes(field));
  const hasTime = own.some((field) => TIME_FIELDS.includes(field));
  const dateStyle = hasDate ? slots.dateStyle : undefined;
  const timeStyle = hasTime ? slots.timeStyle : undefined;
  if (dateStyle === undefined && timeStyle === undefined) unsupported();
  // The longer ones only add the time zone, which none of these kinds has.
  const style = { ...slots, dateStyle, timeStyle: timeStyle === 'full' || timeStyle === 'long' ? 'medium' : timeStyle };
  return without(slots, stylePattern(style, slots.cycle), letters);
}

/** The pattern of the fields that were asked for, for a kind. */
function ofFields(slots, kind) {
  const { own, defaults, required } = KINDS[kind];
  const { asked } = slots;
  const fields = { __proto__: null };
  if (required !== 'time' && kind !== MONTH_DAY) fields.era = asked.era;
  const isShown = own.some((field) => asked[field] !== undefined);
  if (!isShown && ALL_FIELDS.some((field) => asked[field] !== undefined)) unsupported();
  for (const field of own) fields[field] = asked[field];
  if (!isShown) for (const field of defaults) fields[field] = 'numeric';
  if (kind === INSTANT) fields.timeZoneName = asked.timeZoneName;
  return fieldPattern(slots, fields, slots.cycle);
}

function checkCalendar(slots, value, kind) {
  const calendar = property(value, 'calendarId');
  const isExact = kind === YEAR_MONTH || kind === MONTH_DAY;
  if (calendar === slots.calendar || (calendar === 'iso8601' && !isExact)) return;
  throw new RangeError(`A date of the calendar ${calendar} cannot be shown in the calendar ${slots.calendar}`);
}

function view(slots, value) {
  const kind = kindOf(value);
  if (kind !== TIME && kind !== INSTANT) checkCalendar(slots, value, kind);
  if (kind === ZONED || (kind === INSTANT && !slots.asked)) {
    return { slots, fields: fieldsAt(slots.timeZone, shownAt(value)) };
  }
  const own = { ...slots, timeZone: kind === INSTANT ? slots.timeZone : 'UTC' };
  const pattern = slots.asked ? ofFields(own, kind) : ofStyle(own, kind);
  return { slots: withPattern(own, pattern), fields: fieldsAt(own.timeZone, shownAt(value)) };
}

/** An object as a format shows it. */
export function viewOf(slots, object) {
  const value = valueIn(object);
  const kind = kindOf(value);
  if (kind === ZONED) throw new TypeError('A ZonedDateTime is shown by its method toLocaleString()');
  if (kind === DURATION) throw new TypeError('A Duration is no date');
  return view(slots, value);
}

/** What a value is shown as by its method. */
export function formatted(value, locales, options) {
  const kind = kindOf(value);
  const required = KINDS[kind]?.required ?? 'any';
  const zone = kind === ZONED ? canonicalZone(property(value, 'timeZoneId')) : undefined;
  return shownText(view(settings(locales, options, required, required === 'any' ? 'all' : required, zone), value));
}
