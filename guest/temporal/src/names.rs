//! The names of calendars and time zones, and offsets.

use alloc::string::{String, ToString};

use temporal_rs::{Calendar, TimeZone, UtcOffset};

use crate::{Error, Result, zones};

/// Calendars that ICU4X knows and the standard does not, or only for texts of `Intl`.
const OTHERS: [&str; 2] = ["islamic", "islamic-rgsa"];

fn check_name(name: &str) -> Result<()> {
    let is_other = OTHERS.iter().any(|other| other.eq_ignore_ascii_case(name));
    if is_other { Err(Error::range().with_message("unknown calendar")) } else { Ok(()) }
}

pub(crate) fn calendar_of(name: &str) -> Result<Calendar> {
    check_name(name)?;
    Calendar::try_from_utf8(name.as_bytes())
}

/// Checks that the calendar which a text names, if it does, is none of those.
pub(crate) fn check_calendar(text: &str) -> Result<()> {
    let names = ["[u-ca=", "[!u-ca="].iter().filter_map(|key| Some((text.find(key)?, key.len())));
    let Some((start, length)) = names.min() else { return Ok(()) };
    let name = text[start + length..].split(']').next().unwrap_or_default();
    check_name(name)
}

pub(crate) fn zone_of(name: &str) -> Result<TimeZone> {
    TimeZone::try_from_identifier_str_with_provider(name, &zones::provider())
}

/// The canonical name of a calendar. With `may_be_date` it can be told by a date that has one.
///
/// # Errors
/// There is none.
pub fn calendar_name(text: &str, may_be_date: bool) -> Result<String> {
    check_name(text)?;
    check_calendar(text)?;
    let calendar = if may_be_date { text.parse() } else { calendar_of(text) }?;
    Ok(calendar.identifier().to_string())
}

/// The name of a time zone as it is written. With `may_be_date` it can be told by a date that has one.
///
/// # Errors
/// There is none.
pub fn zone_name(text: &str, may_be_date: bool) -> Result<String> {
    let provider = zones::provider();
    let zone = if may_be_date { TimeZone::try_from_str_with_provider(text, &provider)? } else { zone_of(text)? };
    zone.identifier_with_provider(&provider)
}

/// Whether a text is an offset from UTC.
pub fn offset_is_valid(text: &str) -> bool {
    UtcOffset::from_utf8(text.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Property, Value};

    #[test]
    fn calendars_are_those_of_the_standard() {
        for (text, name) in [
            ("HEBREW", Some("hebrew")),
            ("islamic-civil", Some("islamic-civil")),
            ("islamicc", Some("islamic-civil")),
            ("islamic", None),
            ("Islamic-RGSA", None),
            ("julian", None),
            ("T12:00[u-ca=roc]", Some("roc")),
            ("2024-01-01", Some("iso8601")),
            ("2024-01-01T12:00[UTC][!u-ca=roc][u-ca=roc]", None),
            ("2024-01-01[u-ca=roc][u-ca=islamic]", Some("roc")),
            ("2024-01-01T12:00[UTC][u-ca=roc]", Some("roc")),
            ("2024-01-01[u-ca=islamic]", None),
            ("12-25", Some("iso8601")),
        ] {
            assert_eq!(calendar_name(text, true).ok().as_deref(), name, "{text}");
            if text.contains("01-01") {
                let date = Value::parse(Kind::Date, text).and_then(|date| date.property("calendarId"));
                let found = if let Ok(Property::Text(found)) = date { Some(found) } else { None };
                assert_eq!(found.as_deref(), name, "{text}");
            }
        }
        // Where there is no calendar, none is looked at.
        assert!(Value::parse(Kind::Instant, "2024-01-01T00:00Z[u-ca=islamic]").is_ok());
    }
}
