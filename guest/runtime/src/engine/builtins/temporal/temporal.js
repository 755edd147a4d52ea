// The global object Temporal.

import { inZone, toKind } from 'hyperlight:native/temporal';
import { toZone } from 'hyperlight:temporal/conversion';
import { Duration } from 'hyperlight:temporal/duration';
import { atMilliseconds, Instant } from 'hyperlight:temporal/instant';
import { newChoices } from 'hyperlight:temporal/options';
import { PlainDate } from 'hyperlight:temporal/plain_date';
import { PlainDateTime } from 'hyperlight:temporal/plain_date_time';
import { PlainMonthDay } from 'hyperlight:temporal/plain_month_day';
import { PlainTime } from 'hyperlight:temporal/plain_time';
import { PlainYearMonth } from 'hyperlight:temporal/plain_year_month';
import { DATE, DATE_TIME, label, TIME, wrap } from 'hyperlight:temporal/values';
import { ZonedDateTime } from 'hyperlight:temporal/zoned_date_time';

const { now } = Date;
const { defineProperty, keys } = Object;
/** The guest knows no other. */
const ZONE = 'UTC';

function zonedNow(zone) {
  const name = zone === undefined ? ZONE : toZone(zone);
  return inZone(atMilliseconds(now()), name, undefined, newChoices());
}

const methods = {
  timeZoneId() {
    return ZONE;
  },
  instant() {
    return wrap(atMilliseconds(now()));
  },
  plainDateTimeISO(temporalTimeZoneLike = undefined) {
    return wrap(toKind(zonedNow(temporalTimeZoneLike), DATE_TIME));
  },
  zonedDateTimeISO(temporalTimeZoneLike = undefined) {
    return wrap(zonedNow(temporalTimeZoneLike));
  },
  plainDateISO(temporalTimeZoneLike = undefined) {
    return wrap(toKind(zonedNow(temporalTimeZoneLike), DATE));
  },
  plainTimeISO(temporalTimeZoneLike = undefined) {
    return wrap(toKind(zonedNow(temporalTimeZoneLike), TIME));
  },
};

function namespace(name, members) {
  const object = {};
  const names = keys(members);
  for (let i = 0; i < names.length; i++) {
    const value = members[names[i]];
    defineProperty(object, names[i], { __proto__: null, value, configurable: true, enumerable: false, writable: true });
  }
  label(object, name);
  return object;
}

export const Temporal = namespace('Temporal', {
  Now: namespace('Temporal.Now', methods),
  PlainDate,
  PlainTime,
  PlainDateTime,
  ZonedDateTime,
  Duration,
  Instant,
  PlainYearMonth,
  PlainMonthDay,
});

/** What `Date.prototype.toTemporalInstant` gives. */
export function instantOf(milliseconds) {
  return wrap(atMilliseconds(milliseconds));
}
