// The global object Intl. What it has is evaluated when it is first used.

import { canonicalList, dataOf, shared } from 'hyperlight:intl/locales';
import { allZones } from 'hyperlight:intl/time_zones';
import { UNITS } from 'hyperlight:intl/units';
import { importNow } from 'hyperlight:native';

const MODULES = {
  DateTimeFormat: 'date_format',
  NumberFormat: 'number_format',
  Collator: 'collator',
  PluralRules: 'plurals',
  RelativeTimeFormat: 'relative_time',
  ListFormat: 'lists',
  Locale: 'locale',
  DisplayNames: 'display_names',
  Segmenter: 'segmenter',
};

/** What there is of each kind. */
const VALUES = {
  calendar: () => ['gregory', 'iso8601'],
  collation: () => ['compat', 'emoji', 'eor', 'phonebk', 'pinyin', 'stroke', 'trad', 'unihan', 'zhuyin'],
  currency: () => Object.keys(dataOf('en', 'currencies')).sort(),
  numberingSystem: () => Object.keys(shared().digits).sort(),
  timeZone: allZones,
  unit: () => [...UNITS].sort(),
};

const object = {};

export { object as Intl };

function define(name, value) {
  Object.defineProperty(object, name, { value, configurable: true, enumerable: false, writable: true });
  return value;
}

const methods = {
  getCanonicalLocales(locales) {
    return canonicalList(locales);
  },
  supportedValuesOf(key) {
    const name = `${key}`;
    if (!Object.hasOwn(VALUES, name)) throw new RangeError(`Invalid key : ${name}`);
    return VALUES[name]();
  },
};
for (const name of Object.keys(methods)) define(name, methods[name]);
for (const [name, module] of Object.entries(MODULES)) {
  Object.defineProperty(object, name, {
    get: () => define(name, importNow(`hyperlight:intl/${module}`)[name]),
    set: (value) => {
      define(name, value);
    },
    configurable: true,
    enumerable: false,
  });
}
Object.defineProperty(object, Symbol.toStringTag, { value: 'Intl', configurable: true });
