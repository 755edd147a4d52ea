// Intl.RelativeTimeFormat.

import { decimalOf, shown } from 'hyperlight:intl/decimal';
import {
  dataOf,
  intlClass,
  numberingSystemOf,
  numberingSystems,
  resolve,
  slotsOf,
  supported,
} from 'hyperlight:intl/locales';
import { settings } from 'hyperlight:intl/number_format';
import { partsOf as numberParts } from 'hyperlight:intl/number_parts';
import { coerced, matcher, text } from 'hyperlight:intl/options';
import { category } from 'hyperlight:intl/plurals';

const objects = new WeakMap();
const UNITS = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'];

export class RelativeTimeFormat {
  constructor(locales, options) {
    const given = coerced(options);
    matcher(given);
    const system = numberingSystemOf(given);
    const { locale, data, values } = resolve(locales, { nu: numberingSystems }, { nu: system });
    const style = text(given, 'style', ['long', 'short', 'narrow'], 'long');
    const numeric = text(given, 'numeric', ['always', 'auto'], 'always');
    const numbers = { ...settings(data, undefined), data, system: values.nu };
    objects.set(this, { locale, data, system: values.nu, style, numeric, numbers });
  }

  format(value, unit) {
    const parts = partsOf(slotsOf(objects, this, 'Intl.RelativeTimeFormat.prototype.format'), value, unit);
    let result = '';
    for (const { value } of parts) result += value;
    return result;
  }

  formatToParts(value, unit) {
    return partsOf(slotsOf(objects, this, 'Intl.RelativeTimeFormat.prototype.formatToParts'), value, unit);
  }

  resolvedOptions() {
    const slots = slotsOf(objects, this, 'Intl.RelativeTimeFormat.prototype.resolvedOptions');
    return { locale: slots.locale, style: slots.style, numeric: slots.numeric, numberingSystem: slots.system };
  }

  static supportedLocalesOf(locales, options = undefined) {
    return supported(locales, options);
  }
}
intlClass(RelativeTimeFormat);

function partsOf({ data, style, numeric, numbers }, value, unit) {
  const number = +value;
  const given = `${unit}`;
  const name = UNITS.find((known) => known === given || `${known}s` === given);
  if (!name) throw new RangeError(`Invalid unit argument for format() '${given}'`);
  if (!Number.isFinite(number)) throw new RangeError('The value must be a finite number');
  const words = dataOf(data, 'relative')[style === 'long' ? name : `${name}-${style}`];
  if (numeric === 'auto') {
    const word = words[`${number}`];
    if (word !== undefined) return [{ type: 'literal', value: word }];
  }
  const isPast = number < 0 || Object.is(number, -0);
  const decimal = decimalOf(Math.abs(number));
  const patterns = words[isPast ? 'past' : 'future'];
  const form = category(data, 'cardinal', shown(decimal, numbers.digits));
  const pattern = patterns[form] ?? patterns.other;
  const at = pattern.indexOf('{0}');
  if (at < 0) return [{ type: 'literal', value: pattern }];
  const parts = numberParts(numbers, decimal).map((part) => ({ ...part, unit: name }));
  if (at > 0) parts.unshift({ type: 'literal', value: pattern.slice(0, at) });
  if (at + 3 < pattern.length) parts.push({ type: 'literal', value: pattern.slice(at + 3) });
  return parts;
}
