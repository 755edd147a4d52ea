// Intl in the guest: what it gives, what it refuses, and that it gives what Node.js does where both have the same data.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './sandbox';

const LOCALES = 'en de fr es it pt ja ko zh ru ar hi en-GB en-IN de-AT de-CH fr-CA fr-CH es-MX pt-PT zh-TW ar-EG'.split(
  ' ',
);
/** The data of the guest. With other data Node.js says something else here and there. */
const IS_SAME_DATA = /^48\.[01]$/.test(process.versions.cldr ?? '');

const NUMBERS =
  '[0, -0, 1, -1, 2, 1.5, 12, 1234.5, 1234567.891, -9876.54, 0.000123, NaN, Infinity, 999999, 10000, 123456789012345n]';
const formats = (options: string): string =>
  `((f) => ${NUMBERS}.map((x) => f.format(x)))(new Intl.NumberFormat(l, ${options}))`;
const dates = (options: string): string =>
  `((f) => [0, 1700000000000, 1720003385678, 1733055000000, -300000000000, 4118000000000].map((x) => f.format(x)))(new Intl.DateTimeFormat(l, ${options}))`;

/** Expressions of a locale `l` that give in the guest what they give in Node.js. */
const EXPRESSIONS: Record<string, string[]> = {
  numbers: [
    ...[
      '{}',
      '{ minimumFractionDigits: 2 }',
      '{ maximumFractionDigits: 0 }',
      '{ maximumSignificantDigits: 3 }',
      '{ useGrouping: false }',
      "{ useGrouping: 'min2' }",
      "{ style: 'percent', maximumFractionDigits: 1 }",
      "{ notation: 'scientific' }",
      "{ notation: 'engineering' }",
      "{ notation: 'compact' }",
      "{ notation: 'compact', compactDisplay: 'long' }",
      "{ notation: 'compact', style: 'percent' }",
      "{ signDisplay: 'exceptZero' }",
      "{ signDisplay: 'always', style: 'percent' }",
      '{ minimumIntegerDigits: 3 }',
      "{ numberingSystem: 'deva' }",
      "{ roundingMode: 'floor', maximumFractionDigits: 1 }",
      '{ roundingIncrement: 5, minimumFractionDigits: 2, maximumFractionDigits: 2 }',
      "{ roundingPriority: 'morePrecision', maximumSignificantDigits: 2, maximumFractionDigits: 1 }",
    ].map(formats),
    "['123456789012345678901234567890', '0.1e3', ' 12 ', '0x1f', 'abc', '', '1e400'].map((x) => new Intl.NumberFormat(l).format(x))",
    'new Intl.NumberFormat(l).formatToParts(-1234.5)',
    "new Intl.NumberFormat(l, { notation: 'scientific' }).formatToParts(-0.00012)",
    'new Intl.NumberFormat(l).formatRange(3, 5)',
    "[0, -0, 7, -999, 1000, 1234567.891, 0.5, 0.1235, -1e-7, 1e15, 2 ** 53, 1e21, NaN, -Infinity].map((x) => x.toLocaleString('en-US'))",
    "(1234.5).toLocaleString(l, { style: 'percent' }) + 12345678901234567890n.toLocaleString(l)",
    '[1234.5, new Date(0), 7n].toLocaleString(l) + new Float64Array([1.5, 1234]).toLocaleString(l)',
  ],
  money: [
    ...[
      "{ style: 'currency', currency: 'EUR' }",
      "{ style: 'currency', currency: 'JPY' }",
      "{ style: 'currency', currency: 'CHF', currencyDisplay: 'code' }",
      "{ style: 'currency', currency: 'USD', currencyDisplay: 'name' }",
      "{ style: 'currency', currency: 'EUR', currencyDisplay: 'narrowSymbol' }",
      "{ style: 'currency', currency: 'USD', currencySign: 'accounting' }",
      "{ style: 'currency', currency: 'EUR', notation: 'compact' }",
      "{ style: 'currency', currency: 'USD', maximumFractionDigits: 0 }",
    ].map(formats),
    "new Intl.NumberFormat(l, { style: 'currency', currency: 'EUR' }).formatToParts(-1234.5)",
    "new Intl.NumberFormat(l, { style: 'unit', unit: 'kilometer' }).formatRangeToParts(3, 5)",
  ],
  units: [
    ...[
      "{ style: 'unit', unit: 'kilometer' }",
      "{ style: 'unit', unit: 'byte', unitDisplay: 'long' }",
      "{ style: 'unit', unit: 'kilometer-per-hour' }",
      "{ style: 'unit', unit: 'megabyte-per-second', unitDisplay: 'long' }",
      "{ style: 'unit', unit: 'celsius', unitDisplay: 'narrow' }",
      "{ style: 'unit', unit: 'percent' }",
    ].map(formats),
    "new Intl.NumberFormat(l, { style: 'unit', unit: 'liter' }).formatToParts(16)",
  ],
  words: [
    "[0, 1, 2, 3, 5, 11, 21, 1.5, 100, 1000000].map((x) => new Intl.PluralRules(l).select(x) + new Intl.PluralRules(l, { type: 'ordinal' }).select(x))",
    '[[0, 1], [1, 2], [0, 5]].map(([a, b]) => new Intl.PluralRules(l).selectRange(a, b))',
    "['long', 'short', 'narrow'].map((style) => ['second', 'day', 'weeks', 'month', 'quarter', 'year'].map((unit) => [-2, -1, -0, 0, 1, 5, 1234.5].map((x) => ['always', 'auto'].map((numeric) => new Intl.RelativeTimeFormat(l, { style, numeric }).format(x, unit)))))",
    "new Intl.RelativeTimeFormat(l).formatToParts(-1234, 'day')",
    "['conjunction', 'disjunction', 'unit'].map((type) => ['long', 'short', 'narrow'].map((style) => [[], ['a'], ['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd'], ['x', 'iglesia'], ['x', 'y', 'oro']].map((x) => new Intl.ListFormat(l, { type, style }).format(x))))",
    "new Intl.ListFormat(l).formatToParts(['a', 'b', 'c'])",
    "['en', 'de', 'zh-Hans', 'en-GB', 'pt-BR', 'sr-Latn-RS', 'fr-CH', 'xx'].map((x) => new Intl.DisplayNames(l, { type: 'language' }).of(x))",
    "['US', 'DE', '419', 'HK'].map((x) => new Intl.DisplayNames(l, { type: 'region', style: 'short' }).of(x))",
    "['UK', 'BU', 'SU', 'AN', '826'].map((x) => new Intl.DisplayNames(l, { type: 'region' }).of(x))",
    "['en-t-de-u-ca-gregory', 'en-a-bcd-u-attr-nu-latn-x-u-kn'].map((x) => String(new Intl.Locale(x, { numeric: true })))",
    `[
      () => new Intl.DateTimeFormat(l).format(1n),
      () => new Intl.DateTimeFormat(l).formatRange(1n, 2),
      () => new Intl.PluralRules(l).select(1n),
      () => new Intl.PluralRules(l).selectRange(1, 2n),
      () => new Intl.RelativeTimeFormat(l).format(1n, 'day'),
      () => new Intl.NumberFormat(l, { maximumFractionDigits: 2n }),
      () => new Intl.Segmenter(l).segment('a').containing(1n),
      () => Intl.getCanonicalLocales({ length: 1n }),
      () => [].toLocaleString.call({ length: 1n }),
    ].map((f) => { try { f(); return 'nothing'; } catch (e) { return e.name; } })`,
    "new Intl.DisplayNames(l, { type: 'currency' }).of('USD') + new Intl.DisplayNames(l, { type: 'script' }).of('Arab')",
  ],
  dates: [
    ...['full', 'long', 'medium', 'short'].flatMap((style) => [
      `{ dateStyle: '${style}', timeZone: 'UTC' }`,
      `{ timeStyle: '${style}', timeZone: 'Europe/Berlin' }`,
      `{ dateStyle: '${style}', timeStyle: '${style}', timeZone: 'America/New_York' }`,
    ]),
    "{ timeZone: 'Asia/Tokyo' }",
    "{ year: 'numeric', month: 'long', timeZone: 'UTC' }",
    "{ month: 'short', day: 'numeric', timeZone: 'UTC' }",
    "{ year: 'numeric', month: '2-digit', day: '2-digit', timeZone: 'UTC' }",
    "{ weekday: 'short', year: 'numeric', month: 'short', day: 'numeric', timeZone: 'UTC' }",
    "{ weekday: 'long', hour: 'numeric', timeZone: 'UTC' }",
    "{ hour: 'numeric', minute: '2-digit', timeZone: 'Asia/Kolkata' }",
    "{ hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, timeZone: 'UTC' }",
    "{ hour: 'numeric', minute: 'numeric', hourCycle: 'h23', timeZone: 'UTC' }",
    "{ hour: 'numeric', dayPeriod: 'long', timeZone: 'UTC' }",
    "{ era: 'short', year: 'numeric', timeZone: 'UTC' }",
    "{ year: 'numeric', month: 'long', day: 'numeric', hour: 'numeric', minute: '2-digit', timeZone: 'UTC' }",
    "{ hour: 'numeric', timeZoneName: 'longOffset', timeZone: 'America/Sao_Paulo' }",
    "{ hour: 'numeric', timeZoneName: 'longGeneric', timeZone: 'Europe/Berlin' }",
    "{ hour: 'numeric', timeZoneName: 'short', timeZone: 'America/New_York' }",
  ]
    .map((options) => (options.startsWith('{') ? dates(options) : options))
    .concat([
      "new Intl.DateTimeFormat(l, { dateStyle: 'full', timeStyle: 'long', timeZone: 'UTC' }).formatToParts(1720003385678)",
      "new Intl.DateTimeFormat(l, { timeZone: 'Europe/Paris' }).resolvedOptions()",
      'new Date(1720003385678).toLocaleDateString(l) + new Date(1720003385678).toLocaleTimeString(l) + new Date(NaN).toLocaleString(l)',
      "new Date(NaN).toLocaleString(l, { timeZone: 'Nowhere' }) + new Date(NaN).toLocaleDateString(l, { timeStyle: 'short' })",
      "[true, false].map((hour12) => new Intl.DateTimeFormat(l.slice(0, 2) + '-u-hc-h23', { hour12, hour: 'numeric' }).resolvedOptions().locale)",
      "[864e5, 40 * 864e5, 400 * 864e5].map((x) => new Intl.DateTimeFormat(l, { dateStyle: 'medium', timeZone: 'UTC' }).formatRange(1720003385678, 1720003385678 + x))",
    ]),
  texts: [
    "['z', 'ä', 'a', 'Z', 'ñ', 'n', 'o', 'é', 'e', 'co-op', 'coop', 'résumé', 'resume', '10', '9', '中', '文', '가', 'か', 'я', 'ا'].sort(new Intl.Collator(l).compare)",
    "['a10', 'a9', 'A1'].sort(new Intl.Collator(l, { numeric: true, caseFirst: 'upper' }).compare)",
    "['base', 'accent', 'case', 'variant'].map((sensitivity) => [['a', 'A'], ['a', 'á'], ['a', 'b']].map(([a, b]) => new Intl.Collator(l, { sensitivity }).compare(a, b)))",
    "'a'.localeCompare('B', l) + 'ab'.localeCompare('a-b', l, { ignorePunctuation: true })",
    "Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).sort((a, b) => a.localeCompare(b, 'en-US')).join('')",
    "['ab', 'aB', 'Ab', 'AB', 'a b', 'a-b', 'a', '', 'a1', 'a10', 'a9', 'é', 'e', 'f', 'ÿ'].sort((a, b) => a.localeCompare(b, 'en')).join()",
    "'iIıß'.toLocaleUpperCase(l) + 'IİÀ'.toLocaleLowerCase(l)",
    "['\\ud800a\\udc00ß', '\\ud800', 'և'].map((x) => x.toLocaleUpperCase(l)) + 'և'.toLocaleUpperCase('hy') + 'A\\ud800ΑΣ'.toLocaleLowerCase('el')",
    "['grapheme', 'word', 'sentence'].map((granularity) => [...new Intl.Segmenter(l, { granularity }).segment('Hé, 3.5 👨‍👩‍👧! It\\u2019s so. Да?')].map(({ segment, index, isWordLike }) => [segment, index, isWordLike]))",
  ],
};

/** What each expression gives in each locale, as JSON. An error is its name. */
function source(expressions: string[]): string {
  return `
    const locales = ${JSON.stringify(LOCALES)};
    const table = [${expressions.map((expression) => `(l) => ${expression}`).join(',\n')}];
    const told = (f) => { try { return JSON.stringify(f()); } catch (error) { return String(error.name); } };
    return table.map((f) => locales.map((l) => told(() => f(l))));`;
}

for (const [subject, expressions] of Object.entries(EXPRESSIONS)) {
  test(`${subject} are as in Node.js with the same data`, { skip: !IS_SAME_DATA && 'other data' }, async () => {
    const body = source(expressions);
    const sandbox = await load({ f: `function handler() { ${body} }` });
    const inGuest = await sandbox.callHandler('f', {}, { wallClockTimeoutMs: 60_000, cpuTimeoutMs: 60_000 });
    const inNode = new Function(body)();
    const different = expressions.flatMap((expression, i) =>
      LOCALES.filter((_, j) => inGuest[i][j] !== inNode[i][j]).map((locale) => {
        const at = LOCALES.indexOf(locale);
        return { expression, locale, guest: inGuest[i][at], node: inNode[i][at] };
      }),
    );
    assert.deepEqual(different, []);
  });
}

/** The body of a function, and what it gives. */
const CASES: Record<string, [string, unknown]> = {
  'numbers of a language': ["return new Intl.NumberFormat('de').format(1234.5)", '1.234,5'],
  'the language of what is not known': ["return new Intl.NumberFormat('sv').resolvedOptions().locale", 'en-US'],
  'a region that the data does not have': ["return new Intl.NumberFormat('de-XX').resolvedOptions().locale", 'de'],
  'keywords of a locale': [
    "return new Intl.DateTimeFormat('en-u-hc-h23-nu-deva', { hour: 'numeric' }).resolvedOptions().locale",
    'en-u-hc-h23-nu-deva',
  ],
  'hours told twice, as the standard has it': [
    "const f = (l, hour12) => new Date(1800e3).toLocaleTimeString(l, { hour12, timeStyle: 'short' }); return [f('de', true), f('en', false)]",
    ['12:30 AM', '00:30'],
  ],
  'seconds with fractions': [
    "return new Date(7500).toLocaleTimeString('de', { second: 'numeric', fractionalSecondDigits: 1 })",
    '7,5',
  ],
  'a time zone over the change of its offset': [
    "return [0, 1, 2].map((h) => new Date(Date.UTC(2026, 2, 29, h)).toLocaleTimeString('de', { timeZone: 'Europe/Berlin', timeStyle: 'short' }))",
    ['01:00', '03:00', '04:00'],
  ],
  'dates at the ends of time': [
    "return [-8.64e15, 8.64e15].map((t) => new Date(t).toLocaleDateString('en', { year: 'numeric', era: 'short', timeZone: 'Asia/Tokyo' }))",
    ['271822 BC', '275760 AD'],
  ],
  'constructors that are called': [
    "const f = Intl.DateTimeFormat(); class Own extends Intl.NumberFormat {} const own = new Own('de'); return [f.resolvedOptions().timeZone, f instanceof Intl.DateTimeFormat, Intl.NumberFormat('de').format(0.5), ['b', 'a'].sort(Intl.Collator().compare), f.constructor === Intl.DateTimeFormat, own instanceof Own, own.format(1.5), Intl.NumberFormat.name, Intl.NumberFormat.supportedLocalesOf('de')]",
    ['UTC', true, '0,5', ['a', 'b'], true, true, '1,5', 'NumberFormat', ['de']],
  ],
  'constructors that are not': [
    "return ['PluralRules', 'ListFormat', 'Segmenter', 'Locale'].map((name) => { try { Intl[name]('de'); } catch (e) { return e.name; } })",
    ['TypeError', 'TypeError', 'TypeError', 'TypeError'],
  ],
  'getters of options throw what they throw': [
    "try { new Intl.NumberFormat('de', { get style() { throw new Error('mine'); } }); } catch (e) { return e.message; }",
    'mine',
  ],
  'what is no option': [
    "return ['NumberFormat', 'DateTimeFormat', 'Collator', 'PluralRules'].map((c) => { try { new Intl[c]('de', null); } catch (e) { return e.name; } })",
    ['TypeError', 'TypeError', 'TypeError', 'TypeError'],
  ],
  'what is refused': [
    `return [
      () => new Intl.DateTimeFormat('en', { calendar: 'japanese' }),
      () => new Date().toLocaleDateString('ja-JP-u-ca-japanese'),
      () => new Intl.NumberFormat('en', { numberingSystem: 'roman' }),
      () => new Intl.Segmenter('ja', { granularity: 'word' }).segment('日本語'),
      () => new Intl.Collator('de', { usage: 'search' }),
      () => new Intl.DisplayNames('en', { type: 'calendar' }),
      () => new Intl.DateTimeFormat('en', { timeZone: 'Europe/Nowhere' }),
      () => new Intl.NumberFormat('en', { style: 'unit', unit: 'parsec' }),
      () => new Intl.NumberFormat('en_US'),
      () => new Intl.NumberFormat('a'.repeat(100_000)),
      () => new Intl.NumberFormat('de\\ud800'),
      () => new Intl.DateTimeFormat('de', { timeZone: '\\ud800' }),
      () => 'a'.toLocaleUpperCase('-'),
      () => (1).toLocaleString('en', { maximumFractionDigits: 101 }),
    ].map((f) => { try { f(); return 'nothing'; } catch (e) { return e.name; } })`,
    Array(14).fill('RangeError'),
  ],
  'large texts': [
    `const text = 'aé\\ud83d\\ude00\\ud800 '.repeat(10_000);
    const segments = [...new Intl.Segmenter('en', { granularity: 'word' }).segment(text)];
    return [segments.length === 40_000, segments.map((s) => s.segment).join('') === text, text.localeCompare(text + 'b'), '\\u0301'.repeat(100_000).localeCompare('a')]`,
    [true, true, -1, -1],
  ],
  'a text that there is no memory to work on': [
    "const text = 'é'.repeat(6_000_000); try { return text.localeCompare(text + 'a'); } catch (e) { return e.name + ': ' + e.message; }",
    'InternalError: out of memory',
  ],
  'a segment at an index': [
    "const s = new Intl.Segmenter('en', { granularity: 'word' }).segment('a bc'); return [s.containing(3), s.containing(4) === undefined]",
    [{ segment: 'bc', index: 2, input: 'a bc', isWordLike: true }, true],
  ],
  'the object': [
    'return [String(Intl), typeof Intl.DateTimeFormat, Object.getOwnPropertyDescriptor(Intl, "DateTimeFormat").writable, Object.keys(Intl)]',
    ['[object Intl]', 'function', true, []],
  ],
  locales: [
    "const l = new Intl.Locale('zh-TW', { numeric: true }); return [String(l), String(l.maximize()), l.region, l.numeric, Intl.getCanonicalLocales(['EN-us', 'iw', 'en-us'])]",
    ['zh-TW-u-kn', 'zh-Hant-TW-u-kn', 'TW', true, ['en-US', 'he']],
  ],
  'what is usual where a locale is at home, as in Node.js 26': [
    `return ['ar-EG', 'de-AT-u-co-phonebk-hc-h12', 'th', 'fa', 'en-NZ-u-rg-gbzzzz', 'en-u-sd-inka', 'pa-PK', 'sv-IL-u-fw-wed'].map((tag) => {
      const l = new Intl.Locale(tag);
      const { direction } = l.getTextInfo();
      const { firstDay, weekend } = l.getWeekInfo();
      const lists = [l.getCalendars(), l.getCollations(), l.getHourCycles(), l.getNumberingSystems(), l.getTimeZones() ?? []];
      return lists.map((list) => list.join(' ')).concat(direction, firstDay, weekend.join(' ')).join('; ');
    })`,
    [
      'gregory coptic islamic islamic-civil islamic-tbla; compat emoji eor; h12; arab; Africa/Cairo; rtl; 6; 5 6',
      'gregory; phonebk; h12; latn; Europe/Vienna; ltr; 1; 6 7',
      'buddhist gregory; emoji eor; h23; latn; ; ltr; 7; 6 7',
      'persian gregory islamic islamic-civil islamic-tbla; emoji eor; h23; arabext; ; rtl; 6; 5',
      'gregory; emoji eor; h23; latn; Pacific/Auckland Pacific/Chatham; ltr; 1; 6 7',
      'gregory indian; emoji eor; h12; latn; ; ltr; 7; 7',
      'gregory islamic islamic-civil islamic-tbla; emoji eor; h12; arabext; Asia/Karachi; rtl; 7; 6 7',
      'gregory hebrew islamic islamic-civil islamic-tbla; emoji eor; h23; latn; Asia/Jerusalem; ltr; 3; 5 6',
    ],
  ],
  'the variants and the first day of a locale': [
    `const l = new Intl.Locale('de-1901-u-fw-wed', { variants: 'Fonipa-1996', firstDayOfWeek: 1 });
    const thrown = (options) => { try { return String(new Intl.Locale('en', options)); } catch (e) { return e.name; } };
    return [String(l), l.variants, l.firstDayOfWeek, l.baseName, new Intl.Locale('en').variants ?? null, String(new Intl.Locale('sl-rozaj-u-ca-gregory', { region: 'IT' })),
      thrown({ variants: 'fonipa-FONIPA' }), thrown({ variants: 'x' }), thrown({ firstDayOfWeek: '' }), thrown({ firstDayOfWeek: 'sat' }), new Intl.Locale('en', { firstDayOfWeek: 'map' }).firstDayOfWeek]`,
    [
      'de-1996-fonipa-u-fw-mon',
      '1996-fonipa',
      'mon',
      'de-1996-fonipa',
      null,
      'sl-IT-rozaj-u-ca-gregory',
      'RangeError',
      'RangeError',
      'RangeError',
      'en-u-fw-sat',
      'map',
    ],
  ],
  'time zones that are offsets': [
    `const zone = (timeZone) => { try { return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone; } catch (e) { return e.name; } };
    const time = (timeZone) => new Date(0).toLocaleString('en-GB', { timeZone, timeStyle: 'long' });
    return [['+03', '-0330', '+23:59', '-00', '-00:00', '+24', '+3', '+03:60', '+03:00:00', '03:00'].map(zone), time('+05:30'), time('-08')]`,
    [
      [
        '+03:00',
        '-03:30',
        '+23:59',
        '+00:00',
        '+00:00',
        'RangeError',
        'RangeError',
        'RangeError',
        'RangeError',
        'RangeError',
      ],
      '05:30:00 GMT+5:30',
      '16:00:00 GMT-8',
    ],
  ],
  'functions as the standard has them': [
    `const { DisplayNames, getCanonicalLocales, supportedValuesOf } = Intl;
    const poisoned = { get length() { throw new Error('read first'); } };
    const thrown = (f) => { try { return f(); } catch (e) { return e.message; } };
    return [
      ['Collator', 'DateTimeFormat', 'DisplayNames', 'ListFormat', 'NumberFormat', 'PluralRules', 'RelativeTimeFormat', 'Segmenter'].map((name) => Intl[name].supportedLocalesOf.length),
      'prototype' in getCanonicalLocales, 'prototype' in supportedValuesOf, supportedValuesOf.name, supportedValuesOf.length,
      thrown(() => new DisplayNames(poisoned)), supportedValuesOf('timeZone').every((timeZone) => new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone === timeZone),
    ]`,
    [[1, 1, 1, 1, 1, 1, 1, 1], false, false, 'supportedValuesOf', 1, 'read first', true],
  ],
  'arrays, whatever is made of the methods of others': [
    `const array = [1, [2]]; array.push(array);
    Array.prototype.includes = Array.prototype.push = Array.prototype.pop = Math.min = () => 0;
    Object.defineProperty(Array.prototype, 0, { set() { throw new Error('set'); }, configurable: true });
    return array.toLocaleString()`,
    '1,2,',
  ],
  'what there is': [
    "return [Intl.supportedValuesOf('timeZone').length > 400, Intl.supportedValuesOf('calendar'), Intl.NumberFormat.supportedLocalesOf(['sv', 'de-AT'])]",
    [true, ['gregory', 'iso8601'], ['de-AT']],
  ],
};

for (const [name, [body, result]] of Object.entries(CASES)) {
  test(`${name}`, async () => {
    const sandbox = await load({ f: `function handler() { ${body} }` });
    assert.deepEqual(await sandbox.callHandler('f', {}, { wallClockTimeoutMs: 20_000, cpuTimeoutMs: 20_000 }), result);
  });
}
