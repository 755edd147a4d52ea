// Makes guest/intl/data/locales.bin: what Intl in the guest knows of its locales, of the JSON that Unicode publishes of the
// Common Locale Data Repository as packages of npm. The same versions make the same bytes.
//
//   node scripts/intl/generate.mjs
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';

const VERSION = '48.1.0';
const LANGUAGES = ['ar', 'de', 'en', 'es', 'fr', 'hi', 'it', 'ja', 'ko', 'pt', 'ru', 'zh'];
/** Of which the data has next to nothing. */
const SCRIPTS_LEFT_OUT = /-(?:Dsrt|Shaw)\b|^zh-Latn\b/;
const WIDTHS = ['long', 'short', 'narrow'];
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CACHE = join(ROOT, 'target', 'cldr', VERSION);
const OUTPUT = join(ROOT, 'guest', 'intl', 'data', 'locales.bin');
/** Not all packages were published in each version. */
const PACKAGES = {
  core: VERSION,
  bcp47: '48.2.0',
  'dates-full': VERSION,
  'localenames-full': VERSION,
  'misc-full': VERSION,
  'numbers-full': VERSION,
  'units-full': '48.0.0',
};
/** The units that ECMA-402 allows, and what they are called in the data. */
const UNITS = {
  acre: 'area-acre',
  bit: 'digital-bit',
  byte: 'digital-byte',
  celsius: 'temperature-celsius',
  centimeter: 'length-centimeter',
  day: 'duration-day',
  degree: 'angle-degree',
  fahrenheit: 'temperature-fahrenheit',
  'fluid-ounce': 'volume-fluid-ounce',
  foot: 'length-foot',
  gallon: 'volume-gallon',
  gigabit: 'digital-gigabit',
  gigabyte: 'digital-gigabyte',
  gram: 'mass-gram',
  hectare: 'area-hectare',
  hour: 'duration-hour',
  inch: 'length-inch',
  kilobit: 'digital-kilobit',
  kilobyte: 'digital-kilobyte',
  kilogram: 'mass-kilogram',
  kilometer: 'length-kilometer',
  liter: 'volume-liter',
  megabit: 'digital-megabit',
  megabyte: 'digital-megabyte',
  meter: 'length-meter',
  microsecond: 'duration-microsecond',
  mile: 'length-mile',
  'mile-scandinavian': 'length-mile-scandinavian',
  milliliter: 'volume-milliliter',
  millimeter: 'length-millimeter',
  millisecond: 'duration-millisecond',
  minute: 'duration-minute',
  month: 'duration-month',
  nanosecond: 'duration-nanosecond',
  ounce: 'mass-ounce',
  percent: 'concentr-percent',
  petabyte: 'digital-petabyte',
  pound: 'mass-pound',
  second: 'duration-second',
  stone: 'mass-stone',
  terabit: 'digital-terabit',
  terabyte: 'digital-terabyte',
  week: 'duration-week',
  yard: 'length-yard',
  year: 'duration-year',
};
/** Compounds that the data has a pattern of its own for. */
const COMPOUNDS = {
  'kilometer-per-hour': 'speed-kilometer-per-hour',
  'meter-per-second': 'speed-meter-per-second',
  'mile-per-gallon': 'consumption-mile-per-gallon',
  'mile-per-hour': 'speed-mile-per-hour',
  'liter-per-kilometer': 'consumption-liter-per-kilometer',
};
/** Calendars that locales have other names for. */
const CALENDARS = { gregorian: 'gregory', 'ethiopic-amete-alem': 'ethioaa' };
const FIELDS = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'];

fetchPackages();
const supplemental = (name) => read('core', 'supplemental', name).supplemental;
const chunks = new Map();
const parents = supplemental('parentLocales').parentLocales.parentLocale;
const files = readdirSync(join(CACHE, 'cldr-numbers-full', 'main'))
  .filter(isOurs)
  .sort();
for (const section of [numbers, currencies, units, dates, zones, lists, relative, names]) {
  const made = new Map(files.map((locale) => [locale, section(locale)]));
  for (const locale of files) {
    const parent = parentOf(locale);
    const data = parent ? difference(made.get(parent), made.get(locale)) : made.get(locale);
    if (data !== undefined) chunks.set(`${locale}/${section.name}`, JSON.stringify(data));
  }
}
chunks.set('core', JSON.stringify(core()));
chunks.set('timezones', JSON.stringify(timezones()));
chunks.set('regions', JSON.stringify(regions()));
write();

function isOurs(locale) {
  return LANGUAGES.includes(locale.split('-')[0]) && !SCRIPTS_LEFT_OUT.test(locale);
}

/** The locale whose data one changes. */
function parentOf(locale) {
  let parent = parents[locale] ?? locale.split('-').slice(0, -1).join('-');
  while (parent && !files.includes(parent)) parent = parents[parent] ?? parent.split('-').slice(0, -1).join('-');
  return parent === 'root' || parent === 'und' ? '' : parent;
}

/** What makes `to` of `from`: `null` for what is not there. */
function difference(from, to) {
  if (JSON.stringify(from) === JSON.stringify(to)) return undefined;
  if (!isObject(from) || !isObject(to)) return to;
  const result = {};
  for (const key of Object.keys(from)) if (!(key in to)) result[key] = null;
  for (const key of Object.keys(to)) {
    const changed = key in from ? difference(from[key], to[key]) : to[key];
    if (changed !== undefined) result[key] = changed;
  }
  return Object.keys(result).length === 0 ? undefined : result;
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function main(group, locale, file) {
  return read(group, 'main', locale, file).main[locale];
}

function numbers(locale) {
  const all = main('numbers-full', locale, 'numbers').numbers;
  const systems = [...new Set(['latn', all.defaultNumberingSystem, all.otherNumberingSystems.native])];
  const result = { system: all.defaultNumberingSystem, native: all.otherNumberingSystems.native };
  result.grouping = Number(all.minimumGroupingDigits);
  for (const system of systems) {
    const of = (kind) => all[`${kind}-numberSystem-${system}`];
    const symbols = of('symbols');
    const decimal = of('decimalFormats');
    const currency = of('currencyFormats');
    if (!symbols || !decimal || !currency) continue;
    const { currencySpacing: spacing, short } = currency;
    const plain = (all) => Object.fromEntries(Object.entries(all ?? {}).filter(([key]) => !key.includes('alpha')));
    const patterns = { standard: currency.standard, accounting: currency.accounting };
    for (const key of Object.keys(currency)) if (key.startsWith('unitPattern')) patterns[key] = currency[key];
    result[system] = {
      symbols,
      decimal: decimal.standard,
      long: decimal.long.decimalFormat,
      short: decimal.short.decimalFormat,
      percent: of('percentFormats').standard,
      currency: patterns,
      compactCurrency: short && plain(short.standard),
      spacing: { before: spacing.beforeCurrency.insertBetween, after: spacing.afterCurrency.insertBetween },
      range: of('miscPatterns').range,
      approximately: of('miscPatterns').approximately,
    };
  }
  return result;
}

function currencies(locale) {
  const result = {};
  for (const [code, of] of Object.entries(main('numbers-full', locale, 'currencies').numbers.currencies)) {
    const entry = {};
    if (of.symbol && of.symbol !== code) entry.s = of.symbol;
    if (of['symbol-alt-narrow']) entry.n = of['symbol-alt-narrow'];
    if (of.displayName) entry.d = of.displayName;
    for (const [key, value] of Object.entries(of)) {
      if (key.startsWith('displayName-count-')) entry[key.slice(18)] = value;
    }
    if (Object.keys(entry).length > 0) result[code] = entry;
  }
  return result;
}

function units(locale) {
  const all = main('units-full', locale, 'units').units;
  const result = {};
  for (const width of WIDTHS) {
    result[width] = { per: all[width].per.compoundUnitPattern };
    for (const [name, key] of Object.entries({ ...UNITS, ...COMPOUNDS })) {
      const of = all[width][key];
      if (!of) continue;
      const entry = {};
      for (const [form, value] of Object.entries(of)) {
        if (/^unitPattern-count-\w+$/.test(form)) entry[form.slice(18)] = value;
      }
      if (of.perUnitPattern) entry.per = of.perUnitPattern;
      result[width][name] = entry;
    }
  }
  return result;
}

function dates(locale) {
  const all = main('dates-full', locale, 'ca-gregorian').dates.calendars.gregorian;
  const { availableFormats, appendItems, intervalFormats, ...glue } = all.dateTimeFormats;
  const pick = ({ full, long, medium, short }) => ({ full, long, medium, short });
  const plain = (formats) => Object.fromEntries(Object.entries(formats).filter(([key]) => !key.includes('-')));
  return {
    months: all.months,
    days: { format: all.days.format, 'stand-alone': all.days['stand-alone'] },
    dayPeriods: all.dayPeriods,
    eras: all.eras,
    date: pick(all.dateFormats),
    time: pick(all.timeFormats),
    glue: pick(glue),
    atTime: pick(all['dateTimeFormats-atTime'].standard),
    available: plain(availableFormats),
    append: appendItems,
    intervals: Object.fromEntries(
      Object.entries(intervalFormats).map(([key, value]) => [key, typeof value === 'string' ? value : plain(value)]),
    ),
  };
}

function zones(locale) {
  const all = main('dates-full', locale, 'timeZoneNames').dates.timeZoneNames;
  const cities = {};
  const walk = (prefix, node) => {
    for (const [key, value] of Object.entries(node)) {
      const name = prefix ? `${prefix}/${key}` : key;
      if (value.exemplarCity !== undefined || value.long || value.short) {
        cities[name] = {};
        if (value.exemplarCity) cities[name].city = value.exemplarCity;
        if (value.long) cities[name].long = value.long;
        if (value.short) cities[name].short = value.short;
      } else walk(name, value);
    }
  };
  walk('', all.zone);
  return {
    hour: all.hourFormat,
    gmt: all.gmtFormat,
    region: all.regionFormat,
    daylight: all['regionFormat-type-daylight'],
    standard: all['regionFormat-type-standard'],
    fallback: all.fallbackFormat,
    cities,
    meta: all.metazone,
  };
}

function lists(locale) {
  const all = main('misc-full', locale, 'listPatterns').listPatterns;
  return Object.fromEntries(Object.entries(all).map(([key, value]) => [key.replace('listPattern-type-', ''), value]));
}

function relative(locale) {
  const all = main('dates-full', locale, 'dateFields').dates.fields;
  const result = {};
  for (const field of FIELDS) {
    for (const width of ['', '-short', '-narrow']) {
      const entry = {};
      for (const [key, value] of Object.entries(all[field + width])) {
        if (key.startsWith('relative-type-')) entry[key.slice(14)] = value;
        else if (key.startsWith('relativeTime-type-')) {
          entry[key.slice(18)] = Object.fromEntries(
            Object.entries(value).map(([count, text]) => [count.replace('relativeTimePattern-count-', ''), text]),
          );
        }
      }
      result[field + width] = entry;
    }
  }
  return result;
}

function names(locale) {
  const of = (file, key) => main('localenames-full', locale, file).localeDisplayNames[key];
  const patterns = of('localeDisplayNames', 'localeDisplayPattern');
  return {
    language: of('languages', 'languages'),
    region: of('territories', 'territories'),
    script: of('scripts', 'scripts'),
    pattern: patterns.localePattern,
    separator: patterns.localeSeparator,
  };
}

function core() {
  const defaults = read('core', 'defaultContent').defaultContent.filter(isOurs);
  const likely = supplemental('likelySubtags').likelySubtags;
  const ours = (all) => Object.fromEntries(LANGUAGES.map((language) => [language, rulesOf(all[language])]));
  const rulesOf = (rules) =>
    Object.fromEntries(
      Object.entries(rules)
        .map(([key, value]) => [key.replace('pluralRule-count-', ''), value.split('@')[0].trim()])
        .filter(([key]) => key !== 'other'),
    );
  const parentsOf = Object.fromEntries(files.map((locale) => [locale, parentOf(locale)]));
  const systems = supplemental('numberingSystems').numberingSystems;
  const { fractions } = supplemental('currencyData').currencyData;
  const hours = supplemental('timeData').timeData;
  const periods = supplemental('dayPeriods').dayPeriodRuleSet;
  const ranges = supplemental('pluralRanges')?.plurals ?? {};
  return {
    parents: parentsOf,
    defaults,
    likely: Object.fromEntries(Object.entries(likely).filter(([key]) => isOurs(key))),
    cardinal: {
      ...ours(supplemental('plurals')['plurals-type-cardinal']),
      'pt-PT': rulesOf(supplemental('plurals')['plurals-type-cardinal']['pt-PT']),
    },
    ordinal: ours(supplemental('ordinals')['plurals-type-ordinal']),
    ranges: Object.fromEntries(
      LANGUAGES.filter((language) => ranges[language]).map((language) => [language, ranges[language]]),
    ),
    digits: Object.fromEntries(
      Object.entries(systems)
        .filter(([, { _type }]) => _type === 'numeric')
        .map(([name, { _digits }]) => [name, _digits]),
    ),
    fractions: Object.fromEntries(
      Object.entries(fractions)
        .filter(([, { _digits }]) => _digits !== '2')
        .map(([code, { _digits }]) => [code, Number(_digits)]),
    ),
    hours: Object.fromEntries(
      Object.entries(hours).map(([key, of]) => [key.replace('_', '-'), `${of._preferred} ${of._allowed}`]),
    ),
    periods: Object.fromEntries(
      LANGUAGES.filter((language) => periods[language]).map((language) => [language, periods[language]]),
    ),
    calendars: Object.fromEntries(
      Object.entries(supplemental('calendarPreferenceData').calendarPreferenceData).map(([region, of]) => [
        region,
        String(of).split(/[ ,]/)[0],
      ]),
    ),
  };
}

function timezones() {
  const usage = supplemental('metaZones').metaZones.metazoneInfo.timezone;
  const meta = {};
  const walk = (prefix, node) => {
    if (Array.isArray(node)) {
      meta[prefix] = node.map(({ usesMetazone: { _mzone, _from, _to } }) => [_mzone, _from ?? '', _to ?? '']);
      return;
    }
    for (const [key, value] of Object.entries(node)) walk(prefix ? `${prefix}/${key}` : key, value);
  };
  walk('', usage);
  const aliases = {};
  const regions = {};
  for (const [key, of] of Object.entries(read('bcp47', 'bcp47', 'timezone').keyword.u.tz)) {
    if (key.startsWith('_') || !of._alias) continue;
    const [canonical, ...others] = of._alias.split(' ');
    for (const other of others) aliases[other] = canonical;
    if (!of._deprecated) regions[canonical] = of._region ?? key.slice(0, 2).toUpperCase();
  }
  return { meta, aliases, regions, primary: supplemental('primaryZones').primaryZones };
}

/** What is usual where a language is spoken, of all languages and regions. */
function regions() {
  const { firstDay, weekendStart, weekendEnd } = supplemental('weekData').weekData;
  const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
  const number = (of) => Object.fromEntries(Object.entries(of).map(([region, day]) => [region, days.indexOf(day) + 1]));
  const calendars = Object.entries(supplemental('calendarPreferenceData').calendarPreferenceData);
  const systems = {};
  const systemOf = (locale) => systems[locale] ?? (locale ? systemOf(locale.replace(/(?:^|-)[^-]*$/, '')) : 'latn');
  for (const locale of readdirSync(join(CACHE, 'cldr-numbers-full', 'main')).sort()) {
    const system = main('numbers-full', locale, 'numbers').numbers.defaultNumberingSystem;
    if (system !== systemOf(locale)) systems[locale] = system;
  }
  const scripts = Object.entries(read('core', 'scriptMetadata').scriptMetadata);
  return {
    firstDay: number(firstDay),
    weekend: { from: number(weekendStart), to: number(weekendEnd) },
    calendars: Object.fromEntries(
      calendars.map(([region, of]) => [
        region,
        String(of)
          .split(/[ ,]/)
          .map((name) => CALENDARS[name] ?? name)
          .join(' '),
      ]),
    ),
    systems,
    rightToLeft: scripts.filter(([, { rtl }]) => rtl === 'YES').map(([script]) => script),
  };
}

function write() {
  const index = [];
  const bodies = [];
  let at = 0;
  for (const [name, text] of [...chunks].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const body = deflateRawSync(text, { level: 9 });
    index.push(`${name} ${at} ${body.length} ${Buffer.byteLength(text)}\n`);
    bodies.push(body);
    at += body.length;
  }
  const head = Buffer.from(index.join(''));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(head.length);
  mkdirSync(join(OUTPUT, '..'), { recursive: true });
  writeFileSync(OUTPUT, Buffer.concat([size, head, ...bodies]));
  const total = [...chunks.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  console.log(`${OUTPUT}: ${head.length + at + 4} bytes, ${chunks.size} pieces, ${total} bytes of text`);
}

function read(group, ...path) {
  return JSON.parse(readFileSync(`${join(CACHE, `cldr-${group}`, ...path)}.json`, 'utf8'));
}

function fetchPackages() {
  mkdirSync(CACHE, { recursive: true });
  for (const [group, version] of Object.entries(PACKAGES)) {
    const folder = join(CACHE, `cldr-${group}`);
    if (existsSync(folder)) continue;
    const name = execFileSync('npm', ['pack', '--silent', `cldr-${group}@${version}`], {
      cwd: CACHE,
      encoding: 'utf8',
    });
    mkdirSync(folder);
    execFileSync('tar', ['-xzf', name.trim(), '-C', folder, '--strip-components=1'], { cwd: CACHE });
  }
}
