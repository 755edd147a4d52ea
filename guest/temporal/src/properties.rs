//! What JavaScript asks of a value, one property at a time, by the names that `Temporal` has for them.

use alloc::format;
use alloc::string::{String, ToString};

use temporal_rs::Duration;

use crate::value::Value;
use crate::{Error, Result, zones};

/// What a property is.
pub enum Property {
    Number(f64),
    Flag(bool),
    Text(String),
    Missing,
}

impl From<Option<f64>> for Property {
    fn from(number: Option<f64>) -> Self {
        number.map_or(Self::Missing, Self::Number)
    }
}

impl From<Option<String>> for Property {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::Missing, Self::Text)
    }
}

/// What months have; days are added by others.
macro_rules! of_month {
    ($value:expr, $name:expr) => {
        match $name {
            "calendarId" => Property::Text($value.calendar().identifier().to_string()),
            "era" => $value.era().map(|era| era.as_str().to_string()).into(),
            "eraYear" => $value.era_year().map(f64::from).into(),
            "year" => Property::Number($value.year().into()),
            "month" => Property::Number($value.month().into()),
            "monthCode" => Property::Text($value.month_code().as_str().to_string()),
            "daysInMonth" => Property::Number($value.days_in_month().into()),
            "daysInYear" => Property::Number($value.days_in_year().into()),
            "monthsInYear" => Property::Number($value.months_in_year().into()),
            "inLeapYear" => Property::Flag($value.in_leap_year()),
            _ => Property::Missing,
        }
    };
}

macro_rules! of_day {
    ($value:expr, $name:expr) => {
        match $name {
            "day" => Property::Number($value.day().into()),
            "dayOfWeek" => Property::Number($value.day_of_week().into()),
            "dayOfYear" => Property::Number($value.day_of_year().into()),
            "weekOfYear" => $value.week_of_year().map(f64::from).into(),
            "yearOfWeek" => $value.year_of_week().map(f64::from).into(),
            "daysInWeek" => Property::Number($value.days_in_week().into()),
            name => of_month!($value, name),
        }
    };
}

macro_rules! of_time {
    ($value:expr, $name:expr, $or:expr) => {
        match $name {
            "hour" => Property::Number($value.hour().into()),
            "minute" => Property::Number($value.minute().into()),
            "second" => Property::Number($value.second().into()),
            "millisecond" => Property::Number($value.millisecond().into()),
            "microsecond" => Property::Number($value.microsecond().into()),
            "nanosecond" => Property::Number($value.nanosecond().into()),
            name => $or(name),
        }
    };
}

impl Value {
    /// A property. It is missing if values of this kind have none by that name.
    ///
    /// # Errors
    /// What is asked for is beyond what there can be.
    pub fn property(&self, name: &str) -> Result<Property> {
        Ok(match self {
            Self::Date(date) => of_day!(date, name),
            Self::DateTime(date_time) => of_time!(date_time, name, |name| of_day!(date_time, name)),
            Self::Time(time) => of_time!(time, name, |_| Property::Missing),
            Self::YearMonth(month) => of_month!(month, name),
            Self::MonthDay(day) => match name {
                "calendarId" => Property::Text(day.calendar_id().to_string()),
                "monthCode" => Property::Text(day.month_code().as_str().to_string()),
                "day" => Property::Number(day.day().into()),
                _ => Property::Missing,
            },
            Self::Instant(instant) => {
                of_epoch(name, instant.epoch_milliseconds(), instant.epoch_nanoseconds().as_i128())
            }
            Self::Zoned(zoned) => match name {
                "timeZoneId" => Property::Text(zoned.time_zone().identifier_with_provider(&zones::provider())?),
                "offset" => Property::Text(zoned.offset()),
                "offsetNanoseconds" => Property::Number(zoned.offset_nanoseconds() as f64),
                "hoursInDay" => Property::Number(zoned.hours_in_day_with_provider(&zones::provider())?),
                "epochMilliseconds" | "epochNanoseconds" => {
                    of_epoch(name, zoned.epoch_milliseconds(), zoned.epoch_nanoseconds().as_i128())
                }
                name => of_time!(zoned, name, |name| of_day!(zoned, name)),
            },
            Self::Duration(duration) => of_duration(duration, name),
            Self::Parsed(_) => return Err(Error::general("no value has this kind")),
        })
    }
}

fn of_epoch(name: &str, milliseconds: i64, nanoseconds: i128) -> Property {
    match name {
        "epochMilliseconds" => Property::Number(milliseconds as f64),
        "epochNanoseconds" => Property::Text(format!("{nanoseconds}")),
        _ => Property::Missing,
    }
}

fn of_duration(duration: &Duration, name: &str) -> Property {
    Property::Number(match name {
        "years" => duration.years() as f64,
        "months" => duration.months() as f64,
        "weeks" => duration.weeks() as f64,
        "days" => duration.days() as f64,
        "hours" => duration.hours() as f64,
        "minutes" => duration.minutes() as f64,
        "seconds" => duration.seconds() as f64,
        "milliseconds" => duration.milliseconds() as f64,
        "microseconds" => duration.microseconds() as f64,
        "nanoseconds" => duration.nanoseconds() as f64,
        "sign" => f64::from(duration.sign() as i8),
        _ => return Property::Missing,
    })
}
