// Temporal.PlainDateTime.

import {
  compare,
  create,
  difference,
  equals,
  inZone,
  plus,
  property,
  round,
  textOf,
  toKind,
  withCalendar,
  withFields,
  withTime,
} from 'hyperlight:native/temporal';
import {
  checkPartial,
  fieldsOf,
  givenCalendar,
  OF_DATE_TIME,
  toCalendar,
  toDateTime,
  toTimeOrNone,
  toZone,
} from 'hyperlight:temporal/conversion';
import { toDuration } from 'hyperlight:temporal/duration';
import { localeText } from 'hyperlight:temporal/locale';
import {
  differenceOptions,
  disambiguationOf,
  newChoices,
  optionsOrText,
  overflowOf,
  roundOptions,
  textOptions,
  truncated,
} from 'hyperlight:temporal/options';
import { DATE, DATE_TIME, finish, mark, noValue, slotOf, TIME, wrap } from 'hyperlight:temporal/values';

export class PlainDateTime {
  constructor(
    isoYear,
    isoMonth,
    isoDay,
    hour = 0,
    minute = 0,
    second = 0,
    millisecond = 0,
    microsecond = 0,
    nanosecond = 0,
    calendar = undefined,
  ) {
    const numbers = [
      truncated(isoYear),
      truncated(isoMonth),
      truncated(isoDay),
      truncated(hour),
      truncated(minute),
      truncated(second),
      truncated(millisecond),
      truncated(microsecond),
      truncated(nanosecond),
    ];
    mark(this, DATE_TIME, create(DATE_TIME, numbers, '', '', givenCalendar(calendar)));
  }

  static from(item, options = undefined) {
    return wrap(toDateTime(item, options));
  }

  static compare(one, two) {
    return compare(toDateTime(one), toDateTime(two));
  }

  with(temporalDateTimeLike, options = undefined) {
    const value = slotOf(this, DATE_TIME);
    checkPartial(temporalDateTimeLike);
    const fields = fieldsOf(temporalDateTimeLike, property(value, 'calendarId'), OF_DATE_TIME, null);
    return wrap(withFields(value, fields, overflowOf(options)));
  }

  withPlainTime(plainTimeLike = undefined) {
    const value = slotOf(this, DATE_TIME);
    return wrap(withTime(value, toTimeOrNone(plainTimeLike)));
  }

  withCalendar(calendarLike) {
    return wrap(withCalendar(slotOf(this, DATE_TIME), toCalendar(calendarLike)));
  }

  add(temporalDurationLike, options = undefined) {
    return wrap(plus(slotOf(this, DATE_TIME), toDuration(temporalDurationLike), false, overflowOf(options)));
  }

  subtract(temporalDurationLike, options = undefined) {
    return wrap(plus(slotOf(this, DATE_TIME), toDuration(temporalDurationLike), true, overflowOf(options)));
  }

  until(other, options = undefined) {
    return wrap(difference(slotOf(this, DATE_TIME), toDateTime(other), false, differenceOptions(options)));
  }

  since(other, options = undefined) {
    return wrap(difference(slotOf(this, DATE_TIME), toDateTime(other), true, differenceOptions(options)));
  }

  round(roundTo) {
    const value = slotOf(this, DATE_TIME);
    return wrap(round(value, undefined, roundOptions(optionsOrText(roundTo, 'smallestUnit'))));
  }

  equals(other) {
    return equals(slotOf(this, DATE_TIME), toDateTime(other));
  }

  toString(options = undefined) {
    return textOf(
      slotOf(this, DATE_TIME),
      undefined,
      textOptions(options, { __proto__: null, calendar: true, time: true }),
    );
  }

  toLocaleString(locales = undefined, options = undefined) {
    return localeText(slotOf(this, DATE_TIME), locales, options);
  }

  toJSON() {
    return textOf(slotOf(this, DATE_TIME), undefined, newChoices());
  }

  valueOf() {
    noValue(DATE_TIME);
  }

  toZonedDateTime(temporalTimeZoneLike, options = undefined) {
    const value = slotOf(this, DATE_TIME);
    return wrap(inZone(value, toZone(temporalTimeZoneLike), undefined, disambiguationOf(options)));
  }

  toPlainDate() {
    return wrap(toKind(slotOf(this, DATE_TIME), DATE));
  }

  toPlainTime() {
    return wrap(toKind(slotOf(this, DATE_TIME), TIME));
  }
}
finish(PlainDateTime, DATE_TIME, [
  'calendarId',
  'era',
  'eraYear',
  'year',
  'month',
  'monthCode',
  'day',
  'hour',
  'minute',
  'second',
  'millisecond',
  'microsecond',
  'nanosecond',
  'dayOfWeek',
  'dayOfYear',
  'weekOfYear',
  'yearOfWeek',
  'daysInWeek',
  'daysInMonth',
  'daysInYear',
  'monthsInYear',
  'inLeapYear',
]);
