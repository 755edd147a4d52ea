// Temporal.PlainTime.

import { compare, create, difference, equals, plus, round, textOf, withFields } from 'hyperlight:native/temporal';
import { checkPartial, timeFields, toTime } from 'hyperlight:temporal/conversion';
import { toDuration } from 'hyperlight:temporal/duration';
import { localeText } from 'hyperlight:temporal/locale';
import {
  differenceOptions,
  newChoices,
  optionsOrText,
  overflowOf,
  roundOptions,
  textOptions,
  truncated,
} from 'hyperlight:temporal/options';
import { finish, mark, noValue, slotOf, TIME, wrap } from 'hyperlight:temporal/values';

export class PlainTime {
  constructor(hour = 0, minute = 0, second = 0, millisecond = 0, microsecond = 0, nanosecond = 0) {
    const numbers = [
      truncated(hour),
      truncated(minute),
      truncated(second),
      truncated(millisecond),
      truncated(microsecond),
      truncated(nanosecond),
    ];
    mark(this, TIME, create(TIME, numbers, '', '', ''));
  }

  static from(item, options = undefined) {
    return wrap(toTime(item, options));
  }

  static compare(one, two) {
    return compare(toTime(one), toTime(two));
  }

  add(temporalDurationLike) {
    return wrap(plus(slotOf(this, TIME), toDuration(temporalDurationLike), false, newChoices()));
  }

  subtract(temporalDurationLike) {
    return wrap(plus(slotOf(this, TIME), toDuration(temporalDurationLike), true, newChoices()));
  }

  with(temporalTimeLike, options = undefined) {
    const value = slotOf(this, TIME);
    checkPartial(temporalTimeLike);
    const fields = timeFields(temporalTimeLike);
    return wrap(withFields(value, fields, overflowOf(options)));
  }

  until(other, options = undefined) {
    return wrap(difference(slotOf(this, TIME), toTime(other), false, differenceOptions(options)));
  }

  since(other, options = undefined) {
    return wrap(difference(slotOf(this, TIME), toTime(other), true, differenceOptions(options)));
  }

  round(roundTo) {
    const value = slotOf(this, TIME);
    return wrap(round(value, undefined, roundOptions(optionsOrText(roundTo, 'smallestUnit'))));
  }

  equals(other) {
    return equals(slotOf(this, TIME), toTime(other));
  }

  toString(options = undefined) {
    return textOf(slotOf(this, TIME), undefined, textOptions(options, { __proto__: null, time: true }));
  }

  toLocaleString(locales = undefined, options = undefined) {
    return localeText(slotOf(this, TIME), locales, options);
  }

  toJSON() {
    return textOf(slotOf(this, TIME), undefined, newChoices());
  }

  valueOf() {
    noValue(TIME);
  }
}
finish(PlainTime, TIME, ['hour', 'minute', 'second', 'millisecond', 'microsecond', 'nanosecond']);
