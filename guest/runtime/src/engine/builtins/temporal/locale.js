// Values of Temporal as a locale shows them.

import { importNow } from 'hyperlight:native';
import { textOf } from 'hyperlight:native/temporal';
import { newChoices } from 'hyperlight:temporal/options';

let format;

/** A date or a time, by the data of `Intl`. */
export function localeText(value, locales, options) {
  format ??= importNow('hyperlight:intl/temporal_format');
  return format.formatted(value, locales, options);
}

/** A duration, for which there is no data. */
export function durationText(value) {
  return textOf(value, undefined, newChoices());
}
