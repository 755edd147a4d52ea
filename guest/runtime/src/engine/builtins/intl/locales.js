// Which locales there are, what is known of them, and which of them a program gets that asks for some.

import { coerced, keyword, matcher } from 'hyperlight:intl/options';
import { canonicalLocale, localeData, maximized } from 'hyperlight:native/intl';

const { parse } = JSON;
/** What could be a tag: no locale needs a longer one. */
const TAG = /^[0-9a-z-]{2,1000}$/i;
export const DEFAULT = 'en-US';
/** Of Chinese, a region stands for a script. */
const CHINESE = { CN: 'zh', HK: 'zh-Hant-HK', MO: 'zh-Hant-MO', SG: 'zh-Hans-SG', TW: 'zh-Hant' };

const KINDS_OF_ORDER = {
  ar: ['compat'],
  de: ['phonebk'],
  es: ['trad'],
  ja: ['unihan'],
  ko: ['unihan'],
  zh: ['pinyin', 'stroke', 'unihan', 'zhuyin'],
};

let core;
let available;
const pieces = new Map();

/** What is not of one locale. */
export function shared() {
  core ??= parse(localeData('core'));
  return core;
}

/** What is known of a locale in one respect. Its regions are told by what they change. */
export function dataOf(locale, section) {
  const key = `${locale}/${section}`;
  if (!pieces.has(key)) {
    const parent = shared().parents[locale];
    const text = localeData(key);
    const data = text === undefined ? undefined : parse(text);
    pieces.set(key, parent ? changed(dataOf(parent, section), data) : data);
  }
  return pieces.get(key);
}

function changed(from, change) {
  if (change === undefined) return from;
  if (!isPlain(from) || !isPlain(change)) return change;
  const result = { ...from };
  for (const key of Object.keys(change)) {
    if (change[key] === null) delete result[key];
    else result[key] = changed(from[key], change[key]);
  }
  return result;
}

function isPlain(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function canonicalList(locales) {
  if (locales === undefined) return [];
  if (locales === null) throw new TypeError('Cannot convert null to object');
  const tags = typeof locales === 'string' || isLocale(locales) ? [locales] : Object(locales);
  const seen = new Set();
  const length = Math.min(Math.max(Math.trunc(+tags.length) || 0, 0), Number.MAX_SAFE_INTEGER);
  for (let i = 0; i < length; i++) {
    if (!(i in tags)) continue;
    const tag = tags[i];
    if (typeof tag !== 'string' && (typeof tag !== 'object' || tag === null)) {
      throw new TypeError('A locale must be a string or an object');
    }
    seen.add(canonical(isLocale(tag) ? localeTexts.get(tag) : `${tag}`));
  }
  return [...seen];
}

/** The tags of objects of `Intl.Locale`. */
export const localeTexts = new WeakMap();

function isLocale(value) {
  return typeof value === 'object' && value !== null && localeTexts.has(value);
}

export function canonical(tag) {
  const result = TAG.test(tag) ? canonicalLocale(tag) : undefined;
  if (result === undefined) throw new RangeError(`Incorrect locale information provided: ${tag.slice(0, 100)}`);
  return result;
}

function locales() {
  if (!available) {
    const { parents, defaults } = shared();
    available = new Set([
      ...Object.keys(parents),
      ...defaults,
      ...Object.keys(CHINESE).map((region) => `zh-${region}`),
    ]);
  }
  return available;
}

function withoutExtensions(tag) {
  return tag.replace(/-[0-9a-wy-z](?:-[0-9a-z]{2,8})+/gi, '').replace(/-x-.*$/, '');
}

function bestAvailable(tag) {
  const parts = tag.split('-');
  while (parts.length > 0) {
    const candidate = parts.join('-');
    if (locales().has(candidate)) return candidate;
    parts.pop();
  }
  return undefined;
}

export function supported(requested, options) {
  const list = canonicalList(requested);
  matcher(coerced(options));
  return list.filter((tag) => bestAvailable(withoutExtensions(tag)) !== undefined);
}

/** The locale whose data is used for an available one. */
export function dataLocale(locale) {
  const { parents } = shared();
  const [language, second] = locale.split('-');
  if (language === 'zh' && Object.hasOwn(CHINESE, second ?? '')) return CHINESE[second];
  const parts = locale.split('-');
  while (parts.length > 1 && !(parts.join('-') in parents)) parts.pop();
  return parts.join('-');
}

export function regionOf(locale) {
  return /-([A-Z]{2}|\d{3})(?=-|$)/.exec(maximized(locale) ?? locale)?.[1] ?? '001';
}

/** The cycle of hours that is preferred where a language is spoken. */
export function cycleIn(language, region) {
  const { hours } = shared();
  const of = hours[`${language}-${region}`] ?? hours[region] ?? hours['001'];
  return { H: 'h23', h: 'h12', K: 'h11', k: 'h24' }[of[0]];
}

/** The kinds of order that a language has besides those of all. */
export function kindsOfOrder(language) {
  return KINDS_OF_ORDER[language] ?? [];
}

/** The keywords of the extension `u`. */
export function keywords(tag) {
  const result = { __proto__: null };
  const extension = /(?:^|-)u((?:-[0-9a-z]{2,8})+)/i.exec(tag.replace(/-x-.*$/, ''))?.[1];
  if (!extension) return result;
  let key;
  let isFirst = false;
  for (const part of extension.slice(1).split('-')) {
    if (part.length === 2) {
      key = part;
      isFirst = !(key in result);
      if (isFirst) result[key] = '';
    } else if (key && isFirst) result[key] += result[key] ? `-${part}` : part;
  }
  return result;
}

/**
 * The locale that is used. `keys` names keywords, each with the types that it can have in a locale, the first of which is the
 * default; `given` has what the options say.
 */
export function resolve(requested, keys, given = {}) {
  let found;
  let tag = DEFAULT;
  for (const candidate of canonicalList(requested)) {
    found = bestAvailable(withoutExtensions(candidate));
    if (found) {
      tag = candidate;
      break;
    }
  }
  found ??= DEFAULT;
  const base = dataLocale(found);
  const result = { locale: found, data: base, values: { __proto__: null } };
  const asked = keywords(tag);
  const kept = [];
  for (const key of Object.keys(keys)) {
    const allowed = keys[key](base, found);
    let value = allowed[0];
    let own;
    if (key in asked) {
      const type = asked[key] || 'true';
      if (allowed.includes(type)) {
        value = type;
        own = type === 'true' ? key : `${key}-${type}`;
      }
    }
    if (given[key] !== undefined && allowed.includes(given[key]) && given[key] !== value) {
      value = given[key];
      own = undefined;
    }
    result.values[key] = value;
    if (own) kept.push(own);
  }
  if (kept.length > 0) result.locale += `-u-${kept.sort().join('-')}`;
  return result;
}

/** The numbering systems that a locale can have. */
export function numberingSystems(base) {
  return [dataOf(base, 'numbers').system, ...Object.keys(shared().digits)];
}

export function digitsOf(system) {
  return [...shared().digits[system]];
}

/** What is known of numbers in a numbering system: that of another one, with other digits, if nothing is. */
export function numbersOf(base, system) {
  const data = dataOf(base, 'numbers');
  if (data[system]) return data[system];
  if (system !== 'arab') return data.latn;
  const { decimal, group, percentSign, plusSign, minusSign, exponential } = dataOf('ar', 'numbers').arab.symbols;
  const symbols = { ...data.latn.symbols, decimal, group, percentSign, plusSign, minusSign, exponential, nan: 'NaN' };
  return { ...data.latn, symbols };
}

/** What the option `numberingSystem` says. */
export function numberingSystemOf(options) {
  const system = keyword(options, 'numberingSystem');
  if (system !== undefined && !(system in shared().digits) && ALGORITHMIC.test(system)) {
    throw new RangeError(`The numbering system ${system} is not supported`);
  }
  return system;
}

/** Numbering systems that are no digits. */
const ALGORITHMIC =
  /^(?:armn|armnlow|cyrl|ethi|geor|grek|greklow|hans|hansfin|hant|hantfin|hebr|jpan|jpanfin|jpanyear|roman|romanlow|taml)$/;

/** The value that a class keeps of an object. */
export function slotsOf(map, object, name) {
  const slots = typeof object === 'object' && object !== null ? map.get(object) : undefined;
  if (!slots) throw new TypeError(`Method ${name} called on incompatible receiver`);
  return slots;
}

/** Defines what all constructors of Intl have. */
export function intlClass(Class, length = 0) {
  Object.defineProperty(Class, 'length', { value: length });
  Object.defineProperty(Class, 'prototype', { writable: false });
  Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: `Intl.${Class.name}`, configurable: true });
}

/** A constructor that can also be called, as the older ones of Intl can. */
export function callable(Class) {
  const { name } = Class;
  const Callable = {
    [name]: function (locales, options) {
      return Reflect.construct(Class, [locales, options], new.target ?? Callable);
    },
  }[name];
  Object.defineProperty(Callable, 'length', { value: 0 });
  Object.defineProperty(Callable, 'prototype', { value: Class.prototype, writable: false });
  Object.defineProperty(Callable, 'supportedLocalesOf', Object.getOwnPropertyDescriptor(Class, 'supportedLocalesOf'));
  Object.defineProperty(Class.prototype, 'constructor', { value: Callable });
  return Callable;
}
