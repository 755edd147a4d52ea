// Temporal.PlainDate.

import {
  compare,
  create,
  difference,
  equals,
  inZone,
  plus,
  property,
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
  OF_DATE,
  toCalendar,
  toDate,
  toTime,
  toTimeOrNone,
  toZone,
} from 'hyperlight:temporal/conversion';
import { toDuration } from 'hyperlight:temporal/duration';
import { localeText } from 'hyperlight:temporal/locale';
import { differenceOptions, newChoices, overflowOf, textOptions, truncated } from 'hyperlight:temporal/options';
import { DATE, finish, isObject, MONTH_DAY, mark, noValue, slotOf, wrap, YEAR_MONTH } from 'hyperlight:temporal/values';

export class PlainDate {
  constructor(isoYear, isoMonth, isoDay, calendar = undefined) {
    const numbers = [truncated(isoYear), truncated(isoMonth), truncated(isoDay)];
    mark(this, DATE, create(DATE, numbers, '', '', givenCalendar(calendar)));
  }

  static from(item, options = undefined) {
    return wrap(toDate(item, options));
  }

  static compare(one, two) {
    return compare(toDate(one), toDate(two));
  }

  toPlainYearMonth() {
    return wrap(toKind(slotOf(this, DATE), YEAR_MONTH));
  }

  toPlainMonthDay() {
    return wrap(toKind(slotOf(this, DATE), MONTH_DAY));
  }

  add(temporalDurationLike, options = undefined) {
    return wrap(plus(slotOf(this, DATE), toDuration(temporalDurationLike), false, overflowOf(options)));
  }

  subtract(temporalDurationLike, options = undefined) {
    return wrap(plus(slotOf(this, DATE), toDuration(temporalDurationLike), true, overflowOf(options)));
  }

  with(temporalDateLike, options = undefined) {
    const value = slotOf(this, DATE);
    checkPartial(temporalDateLike);
    const fields = fieldsOf(temporalDateLike, property(value, 'calendarId'), OF_DATE, null);
    return wrap(withFields(value, fields, overflowOf(options)));
  }

  withCalendar(calendarLike) {
    return wrap(withCalendar(slotOf(this, DATE), toCalendar(calendarLike)));
  }

  until(other, options = undefined) {
    return wrap(difference(slotOf(this, DATE), toDate(other), false, differenceOptions(options)));
  }

  since(other, options = undefined) {
    return wrap(difference(slotOf(this, DATE), toDate(other), true, differenceOptions(options)));
  }

  equals(other) {
    return equals(slotOf(this, DATE), toDate(other));
  }

  toPlainDateTime(temporalTime = undefined) {
    const value = slotOf(this, DATE);
    return wrap(withTime(value, toTimeOrNone(temporalTime)));
  }

  toZonedDateTime(item) {
    const value = slotOf(this, DATE);
    const given = isObject(item) ? item.timeZone : undefined;
    const zone = toZone(given === undefined ? item : given);
    const time = given === undefined ? undefined : item.plainTime;
    return wrap(inZone(value, zone, time === undefined ? undefined : toTime(time), newChoices()));
  }

  toString(options = undefined) {
    return textOf(slotOf(this, DATE), undefined, textOptions(options, { __proto__: null, calendar: true }));
  }

  toLocaleString(locales = undefined, options = undefined) {
    return localeText(slotOf(this, DATE), locales, options);
  }

  toJSON() {
    return textOf(slotOf(this, DATE), undefined, newChoices());
  }

  valueOf() {
    noValue(DATE);
  }
}
finish(PlainDate, DATE, [
  'calendarId',
  'era',
  'eraYear',
  'year',
  'month',
  'monthCode',
  'day',
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
