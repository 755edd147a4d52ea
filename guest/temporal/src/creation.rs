//! What values are made of: numbers, texts, and fields.

use temporal_rs::options::{Disambiguation, OffsetDisambiguation, Overflow, RelativeTo};
use temporal_rs::parsed_intermediates::ParsedZonedDateTime;
use temporal_rs::partial::{PartialDate, PartialDateTime, PartialYearMonth, PartialZonedDateTime};
use temporal_rs::{
    Duration, Instant, PlainDate, PlainDateTime, PlainMonthDay, PlainTime, PlainYearMonth, ZonedDateTime,
};

use crate::choices::Choices;
use crate::fields::Fields;
use crate::names::{calendar_of, check_calendar, zone_of};
use crate::value::{Kind, Value, wrong_kind};
use crate::{Error, Result, zones};

fn out_of_range() -> Error {
    Error::range().with_message("A number is out of range")
}

/// A whole number as one of another type.
macro_rules! whole {
    ($number:expr, $type:ty) => {{
        let number: f64 = $number;
        let within = number >= <$type>::MIN as f64 && number <= <$type>::MAX as f64;
        if within { Ok(number as $type) } else { Err(out_of_range()) }
    }};
}

impl Value {
    /// What the constructors make of whole numbers, of which those that are not needed are missing. `text` is a time in
    /// nanoseconds since 1970.
    ///
    /// # Errors
    /// There is no such value.
    pub fn new(kind: Kind, numbers: &[f64], text: &str, zone: &str, calendar: &str) -> Result<Self> {
        let number = |at: usize| numbers.get(at).copied().unwrap_or(0.0);
        let small = |at: usize| whole!(number(at), u8);
        let medium = |at: usize| whole!(number(at), u16);
        let nanoseconds = || text.parse::<i128>().map_err(|_| out_of_range());
        Ok(match kind {
            Kind::Date => {
                let year = whole!(number(0), i32)?;
                Self::Date(PlainDate::try_new(year, small(1)?, small(2)?, calendar_of(calendar)?)?)
            }
            Kind::Time => {
                let (hour, minute, second) = (small(0)?, small(1)?, small(2)?);
                Self::Time(PlainTime::try_new(hour, minute, second, medium(3)?, medium(4)?, medium(5)?)?)
            }
            Kind::DateTime => Self::DateTime(PlainDateTime::try_new(
                whole!(number(0), i32)?,
                small(1)?,
                small(2)?,
                small(3)?,
                small(4)?,
                small(5)?,
                medium(6)?,
                medium(7)?,
                medium(8)?,
                calendar_of(calendar)?,
            )?),
            Kind::YearMonth => {
                let year = whole!(number(0), i32)?;
                Self::YearMonth(PlainYearMonth::try_new(year, small(1)?, Some(small(2)?), calendar_of(calendar)?)?)
            }
            Kind::MonthDay => {
                let (month, day, year) = (small(0)?, small(1)?, whole!(number(2), i32)?);
                let calendar = calendar_of(calendar)?;
                Self::MonthDay(PlainMonthDay::new_with_overflow(month, day, calendar, Overflow::Reject, Some(year))?)
            }
            Kind::Instant => Self::Instant(Instant::try_new(nanoseconds()?)?),
            Kind::Zoned => Self::Zoned(ZonedDateTime::try_new_with_provider(
                nanoseconds()?,
                zone_of(zone)?,
                calendar_of(calendar)?,
                &zones::provider(),
            )?),
            Kind::Duration => {
                let large = |at: usize| whole!(number(at), i64);
                Self::Duration(Duration::new(
                    large(0)?,
                    large(1)?,
                    large(2)?,
                    large(3)?,
                    large(4)?,
                    large(5)?,
                    large(6)?,
                    large(7)?,
                    whole!(number(8), i128)?,
                    whole!(number(9), i128)?,
                )?)
            }
            Kind::Relative => return Err(wrong_kind()),
        })
    }

    /// A value that a text tells. Of one with a time zone, it is what [`resolved`](Self::resolved) needs.
    ///
    /// # Errors
    /// The text tells none.
    pub fn parse(kind: Kind, text: &str) -> Result<Self> {
        let bytes = text.as_bytes();
        let provider = zones::provider();
        let value = match kind {
            Kind::Date => Self::Date(PlainDate::from_utf8(bytes)?),
            Kind::Time => Self::Time(PlainTime::from_utf8(bytes)?),
            Kind::DateTime => Self::DateTime(PlainDateTime::from_utf8(bytes)?),
            Kind::YearMonth => Self::YearMonth(PlainYearMonth::from_utf8(bytes)?),
            Kind::MonthDay => Self::MonthDay(PlainMonthDay::from_utf8(bytes)?),
            Kind::Zoned => Self::Parsed(ParsedZonedDateTime::from_utf8_with_provider(bytes, &provider)?),
            Kind::Instant => Self::Instant(Instant::from_utf8(bytes)?),
            Kind::Duration => Self::Duration(Duration::from_utf8(bytes)?),
            Kind::Relative => match RelativeTo::try_from_str_with_provider(text, &provider)? {
                RelativeTo::PlainDate(date) => Self::Date(date),
                RelativeTo::ZonedDateTime(zoned) => Self::Zoned(zoned),
            },
        };
        if !matches!(kind, Kind::Time | Kind::Instant) {
            check_calendar(text)?;
        }
        Ok(value)
    }

    /// What was parsed, with its options.
    ///
    /// # Errors
    /// There is no such time.
    pub fn resolved(&self, choices: &Choices<'_>) -> Result<Self> {
        let Self::Parsed(parsed) = self else { return Ok(self.clone()) };
        let disambiguation = choices.disambiguation().unwrap_or(Disambiguation::Compatible);
        let offset = choices.offset().unwrap_or(OffsetDisambiguation::Reject);
        let provider = zones::provider();
        ZonedDateTime::from_parsed_with_provider(parsed.clone(), disambiguation, offset, &provider).map(Self::Zoned)
    }

    /// A value with fields, in a calendar.
    ///
    /// # Errors
    /// There is no such value.
    pub fn from_fields(
        kind: Kind,
        fields: &Fields,
        calendar: &str,
        zone: Option<&str>,
        choices: &Choices<'_>,
    ) -> Result<Self> {
        let overflow = choices.overflow();
        let calendar = calendar_of(calendar)?;
        Ok(match kind {
            Kind::Date => {
                let partial = PartialDate { calendar_fields: fields.calendar()?, calendar };
                Self::Date(PlainDate::from_partial(partial, overflow)?)
            }
            Kind::Time => {
                let partial = fields.time(overflow)?;
                // An empty one is no mistake here: JavaScript has seen to it that something was given.
                Self::Time(PlainTime::default().with(partial, overflow)?)
            }
            Kind::DateTime => {
                let partial = PartialDateTime { fields: fields.date_time(overflow)?, calendar };
                Self::DateTime(PlainDateTime::from_partial(partial, overflow)?)
            }
            Kind::YearMonth => {
                let partial = PartialYearMonth { calendar_fields: fields.year_month()?, calendar };
                Self::YearMonth(PlainYearMonth::from_partial(partial, overflow)?)
            }
            Kind::MonthDay => {
                let is_iso = calendar.identifier() == "iso8601";
                let partial = PartialDate { calendar_fields: fields.month_day(is_iso)?, calendar };
                Self::MonthDay(PlainMonthDay::from_partial(partial, overflow)?)
            }
            Kind::Zoned => {
                let timezone = zone.map(zone_of).transpose()?;
                let partial = PartialZonedDateTime { fields: fields.zoned(overflow)?, timezone, calendar };
                let (disambiguation, offset) = (choices.disambiguation(), choices.offset());
                let provider = zones::provider();
                Self::Zoned(ZonedDateTime::from_partial_with_provider(
                    partial,
                    overflow,
                    disambiguation,
                    offset,
                    &provider,
                )?)
            }
            Kind::Instant | Kind::Duration | Kind::Relative => return Err(wrong_kind()),
        })
    }
}
