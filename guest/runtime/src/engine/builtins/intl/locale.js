// Intl.Locale.

import { canonical, intlClass, keywords, localeTexts, slotsOf } from 'hyperlight:intl/locales';
import { coerced, flag, keyword, text } from 'hyperlight:intl/options';
import { importNow } from 'hyperlight:native';
import { maximized, minimized } from 'hyperlight:native/intl';

/** Days of the week by their numbers: the last one is the first as well. */
const DAYS = { __proto__: null, 0: 'sun', 1: 'mon', 2: 'tue', 3: 'wed', 4: 'thu', 5: 'fri', 6: 'sat', 7: 'sun' };
/** One variant or several. */
const VARIANTS = /^(?:[0-9a-z]{5,8}|\d[0-9a-z]{3})(?:-(?:[0-9a-z]{5,8}|\d[0-9a-z]{3}))*$/i;
const KEYS = {
  calendar: 'ca',
  collation: 'co',
  firstDayOfWeek: 'fw',
  hourCycle: 'hc',
  caseFirst: 'kf',
  numeric: 'kn',
  numberingSystem: 'nu',
};

export class Locale {
  constructor(tag, options) {
    if (typeof tag !== 'string' && (typeof tag !== 'object' || tag === null)) {
      throw new TypeError("First argument to Intl.Locale constructor can't be empty or missing");
    }
    const given = coerced(options);
    const source = localeTexts.get(tag) ?? `${tag}`;
    let name = canonical(source);
    const part = (option, pattern) => {
      const value = text(given, option, undefined, undefined);
      if (value !== undefined && !pattern.test(value))
        throw new RangeError(`The option ${option} cannot be "${value}"`);
      return value;
    };
    const language = part('language', /^(?:[a-z]{2,3}|[a-z]{5,8})$/i);
    const script = part('script', /^[a-z]{4}$/i);
    const region = part('region', /^(?:[a-z]{2}|\d{3})$/i);
    const variants = part('variants', VARIANTS)?.toLowerCase();
    if (variants !== undefined && new Set(variants.split('-')).size !== variants.split('-').length) {
      throw new RangeError(`The option variants has one twice: "${variants}"`);
    }
    const old = divided(name);
    name = canonical(
      [language ?? old.language, script ?? old.script, region ?? old.region, variants ?? old.variants, old.extensions]
        .filter(Boolean)
        .join('-'),
    );
    const changes = {
      ca: keyword(given, 'calendar'),
      co: keyword(given, 'collation'),
      fw: keyword(given, 'firstDayOfWeek', (day) => DAYS[day] ?? day),
      hc: text(given, 'hourCycle', ['h11', 'h12', 'h23', 'h24'], undefined),
      kf: text(given, 'caseFirst', ['upper', 'lower', 'false'], undefined),
      kn: flag(given, 'numeric', undefined)?.toString(),
      nu: keyword(given, 'numberingSystem'),
    };
    localeTexts.set(this, withKeywords(name, changes));
  }

  maximize() {
    return new Locale(maximized(nameOf(this)));
  }

  minimize() {
    return new Locale(minimized(nameOf(this)));
  }

  toString() {
    return nameOf(this);
  }

  getCalendars() {
    return usual(this, 'calendars', 'ca');
  }

  getCollations() {
    return usual(this, 'collations', 'co');
  }

  getHourCycles() {
    return usual(this, 'hourCycles', 'hc');
  }

  getNumberingSystems() {
    return usual(this, 'numberingSystems', 'nu');
  }

  getTextInfo() {
    return usual(this, 'textInfo');
  }

  getTimeZones() {
    return usual(this, 'timeZones');
  }

  getWeekInfo() {
    return usual(this, 'weekInfo');
  }

  get baseName() {
    return nameOf(this).replace(/-[0-9a-z]-.*$/, '');
  }

  get calendar() {
    return keywords(nameOf(this)).ca;
  }

  get caseFirst() {
    const value = keywords(nameOf(this)).kf;
    return value === '' ? 'true' : value;
  }

  get collation() {
    return keywords(nameOf(this)).co;
  }

  get firstDayOfWeek() {
    return keywords(nameOf(this)).fw;
  }

  get hourCycle() {
    return keywords(nameOf(this)).hc;
  }

  get language() {
    return divided(nameOf(this)).language;
  }

  get numberingSystem() {
    return keywords(nameOf(this)).nu;
  }

  get numeric() {
    const value = keywords(nameOf(this)).kn;
    return value === '' || value === 'true';
  }

  get region() {
    return divided(nameOf(this)).region;
  }

  get script() {
    return divided(nameOf(this)).script;
  }

  get variants() {
    return divided(nameOf(this)).variants;
  }
}
intlClass(Locale, 1);

function nameOf(locale) {
  return slotsOf(localeTexts, locale, 'Intl.Locale.prototype');
}

/** What a locale itself says with a keyword, or else what is usual there. */
function usual(locale, what, key) {
  const name = nameOf(locale);
  const own = key && keywords(name)[key];
  return own ? [own] : importNow('hyperlight:intl/regions')[what](name);
}

function divided(name) {
  const [, language, script, region, variants, extensions] =
    /^([a-z]+)(?:-([A-Z][a-z]{3})(?![0-9a-z]))?(?:-([A-Z]{2}|\d{3})(?![0-9A-Za-z]))?(?:-([0-9a-z]{4,8}(?:-[0-9a-z]{4,8})*))?(?:-(.*))?$/.exec(
      name,
    );
  return { language, script, region, variants, extensions };
}

function withKeywords(name, changes) {
  if (Object.values(changes).every((value) => value === undefined)) return name;
  const [, outer, after = ''] = /^(.*?)(-x-.*)?$/.exec(name);
  const own = /-u(?:-[0-9a-z]{2,8})+/.exec(outer)?.[0] ?? '';
  const before = outer.replace(own, '');
  const all = { ...keywords(own) };
  for (const key of Object.values(KEYS)) if (changes[key] !== undefined) all[key] = changes[key];
  const attributes = /^-u((?:-[0-9a-z]{3,8})*)/.exec(own)?.[1] ?? '';
  const list = Object.keys(all)
    .sort()
    .map((key) => (all[key] && all[key] !== 'true' ? `${key}-${all[key]}` : key));
  return canonical(`${before}-u${attributes}-${list.join('-')}${after}`);
}
