//! The values, and what can be done with them.

use core::cmp::Ordering;

use temporal_rs::options::Disambiguation;
use temporal_rs::parsed_intermediates::ParsedZonedDateTime;
use temporal_rs::provider::TransitionDirection;
use temporal_rs::{
    Duration, Instant, PlainDate, PlainDateTime, PlainMonthDay, PlainTime, PlainYearMonth, ZonedDateTime,
};

use crate::choices::Choices;
use crate::fields::Fields;
use crate::names::{calendar_of, zone_of};
use crate::{Error, Result, zones};

/// A value that JavaScript keeps.
#[derive(Clone)]
pub enum Value {
    Date(PlainDate),
    Time(PlainTime),
    DateTime(PlainDateTime),
    YearMonth(PlainYearMonth),
    MonthDay(PlainMonthDay),
    Zoned(ZonedDateTime),
    Instant(Instant),
    Duration(Duration),
    /// The text of a [`Zoned`](Self::Zoned) before its options are known.
    Parsed(ParsedZonedDateTime),
}

/// A kind of value, by the number that `temporal/values.js` has for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Date = 1,
    Time,
    DateTime,
    YearMonth,
    MonthDay,
    Zoned,
    Instant,
    Duration,
    /// What a duration can be relative to: a date, or one with a time zone.
    Relative,
}

impl Kind {
    pub fn new(number: u8) -> Option<Self> {
        use Kind::{Date, DateTime, Duration, Instant, MonthDay, Relative, Time, YearMonth, Zoned};
        let kinds = [Date, Time, DateTime, YearMonth, MonthDay, Zoned, Instant, Duration, Relative];
        kinds.get(usize::from(number).checked_sub(1)?).copied()
    }
}

/// That of a value which has another kind than the one that is needed.
pub(crate) fn wrong_kind() -> Error {
    Error::r#type().with_message("This cannot be done with a value of this kind")
}

impl Value {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Date(_) => Kind::Date,
            Self::Time(_) => Kind::Time,
            Self::DateTime(_) => Kind::DateTime,
            Self::YearMonth(_) => Kind::YearMonth,
            Self::MonthDay(_) => Kind::MonthDay,
            Self::Zoned(_) | Self::Parsed(_) => Kind::Zoned,
            Self::Instant(_) => Kind::Instant,
            Self::Duration(_) => Kind::Duration,
        }
    }

    /// The value with other fields.
    ///
    /// # Errors
    /// There is no such value.
    pub fn with_fields(&self, fields: &Fields, choices: &Choices<'_>) -> Result<Self> {
        let overflow = choices.overflow();
        Ok(match self {
            Self::Date(date) => Self::Date(date.with(fields.calendar()?, overflow)?),
            Self::Time(time) => Self::Time(time.with(fields.time(overflow)?, overflow)?),
            Self::DateTime(date_time) => Self::DateTime(date_time.with(fields.date_time(overflow)?, overflow)?),
            Self::YearMonth(month) => Self::YearMonth(month.with(fields.year_month()?, overflow)?),
            Self::MonthDay(day) => {
                let is_iso = day.calendar().identifier() == "iso8601";
                Self::MonthDay(day.with(fields.month_day(is_iso)?, overflow)?)
            }
            Self::Zoned(zoned) => Self::Zoned(zoned.with_with_provider(
                fields.zoned(overflow)?,
                choices.disambiguation(),
                choices.offset(),
                overflow,
                &zones::provider(),
            )?),
            _ => return Err(wrong_kind()),
        })
    }

    /// The date of a month with a day, or of a day with a year.
    ///
    /// # Errors
    /// There is no such date.
    pub fn to_date_with(&self, fields: &Fields) -> Result<Self> {
        let fields = Some(fields.calendar()?);
        match self {
            Self::YearMonth(month) => month.to_plain_date(fields),
            Self::MonthDay(day) => day.to_plain_date(fields),
            _ => Err(wrong_kind()),
        }
        .map(Self::Date)
    }

    /// The value as one of another kind that tells less.
    ///
    /// # Errors
    /// There is no such value.
    pub fn to_kind(&self, kind: Kind) -> Result<Self> {
        Ok(match (self, kind) {
            (Self::DateTime(date_time), Kind::Date) => Self::Date(date_time.to_plain_date()),
            (Self::DateTime(date_time), Kind::Time) => Self::Time(date_time.to_plain_time()),
            (Self::Zoned(zoned), Kind::Date) => Self::Date(zoned.to_plain_date()),
            (Self::Zoned(zoned), Kind::Time) => Self::Time(zoned.to_plain_time()),
            (Self::Zoned(zoned), Kind::DateTime) => Self::DateTime(zoned.to_plain_date_time()),
            (Self::Zoned(zoned), Kind::Instant) => Self::Instant(zoned.to_instant()),
            (Self::Date(date), Kind::YearMonth) => Self::YearMonth(date.to_plain_year_month()?),
            (Self::Date(date), Kind::MonthDay) => Self::MonthDay(date.to_plain_month_day()?),
            (Self::Date(date), Kind::DateTime) => Self::DateTime(date.to_plain_date_time(None)?),
            (value, kind) if value.kind() == kind => value.clone(),
            _ => return Err(wrong_kind()),
        })
    }

    /// The value at a time of its day, or when that begins.
    ///
    /// # Errors
    /// There is no such time.
    pub fn with_time(&self, time: Option<&Self>) -> Result<Self> {
        let time = time.map(Self::time).transpose()?;
        Ok(match self {
            Self::Date(date) => Self::DateTime(date.to_plain_date_time(time)?),
            Self::DateTime(date_time) => Self::DateTime(date_time.with_time(time)?),
            Self::Zoned(zoned) => Self::Zoned(zoned.with_plain_time_and_provider(time, &zones::provider())?),
            _ => return Err(wrong_kind()),
        })
    }

    fn time(&self) -> Result<PlainTime> {
        if let Self::Time(time) = self { Ok(*time) } else { Err(wrong_kind()) }
    }

    pub(crate) fn duration(&self) -> Result<&Duration> {
        if let Self::Duration(duration) = self { Ok(duration) } else { Err(wrong_kind()) }
    }

    /// The value in a time zone. A date has a time, or is when it begins there.
    ///
    /// # Errors
    /// There is no such time.
    pub fn in_zone(&self, zone: &str, time: Option<&Self>, choices: &Choices<'_>) -> Result<Self> {
        let zone = zone_of(zone)?;
        let time = time.map(Self::time).transpose()?;
        let provider = zones::provider();
        match self {
            Self::Date(date) => date.to_zoned_date_time_with_provider(zone, time, &provider),
            Self::DateTime(date_time) => {
                let disambiguation = choices.disambiguation().unwrap_or(Disambiguation::Compatible);
                date_time.to_zoned_date_time_with_provider(zone, disambiguation, &provider)
            }
            Self::Instant(instant) => instant.to_zoned_date_time_iso_with_provider(zone, &provider),
            Self::Zoned(zoned) => zoned.with_time_zone_with_provider(zone, &provider),
            _ => Err(wrong_kind()),
        }
        .map(Self::Zoned)
    }

    /// The value in another calendar.
    ///
    /// # Errors
    /// There is no such calendar.
    pub fn with_calendar(&self, calendar: &str) -> Result<Self> {
        let calendar = calendar_of(calendar)?;
        Ok(match self {
            Self::Date(date) => Self::Date(date.with_calendar(calendar)),
            Self::DateTime(date_time) => Self::DateTime(date_time.with_calendar(calendar)),
            Self::Zoned(zoned) => Self::Zoned(zoned.with_calendar(calendar)),
            _ => return Err(wrong_kind()),
        })
    }

    /// When the day begins.
    ///
    /// # Errors
    /// That is beyond what there can be.
    pub fn start_of_day(&self) -> Result<Self> {
        let Self::Zoned(zoned) = self else { return Err(wrong_kind()) };
        zoned.start_of_day_with_provider(&zones::provider()).map(Self::Zoned)
    }

    /// When the offset of the time zone changes next, or has changed last.
    ///
    /// # Errors
    /// That is beyond what there can be.
    pub fn transition(&self, is_next: bool) -> Result<Option<Self>> {
        let Self::Zoned(zoned) = self else { return Err(wrong_kind()) };
        let direction = if is_next { TransitionDirection::Next } else { TransitionDirection::Previous };
        let found = zoned.get_time_zone_transition_with_provider(direction, &zones::provider())?;
        Ok(found.map(Self::Zoned))
    }

    /// The order of two values of one kind. Durations are compared by [`compare_durations`](Self::compare_durations).
    ///
    /// # Errors
    /// They have different kinds.
    pub fn compare(&self, other: &Self) -> Result<Ordering> {
        Ok(match (self, other) {
            (Self::Date(one), Self::Date(two)) => one.compare_iso(two),
            (Self::DateTime(one), Self::DateTime(two)) => one.compare_iso(two),
            (Self::Time(one), Self::Time(two)) => one.cmp(two),
            (Self::YearMonth(one), Self::YearMonth(two)) => one.compare_iso(two),
            (Self::Zoned(one), Self::Zoned(two)) => one.compare_instant(two),
            (Self::Instant(one), Self::Instant(two)) => one.cmp(two),
            _ => return Err(wrong_kind()),
        })
    }

    /// Whether two values of one kind are the same, with their calendars and time zones.
    ///
    /// # Errors
    /// They have different kinds.
    pub fn equals(&self, other: &Self) -> Result<bool> {
        Ok(match (self, other) {
            (Self::Date(one), Self::Date(two)) => one == two,
            (Self::DateTime(one), Self::DateTime(two)) => one == two,
            (Self::Time(one), Self::Time(two)) => one == two,
            (Self::YearMonth(one), Self::YearMonth(two)) => one == two,
            (Self::MonthDay(one), Self::MonthDay(two)) => one == two,
            (Self::Instant(one), Self::Instant(two)) => one == two,
            (Self::Zoned(one), Self::Zoned(two)) => one.equals_with_provider(two, &zones::provider())?,
            _ => return Err(wrong_kind()),
        })
    }
}
