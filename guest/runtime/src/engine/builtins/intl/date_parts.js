// How a point in time is shown by a pattern.

import { dataOf, digitsOf, shared } from 'hyperlight:intl/locales';
import { tokens } from 'hyperlight:intl/skeleton';
import { nameOfZone, offsetAt } from 'hyperlight:intl/time_zones';

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const WIDTHS = ['abbreviated', 'abbreviated', 'abbreviated', 'wide', 'narrow'];
const TYPES = {
  G: 'era',
  y: 'year',
  M: 'month',
  L: 'month',
  E: 'weekday',
  c: 'weekday',
  d: 'day',
  a: 'dayPeriod',
  b: 'dayPeriod',
  B: 'dayPeriod',
  h: 'hour',
  H: 'hour',
  K: 'hour',
  k: 'hour',
  m: 'minute',
  s: 'second',
  S: 'fractionalSecond',
  z: 'timeZoneName',
  v: 'timeZoneName',
  O: 'timeZoneName',
};

/** The fields of a point in time in a time zone. */
export function fieldsAt(zone, milliseconds) {
  const [offset] = offsetAt(zone, milliseconds);
  // The local time can be beyond what a Date can have, by less than a day.
  const local = milliseconds + offset * 1000;
  const day = Math.floor(local / 86_400_000);
  const time = local - day * 86_400_000;
  const { year, month, date } = civil(day);
  return {
    milliseconds,
    year,
    month,
    date,
    weekday: (((day + 4) % 7) + 7) % 7,
    hour: Math.floor(time / 3_600_000),
    minute: Math.floor(time / 60_000) % 60,
    second: Math.floor(time / 1000) % 60,
    fraction: Math.floor(time % 1000),
  };
}

/** The date of a day since 1970, in the Gregorian calendar of all times. */
function civil(day) {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const ofEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * ofYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    date: ofYear - Math.floor((153 * fromMarch + 2) / 5) + 1,
  };
}

/** The parts of a pattern, which may be a piece of a whole one. */
export function datePartsOf({ data, system, timeZone }, pattern, fields, whole = tokens(pattern)) {
  const digits = system === 'latn' ? undefined : digitsOf(system);
  const number = (value, length) => {
    const text = `${value}`.padStart(length, '0');
    return digits ? text.replace(/\d/g, (digit) => digits[digit]) : text;
  };
  const shows = (wanted) => whole.some(({ letter }) => letter === wanted);
  // Noon is noon as far as the time is shown.
  const time = { hour: fields.hour, minute: shows('m') ? fields.minute : 0, second: shows('s') ? fields.second : 0 };
  const parts = [];
  for (const { literal, letter, length } of tokens(pattern)) {
    if (literal !== undefined) parts.push({ type: 'literal', value: literal });
    else {
      const value = fieldText(
        dataOf(data, 'dates'),
        letter,
        length,
        fields,
        number,
        (style) => nameOfZone(data, timeZone, fields.milliseconds, style, system),
        (names) => periodAt(data, time, names),
      );
      parts.push({ type: TYPES[letter], value });
    }
  }
  return parts;
}

function fieldText(dates, letter, length, fields, number, zone, period) {
  const width = WIDTHS[length - 1];
  switch (letter) {
    case 'G': {
      const eras = dates.eras[{ abbreviated: 'eraAbbr', wide: 'eraNames', narrow: 'eraNarrow' }[width]];
      return eras[fields.year > 0 ? 1 : 0];
    }
    case 'y': {
      const year = fields.year > 0 ? fields.year : 1 - fields.year;
      return length === 2 ? number(year % 100, 2) : number(year, length);
    }
    case 'M':
    case 'L':
      if (length < 3) return number(fields.month, length);
      return dates.months[letter === 'M' ? 'format' : 'stand-alone'][width][fields.month];
    case 'E':
      return dates.days.format[width][DAYS[fields.weekday]];
    case 'c':
      return dates.days['stand-alone'][width][DAYS[fields.weekday]];
    case 'd':
      return number(fields.date, length);
    case 'a':
      return dates.dayPeriods.format[width][fields.hour < 12 ? 'am' : 'pm'];
    case 'b':
    case 'B':
      return dates.dayPeriods.format[width][period(dates.dayPeriods.format[width])];
    case 'h':
      return number(fields.hour % 12 || 12, length);
    case 'K':
      return number(fields.hour % 12, length);
    case 'H':
      return number(fields.hour, length);
    case 'k':
      return number(fields.hour || 24, length);
    case 'm':
      return number(fields.minute, length);
    case 's':
      return number(fields.second, length);
    case 'S':
      return number(`${fields.fraction}`.padStart(3, '0').slice(0, length), length);
    case 'z':
      return zone(length < 4 ? 'short' : 'long');
    case 'v':
      return zone(length < 4 ? 'shortGeneric' : 'longGeneric');
    case 'O':
      return zone(length < 4 ? 'shortOffset' : 'longOffset');
    default:
      return '';
  }
}

/** Which part of the day a time is in. */
function periodAt(base, { hour, minute, second }, names) {
  const rules = shared().periods[base.split('-')[0]] ?? {};
  const minutes = hour * 60 + minute;
  const at = (text) => {
    const [hours, rest] = text.split(':').map(Number);
    return hours * 60 + rest;
  };
  for (const [name, rule] of Object.entries(rules)) {
    const isExact = rule._at !== undefined && minutes === at(rule._at) && second === 0;
    if (isExact && name !== 'midnight' && names[name]) return name;
  }
  for (const [name, { _from, _before }] of Object.entries(rules)) {
    if (_from === undefined || !names[name]) continue;
    const [from, before] = [at(_from), at(_before)];
    if (from < before ? minutes >= from && minutes < before : minutes >= from || minutes < before) return name;
  }
  return hour < 12 ? 'am' : 'pm';
}
