// Temporal.PlainYearMonth.

import {
  compare,
  create,
  difference,
  equals,
  plus,
  property,
  textOf,
  toDateWith,
  withFields,
} from 'hyperlight:native/temporal';
import {
  checkPartial,
  fieldsOf,
  givenCalendar,
  OF_DAY,
  OF_YEAR_MONTH,
  toYearMonth,
} from 'hyperlight:temporal/conversion';
import { toDuration } from 'hyperlight:temporal/duration';
import { localeText } from 'hyperlight:temporal/locale';
import { differenceOptions, newChoices, overflowOf, textOptions, truncated } from 'hyperlight:temporal/options';
import { finish, isObject, mark, noValue, slotOf, wrap, YEAR_MONTH } from 'hyperlight:temporal/values';

export class PlainYearMonth {
  constructor(isoYear, isoMonth, calendar = undefined, referenceISODay = 1) {
    const year = truncated(isoYear);
    const month = truncated(isoMonth);
    const name = givenCalendar(calendar);
    mark(this, YEAR_MONTH, create(YEAR_MONTH, [year, month, truncated(referenceISODay)], '', '', name));
  }

  static from(item, options = undefined) {
    return wrap(toYearMonth(item, options));
  }

  static compare(one, two) {
    return compare(toYearMonth(one), toYearMonth(two));
  }

  with(temporalYearMonthLike, options = undefined) {
    const value = slotOf(this, YEAR_MONTH);
    checkPartial(temporalYearMonthLike);
    const fields = fieldsOf(temporalYearMonthLike, property(value, 'calendarId'), OF_YEAR_MONTH, null);
    return wrap(withFields(value, fields, overflowOf(options)));
  }

  add(temporalDurationLike, options = undefined) {
    return wrap(plus(slotOf(this, YEAR_MONTH), toDuration(temporalDurationLike), false, overflowOf(options)));
  }

  subtract(temporalDurationLike, options = undefined) {
    return wrap(plus(slotOf(this, YEAR_MONTH), toDuration(temporalDurationLike), true, overflowOf(options)));
  }

  until(other, options = undefined) {
    return wrap(difference(slotOf(this, YEAR_MONTH), toYearMonth(other), false, differenceOptions(options)));
  }

  since(other, options = undefined) {
    return wrap(difference(slotOf(this, YEAR_MONTH), toYearMonth(other), true, differenceOptions(options)));
  }

  equals(other) {
    return equals(slotOf(this, YEAR_MONTH), toYearMonth(other));
  }

  toString(options = undefined) {
    return textOf(slotOf(this, YEAR_MONTH), undefined, textOptions(options, { __proto__: null, calendar: true }));
  }

  toLocaleString(locales = undefined, options = undefined) {
    return localeText(slotOf(this, YEAR_MONTH), locales, options);
  }

  toJSON() {
    return textOf(slotOf(this, YEAR_MONTH), undefined, newChoices());
  }

  valueOf() {
    noValue(YEAR_MONTH);
  }

  toPlainDate(item) {
    const value = slotOf(this, YEAR_MONTH);
    if (!isObject(item)) throw new TypeError('An object with a day is needed');
    return wrap(toDateWith(value, fieldsOf(item, property(value, 'calendarId'), OF_DAY, 'day')));
  }
}
finish(PlainYearMonth, YEAR_MONTH, [
  'calendarId',
  'era',
  'eraYear',
  'year',
  'month',
  'monthCode',
  'daysInYear',
  'daysInMonth',
  'monthsInYear',
  'inLeapYear',
]);
