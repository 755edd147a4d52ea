// Time zones: which there are, what they differ by from UTC, and what they are called.

import { dataOf, digitsOf } from 'hyperlight:intl/locales';
import { localeData, newZone, zoneName, zoneNames, zoneOffset } from 'hyperlight:native/intl';

const UTC = new Set([
  'UTC',
  'GMT',
  'Etc/UTC',
  'Etc/GMT',
  'Etc/UCT',
  'Etc/Universal',
  'Etc/Zulu',
  'Etc/Greenwich',
  'Etc/GMT0',
  'Etc/GMT+0',
  'Etc/GMT-0',
  'GMT0',
  'GMT+0',
  'GMT-0',
  'Greenwich',
  'UCT',
  'Universal',
  'Zulu',
]);
/** The time that what is known of names begins at. */
const FIRST = '1970-01-01 00:00';
const HOUR = 3600;
const HALF_YEAR = 184 * 24 * HOUR;

/** An offset from UTC, in the place of a time zone. */
const OFFSET = /^([+-])([01]\d|2[0-3])(?::?([0-5]\d))?$/;

let data;
const zones = new Map();

function shared() {
  data ??= JSON.parse(localeData('timezones'));
  return data;
}

/** The canonical name of a time zone, which may be an offset from UTC. */
export function canonicalZone(text) {
  const [, sign, hours, minutes = '00'] = OFFSET.exec(text) ?? [];
  if (hours) return `${hours === '00' && minutes === '00' ? '+' : sign}${hours}:${minutes}`;
  const name = /^[\w+/-]{1,100}$/.test(text) ? zoneName(text) : undefined;
  if (name === undefined) throw new RangeError(`Invalid time zone specified: ${text.slice(0, 100)}`);
  return UTC.has(name) ? 'UTC' : (shared().aliases[name] ?? name);
}

export function allZones() {
  return [...new Set(zoneNames().map((name) => (UTC.has(name) ? 'UTC' : (shared().aliases[name] ?? name))))]
    .filter((name) => (name in shared().regions && name !== 'Etc/Unknown') || name === 'UTC')
    .sort();
}

/** The time zones of a region. */
export function zonesIn(region) {
  const { regions } = shared();
  return allZones().filter((zone) => regions[zone] === region);
}

function offsetOf(zone) {
  const seconds = (+zone.slice(1, 3) * 60 + +zone.slice(4)) * 60;
  return zone[0] === '-' ? -seconds : seconds;
}

/** Seconds east of UTC, and whether that is daylight saving time. */
export function offsetAt(zone, milliseconds) {
  if (zone === 'UTC') return [0, false];
  if (OFFSET.test(zone)) return [offsetOf(zone), false];
  if (!zones.has(zone)) zones.set(zone, newZone(zone));
  return zoneOffset(zones.get(zone), Math.floor(milliseconds / 1000));
}

function metazoneAt(zone, milliseconds) {
  const time = milliseconds < 0 ? '' : timeText(milliseconds);
  // Before they are told, there are none.
  const found = shared().meta[zone]?.findLast(([, from, to]) => (from || FIRST) <= time && (to === '' || time < to));
  return found?.[0];
}

function timeText(milliseconds) {
  const text = new Date(Math.min(milliseconds, 253_402_300_799_000)).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 16)}`;
}

/** What a time zone is called at a time, in a style of the option `timeZoneName`. */
export function nameOfZone(base, zone, milliseconds, style, system) {
  const [seconds, isDaylight] = offsetAt(zone, milliseconds);
  const zoneData = dataOf(base, 'zones');
  if (zone === '+00:00') return zoneData.gmt.replace('{0}', '');
  const offset = (isLong) => localized(offsetName(zoneData, seconds, isLong), system);
  if (style === 'shortOffset' || style === 'longOffset') return offset(style === 'longOffset');
  const isLong = style === 'long' || style === 'longGeneric';
  const width = isLong ? 'long' : 'short';
  const own = zoneData.cities[zone === 'UTC' ? 'Etc/UTC' : zone];
  const meta = metazoneAt(zone, milliseconds);
  const names = [own?.[width], meta && zoneData.meta?.[meta]?.[width]];
  const pick = (kind) => names.find((of) => of?.[kind])?.[kind];
  if (style === 'long' || style === 'short') return pick(isDaylight ? 'daylight' : 'standard') ?? offset(isLong);
  if (zone === 'UTC') return offset(isLong);
  const hasOne =
    !offsetAt(zone, milliseconds - HALF_YEAR * 1000)[1] &&
    !isDaylight &&
    !offsetAt(zone, milliseconds + HALF_YEAR * 1000)[1];
  const generic = (hasOne ? pick('standard') : undefined) ?? pick('generic');
  if (generic) return generic;
  return placeName(base, zoneData, zone) ?? offset(isLong);
}

/** The name of a time zone by its place. */
function placeName(base, zoneData, zone) {
  const { regions } = shared();
  const region = regions[zone];
  if (!region) return undefined;
  const isOnly =
    shared().primary[region] === zone || Object.values(regions).filter((other) => other === region).length === 1;
  const name = isOnly ? dataOf(base, 'names').region[region] : undefined;
  const place = name ?? zoneData.cities[zone]?.city ?? zone.split('/').at(-1).replace(/_/g, ' ');
  return zoneData.region.replace('{0}', place);
}

function offsetName(zoneData, seconds, isLong) {
  const [positive, negative] = zoneData.hour.split(';');
  const total = Math.abs(seconds);
  const [hours, minutes, rest] = [Math.floor(total / HOUR), Math.floor(total / 60) % 60, total % 60];
  const two = (number) => `${number}`.padStart(2, '0');
  let pattern = seconds < 0 ? negative : positive;
  const separator = /H+(.*?)m+/.exec(pattern)[1];
  const showsMinutes = isLong || minutes !== 0 || rest !== 0;
  pattern = showsMinutes
    ? pattern.replace(/mm/, two(minutes) + (rest ? `${separator}${two(rest)}` : ''))
    : pattern.replace(/(H+).*?m+/, '$1');
  pattern = pattern.replace(/H+/, isLong ? two(hours) : `${hours}`);
  return zoneData.gmt.replace('{0}', pattern);
}

function localized(text, system) {
  if (system === 'latn') return text;
  const digits = digitsOf(system);
  return text.replace(/\d/g, (digit) => digits[digit]);
}
