// Temporal.ZonedDateTime.

import {
  compare,
  create,
  difference,
  equals,
  inZone,
  plus,
  property,
  round,
  startOfDay,
  textOf,
  toKind,
  transition,
  withCalendar,
  withFields,
  withTime,
} from 'hyperlight:native/temporal';
import {
  checkPartial,
  fieldsOf,
  givenCalendar,
  givenZone,
  OF_ZONED,
  toCalendar,
  toTimeOrNone,
  toZone,
  toZoned,
} from 'hyperlight:temporal/conversion';
import { toDuration } from 'hyperlight:temporal/duration';
import { nanosecondsText } from 'hyperlight:temporal/instant';
import { localeText } from 'hyperlight:temporal/locale';
import {
  differenceOptions,
  isNext,
  newChoices,
  optionsOrText,
  overflowOf,
  roundOptions,
  textOptions,
  zonedOptions,
} from 'hyperlight:temporal/options';
import { DATE, DATE_TIME, finish, INSTANT, mark, noValue, slotOf, TIME, wrap, ZONED } from 'hyperlight:temporal/values';

const NativeBigInt = BigInt;

export class ZonedDateTime {
  constructor(epochNanoseconds, timeZone, calendar = undefined) {
    const nanoseconds = nanosecondsText(epochNanoseconds);
    const zone = givenZone(timeZone);
    mark(this, ZONED, create(ZONED, [], nanoseconds, zone, givenCalendar(calendar)));
  }

  static from(item, options = undefined) {
    return wrap(toZoned(item, options));
  }

  static compare(one, two) {
    return compare(toZoned(one), toZoned(two));
  }

  get epochNanoseconds() {
    return NativeBigInt(property(slotOf(this, ZONED), 'epochNanoseconds'));
  }

  with(temporalZonedDateTimeLike, options = undefined) {
    const value = slotOf(this, ZONED);
    checkPartial(temporalZonedDateTimeLike);
    const fields = fieldsOf(temporalZonedDateTimeLike, property(value, 'calendarId'), OF_ZONED, null);
    return wrap(withFields(value, fields, zonedOptions(options, 'prefer')));
  }

  withPlainTime(plainTimeLike = undefined) {
    const value = slotOf(this, ZONED);
    return wrap(withTime(value, toTimeOrNone(plainTimeLike)));
  }

  withTimeZone(timeZoneLike) {
    const value = slotOf(this, ZONED);
    return wrap(inZone(value, toZone(timeZoneLike), undefined, newChoices()));
  }

  withCalendar(calendarLike) {
    return wrap(withCalendar(slotOf(this, ZONED), toCalendar(calendarLike)));
  }

  add(temporalDurationLike, options = undefined) {
    return wrap(plus(slotOf(this, ZONED), toDuration(temporalDurationLike), false, overflowOf(options)));
  }

  subtract(temporalDurationLike, options = undefined) {
    return wrap(plus(slotOf(this, ZONED), toDuration(temporalDurationLike), true, overflowOf(options)));
  }

  until(other, options = undefined) {
    return wrap(difference(slotOf(this, ZONED), toZoned(other), false, differenceOptions(options)));
  }

  since(other, options = undefined) {
    return wrap(difference(slotOf(this, ZONED), toZoned(other), true, differenceOptions(options)));
  }

  round(roundTo) {
    const value = slotOf(this, ZONED);
    return wrap(round(value, undefined, roundOptions(optionsOrText(roundTo, 'smallestUnit'))));
  }

  equals(other) {
    return equals(slotOf(this, ZONED), toZoned(other));
  }

  toString(options = undefined) {
    const choices = textOptions(options, { __proto__: null, calendar: true, time: true, zone: true });
    return textOf(slotOf(this, ZONED), undefined, choices);
  }

  toLocaleString(locales = undefined, options = undefined) {
    return localeText(slotOf(this, ZONED), locales, options);
  }

  toJSON() {
    return textOf(slotOf(this, ZONED), undefined, newChoices());
  }

  valueOf() {
    noValue(ZONED);
  }

  startOfDay() {
    return wrap(startOfDay(slotOf(this, ZONED)));
  }

  getTimeZoneTransition(directionParam) {
    const value = slotOf(this, ZONED);
    const found = transition(value, isNext(optionsOrText(directionParam, 'direction')));
    return found === undefined || found === null ? null : wrap(found);
  }

  toInstant() {
    return wrap(toKind(slotOf(this, ZONED), INSTANT));
  }

  toPlainDate() {
    return wrap(toKind(slotOf(this, ZONED), DATE));
  }

  toPlainTime() {
    return wrap(toKind(slotOf(this, ZONED), TIME));
  }

  toPlainDateTime() {
    return wrap(toKind(slotOf(this, ZONED), DATE_TIME));
  }
}
finish(ZonedDateTime, ZONED, [
  'timeZoneId',
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
  'epochMilliseconds',
  'dayOfWeek',
  'dayOfYear',
  'weekOfYear',
  'yearOfWeek',
  'hoursInDay',
  'daysInWeek',
  'daysInMonth',
  'daysInYear',
  'monthsInYear',
  'inLeapYear',
  'offsetNanoseconds',
  'offset',
]);
