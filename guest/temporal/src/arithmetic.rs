//! Sums, differences and roundings, and values as text.

use alloc::string::String;
use core::cmp::Ordering;

use temporal_rs::options::{Overflow, RelativeTo};

use crate::choices::Choices;
use crate::value::{Value, wrong_kind};
use crate::{Error, Result, zones};

impl Value {
    /// The value after a duration, or before it.
    ///
    /// # Errors
    /// That is beyond what there can be.
    pub fn plus(&self, duration: &Self, is_before: bool, choices: &Choices<'_>) -> Result<Self> {
        let duration = duration.duration()?;
        let duration = &if is_before { duration.negated() } else { *duration };
        let overflow = choices.overflow();
        Ok(match self {
            Self::Date(date) => Self::Date(date.add(duration, overflow)?),
            Self::Time(time) => Self::Time(time.add(duration)?),
            Self::DateTime(date_time) => Self::DateTime(date_time.add(duration, overflow)?),
            Self::YearMonth(month) => Self::YearMonth(month.add(duration, overflow.unwrap_or(Overflow::Constrain))?),
            Self::Zoned(zoned) => Self::Zoned(zoned.add_with_provider(duration, overflow, &zones::provider())?),
            Self::Instant(instant) => Self::Instant(instant.add(duration)?),
            Self::Duration(own) => Self::Duration(own.add(duration)?),
            Self::MonthDay(_) | Self::Parsed(_) => return Err(wrong_kind()),
        })
    }

    /// The duration from a value until another one, or since it.
    ///
    /// # Errors
    /// There is none, or it is beyond what there can be.
    pub fn difference(&self, other: &Self, is_since: bool, choices: &Choices<'_>) -> Result<Self> {
        let settings = choices.difference()?;
        macro_rules! of {
            ($one:expr, $two:expr) => {
                if is_since { $one.since($two, settings) } else { $one.until($two, settings) }
            };
        }
        match (self, other) {
            (Self::Date(one), Self::Date(two)) => of!(one, two),
            (Self::Time(one), Self::Time(two)) => of!(one, two),
            (Self::DateTime(one), Self::DateTime(two)) => of!(one, two),
            (Self::YearMonth(one), Self::YearMonth(two)) => of!(one, two),
            (Self::Instant(one), Self::Instant(two)) => of!(one, two),
            (Self::Zoned(one), Self::Zoned(two)) => {
                let provider = zones::provider();
                if is_since {
                    one.since_with_provider(two, settings, &provider)
                } else {
                    one.until_with_provider(two, settings, &provider)
                }
            }
            _ => Err(wrong_kind()),
        }
        .map(Self::Duration)
    }

    /// The value rounded. Durations can be relative to a date.
    ///
    /// # Errors
    /// It cannot be rounded so, or that is beyond what there can be.
    pub fn round(&self, relative_to: Option<&Self>, choices: &Choices<'_>) -> Result<Self> {
        let options = choices.rounding()?;
        Ok(match self {
            Self::Time(time) => Self::Time(time.round(options)?),
            Self::DateTime(date_time) => Self::DateTime(date_time.round(options)?),
            Self::Instant(instant) => Self::Instant(instant.round(options)?),
            Self::Zoned(zoned) => Self::Zoned(zoned.round_with_provider(options, &zones::provider())?),
            Self::Duration(duration) => {
                Self::Duration(duration.round_with_provider(options, relative(relative_to)?, &zones::provider())?)
            }
            _ => return Err(wrong_kind()),
        })
    }

    /// A duration in a unit.
    ///
    /// # Errors
    /// It needs a date to be relative to, or that is beyond what there can be.
    pub fn total(&self, relative_to: Option<&Self>, choices: &Choices<'_>) -> Result<f64> {
        let unit = choices.smallest_unit()?.ok_or_else(|| Error::range().with_message("A unit is needed"))?;
        let total = self.duration()?.total_with_provider(unit, relative(relative_to)?, &zones::provider())?;
        Ok(total.as_inner())
    }

    /// The order of two durations.
    ///
    /// # Errors
    /// They need a date to be relative to, or are beyond what there can be.
    pub fn compare_durations(&self, other: &Self, relative_to: Option<&Self>) -> Result<Ordering> {
        self.duration()?.compare_with_provider(other.duration()?, relative(relative_to)?, &zones::provider())
    }

    /// A duration in the other direction.
    ///
    /// # Errors
    /// It is no duration.
    pub fn negated(&self) -> Result<Self> {
        self.duration().map(|duration| Self::Duration(duration.negated()))
    }

    /// The value as text, which an instant has in a time zone if one is given.
    ///
    /// # Errors
    /// What it is rounded to is beyond what there can be.
    pub fn text(&self, zone: Option<&str>, choices: &Choices<'_>) -> Result<String> {
        let provider = zones::provider();
        let calendar = choices.show_calendar();
        match self {
            Self::Date(date) => Ok(date.to_ixdtf_string(calendar)),
            Self::Time(time) => time.to_ixdtf_string(choices.text()?),
            Self::DateTime(date_time) => date_time.to_ixdtf_string(choices.text()?, calendar),
            Self::YearMonth(month) => Ok(month.to_ixdtf_string(calendar)),
            Self::MonthDay(day) => Ok(day.to_ixdtf_string(calendar)),
            Self::Zoned(zoned) => {
                let (offset, zone) = (choices.show_offset(), choices.show_time_zone());
                zoned.to_ixdtf_string_with_provider(offset, zone, calendar, choices.text()?, &provider)
            }
            Self::Instant(instant) => {
                let zone = zone.map(crate::names::zone_of).transpose()?;
                instant.to_ixdtf_string_with_provider(zone, choices.text()?, &provider)
            }
            Self::Duration(duration) => duration.as_temporal_string(choices.text()?),
            Self::Parsed(_) => Err(wrong_kind()),
        }
    }

    /// The milliseconds since 1970 at which a clock in UTC would show this date and time; of a date without a time,
    /// noon.
    ///
    /// # Errors
    /// It has neither.
    pub fn shown_at(&self) -> Result<f64> {
        let nanoseconds = match self {
            Self::Date(date) => date.epoch_ns_for_utc(),
            Self::Time(time) => time.epoch_ns_for_utc(),
            Self::DateTime(date_time) => date_time.epoch_ns_for_utc(),
            Self::YearMonth(month) => month.epoch_ns_for_utc(),
            Self::MonthDay(day) => day.epoch_ns_for_utc(),
            Self::Zoned(zoned) => *zoned.epoch_nanoseconds(),
            Self::Instant(instant) => *instant.epoch_nanoseconds(),
            Self::Duration(_) | Self::Parsed(_) => return Err(wrong_kind()),
        };
        Ok(nanoseconds.as_i128().div_euclid(1_000_000) as f64)
    }
}

fn relative(value: Option<&Value>) -> Result<Option<RelativeTo>> {
    Ok(match value {
        None => None,
        Some(Value::Date(date)) => Some(RelativeTo::PlainDate(date.clone())),
        Some(Value::Zoned(zoned)) => Some(RelativeTo::ZonedDateTime(zoned.clone())),
        Some(_) => return Err(wrong_kind()),
    })
}
