// How constructors of Intl read their options, as ECMA-402 has it.

export function coerced(options) {
  if (options === null) throw new TypeError('Cannot convert null to object');
  return options === undefined ? { __proto__: null } : Object(options);
}

/** What must be an object, if it is there. */
export function objectOrNone(options) {
  if (options === undefined) return { __proto__: null };
  if (typeof options === 'object' ? options !== null : typeof options === 'function') return options;
  throw new TypeError('The options must be an object');
}

/** A text among those that are allowed. */
export function text(options, name, allowed, fallback) {
  const value = options[name];
  if (value === undefined) return fallback;
  const given = `${value}`;
  if (allowed && !allowed.includes(given)) throw new RangeError(`The option ${name} cannot be "${given}"`);
  return given;
}

export function flag(options, name, fallback) {
  const value = options[name];
  return value === undefined ? fallback : Boolean(value);
}

export function whole(value, name, least, most, fallback) {
  if (value === undefined) return fallback;
  const given = +value;
  if (!(given >= least && given <= most)) throw new RangeError(`The option ${name} must be from ${least} to ${most}`);
  return Math.floor(given);
}

export function matcher(options) {
  return text(options, 'localeMatcher', ['lookup', 'best fit'], 'best fit');
}

/** The value of an option that is a type of a Unicode extension, perhaps by another name. */
export function keyword(options, name, typeOf = (type) => type) {
  const given = text(options, name, undefined, undefined);
  const value = given === undefined ? undefined : typeOf(given);
  if (value !== undefined && !/^[0-9a-z]{3,8}(-[0-9a-z]{3,8})*$/i.test(value)) {
    throw new RangeError(`The option ${name} cannot be "${value}"`);
  }
  return value?.toLowerCase();
}

const ROUNDING_INCREMENTS = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000];
export const ROUNDING_MODES = [
  'ceil',
  'floor',
  'expand',
  'trunc',
  'halfCeil',
  'halfFloor',
  'halfExpand',
  'halfTrunc',
  'halfEven',
];

/** How many digits a number is shown with, and how it is rounded. */
export function digitOptions(options, leastDefault, mostDefault, notation) {
  const integer = whole(options.minimumIntegerDigits, 'minimumIntegerDigits', 1, 21, 1);
  let { minimumFractionDigits: leastFraction, maximumFractionDigits: mostFraction } = options;
  let { minimumSignificantDigits: leastSignificant, maximumSignificantDigits: mostSignificant } = options;
  const increment = whole(options.roundingIncrement, 'roundingIncrement', 1, 5000, 1);
  if (!ROUNDING_INCREMENTS.includes(increment))
    throw new RangeError(`The option roundingIncrement cannot be ${increment}`);
  const mode = text(options, 'roundingMode', ROUNDING_MODES, 'halfExpand');
  const priority = text(options, 'roundingPriority', ['auto', 'morePrecision', 'lessPrecision'], 'auto');
  const trailing = text(options, 'trailingZeroDisplay', ['auto', 'stripIfInteger'], 'auto');
  if (increment !== 1) mostDefault = leastDefault;
  const hasSignificant = leastSignificant !== undefined || mostSignificant !== undefined;
  const hasFraction = leastFraction !== undefined || mostFraction !== undefined;
  const result = { integer, increment, mode, priority, trailing };
  const needsSignificant = priority !== 'auto' || hasSignificant;
  const needsFraction = priority !== 'auto' || !(needsSignificant || (!hasFraction && notation === 'compact'));
  if (needsSignificant) {
    leastSignificant = whole(leastSignificant, 'minimumSignificantDigits', 1, 21, 1);
    mostSignificant = whole(mostSignificant, 'maximumSignificantDigits', leastSignificant, 21, 21);
    Object.assign(result, { leastSignificant, mostSignificant });
  }
  if (needsFraction) {
    if (hasFraction) {
      leastFraction = whole(leastFraction, 'minimumFractionDigits', 0, 100, undefined);
      mostFraction = whole(mostFraction, 'maximumFractionDigits', 0, 100, undefined);
      if (leastFraction === undefined) leastFraction = Math.min(leastDefault, mostFraction);
      else if (mostFraction === undefined) mostFraction = Math.max(mostDefault, leastFraction);
      else if (leastFraction > mostFraction) {
        throw new RangeError('The option minimumFractionDigits is more than maximumFractionDigits');
      }
    } else {
      leastFraction = leastDefault;
      mostFraction = mostDefault;
    }
    Object.assign(result, { leastFraction, mostFraction });
  }
  if (!needsSignificant && !needsFraction) {
    Object.assign(result, { leastFraction: 0, mostFraction: 0, leastSignificant: 1, mostSignificant: 2 });
    result.rounding = 'morePrecision';
  } else if (priority !== 'auto') result.rounding = priority;
  else result.rounding = hasSignificant ? 'significantDigits' : 'fractionDigits';
  if (increment !== 1) {
    if (result.rounding !== 'fractionDigits') {
      throw new TypeError(
        'The option roundingIncrement cannot be combined with significant digits or roundingPriority',
      );
    }
    if (result.mostFraction !== result.leastFraction) {
      throw new RangeError('With the option roundingIncrement, minimumFractionDigits must equal maximumFractionDigits');
    }
  }
  return result;
}

/** What `resolvedOptions` tells of them. */
export function resolvedDigits(digits) {
  const result = { minimumIntegerDigits: digits.integer };
  if (digits.leastFraction !== undefined) {
    result.minimumFractionDigits = digits.leastFraction;
    result.maximumFractionDigits = digits.mostFraction;
  }
  if (digits.leastSignificant !== undefined) {
    result.minimumSignificantDigits = digits.leastSignificant;
    result.maximumSignificantDigits = digits.mostSignificant;
  }
  return result;
}

export function resolvedRounding(digits) {
  return {
    roundingIncrement: digits.increment,
    roundingMode: digits.mode,
    roundingPriority:
      digits.rounding === 'morePrecision' || digits.rounding === 'lessPrecision' ? digits.rounding : 'auto',
    trailingZeroDisplay: digits.trailing,
  };
}
