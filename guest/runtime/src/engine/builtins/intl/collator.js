// Intl.Collator, and the methods of texts that depend on a locale.

import { callable, canonicalList, intlClass, kindsOfOrder, resolve, slotsOf, supported } from 'hyperlight:intl/locales';
import { coerced, flag, keyword, matcher, text } from 'hyperlight:intl/options';
import { compareTexts, ignoresPunctuation, lowerCase, newOrder, upperCase } from 'hyperlight:native/intl';

const objects = new WeakMap();
/** Languages whose order for searching is another one, which is not there. */
const OTHER_SEARCH = ['de', 'es', 'ko'];

function settings(locales, options) {
  const list = canonicalList(locales);
  const given = coerced(options);
  const usage = text(given, 'usage', ['sort', 'search'], 'sort');
  matcher(given);
  const collation = keyword(given, 'collation');
  const numeric = flag(given, 'numeric', undefined);
  const caseFirst = text(given, 'caseFirst', ['upper', 'lower', 'false'], undefined);
  const kinds = (data) => ['default', ...kindsOfOrder(data.split('-')[0]), 'emoji', 'eor'];
  const { locale, data, values } = resolve(
    list,
    {
      co: usage === 'sort' ? kinds : () => ['default'],
      kn: () => ['false', 'true'],
      kf: () => ['false', 'lower', 'upper'],
    },
    { co: collation, kn: numeric === undefined ? undefined : `${numeric}`, kf: caseFirst },
  );
  const sensitivity = text(given, 'sensitivity', ['base', 'accent', 'case', 'variant'], 'variant');
  const ignores = flag(given, 'ignorePunctuation', undefined);
  const language = data.split('-')[0];
  if (usage === 'search' && OTHER_SEARCH.includes(language)) {
    throw new RangeError(
      `The option usage cannot be "search" in the language ${language}: its order for searching is not there`,
    );
  }
  const key = `${data}/${values.co}/${values.kn}/${values.kf}/${sensitivity}/${ignores}`;
  if (!orders.has(key)) {
    let tag = `${data}-u`;
    if (values.co !== 'default') tag += `-co-${values.co}`;
    if (values.kf !== 'false') tag += `-kf-${values.kf}`;
    if (values.kn === 'true') tag += '-kn';
    orders.set(key, newOrder(tag === `${data}-u` ? data : tag, sensitivity, ignores));
  }
  const order = orders.get(key);
  return { locale, usage, sensitivity, ignores: ignores ?? ignoresPunctuation(order), ...values, order };
}

const orders = new Map();

class Collator {
  #compare;

  constructor(locales, options) {
    objects.set(this, settings(locales, options));
  }

  get compare() {
    const { order } = slotsOf(objects, this, 'get Intl.Collator.prototype.compare');
    this.#compare ??= { '': (left, right) => compareTexts(order, `${left}`, `${right}`) }[''];
    return this.#compare;
  }

  resolvedOptions() {
    const slots = slotsOf(objects, this, 'Intl.Collator.prototype.resolvedOptions');
    return {
      locale: slots.locale,
      usage: slots.usage,
      sensitivity: slots.sensitivity,
      ignorePunctuation: slots.ignores,
      collation: slots.co,
      numeric: slots.kn === 'true',
      caseFirst: slots.kf,
    };
  }

  static supportedLocalesOf(locales, options = undefined) {
    return supported(locales, options);
  }
}
intlClass(Collator);
const Callable = callable(Collator);

export { Callable as Collator };

let usual;

/** How two texts compare, as `localeCompare` has it. */
export function compared(locales, options, left, right) {
  if (locales === undefined && options === undefined) {
    usual ??= settings(undefined, undefined);
    return compareTexts(usual.order, left, right);
  }
  return compareTexts(settings(locales, options).order, left, right);
}

/** Languages whose letters change case in a way of their own. Others have what all have, as in other engines. */
const OWN_CASES = ['az', 'el', 'lt', 'tr'];

function languageOf(locales) {
  const [tag = 'und'] = canonicalList(locales);
  const [language] = tag.split('-');
  return OWN_CASES.includes(language) ? language : 'und';
}

export function upper(locales, given) {
  return upperCase(given, languageOf(locales));
}

export function lower(locales, given) {
  return lowerCase(given, languageOf(locales));
}
