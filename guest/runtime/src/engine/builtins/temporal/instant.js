// Temporal.Instant.

import { compare, create, difference, equals, inZone, plus, property, round, textOf } from 'hyperlight:native/temporal';
import { toInstant, toZone } from 'hyperlight:temporal/conversion';
import { toDuration } from 'hyperlight:temporal/duration';
import { localeText } from 'hyperlight:temporal/locale';
import { differenceOptions, newChoices, optionsOrText, roundOptions, textOptions } from 'hyperlight:temporal/options';
import { finish, INSTANT, mark, noValue, slotOf, wrap } from 'hyperlight:temporal/values';

const { asIntN } = BigInt;
const NativeBigInt = BigInt;
/** More bits than any time has; as a number, since a program may have replaced `Number` before it uses this. */
const BITS = 9_007_199_254_740_991;
const LAST = 8_640_000_000_000_000_000_000n;

/** A time in nanoseconds since 1970, as text for native code. */
export function nanosecondsText(value) {
  // Of so many bits, the function leaves out none: it only converts what is no BigInt.
  const nanoseconds = asIntN(BITS, value);
  if (nanoseconds > LAST || nanoseconds < -LAST) throw new RangeError('A time is out of range');
  return `${nanoseconds}`;
}

/** The value at a time in milliseconds since 1970. */
export function atMilliseconds(milliseconds) {
  return create(INSTANT, [], nanosecondsText(NativeBigInt(milliseconds) * 1_000_000n), '', '');
}

export class Instant {
  constructor(epochNanoseconds) {
    mark(this, INSTANT, create(INSTANT, [], nanosecondsText(epochNanoseconds), '', ''));
  }

  static from(item) {
    return wrap(toInstant(item));
  }

  static fromEpochMilliseconds(epochMilliseconds) {
    return wrap(atMilliseconds(+epochMilliseconds));
  }

  static fromEpochNanoseconds(epochNanoseconds) {
    return wrap(create(INSTANT, [], nanosecondsText(epochNanoseconds), '', ''));
  }

  static compare(one, two) {
    return compare(toInstant(one), toInstant(two));
  }

  get epochNanoseconds() {
    return NativeBigInt(property(slotOf(this, INSTANT), 'epochNanoseconds'));
  }

  add(temporalDurationLike) {
    return wrap(plus(slotOf(this, INSTANT), toDuration(temporalDurationLike), false, newChoices()));
  }

  subtract(temporalDurationLike) {
    return wrap(plus(slotOf(this, INSTANT), toDuration(temporalDurationLike), true, newChoices()));
  }

  until(other, options = undefined) {
    return wrap(difference(slotOf(this, INSTANT), toInstant(other), false, differenceOptions(options)));
  }

  since(other, options = undefined) {
    return wrap(difference(slotOf(this, INSTANT), toInstant(other), true, differenceOptions(options)));
  }

  round(roundTo) {
    const value = slotOf(this, INSTANT);
    return wrap(round(value, undefined, roundOptions(optionsOrText(roundTo, 'smallestUnit'))));
  }

  equals(other) {
    return equals(slotOf(this, INSTANT), toInstant(other));
  }

  toString(options = undefined) {
    const value = slotOf(this, INSTANT);
    let given;
    const readZone = (options) => {
      given = options.timeZone;
    };
    const choices = textOptions(options, { __proto__: null, time: true, readZone });
    return textOf(value, given === undefined ? undefined : toZone(given), choices);
  }

  toLocaleString(locales = undefined, options = undefined) {
    return localeText(slotOf(this, INSTANT), locales, options);
  }

  toJSON() {
    return textOf(slotOf(this, INSTANT), undefined, newChoices());
  }

  valueOf() {
    noValue(INSTANT);
  }

  toZonedDateTimeISO(timeZone) {
    const value = slotOf(this, INSTANT);
    return wrap(inZone(value, toZone(timeZone), undefined, newChoices()));
  }
}
finish(Instant, INSTANT, ['epochMilliseconds']);
