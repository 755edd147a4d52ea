// Temporal.Duration.

import {
  compareDurations,
  create,
  negated,
  parse,
  plus,
  property,
  round,
  textOf,
  total,
} from 'hyperlight:native/temporal';
import { durationNumbers, relativeTo } from 'hyperlight:temporal/conversion';
import { durationText } from 'hyperlight:temporal/locale';
import {
  integral,
  newChoices,
  optionsOf,
  optionsOrText,
  roundOptions,
  textOptions,
  totalOptions,
} from 'hyperlight:temporal/options';
import {
  DURATION,
  finish,
  isObject,
  kindOfObject,
  mark,
  noValue,
  slotOf,
  valueIn,
  wrap,
} from 'hyperlight:temporal/values';

/** The value of what an argument says. */
export function toDuration(item) {
  if (kindOfObject(item) === DURATION) return valueIn(item);
  if (isObject(item)) return create(DURATION, durationNumbers(item), '', '', '');
  if (typeof item !== 'string') throw new TypeError('A duration must be an object or a string');
  return parse(DURATION, item);
}

export class Duration {
  constructor(
    years = 0,
    months = 0,
    weeks = 0,
    days = 0,
    hours = 0,
    minutes = 0,
    seconds = 0,
    milliseconds = 0,
    microseconds = 0,
    nanoseconds = 0,
  ) {
    const numbers = [
      integral(years),
      integral(months),
      integral(weeks),
      integral(days),
      integral(hours),
      integral(minutes),
      integral(seconds),
      integral(milliseconds),
      integral(microseconds),
      integral(nanoseconds),
    ];
    mark(this, DURATION, create(DURATION, numbers, '', '', ''));
  }

  static from(item) {
    return wrap(toDuration(item));
  }

  static compare(one, two, options = undefined) {
    const left = toDuration(one);
    const right = toDuration(two);
    return compareDurations(left, right, relativeTo(optionsOf(options)));
  }

  get blank() {
    return property(slotOf(this, DURATION), 'sign') === 0;
  }

  with(temporalDurationLike) {
    const value = slotOf(this, DURATION);
    return wrap(create(DURATION, durationNumbers(temporalDurationLike, value), '', '', ''));
  }

  negated() {
    return wrap(negated(slotOf(this, DURATION)));
  }

  abs() {
    const value = slotOf(this, DURATION);
    return wrap(property(value, 'sign') < 0 ? negated(value) : value);
  }

  add(other) {
    return wrap(plus(slotOf(this, DURATION), toDuration(other), false, newChoices()));
  }

  subtract(other) {
    return wrap(plus(slotOf(this, DURATION), toDuration(other), true, newChoices()));
  }

  round(roundTo) {
    const value = slotOf(this, DURATION);
    const given = optionsOrText(roundTo, 'smallestUnit');
    let relative;
    const choices = roundOptions(given, () => {
      relative = relativeTo(given);
    });
    return wrap(round(value, relative, choices));
  }

  total(totalOf) {
    const value = slotOf(this, DURATION);
    const given = optionsOrText(totalOf, 'unit');
    const relative = relativeTo(given);
    return total(value, relative, totalOptions(given));
  }

  toString(options = undefined) {
    return textOf(slotOf(this, DURATION), undefined, textOptions(options, { __proto__: null, time: true }));
  }

  toLocaleString(locales = undefined, options = undefined) {
    return durationText(slotOf(this, DURATION), locales, options);
  }

  toJSON() {
    return textOf(slotOf(this, DURATION), undefined, newChoices());
  }

  valueOf() {
    noValue(DURATION);
  }
}
finish(Duration, DURATION, [
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
  'sign',
]);
