// What is usual where a locale is at home: what Intl.Locale tells of it.

import { cycleIn, keywords, kindsOfOrder, regionOf } from 'hyperlight:intl/locales';
import { zonesIn } from 'hyperlight:intl/time_zones';
import { localeData, maximized } from 'hyperlight:native/intl';

const DAYS = { __proto__: null, mon: 1, tue: 2, wed: 3, thu: 4, fri: 5, sat: 6, sun: 7 };

let data;

function known() {
  data ??= JSON.parse(localeData('regions'));
  return data;
}

/** The region whose customs a locale has: the keyword `rg` names another than its own, and `sd` a part of one. */
function regionWithCustoms(tag) {
  const { rg, sd } = keywords(tag);
  return regionOfPart(rg) ?? ownRegion(tag) ?? regionOfPart(sd) ?? regionOf(tag);
}

/** `GB` of `gbsct`, and of `gbzzzz`, which is all of it. */
function regionOfPart(part = '') {
  return /^(?!zz)([a-z]{2})[0-9a-z]{1,4}$/.exec(part)?.[1].toUpperCase();
}

function of(table, region) {
  return table[region] ?? table['001'];
}

/** The language, and the script that it probably has. */
function probable(tag) {
  const [, language, script] = /^([a-z]+)(?:-([A-Z][a-z]{3}))?/.exec(maximized(tag) ?? tag);
  return { language, script };
}

/** The region that a locale itself names. */
function ownRegion(tag) {
  return /^[a-z]+(?:-[A-Z][a-z]{3})?-([A-Z]{2}|\d{3})(?![0-9A-Za-z])/.exec(tag)?.[1];
}

export function calendars(tag) {
  return of(known().calendars, regionWithCustoms(tag)).split(' ');
}

export function collations(tag) {
  return [...kindsOfOrder(probable(tag).language), 'emoji', 'eor'].sort();
}

export function hourCycles(tag) {
  return [cycleIn(probable(tag).language, regionWithCustoms(tag))];
}

export function numberingSystems(tag) {
  const { systems } = known();
  const { language, script } = probable(tag);
  const region = ownRegion(tag);
  const names = [`${language}-${script}-${region}`, `${language}-${region}`, `${language}-${script}`, language];
  return [systems[names.find((name) => name in systems)] ?? 'latn'];
}

export function textInfo(tag) {
  return { direction: known().rightToLeft.includes(probable(tag).script) ? 'rtl' : 'ltr' };
}

export function timeZones(tag) {
  const region = ownRegion(tag);
  return region && zonesIn(region);
}

export function weekInfo(tag) {
  const { firstDay, weekend } = known();
  const region = regionWithCustoms(tag);
  const days = [];
  for (let day = of(weekend.from, region); day <= of(weekend.to, region); day++) days.push(day);
  return { firstDay: DAYS[keywords(tag).fw] ?? of(firstDay, region), weekend: days };
}
