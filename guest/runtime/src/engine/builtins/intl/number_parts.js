// How numbers are shown: their digits, and the patterns around them.

import { isZero, magnitude, scaled, shown } from 'hyperlight:intl/decimal';
import { dataOf, digitsOf, numbersOf } from 'hyperlight:intl/locales';
import { category } from 'hyperlight:intl/plurals';

export function textOf(parts) {
  let text = '';
  for (const { value } of parts) text += value;
  return text;
}

/** The parts of a number. */
export function partsOf(slots, decimal) {
  const { before, number, after } = pieces(slots, decimal);
  return [...before, ...number, ...after];
}

/** The parts of a number, and those that are around it. */
function pieces(slots, decimal) {
  const numbers = numbersOf(slots.data, slots.system);
  const value = slots.style === 'percent' ? scaled(decimal, 2) : decimal;
  const notation = value.special ? { power: 0 } : notated(slots, numbers, value);
  const { power, digits } = notation;
  const number = value.special
    ? [{ type: value.special, value: value.special === 'nan' ? numbers.symbols.nan : numbers.symbols.infinity }]
    : digitParts(slots, numbers, digits, power);
  const isZeroShown = !value.special && /^0*$/.test(digits.integer + digits.fraction);
  const sign = signOf(slots.signDisplay, value.isNegative, isZeroShown || value.special === 'nan');
  const plural = (compact) =>
    value.special
      ? 'other'
      : category(slots.data, 'cardinal', digits, slots.notation === 'compact' && compact ? power : 0);
  const { hidesNumber, ...affixes } = affixesOf(
    slots,
    numbers,
    { ...notation, isSpecial: value.special !== undefined },
    sign,
    plural,
  );
  return { ...affixes, number: hidesNumber ? [] : number };
}

/** The digits of a number, and the power of ten that its notation leaves out. */
function notated(slots, numbers, value) {
  const { notation, digits: options } = slots;
  if (notation === 'standard') return { power: 0, digits: shown(value, options) };
  const patternsOf = () => {
    if (slots.style === 'currency' && slots.currencyDisplay !== 'name')
      return numbers.compactCurrency ?? numbersOf(slots.data, 'latn').compactCurrency;
    return numbers[slots.compactDisplay];
  };
  const patterns = notation === 'compact' ? patternsOf() : undefined;
  // All that is larger is shown by its pattern.
  const largest = patterns ? Math.max(...Object.keys(patterns).map((key) => key.indexOf('-') - 1)) : 0;
  const powerAt = (size) => {
    if (notation === 'scientific') return size;
    if (notation === 'engineering') return Math.floor(size / 3) * 3;
    const at = Math.min(size, largest);
    const pattern = patterns[`1${'0'.repeat(Math.max(at, 0))}-count-other`];
    if (size < 3 || !pattern || isPlainPattern(pattern)) return 0;
    return at - numberIn(pattern).length + 1;
  };
  const size = magnitude(value);
  let power = isZero(value) ? 0 : powerAt(size);
  let digits = shown(scaled(value, -power), options);
  let at = size;
  // 999,999 becomes 1 million.
  if (!isZero(value) && magnitude(digits.decimal) + power > size) {
    at = size + 1;
    const next = powerAt(at);
    if (next !== power) {
      power = next;
      digits = shown(scaled(value, -power), options);
    }
  }
  if (!patterns || power === 0) return { power, digits };
  return { power, digits, patterns, key: `1${'0'.repeat(Math.min(at, largest))}` };
}

function isPlainPattern(pattern) {
  return pattern.split(';')[0] === '0';
}

function numberIn(pattern) {
  return /0+/.exec(pattern)[0];
}

function digitParts(slots, numbers, { integer, fraction }, power) {
  const { symbols } = numbers;
  const isMoney = slots.style === 'currency';
  const local = slots.system === 'latn' ? undefined : digitsOf(slots.system);
  const localized = (text) => (local ? text.replace(/\d/g, (digit) => local[digit]) : text);
  const parts = [];
  const groups = grouped(slots, numbers, integer);
  for (let i = 0; i < groups.length; i++) {
    if (i > 0) parts.push({ type: 'group', value: (isMoney && symbols.currencyGroup) || symbols.group });
    parts.push({ type: 'integer', value: localized(groups[i]) });
  }
  if (fraction !== '') {
    parts.push({ type: 'decimal', value: (isMoney && symbols.currencyDecimal) || symbols.decimal });
    parts.push({ type: 'fraction', value: localized(fraction) });
  }
  if (slots.notation === 'scientific' || slots.notation === 'engineering') {
    parts.push({ type: 'exponentSeparator', value: symbols.exponential });
    if (power < 0)
      parts.push(
        ...affix('-', numbers).map((part) =>
          part.type === 'minusSign' ? { ...part, type: 'exponentMinusSign' } : part,
        ),
      );
    parts.push({ type: 'exponentInteger', value: localized(`${Math.abs(power)}`) });
  }
  return parts;
}

function grouped({ grouping, data, style, currencySign, notation }, numbers, integer) {
  if (!grouping || notation === 'scientific' || notation === 'engineering') return [integer];
  let pattern = numbers.decimal;
  if (style === 'percent') pattern = numbers.percent;
  if (style === 'currency') pattern = numbers.currency[currencySign];
  const sizes = /[#0,]*,[#0,]*/
    .exec(pattern)?.[0]
    .split(',')
    .map((group) => group.length);
  if (!sizes) return [integer];
  const primary = sizes.at(-1);
  const secondary = sizes.length > 2 ? sizes.at(-2) : primary;
  const least = {
    always: 1,
    auto: dataOf(data, 'numbers').grouping,
    min2: Math.max(2, dataOf(data, 'numbers').grouping),
  }[grouping];
  if (integer.length < primary + least) return [integer];
  const groups = [integer.slice(-primary)];
  let end = integer.length - primary;
  while (end > 0) {
    groups.push(integer.slice(Math.max(0, end - secondary), end));
    end -= secondary;
  }
  return groups.reverse();
}

function signOf(display, isNegative, isZero) {
  switch (display) {
    case 'never':
      return '';
    case 'always':
      return isNegative ? '-' : '+';
    case 'exceptZero':
      if (isZero) return '';
      return isNegative ? '-' : '+';
    case 'negative':
      return isNegative && !isZero ? '-' : '';
    default:
      return isNegative ? '-' : '';
  }
}

/** What is before a number and after it. */
function affixesOf(slots, numbers, notation, sign, plural) {
  const { style } = slots;
  if (style === 'currency' && slots.currencyDisplay !== 'name')
    return moneyAffixes(slots, numbers, notation, sign, plural);
  const compact = notation.patterns && compactPattern(notation, plural(false));
  let pattern = style === 'percent' ? numbers.percent : numbers.decimal;
  if (compact) pattern = compact;
  // Beside a power of ten, percent is a unit like others.
  else if (
    style === 'unit' &&
    slots.unit === 'percent' &&
    slots.unitDisplay !== 'long' &&
    slots.notation !== 'compact'
  ) {
    const [start, end] = around(withSign(numbers.percent, sign));
    return { before: affix(start, numbers, 'unit'), after: affix(end, numbers, 'unit') };
  } else if (style === 'percent' && slots.notation === 'compact') pattern = numbers.decimal;
  pattern = withSign(pattern, sign);
  const [start, end] = around(pattern);
  const parts = compact ? compactAffix : affix;
  const inner = {
    before: parts(start, numbers, 'percentSign'),
    after: parts(end, numbers, 'percentSign'),
    hidesNumber: !/0/.test(pattern),
  };
  return wrapped(slots, inner, plural);
}

/** The pattern for a sign: that of negative numbers, if there is one, or a sign before all. */
function withSign(pattern, sign) {
  const [positive, negative] = pattern.split(';');
  if (sign === '') return positive;
  const signed = negative ?? `-${positive}`;
  return sign === '-' ? signed : signed.includes('-') ? signed.replace('-', '+') : `+${positive}`;
}

/** What is before the digits of a pattern, and what is after them. */
function around(pattern) {
  const found = /[#0][#0,.]*/.exec(pattern);
  if (!found) return [pattern, ''];
  return [pattern.slice(0, found.index), pattern.slice(found.index + found[0].length)];
}

function compactPattern({ patterns, key, digits: { integer, fraction } }, form) {
  const exact = integer === '1' && fraction === '' ? patterns[`${key}-count-1`] : undefined;
  return exact ?? patterns[`${key}-count-${form}`] ?? patterns[`${key}-count-other`];
}

/** A text of a pattern without its quotes. */
function unquoted(text) {
  return text.replace(/'([^']*)'/g, (_, inner) => inner || "'");
}

/** The name of a power of ten, and the space around it. */
function compactParts(text) {
  const [, before, name, after] = /^([\s\u200e\u200f\u061c]*)(.*?)([\s\u200e\u200f\u061c]*)$/su.exec(unquoted(text));
  const parts = [];
  if (before) parts.push({ type: 'literal', value: before });
  if (name) parts.push({ type: 'compact', value: name });
  if (after) parts.push({ type: 'literal', value: after });
  return parts;
}

/** The parts of a pattern's text beside its digits. */
function affix(text, numbers, percent, money) {
  const { symbols } = numbers;
  const parts = [];
  const literal = (value) => {
    if (parts.at(-1)?.type === 'literal') parts.at(-1).value += value;
    else parts.push({ type: 'literal', value });
  };
  // The marks of direction around a symbol are no part of it.
  const symbol = (type, value) => {
    const [, before, bare, after] = /^([\u200e\u200f\u061c]*)(.*?)([\u200e\u200f\u061c]*)$/su.exec(value);
    if (before) literal(before);
    parts.push({ type, value: bare });
    if (after) literal(after);
  };
  for (const character of unquoted(text)) {
    if (character === '-') symbol('minusSign', symbols.minusSign);
    else if (character === '+') symbol('plusSign', symbols.plusSign);
    else if (character === '%') symbol(percent, symbols.percentSign);
    else if (character === '¤') parts.push({ type: 'currency', value: money });
    else literal(character);
  }
  return parts;
}

function currencyText({ data, currency, currencyDisplay }) {
  const names = dataOf(data, 'currencies')[currency];
  if (currencyDisplay === 'code') return currency;
  if (currencyDisplay === 'narrowSymbol' && names?.n) return names.n;
  return names?.s ?? currency;
}

function moneyAffixes(slots, numbers, notation, sign, plural) {
  const money = currencyText(slots);
  const { isSpecial } = notation;
  const pattern = notation.patterns ? compactPattern(notation, plural(false)) : numbers.currency[slots.currencySign];
  const [start, end] = around(withSign(pattern, sign));
  const parts = notation.patterns ? compactAffix : affix;
  const before = parts(start, numbers, 'literal', money);
  const after = parts(end, numbers, 'literal', money);
  if (!isSpecial) spaced(numbers, before, after);
  return { before, after };
}

/** The parts of a pattern in which a power of ten is named. */
function compactAffix(text, numbers, percent, money) {
  return affix(text, numbers, percent, money).flatMap((part) =>
    part.type === 'literal' ? compactParts(part.value) : [part],
  );
}

/** Separates a currency of letters from the digits that it would touch. */
function spaced({ spacing }, before, after) {
  const isBound = (character) => /[^\p{S}\p{Z}]/u.test(character);
  if (before.at(-1)?.type === 'currency' && isBound([...before.at(-1).value].at(-1))) {
    before.push({ type: 'literal', value: spacing.after });
  }
  if (after[0]?.type === 'currency' && isBound([...after[0].value][0])) {
    after.unshift({ type: 'literal', value: spacing.before });
  }
}

/** Adds a unit, or the name of a currency. */
function wrapped(slots, { before, after, hidesNumber }, plural) {
  if (slots.style === 'unit') return unitAround(slots, slots.unit, before, after, hidesNumber, plural(true));
  if (slots.style === 'percent' && slots.notation === 'compact') {
    return unitAround({ ...slots, unitDisplay: 'short' }, 'percent', before, after, hidesNumber, plural(true));
  }
  if (slots.style === 'currency') {
    const numbers = numbersOf(slots.data, slots.system);
    const names = dataOf(slots.data, 'currencies')[slots.currency];
    const form = plural(true);
    const pattern = numbers.currency[`unitPattern-count-${form}`] ?? numbers.currency['unitPattern-count-other'];
    const name = names?.[form] ?? names?.other ?? names?.d ?? slots.currency;
    const [start, end] = pattern.split('{0}').map((text) => named(text, '{1}', 'currency', name));
    return { before: [...start, ...before], after: [...after, ...end], hidesNumber };
  }
  return { before, after, hidesNumber };
}

function named(text, place, type, name) {
  const parts = [];
  const at = text.indexOf(place);
  if (at < 0) return text ? [{ type: 'literal', value: text }] : [];
  if (at > 0) parts.push({ type: 'literal', value: text.slice(0, at) });
  parts.push({ type, value: name });
  if (at + place.length < text.length) parts.push({ type: 'literal', value: text.slice(at + place.length) });
  return parts;
}

function unitAround({ data, unitDisplay }, unit, before, after, hidesNumber, form) {
  const pattern = unitPattern(dataOf(data, 'units')[unitDisplay], unit, form);
  const at = pattern.indexOf('{0}');
  // In some languages the form for one or two of it says how many there are.
  if (at < 0) return { before: unitParts(pattern, 'unit'), after: [], hidesNumber: true };
  const [start, end] = [pattern.slice(0, at), pattern.slice(at + 3)];
  return {
    before: [...unitParts(start, 'unit'), ...before],
    after: [...after, ...unitParts(end, 'unit')],
    hidesNumber,
  };
}

function unitParts(text, type) {
  const [, before, name, after] = /^(\s*)(.*?)(\s*)$/su.exec(text);
  const parts = [];
  if (before) parts.push({ type: 'literal', value: before });
  if (name) parts.push({ type, value: name });
  if (after) parts.push({ type: 'literal', value: after });
  return parts;
}

function unitPattern(units, unit, form) {
  const own = units[unit];
  if (own) return own[form] ?? own.other;
  const [first, second] = unit.split('-per-');
  const pattern = units[first][form] ?? units[first].other;
  if (units[second].per) return units[second].per.replace('{0}', pattern);
  const divisor = (units[second].one ?? units[second].other).replace('{0}', '').trim();
  return units.per.replace('{0}', pattern).replace('{1}', divisor);
}

/** The parts of a range, each with its `source`. What both ends have in common stands once. */
export function rangeParts(slots, from, to) {
  const numbers = numbersOf(slots.data, slots.system);
  const [start, end] = [pieces(slots, from), pieces(slots, to)];
  const of = (parts, source) => parts.map(({ type, value }) => ({ type, value, source }));
  const all = ({ before, number, after }) => [...before, ...number, ...after];
  if (textOf(all(start)) === textOf(all(end))) {
    return [
      { type: 'approximatelySign', value: numbers.symbols.approximatelySign, source: 'shared' },
      ...of(all(start), 'shared'),
    ];
  }
  const aroundOf = ({ before, after }) => `${textOf(before)}{0}${textOf(after)}`;
  // A single sign is repeated.
  const collapses = aroundOf(start) === aroundOf(end) && [...aroundOf(start)].length > 4;
  const isBare = ({ before, after }) => before.length === 0 && after.length === 0;
  let separator = numbers.range.replace('{0}', '').replace('{1}', '');
  if (!(collapses || (isBare(start) && isBare(end))) && !/^\s/u.test(separator)) separator = ` ${separator} `;
  const middle = { type: 'literal', value: separator, source: 'shared' };
  if (!collapses) return [...of(all(start), 'startRange'), middle, ...of(all(end), 'endRange')];
  return [
    ...of(start.before, 'shared'),
    ...of(start.number, 'startRange'),
    middle,
    ...of(end.number, 'endRange'),
    ...of(end.after, 'shared'),
  ];
}
