// Intl.NumberFormat: what it is told and tells. How a number is shown is in number_parts.js.

import { decimalOf } from 'hyperlight:intl/decimal';
import {
  callable,
  intlClass,
  numberingSystemOf,
  numberingSystems,
  resolve,
  shared,
  slotsOf,
  supported,
} from 'hyperlight:intl/locales';
import { partsOf, rangeParts, textOf } from 'hyperlight:intl/number_parts';
import { coerced, digitOptions, matcher, resolvedDigits, resolvedRounding, text } from 'hyperlight:intl/options';
import { isUnit } from 'hyperlight:intl/units';

const objects = new WeakMap();

/** What a format is made of. */
export function settings(locales, options) {
  const given = coerced(options);
  matcher(given);
  const system = numberingSystemOf(given);
  const { locale, data, values } = resolve(locales, { nu: numberingSystems }, { nu: system });
  const style = text(given, 'style', ['decimal', 'percent', 'currency', 'unit'], 'decimal');
  let currency = text(given, 'currency', undefined, undefined);
  if (currency === undefined) {
    if (style === 'currency') throw new TypeError('Currency code is required with currency style.');
  } else if (!/^[a-z]{3}$/i.test(currency)) throw new RangeError(`Invalid currency code: ${currency}`);
  currency = currency?.toUpperCase();
  const currencyDisplay = text(given, 'currencyDisplay', ['code', 'symbol', 'narrowSymbol', 'name'], 'symbol');
  const currencySign = text(given, 'currencySign', ['standard', 'accounting'], 'standard');
  const unit = text(given, 'unit', undefined, undefined);
  if (unit === undefined) {
    if (style === 'unit') throw new TypeError('Unit is required with unit style.');
  } else if (!isUnit(unit)) throw new RangeError(`Invalid unit argument for Intl.NumberFormat() '${unit}'`);
  const unitDisplay = text(given, 'unitDisplay', ['short', 'narrow', 'long'], 'short');
  const notation = text(given, 'notation', ['standard', 'scientific', 'engineering', 'compact'], 'standard');
  const isMoney = style === 'currency';
  const places = isMoney && notation === 'standard' ? (shared().fractions[currency] ?? 2) : 0;
  const most = isMoney && notation === 'standard' ? places : style === 'percent' ? 0 : notation === 'compact' ? 0 : 3;
  const digits = digitOptions(given, places, isMoney && notation !== 'standard' ? 0 : most, notation);
  const compactDisplay = text(given, 'compactDisplay', ['short', 'long'], 'short');
  const grouping = groupingOf(given, notation === 'compact' ? 'min2' : 'auto');
  const signDisplay = text(given, 'signDisplay', ['auto', 'never', 'always', 'exceptZero', 'negative'], 'auto');
  return {
    locale,
    data,
    system: values.nu,
    style,
    currency: isMoney ? currency : undefined,
    currencyDisplay,
    currencySign,
    unit: style === 'unit' ? unit : undefined,
    unitDisplay,
    notation,
    compactDisplay,
    grouping,
    signDisplay,
    digits,
  };
}

function groupingOf(options, fallback) {
  const value = options.useGrouping;
  if (value === undefined) return fallback;
  if (value === true) return 'always';
  if (value === false) return false;
  if (!value) return false;
  const given = `${value}`;
  if (given === 'true' || given === 'false') return fallback;
  if (!['min2', 'auto', 'always'].includes(given)) throw new RangeError(`The option useGrouping cannot be "${given}"`);
  return given;
}

class NumberFormat {
  #format;

  constructor(locales, options) {
    objects.set(this, settings(locales, options));
  }

  get format() {
    const slots = slotsOf(objects, this, 'get Intl.NumberFormat.prototype.format');
    this.#format ??= {
      '': (value) => textOf(partsOf(slots, decimalOf(value))),
    }[''];
    return this.#format;
  }

  formatToParts(value) {
    return partsOf(slotsOf(objects, this, 'Intl.NumberFormat.prototype.formatToParts'), decimalOf(value));
  }

  formatRange(start, end) {
    return textOf(range(slotsOf(objects, this, 'Intl.NumberFormat.prototype.formatRange'), start, end));
  }

  formatRangeToParts(start, end) {
    return range(slotsOf(objects, this, 'Intl.NumberFormat.prototype.formatRangeToParts'), start, end);
  }

  resolvedOptions() {
    const slots = slotsOf(objects, this, 'Intl.NumberFormat.prototype.resolvedOptions');
    const result = { locale: slots.locale, numberingSystem: slots.system, style: slots.style };
    if (slots.currency) {
      result.currency = slots.currency;
      result.currencyDisplay = slots.currencyDisplay;
      result.currencySign = slots.currencySign;
    }
    if (slots.unit) {
      result.unit = slots.unit;
      result.unitDisplay = slots.unitDisplay;
    }
    Object.assign(result, resolvedDigits(slots.digits), { useGrouping: slots.grouping, notation: slots.notation });
    if (slots.notation === 'compact') result.compactDisplay = slots.compactDisplay;
    return Object.assign(result, { signDisplay: slots.signDisplay }, resolvedRounding(slots.digits));
  }

  static supportedLocalesOf(locales, options = undefined) {
    return supported(locales, options);
  }
}
intlClass(NumberFormat);
const Callable = callable(NumberFormat);

export { Callable as NumberFormat };

function range(slots, start, end) {
  if (start === undefined || end === undefined) throw new TypeError('start and end are required');
  const [from, to] = [decimalOf(start), decimalOf(end)];
  if (from.special === 'nan' || to.special === 'nan') throw new RangeError('start and end must be numbers');
  return rangeParts(slots, from, to);
}

/** What a number is shown as with these settings, as `toLocaleString` has it. */
export function formatted(locales, options, value) {
  return textOf(partsOf(settings(locales, options), decimalOf(value)));
}
