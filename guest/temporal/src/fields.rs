//! Fields of dates and times, as JavaScript has read them from an object.

use alloc::string::String;
use core::str::FromStr;

use temporal_rs::fields::{CalendarFields, DateTimeFields, YearMonthCalendarFields, ZonedDateTimeFields};
use temporal_rs::options::Overflow;
use temporal_rs::partial::PartialTime;
use temporal_rs::{MonthCode, TinyAsciiStr, UtcOffset};

use crate::{Error, Result};

/// What there can be. Numbers are whole, and those of the date positive but for years.
#[derive(Default)]
pub struct Fields {
    pub year: Option<f64>,
    pub month: Option<f64>,
    pub month_code: Option<String>,
    pub day: Option<f64>,
    pub era: Option<String>,
    pub era_year: Option<f64>,
    /// Hour, minute, second, and their thousandths.
    pub time: [Option<f64>; 6],
    pub offset: Option<String>,
}

const LARGEST: [f64; 6] = [23.0, 59.0, 59.0, 999.0, 999.0, 999.0];

impl Fields {
    /// Numbers that no calendar has become others that none has.
    pub(crate) fn calendar(&self) -> Result<CalendarFields> {
        let era = self.era.as_deref().map(TinyAsciiStr::try_from_str).transpose();
        Ok(CalendarFields {
            year: self.year.map(|year| year as i32),
            month: self.month.map(|month| month as u8),
            month_code: self.month_code.as_deref().map(MonthCode::from_str).transpose()?,
            day: self.day.map(|day| day as u8),
            era: era.map_err(|_| Error::range().with_message("Invalid era code."))?,
            era_year: self.era_year.map(|year| year as i32),
        })
    }

    /// A day of a month of the ISO calendar may be of any year. That tells only whether February has a 29th day, as does the same
    /// year of another four centuries.
    pub(crate) fn month_day(&self, is_iso: bool) -> Result<CalendarFields> {
        let fields = self.calendar()?;
        match self.year.filter(|year| is_iso && year.abs() > f64::from(i32::MAX)) {
            Some(year) => Ok(CalendarFields { year: Some((2000.0 + year % 400.0) as i32), ..fields }),
            None => Ok(fields),
        }
    }

    pub(crate) fn year_month(&self) -> Result<YearMonthCalendarFields> {
        let CalendarFields { year, month, month_code, era, era_year, .. } = self.calendar()?;
        Ok(YearMonthCalendarFields { year, month, month_code, era, era_year })
    }

    pub(crate) fn time(&self, overflow: Option<Overflow>) -> Result<PartialTime> {
        let mut time = [None; 6];
        for (i, given) in self.time.iter().enumerate() {
            let Some(number) = *given else { continue };
            let within = number.clamp(0.0, LARGEST[i]);
            if within != number && overflow == Some(Overflow::Reject) {
                return Err(Error::range().with_message("Time field is out of range."));
            }
            time[i] = Some(within as u16);
        }
        let [hour, minute, second, millisecond, microsecond, nanosecond] = time;
        let small = |number: Option<u16>| number.map(|number| number as u8);
        let (hour, minute, second) = (small(hour), small(minute), small(second));
        Ok(PartialTime { hour, minute, second, millisecond, microsecond, nanosecond })
    }

    pub(crate) fn date_time(&self, overflow: Option<Overflow>) -> Result<DateTimeFields> {
        Ok(DateTimeFields { calendar_fields: self.calendar()?, time: self.time(overflow)? })
    }

    pub(crate) fn zoned(&self, overflow: Option<Overflow>) -> Result<ZonedDateTimeFields> {
        let offset = self.offset.as_deref().map(|offset| UtcOffset::from_utf8(offset.as_bytes())).transpose()?;
        Ok(ZonedDateTimeFields { calendar_fields: self.calendar()?, time: self.time(overflow)?, offset })
    }
}
