// Intl.ListFormat.

import { dataOf, intlClass, resolve, slotsOf, supported } from 'hyperlight:intl/locales';
import { matcher, objectOrNone, text } from 'hyperlight:intl/options';

const objects = new WeakMap();
const KINDS = { conjunction: 'standard', disjunction: 'or', unit: 'unit' };

export class ListFormat {
  constructor(locales, options) {
    const given = objectOrNone(options);
    matcher(given);
    const type = text(given, 'type', ['conjunction', 'disjunction', 'unit'], 'conjunction');
    const style = text(given, 'style', ['long', 'short', 'narrow'], 'long');
    const { locale, data } = resolve(locales, {});
    objects.set(this, { locale, data, type, style });
  }

  format(list) {
    let result = '';
    for (const { value } of partsOf(slotsOf(objects, this, 'Intl.ListFormat.prototype.format'), list)) result += value;
    return result;
  }

  formatToParts(list) {
    return partsOf(slotsOf(objects, this, 'Intl.ListFormat.prototype.formatToParts'), list);
  }

  resolvedOptions() {
    const { locale, type, style } = slotsOf(objects, this, 'Intl.ListFormat.prototype.resolvedOptions');
    return { locale, type, style };
  }

  static supportedLocalesOf(locales, options = undefined) {
    return supported(locales, options);
  }
}
intlClass(ListFormat);

function partsOf({ data, type, style }, list) {
  const texts = [];
  if (list !== undefined) {
    for (const text of list) {
      if (typeof text !== 'string') throw new TypeError('Iterable yielded a non-String value');
      texts.push(text);
    }
  }
  const kind = KINDS[type] + (style === 'long' ? '' : `-${style}`);
  const patterns = dataOf(data, 'lists')[kind];
  const [first, second] = texts;
  const language = data.split('-')[0];
  if (texts.length === 0) return [];
  if (texts.length === 1) return [element(first)];
  if (texts.length === 2) return joined(adapted(language, patterns['2'], second), [element(first)], [element(second)]);
  // From the end on, as the patterns are nested.
  const parts = [];
  const separators = [patterns.start, ...Array(Math.max(0, texts.length - 3)).fill(patterns.middle)];
  for (let i = 0; i < separators.length; i++) {
    const [before, middle] = around(separators[i]);
    if (before) parts.push({ type: 'literal', value: before });
    parts.push(element(texts[i]));
    if (middle) parts.push({ type: 'literal', value: middle });
  }
  const end = adapted(language, patterns.end, texts.at(-1));
  parts.push(...joined(end, [element(texts.at(-2))], [element(texts.at(-1))]));
  return parts;
}

function element(value) {
  return { type: 'element', value };
}

function around(pattern) {
  const [before, rest] = pattern.split('{0}');
  return [before, rest.split('{1}')[0]];
}

function joined(pattern, first, second) {
  const [, before, middle, after] = /^(.*)\{0\}(.*)\{1\}(.*)$/s.exec(pattern);
  const literal = (value) => (value ? [{ type: 'literal', value }] : []);
  return [...literal(before), ...first, ...literal(middle), ...second, ...literal(after)];
}

/** In Spanish, the word for "and" and that for "or" depend on the sound that follows. */
function adapted(language, pattern, next) {
  if (language !== 'es') return pattern;
  if (pattern.includes(' y ') && /^(?:i|í|hi(?![aeou])|hí)/iu.test(next)) return pattern.replace(' y ', ' e ');
  if (pattern.includes(' o ') && /^(?:o|ó|ho|hó|8|11(?:\D|\d{3}(?!\d)|$))/iu.test(next))
    return pattern.replace(' o ', ' u ');
  return pattern;
}
