// Temporal.PlainMonthDay.

import { create, equals, property, textOf, toDateWith, withFields } from 'hyperlight:native/temporal';
import { checkPartial, fieldsOf, givenCalendar, OF_DATE, OF_YEAR, toMonthDay } from 'hyperlight:temporal/conversion';
import { localeText } from 'hyperlight:temporal/locale';
import { newChoices, overflowOf, textOptions, truncated } from 'hyperlight:temporal/options';
import { finish, isObject, MONTH_DAY, mark, noValue, slotOf, wrap } from 'hyperlight:temporal/values';

export class PlainMonthDay {
  constructor(isoMonth, isoDay, calendar = undefined, referenceISOYear = 1972) {
    const month = truncated(isoMonth);
    const day = truncated(isoDay);
    const name = givenCalendar(calendar);
    mark(this, MONTH_DAY, create(MONTH_DAY, [month, day, truncated(referenceISOYear)], '', '', name));
  }

  static from(item, options = undefined) {
    return wrap(toMonthDay(item, options));
  }

  with(temporalMonthDayLike, options = undefined) {
    const value = slotOf(this, MONTH_DAY);
    checkPartial(temporalMonthDayLike);
    const fields = fieldsOf(temporalMonthDayLike, property(value, 'calendarId'), OF_DATE, null);
    return wrap(withFields(value, fields, overflowOf(options)));
  }

  equals(other) {
    return equals(slotOf(this, MONTH_DAY), toMonthDay(other));
  }

  toString(options = undefined) {
    return textOf(slotOf(this, MONTH_DAY), undefined, textOptions(options, { __proto__: null, calendar: true }));
  }

  toLocaleString(locales = undefined, options = undefined) {
    return localeText(slotOf(this, MONTH_DAY), locales, options);
  }

  toJSON() {
    return textOf(slotOf(this, MONTH_DAY), undefined, newChoices());
  }

  valueOf() {
    noValue(MONTH_DAY);
  }

  toPlainDate(item) {
    const value = slotOf(this, MONTH_DAY);
    if (!isObject(item)) throw new TypeError('An object with a year is needed');
    return wrap(toDateWith(value, fieldsOf(item, property(value, 'calendarId'), OF_YEAR)));
  }
}
finish(PlainMonthDay, MONTH_DAY, ['calendarId', 'monthCode', 'day']);
