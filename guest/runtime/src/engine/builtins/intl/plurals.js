// The rules of plurals, and Intl.PluralRules.

import { compare, decimalOf, shown } from 'hyperlight:intl/decimal';
import { intlClass, resolve, shared, slotsOf, supported } from 'hyperlight:intl/locales';
import { coerced, digitOptions, matcher, resolvedDigits, resolvedRounding, text } from 'hyperlight:intl/options';

const ORDER = ['zero', 'one', 'two', 'few', 'many', 'other'];
const parsedRules = new Map();
const objects = new WeakMap();

/** The categories of a language with their conditions: `[name, [[relation]]]`. */
function rulesOf(base, type) {
  const all = shared()[type];
  const key = base.startsWith('pt-PT') && type === 'cardinal' ? 'pt-PT' : base.split('-')[0];
  const id = `${key}/${type}`;
  if (!parsedRules.has(id)) {
    parsedRules.set(
      id,
      Object.entries(all[key] ?? {}).map(([name, rule]) => [
        name,
        rule.split(' or ').map((part) => part.split(' and ').map(relation)),
      ]),
    );
  }
  return parsedRules.get(id);
}

function relation(text) {
  const [, operand, modulus, operator, list] = /^([nivwftce])(?: % (\d+))? (!?=) (.+)$/.exec(text.trim());
  const ranges = list.split(',').map((range) => {
    const [from, to = from] = range.split('..').map(Number);
    return [from, to];
  });
  return { operand, modulus: Number(modulus ?? 0), isEqual: operator === '=', ranges };
}

/** The category of a number as it is shown, with the power of ten that a compact form leaves out. */
export function category(base, type, { integer, fraction }, power = 0) {
  const whole = power > 0 ? `${integer}${fraction.slice(0, power).padEnd(power, '0')}` : integer;
  const rest = power > 0 ? fraction.slice(power) : fraction;
  const trimmed = rest.replace(/0+$/, '');
  // No rule looks further than that.
  const i = Number(whole.length > 15 ? `1${whole.slice(-12)}` : whole);
  const operands = {
    n: trimmed === '' ? i : Number.NaN,
    i,
    v: rest.length,
    w: trimmed.length,
    f: Number(rest.slice(-15)),
    t: Number(trimmed.slice(-15)),
    c: power,
    e: power,
  };
  const holds = ({ operand, modulus, isEqual, ranges }) => {
    const value = modulus ? operands[operand] % modulus : operands[operand];
    return ranges.some(([from, to]) => value >= from && value <= to) === isEqual;
  };
  for (const [name, alternatives] of rulesOf(base, type)) {
    if (alternatives.some((relations) => relations.every(holds))) return name;
  }
  return 'other';
}

function categories(base, type) {
  const names = new Set([...rulesOf(base, type).map(([name]) => name), 'other']);
  return ORDER.filter((name) => names.has(name));
}

/** The category of a range of which the ends are in these. */
function rangeCategory(base, start, end) {
  return shared().ranges[base.split('-')[0]]?.[`pluralRange-start-${start}-end-${end}`] ?? 'other';
}

export class PluralRules {
  constructor(locales, options) {
    const given = coerced(options);
    matcher(given);
    const type = text(given, 'type', ['cardinal', 'ordinal'], 'cardinal');
    const notation = 'standard';
    const digits = digitOptions(given, 0, 3, notation);
    const { locale, data } = resolve(locales, {});
    objects.set(this, { locale, data, type, digits });
  }

  select(value) {
    const { data, type, digits } = slotsOf(objects, this, 'Intl.PluralRules.prototype.select');
    const decimal = decimalOf(+value);
    return decimal.special ? 'other' : category(data, type, shown(decimal, digits));
  }

  selectRange(start, end) {
    const { data, type, digits } = slotsOf(objects, this, 'Intl.PluralRules.prototype.selectRange');
    if (start === undefined || end === undefined) throw new TypeError('start and end are required');
    const [from, to] = [start, end].map((value) => decimalOf(+value));
    if (from.special === 'nan' || to.special === 'nan') throw new RangeError('start and end must be numbers');
    if (compare(from, to) === 0 && from.special) return 'other';
    const [first, last] = [from, to].map((decimal) =>
      decimal.special ? 'other' : category(data, type, shown(decimal, digits)),
    );
    return rangeCategory(data, first, last);
  }

  resolvedOptions() {
    const { locale, data, type, digits } = slotsOf(objects, this, 'Intl.PluralRules.prototype.resolvedOptions');
    return {
      locale,
      type,
      ...resolvedDigits(digits),
      pluralCategories: categories(data, type),
      ...resolvedRounding(digits),
    };
  }

  static supportedLocalesOf(locales, options = undefined) {
    return supported(locales, options);
  }
}
intlClass(PluralRules);
