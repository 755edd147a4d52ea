// Temporal in the guest: what its specification says, at its edges above all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './sandbox';

const NAMES = [
  ...['PlainDate', 'PlainTime', 'PlainDateTime', 'PlainYearMonth', 'PlainMonthDay'],
  ...['ZonedDateTime', 'Instant', 'Duration'],
];

/** What each case can use: the names of Temporal, what an operation throws, and the texts of values. */
const PRELUDE = `
  const { ${NAMES.join(', ')}, Now } = Temporal;
  const thrown = (f) => { try { return String(f()); } catch (e) { return e.name; } };
  const all = () => [
    PlainDate.from('2024-02-29'), PlainTime.from('12:34:56.789'), PlainDateTime.from('2024-02-29T12:34:56'),
    PlainYearMonth.from('2024-02'), PlainMonthDay.from('02-29'),
    ZonedDateTime.from('2024-02-29T12:34:56+01:00[Europe/Berlin]'), Instant.from('2024-02-29T12:34:56Z'),
    Duration.from('P1Y2M3W4DT5H6M7.008009010S'),
  ];
  /** An object that tells what is read of it. */
  const observed = (values) => {
    const read = [];
    const object = new Proxy(values, { get: (target, key) => { read.push(String(key)); return target[key]; } });
    return { object, read };
  };`;

/** The body of a function, and what it gives. */
const CASES: Record<string, [string, unknown]> = {
  'days of months in years that no date has': [
    `return [2 ** 40, 2 ** 40 + 1, -(2 ** 40), 1e300].map((year) => [
      thrown(() => PlainMonthDay.from({ year, month: 2, day: 29 })),
      thrown(() => PlainMonthDay.from('01-29').with({ year, month: 2 })),
      thrown(() => PlainDate.from({ year, month: 2, day: 1 })),
    ].join())`,
    ['02-29,02-29,RangeError', '02-28,02-28,RangeError', '02-29,02-29,RangeError', '02-29,02-29,RangeError'],
  ],
  'values as text': [
    'return all().map(String)',
    [
      ...['2024-02-29', '12:34:56.789', '2024-02-29T12:34:56', '2024-02', '02-29'],
      ...['2024-02-29T12:34:56+01:00[Europe/Berlin]', '2024-02-29T12:34:56Z', 'P1Y2M3W4DT5H6M7.00800901S'],
    ],
  ],
  'the objects': [
    `const d = Object.getOwnPropertyDescriptor(Temporal, 'PlainDate');
    return [
      String(Temporal), String(Now), d.writable && d.configurable && !d.enumerable, Object.keys(Temporal),
      ...Object.values(Temporal), ...all().map((v) => Object.prototype.toString.call(v)),
      ...all().map((v) => [v.constructor.name, v.constructor.length].join()),
    ]`,
    [
      ...['[object Temporal]', '[object Temporal.Now]', true, []],
      ...NAMES.map((name) => `[object Temporal.${name}]`),
      ...['PlainDate,3', 'PlainTime,0', 'PlainDateTime,3', 'PlainYearMonth,2', 'PlainMonthDay,2'],
      ...['ZonedDateTime,2', 'Instant,1', 'Duration,0'],
    ],
  ],
  'receivers of another kind, and calls without new': [
    `const { year } = Object.getOwnPropertyDescriptors(PlainDate.prototype);
    return [
      () => year.get.call(PlainDateTime.from('2024-01-01')), () => year.get.call({}), () => PlainDate.prototype.year,
      () => PlainDate(2024, 1, 1), () => PlainDate.prototype.add.call(all()[2], 'P1D'),
      () => new (class extends PlainDate {})(2024, 1, 1).year,
      () => (class extends PlainDate {}).from('2024-01-01').constructor === PlainDate,
    ].map(thrown)`,
    ['TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', '2024', 'true'],
  ],
  'values have no order for operators': [
    'return all().flatMap((v) => [thrown(() => +v), thrown(() => v < v), thrown(() => String(v) === v.toJSON())])',
    Array.from({ length: 8 }, () => ['TypeError', 'TypeError', 'true']).flat(),
  ],
  'the order in which fields and options are read': [
    `const fields = observed({ year: 2024, month: 2, monthCode: 'M02', day: 30, hour: 1, timeZone: 'UTC' });
    const options = observed({ overflow: 'constrain' });
    const value = ZonedDateTime.from(fields.object, options.object);
    const difference = observed({});
    value.until(value, difference.object);
    const rounding = observed({ largestUnit: 'day' });
    Duration.from('PT36H').round(rounding.object);
    return [String(value), fields.read.join(' '), options.read.join(' '), difference.read.join(' '), rounding.read.join(' ')]`,
    [
      '2024-02-29T01:00:00+00:00[UTC]',
      'calendar day hour microsecond millisecond minute month monthCode nanosecond offset second timeZone year',
      'disambiguation offset overflow',
      'largestUnit roundingIncrement roundingMode smallestUnit',
      'largestUnit relativeTo roundingIncrement roundingMode smallestUnit',
    ],
  ],
  'limits of each kind': [
    `return [
      () => new PlainDate(-271821, 4, 19), () => new PlainDate(-271821, 4, 18), () => new PlainDate(275760, 9, 13),
      () => new PlainDate(275760, 9, 14), () => new PlainDateTime(-271821, 4, 19), () => new PlainYearMonth(275760, 9),
      () => new PlainYearMonth(275760, 10), () => new Instant(8640000000000000000000n),
      () => new Instant(8640000000000000000001n), () => new Instant(10n ** 1000n),
      () => PlainDate.from('+275760-09-13').add('P1D'), () => new PlainDate(2 ** 53, 1, 1),
      () => Duration.from({ seconds: Number.MAX_SAFE_INTEGER }), () => Duration.from({ seconds: 2 ** 53 }),
      () => Duration.from({ years: 2 ** 32 }), () => Duration.from({ nanoseconds: 1e300 }),
      () => new Duration(1, -1), () => new Duration(1.5), () => new Duration(Infinity),
    ].map(thrown)`,
    [
      ...['-271821-04-19', 'RangeError', '+275760-09-13', 'RangeError', 'RangeError', '+275760-09', 'RangeError'],
      ...['+275760-09-13T00:00:00Z', 'RangeError', 'RangeError', 'RangeError', 'RangeError'],
      ...['PT9007199254740991S', 'RangeError', 'RangeError', 'RangeError', 'RangeError', 'RangeError', 'RangeError'],
    ],
  ],
  'a day that is not there, constrained or rejected': [
    `return [
      () => PlainDate.from({ year: 2023, month: 2, day: 29 }), () => PlainDate.from({ year: 2023, month: 2, day: 29 }, { overflow: 'reject' }),
      () => PlainDate.from('2023-02-29'), () => PlainDate.from({ year: 2023, month: 0, day: 1 }),
      () => PlainDate.from('2024-01-31').add({ months: 1 }), () => PlainDate.from('2024-01-31').add({ months: 1 }, { overflow: 'reject' }),
      () => PlainTime.from({ hour: 25 }), () => PlainTime.from({ hour: -1 }, { overflow: 'reject' }),
      () => PlainDate.from({ year: 2024, day: 1 }), () => PlainDate.from({ year: 2024, monthCode: 'M13', day: 1 }),
      () => PlainDate.from({ year: 2024, month: 1, monthCode: 'M02', day: 1 }), () => PlainMonthDay.from({ month: 2, day: 29 }),
    ].map(thrown)`,
    [
      ...['2023-02-28', 'RangeError', 'RangeError', 'RangeError', '2024-02-29', 'RangeError', '23:00:00', 'RangeError'],
      ...['TypeError', 'RangeError', 'RangeError', '02-29'],
    ],
  ],
  texts: [
    `return [
      () => PlainDate.from('20240229'), () => PlainDate.from('2024-02-29T12:00Z'), () => PlainDate.from('-000000-01-01'),
      () => PlainDateTime.from('2024-02-29 23:59:60'), () => PlainTime.from('2024-02'), () => PlainTime.from('T1234'),
      () => Instant.from('2024-02-29T12:00'), () => Instant.from('2024-02-29T12:00+23:59:59.999999999'),
      () => PlainDate.from('2024-02-29[!x=y]'), () => PlainDate.from('2024-02-29[x=y][u-ca=hebrew]'),
      () => PlainDate.from('2024-02-29[U-CA=hebrew]'), () => Duration.from('P1.5D'), () => Duration.from('-P1WT0,5H'),
      () => Duration.from('P'), () => PlainDate.from('\\ud800'), () => PlainDate.from('2024\\u221202-29'),
      () => PlainDate.from('x'.repeat(2 ** 20)), () => PlainDate.from('2024-02-29' + '[a=b]'.repeat(200_000)),
    ].map(thrown)`,
    [
      ...['2024-02-29', 'RangeError', 'RangeError', '2024-02-29T23:59:59', 'RangeError', '12:34:00', 'RangeError'],
      ...['2024-02-28T12:00:00.000000001Z', 'RangeError', '2024-02-29[u-ca=hebrew]', 'RangeError', 'RangeError'],
      ...['-P1WT30M', 'RangeError', 'RangeError', 'RangeError', 'RangeError', '2024-02-29'],
    ],
  ],
  'a clock that is put forward and back': [
    `const options = ['compatible', 'earlier', 'later', 'reject'];
    const at = (text) => options.map((disambiguation) => thrown(() => ZonedDateTime.from(text, { disambiguation })));
    const gap = ZonedDateTime.from('2026-03-29T01:30[Europe/Berlin]');
    return [
      ...at('2026-03-29T02:30[Europe/Berlin]'), ...at('2026-10-25T02:30[Europe/Berlin]'),
      gap.hoursInDay, String(gap.add('PT1H')), String(gap.add('P1D')), String(gap.startOfDay()),
      String(gap.getTimeZoneTransition('next')), String(gap.getTimeZoneTransition({ direction: 'previous' })),
      thrown(() => ZonedDateTime.from('2026-07-01T00:00+01:00[Europe/Berlin]')),
      String(ZonedDateTime.from('2026-07-01T00:00+01:00[Europe/Berlin]', { offset: 'use' })),
      String(ZonedDateTime.from('2026-07-01T00:00+01:00[Europe/Berlin]', { offset: 'ignore' })),
    ]`,
    [
      ...['2026-03-29T03:30:00+02:00[Europe/Berlin]', '2026-03-29T01:30:00+01:00[Europe/Berlin]'],
      ...['2026-03-29T03:30:00+02:00[Europe/Berlin]', 'RangeError'],
      ...['2026-10-25T02:30:00+02:00[Europe/Berlin]', '2026-10-25T02:30:00+02:00[Europe/Berlin]'],
      ...['2026-10-25T02:30:00+01:00[Europe/Berlin]', 'RangeError'],
      ...[23, '2026-03-29T03:30:00+02:00[Europe/Berlin]', '2026-03-30T01:30:00+02:00[Europe/Berlin]'],
      ...['2026-03-29T00:00:00+01:00[Europe/Berlin]', '2026-03-29T03:00:00+02:00[Europe/Berlin]'],
      ...['2025-10-26T02:00:00+01:00[Europe/Berlin]', 'RangeError', '2026-07-01T01:00:00+02:00[Europe/Berlin]'],
      '2026-07-01T00:00:00+02:00[Europe/Berlin]',
    ],
  ],
  'time zones': [
    `return [
      () => ZonedDateTime.from('2024-01-01[europe/berlin]').timeZoneId, () => ZonedDateTime.from('2024-01-01[Europe/Nowhere]'),
      () => Now.zonedDateTimeISO('+01:30').timeZoneId, () => Now.zonedDateTimeISO('+01:30:15'), () => new ZonedDateTime(0n, '2024-01-01[UTC]'),
      () => Instant.from('2011-12-30T09:59:59Z').toZonedDateTimeISO('Pacific/Apia').add('PT1S'),
      () => ZonedDateTime.from('2011-12-29T12:00[Pacific/Apia]').add('P1D'),
      () => ZonedDateTime.from('2011-12-29[Pacific/Apia]').hoursInDay,
      () => new ZonedDateTime(0n, 'Asia/Calcutta').equals(new ZonedDateTime(0n, 'Asia/Kolkata')),
      () => new ZonedDateTime(0n, 'Europe/Berlin').equals(new ZonedDateTime(0n, 'Europe/Paris')),
      () => new ZonedDateTime(-864n * 10n ** 19n, 'Europe/Amsterdam').offset,
      () => ZonedDateTime.from('+200000-07-01T12:00[Europe/Berlin]'), () => ZonedDateTime.from('-200000-07-01T12:00[Europe/Berlin]').offset,
      () => ZonedDateTime.from('+200000-03-26T02:30[Europe/Berlin]'),
      () => ZonedDateTime.from('+200000-07-01T12:00[Europe/Berlin]').getTimeZoneTransition('next'),
      () => new ZonedDateTime(0n, 'UTC').getTimeZoneTransition('next'), () => Now.timeZoneId(),
    ].map(thrown)`,
    [
      ...['Europe/Berlin', 'RangeError', '+01:30', 'RangeError', 'RangeError'],
      ...['2011-12-31T00:00:00+14:00[Pacific/Apia]', '2011-12-31T12:00:00+14:00[Pacific/Apia]', '24', 'true', 'false'],
      ...['+00:17:30', '+200000-07-01T12:00:00+02:00[Europe/Berlin]', '+00:53:28'],
      ...['+200000-03-26T03:30:00+02:00[Europe/Berlin]', '+200000-10-29T02:00:00+01:00[Europe/Berlin]', 'null', 'UTC'],
    ],
  ],
  differences: [
    `const since = (a, b, options) => String(PlainDate.from(a).since(b, options));
    return [
      since('2024-03-31', '2024-02-29'), since('2024-03-31', '2024-02-29', { largestUnit: 'months' }),
      since('2024-02-29', '2020-02-29', { largestUnit: 'year' }), since('2024-02-28', '2020-02-29', { largestUnit: 'year' }),
      since('2024-03-31', '2024-02-15', { smallestUnit: 'week', roundingMode: 'halfExpand' }),
      String(PlainDateTime.from('2024-01-01').until('2024-01-31T12:00', { largestUnit: 'day', smallestUnit: 'hour', roundingIncrement: 8, roundingMode: 'ceil' })),
      String(ZonedDateTime.from('2026-03-28T12:00[Europe/Berlin]').until('2026-03-29T12:00+02:00[Europe/Berlin]')),
      String(ZonedDateTime.from('2026-03-28T12:00[Europe/Berlin]').until('2026-03-29T12:00+02:00[Europe/Berlin]', { largestUnit: 'day' })),
      String(new Instant(0n).until(new Instant(3661000000001n), { largestUnit: 'hour' })),
      ...[
        () => PlainTime.from('10:00').until('09:00', { largestUnit: 'day' }), () => PlainDate.from('2024-01-01').until('2024-01-01', { largestUnit: 'hour' }),
        () => PlainDate.from('2024-01-01').until('2024-01-01[u-ca=hebrew]'), () => PlainDate.from('2024-01-01').until('2024-01-01', { largestUnit: 'day', smallestUnit: 'year' }),
        () => new Instant(0n).until(new Instant(0n), { roundingIncrement: 7, smallestUnit: 'second' }),
        () => new Instant(0n).until(new Instant(0n), { roundingIncrement: NaN }), () => new Instant(0n).until(new Instant(0n), null),
      ].map(thrown),
    ]`,
    [
      ...['P31D', 'P1M', 'P4Y', 'P3Y11M28D', 'P6W', 'P30DT16H', 'PT23H', 'P1D', 'PT1H1M1.000000001S'],
      ...['RangeError', 'RangeError', 'RangeError', 'RangeError', 'RangeError', 'RangeError', 'TypeError'],
    ],
  ],
  durations: [
    `const { relativeTo } = { relativeTo: '2024-01-31' };
    return [
      () => Duration.from('PT130H').round({ largestUnit: 'day' }), () => Duration.from('P40D').round({ largestUnit: 'month', relativeTo }),
      () => Duration.from('P40D').round({ largestUnit: 'month' }), () => Duration.from('P1M').total({ unit: 'day', relativeTo }),
      () => Duration.from('P1Y').total('hours'), () => Duration.from('P1D').total({ unit: 'hour', relativeTo: '2026-03-29[Europe/Berlin]' }),
      () => Duration.compare('P1M', 'P30D', { relativeTo }), () => Duration.compare('P1M', 'P30D'), () => Duration.compare('PT24H', 'P1D'),
      () => Duration.from('PT1.23456789S').toString({ smallestUnit: 'millisecond', roundingMode: 'ceil' }),
      () => Duration.from('PT1H').toString({ fractionalSecondDigits: 3 }), () => Duration.from({ hours: 1, minutes: -1 }),
      () => Duration.from('P1D').add('PT25H'), () => Duration.from('P1M').add('P1D'), () => Duration.from('-PT5M').abs(), () => new Duration().blank,
      () => Duration.from({}), () => Duration.from({ hour: 1 }), () => Duration.from('PT1H').with({ minutes: 30 }),
      () => Duration.from('PT3H').round({ smallestUnit: 'hour', roundingIncrement: 2, roundingMode: 'halfEven' }), () => Duration.from('PT1H').round({}),
      () => Duration.from({ years: 4294967295 }).total({ unit: 'nanoseconds', relativeTo }),
      () => Duration.from({ days: 104249991374 }).round({ largestUnit: 'years', relativeTo: '-271821-04-19' }),
      () => Duration.from({ nanoseconds: 9007199254740991, seconds: 1 }).nanoseconds,
    ].map(thrown)`,
    [
      ...['P5DT10H', 'P1M11D', 'RangeError', '29', 'RangeError', '23', '-1', 'RangeError', '0', 'PT1.235S'],
      ...['PT1H0.000S', 'RangeError', 'P2DT1H', 'RangeError', 'PT5M', 'true', 'TypeError', 'TypeError', 'PT1H30M'],
      ...['PT4H', 'RangeError', 'RangeError', 'RangeError', '9007199254740991'],
    ],
  ],
  'rounding, and texts of a precision': [
    `const time = PlainTime.from('23:59:59.999999999');
    const value = ZonedDateTime.from('2026-03-29T01:45[Europe/Berlin]');
    return [
      () => time.round('second'), () => time.round({ smallestUnit: 'minute', roundingIncrement: 15, roundingMode: 'floor' }),
      () => time.toString({ fractionalSecondDigits: 3 }), () => time.toString({ smallestUnit: 'minute' }), () => time.toString({ smallestUnit: 'hour' }),
      () => time.toString({ fractionalSecondDigits: 10 }), () => time.toString({ fractionalSecondDigits: '3' }),
      () => value.round('hour'), () => value.round({ smallestUnit: 'day' }), () => value.round('week'), () => value.round(),
      () => value.toString({ calendarName: 'always', offset: 'never', timeZoneName: 'critical', smallestUnit: 'minute' }),
      () => PlainDateTime.from('+275760-09-13T23:59:59.9').toString({ smallestUnit: 'minute', roundingMode: 'ceil' }),
      () => new Instant(1n).toString({ timeZone: 'Asia/Kolkata', fractionalSecondDigits: 0 }),
      () => new Instant(-1n).round({ smallestUnit: 'millisecond', roundingMode: 'trunc' }), () => new Instant(0n).round({ smallestUnit: 'hour', roundingIncrement: 5 }),
    ].map(thrown)`,
    [
      ...['00:00:00', '23:45:00', '23:59:59.999', '23:59', 'RangeError', 'RangeError', 'RangeError'],
      ...[
        '2026-03-29T03:00:00+02:00[Europe/Berlin]',
        '2026-03-29T00:00:00+01:00[Europe/Berlin]',
        'RangeError',
        'TypeError',
      ],
      ...['2026-03-29T01:45[!Europe/Berlin][u-ca=iso8601]', 'RangeError', '1970-01-01T05:30:00+05:30'],
      ...['1969-12-31T23:59:59.999Z', 'RangeError'],
    ],
  ],
  calendars: [
    `const date = PlainDate.from('2024-02-29');
    const of = (calendar) => { const d = date.withCalendar(calendar); return [d.era, d.eraYear, d.year, d.monthCode, d.day, d.monthsInYear, d.inLeapYear].join(); };
    return [
      ...['iso8601', 'gregory', 'hebrew', 'japanese', 'buddhist', 'chinese', 'islamic-umalqura', 'persian'].map(of),
      ...[
        () => date.withCalendar('julian'), () => PlainDate.from('2024-01-01[u-ca=islamic]'), () => date.withCalendar(1), () => date.withCalendar('2024-01-01[u-ca=roc]').calendarId, () => new PlainDate(2024, 1, 1, '2024-01-01'),
        () => PlainDate.from({ calendar: 'hebrew', year: 5784, monthCode: 'M05L', day: 1 }), () => PlainDate.from({ calendar: 'hebrew', year: 5785, monthCode: 'M05L', day: 1 }, { overflow: 'reject' }),
        () => PlainDate.from({ calendar: 'gregory', era: 'bce', eraYear: 1, month: 1, day: 1 }), () => PlainDate.from({ calendar: 'gregory', era: 'x'.repeat(2 ** 20), eraYear: 1, month: 1, day: 1 }),
        () => PlainDate.from({ calendar: 'gregory', era: '\\ud800', eraYear: 1, month: 1, day: 1 }),
        () => PlainDate.from({ calendar: 'GREGORY', year: 1, month: 1, day: 1 }).calendarId,
        () => PlainYearMonth.from({ calendar: 'hebrew', year: 5784, month: 6 }).add('P1M').monthCode,
      ].map(thrown),
    ]`,
    [
      ...[',,2024,M02,29,12,true', 'ce,2024,2024,M02,29,12,true', 'am,5784,5784,M05L,20,13,true'],
      ...['reiwa,6,2024,M02,29,12,true', 'be,2567,2567,M02,29,12,true', ',,2024,M01,20,12,false'],
      ...['ah,1445,1445,M08,19,12,false', 'ap,1402,1402,M12,10,12,false'],
      ...['RangeError', 'RangeError', 'TypeError', 'roc', 'RangeError', '2024-02-10[u-ca=hebrew]', 'RangeError'],
      ...['0000-01-01[u-ca=gregory]', 'RangeError', 'RangeError', 'gregory', 'M06'],
    ],
  ],
  'other fields, and values of other kinds': [
    `const [date, time, dateTime, month, day, zoned, instant] = all();
    return [
      () => date.with({ month: 1, day: 31 }), () => date.with({ calendar: 'iso8601', day: 1 }), () => date.with(time), () => date.with({}), () => date.with('2024'),
      () => zoned.with({ hour: 0, offset: '+09:00' }), () => month.with({ year: 2023 }), () => day.with({ day: 31 }),
      () => date.toPlainDateTime('12:00'), () => date.toZonedDateTime({ timeZone: 'Asia/Tokyo', plainTime: time }), () => date.toZonedDateTime('Asia/Tokyo'),
      () => dateTime.toZonedDateTime('Asia/Tokyo'), () => dateTime.withPlainTime(), () => zoned.withTimeZone('Asia/Tokyo'), () => zoned.toInstant(), () => zoned.toPlainDateTime(),
      () => month.toPlainDate({ day: 31 }), () => month.toPlainDate({}), () => day.toPlainDate({ year: 2023 }), () => instant.toZonedDateTimeISO('UTC'), () => instant.epochNanoseconds,
      () => date.toPlainYearMonth(), () => date.toPlainMonthDay(), () => PlainDate.from(zoned), () => PlainTime.from(dateTime), () => PlainDate.from(time), () => Instant.from(zoned),
      () => PlainDate.compare('2024-01-01', date), () => date.equals('2024-02-29[u-ca=gregory]'), () => Instant.fromEpochMilliseconds(1.5), () => Instant.fromEpochNanoseconds(1),
    ].map(thrown)`,
    [
      ...[
        '2024-01-31',
        'TypeError',
        'TypeError',
        'TypeError',
        'TypeError',
        '2024-02-29T00:34:56+01:00[Europe/Berlin]',
        '2023-02',
        '02-29',
      ],
      ...['2024-02-29T12:00:00', '2024-02-29T12:34:56.789+09:00[Asia/Tokyo]', '2024-02-29T00:00:00+09:00[Asia/Tokyo]'],
      ...[
        '2024-02-29T12:34:56+09:00[Asia/Tokyo]',
        '2024-02-29T00:00:00',
        '2024-02-29T20:34:56+09:00[Asia/Tokyo]',
        '2024-02-29T11:34:56Z',
        '2024-02-29T12:34:56',
      ],
      ...['2024-02-29', 'TypeError', '2023-02-28', '2024-02-29T12:34:56+00:00[UTC]', '1709210096000000000'],
      ...[
        '2024-02',
        '02-29',
        '2024-02-29',
        '12:34:56',
        'TypeError',
        '2024-02-29T11:34:56Z',
        '-1',
        'false',
        'RangeError',
        'TypeError',
      ],
    ],
  ],
  'the time now, and dates of the language': [
    `const before = Date.now(); const now = Now.instant().epochMilliseconds; const after = Date.now();
    return [
      before <= now && now <= after, Now.plainDateISO().equals(Now.zonedDateTimeISO('UTC').toPlainDate()), String(new Date(1.5e12).toTemporalInstant()),
      thrown(() => new Date(NaN).toTemporalInstant()), thrown(() => Date.prototype.toTemporalInstant.call({})), Date.prototype.toTemporalInstant.length,
    ]`,
    [true, true, '2017-07-14T02:40:00Z', 'RangeError', 'TypeError', 0],
  ],
  'values in a language': [
    `const [date, time, dateTime, month, day, zoned, instant, duration] = all();
    const format = new Intl.DateTimeFormat('de', { dateStyle: 'long', timeStyle: 'short', timeZone: 'Asia/Tokyo' });
    return [
      () => date.toLocaleString('en'), () => time.toLocaleString('en'), () => dateTime.toLocaleString('de'), () => zoned.toLocaleString('en'), () => instant.toLocaleString('en', { timeZone: 'Asia/Tokyo' }),
      () => month.toLocaleString('en'), () => month.toLocaleString('en', { calendar: 'iso8601', month: 'long', year: 'numeric' }), () => day.toLocaleString('en-u-ca-iso8601', { month: 'short', day: 'numeric' }),
      () => date.toLocaleString('de', { dateStyle: 'full' }), () => date.toLocaleString('de', { timeStyle: 'short' }), () => date.toLocaleString('de', { hour: 'numeric' }), () => date.toLocaleString('de', { month: 'long', hour: 'numeric' }),
      () => zoned.toLocaleString('en', { timeZone: 'UTC' }), () => zoned.withTimeZone('+05:30').toLocaleString('en'), () => date.withCalendar('hebrew').toLocaleString('en'), () => date.withCalendar('gregory').toLocaleString('en'),
      () => new Intl.DateTimeFormat('en').format(instant), () => format.format(instant), () => format.format(dateTime), () => format.format(date), () => format.format(time), () => format.format(zoned), () => format.format(duration), () => format.formatRange(date, date.add('P1M')), () => format.formatRange(date, dateTime),
    ].map(thrown)`,
    [
      ...['2/29/2024', '12:34:56 PM', '29.2.2024, 12:34:56', '2/29/2024, 12:34:56 PM GMT+1', '2/29/2024, 9:34:56 PM'],
      ...['RangeError', 'February 2024', 'Feb 29', 'Donnerstag, 29. Februar 2024', 'TypeError', 'TypeError', 'Februar'],
      ...['TypeError', '2/29/2024, 5:04:56 PM GMT+5:30', 'RangeError', '2/29/2024'],
      ...[
        '2/29/2024, 12:34:56 PM',
        '29. Februar 2024 um 21:34',
        '29. Februar 2024 um 12:34',
        '29. Februar 2024',
        '12:34',
        'TypeError',
        'TypeError',
      ],
      ...['29. Februar\u2009–\u200929. März 2024', 'TypeError'],
    ],
  ],
  'clones, JSON and what console shows': [
    `const [date] = all();
    const { inspect } = require('util');
    return [thrown(() => structuredClone(date)), JSON.stringify({ date }), inspect(date), inspect([all()[5]]), inspect(Temporal.Now), inspect(new (class X extends PlainDate {})(2024, 1, 1))]`,
    [
      ...['DataCloneError', '{"date":"2024-02-29"}', 'Temporal.PlainDate {}', '[ Temporal.ZonedDateTime {} ]'],
      ...['Object [Temporal.Now] {}', 'X [Temporal.PlainDate] {}'],
    ],
  ],
  'methods that a program has replaced are not used': [
    `const date = PlainDate.from('2024-02-29');
    Array.prototype[Symbol.iterator] = Array.prototype.push = WeakMap.prototype.get = String.prototype.slice = RegExp.prototype.exec = () => { throw new Error('used'); };
    Object.defineProperty(Object.prototype, 'overflow', { get() { throw new Error('read'); } });
    Object.defineProperty(Array.prototype, 3, { set() { throw new Error('set'); }, configurable: true });
    return [String(date.add({ months: 1 })), String(PlainDateTime.from({ year: 2024, monthCode: 'M02', day: 1 })), String(new PlainDateTime(2024, 1, 1, 1))]`,
    ['2024-03-29', '2024-02-01T00:00:00', '2024-01-01T01:00:00'],
  ],
};

for (const [name, [body, result]] of Object.entries(CASES)) {
  test(`${name}`, async () => {
    const sandbox = await load({ f: `function handler() { ${PRELUDE} ${body} }` });
    assert.deepEqual(await sandbox.callHandler('f', {}, { wallClockTimeoutMs: 20_000, cpuTimeoutMs: 20_000 }), result);
  });
}

test('what a program has replaced before it uses Temporal for the first time is not used', async () => {
  const sandbox = await load({
    f: `function handler() {
      const { Number: number, Array: { prototype: array } } = globalThis;
      const { push, [Symbol.iterator]: iterator } = array;
      let set = 0;
      let used = 0;
      let result;
      array.push = array[Symbol.iterator] = () => { used++; throw new Error('used'); };
      globalThis.Number = class {};
      for (let i = 0; i <= 40; i++) Object.defineProperty(array, i, { set() { set++; }, configurable: true });
      Object.defineProperty(Object.prototype, 'time', { get() { throw new Error('read'); }, configurable: true });
      try {
        const instant = new Temporal.Instant(5n).epochNanoseconds === 5n;
        const date = Temporal.PlainDate.from('2024-02-29').toString();
        const duration = Temporal.Duration.from({ days: 1, hours: 2 }).toString();
        result = { instant, date, duration, set, used };
      } finally {
        delete Object.prototype.time;
        for (let i = 0; i <= 40; i++) delete array[i];
        globalThis.Number = number;
        array.push = push;
        array[Symbol.iterator] = iterator;
      }
      return result;
    }`,
  });
  assert.deepEqual(await sandbox.callHandler('f', {}, { wallClockTimeoutMs: 20_000, cpuTimeoutMs: 20_000 }), {
    instant: true,
    date: '2024-02-29',
    duration: 'P1DT2H',
    set: 0,
    used: 0,
  });
});

test('a guest that does not use it has nothing of it', async () => {
  const sandbox = await load({
    f: `function handler() { return typeof Object.getOwnPropertyDescriptor(globalThis, 'Temporal').get; }`,
  });
  assert.equal(await sandbox.callHandler('f', {}), 'function');
});
