//! What options say, as numbers in an array: JavaScript has read them, and knows their names.

use temporal_rs::options::{
    DifferenceSettings, Disambiguation, DisplayCalendar, DisplayOffset, DisplayTimeZone, OffsetDisambiguation,
    Overflow, RoundingIncrement, RoundingMode, RoundingOptions, ToStringRoundingOptions, Unit,
};
use temporal_rs::parsers::Precision;

use crate::{Error, Result};

/// The place of each in the array, which `temporal/options.js` has as well.
#[derive(Clone, Copy)]
enum Choice {
    Overflow,
    Disambiguation,
    Offset,
    LargestUnit,
    SmallestUnit,
    RoundingMode,
    Increment,
    Digits,
    ShowCalendar,
    ShowOffset,
    ShowTimeZone,
}

/// Options that were given. A place that has nothing is that of an option which was not.
#[derive(Default)]
pub struct Choices<'a>(pub &'a [Option<f64>]);

impl Choices<'_> {
    fn number(&self, choice: Choice) -> Option<f64> {
        self.0.get(choice as usize).copied().flatten()
    }

    /// The value with the number that was given, which is one of them.
    fn one_of<T: Copy>(&self, choice: Choice, values: &[T]) -> Option<T> {
        values.get(self.number(choice)? as usize).copied()
    }

    pub(crate) fn overflow(&self) -> Option<Overflow> {
        self.one_of(Choice::Overflow, &[Overflow::Constrain, Overflow::Reject])
    }

    pub(crate) fn disambiguation(&self) -> Option<Disambiguation> {
        use Disambiguation::{Compatible, Earlier, Later, Reject};
        self.one_of(Choice::Disambiguation, &[Compatible, Earlier, Later, Reject])
    }

    pub(crate) fn offset(&self) -> Option<OffsetDisambiguation> {
        use OffsetDisambiguation::{Ignore, Prefer, Reject, Use};
        self.one_of(Choice::Offset, &[Prefer, Use, Ignore, Reject])
    }

    fn unit(&self, choice: Choice) -> Option<Unit> {
        use Unit::{Auto, Day, Hour, Microsecond, Millisecond, Minute, Month, Nanosecond, Second, Week, Year};
        let units = [Auto, Nanosecond, Microsecond, Millisecond, Second, Minute, Hour, Day, Week, Month, Year];
        self.one_of(choice, &units)
    }

    /// No operation has a smallest unit by itself, and temporal_rs asserts in some that there is one.
    pub(crate) fn smallest_unit(&self) -> Result<Option<Unit>> {
        match self.unit(Choice::SmallestUnit) {
            Some(Unit::Auto) => Err(Error::range().with_message("The smallest unit cannot be \"auto\"")),
            unit => Ok(unit),
        }
    }

    fn rounding_mode(&self) -> Option<RoundingMode> {
        use RoundingMode::{Ceil, Expand, Floor, HalfCeil, HalfEven, HalfExpand, HalfFloor, HalfTrunc, Trunc};
        let modes = [Ceil, Floor, Expand, Trunc, HalfCeil, HalfFloor, HalfExpand, HalfTrunc, HalfEven];
        self.one_of(Choice::RoundingMode, &modes)
    }

    fn increment(&self) -> Result<Option<RoundingIncrement>> {
        self.number(Choice::Increment).map(RoundingIncrement::try_from).transpose()
    }

    pub(crate) fn difference(&self) -> Result<DifferenceSettings> {
        let mut settings = DifferenceSettings::default();
        settings.largest_unit = self.unit(Choice::LargestUnit);
        settings.smallest_unit = self.smallest_unit()?;
        settings.rounding_mode = self.rounding_mode();
        settings.increment = self.increment()?;
        Ok(settings)
    }

    pub(crate) fn rounding(&self) -> Result<RoundingOptions> {
        let mut options = RoundingOptions::default();
        options.largest_unit = self.unit(Choice::LargestUnit);
        options.smallest_unit = self.smallest_unit()?;
        options.rounding_mode = self.rounding_mode();
        options.increment = self.increment()?;
        Ok(options)
    }

    pub(crate) fn text(&self) -> Result<ToStringRoundingOptions> {
        let digits = self.number(Choice::Digits).map(|digits| digits as u8);
        Ok(ToStringRoundingOptions {
            precision: digits.map_or(Precision::Auto, Precision::Digit),
            smallest_unit: self.smallest_unit()?,
            rounding_mode: self.rounding_mode(),
        })
    }

    pub(crate) fn show_calendar(&self) -> DisplayCalendar {
        use DisplayCalendar::{Always, Auto, Critical, Never};
        self.one_of(Choice::ShowCalendar, &[Auto, Always, Never, Critical]).unwrap_or(Auto)
    }

    pub(crate) fn show_offset(&self) -> DisplayOffset {
        self.one_of(Choice::ShowOffset, &[DisplayOffset::Auto, DisplayOffset::Never]).unwrap_or(DisplayOffset::Auto)
    }

    pub(crate) fn show_time_zone(&self) -> DisplayTimeZone {
        use DisplayTimeZone::{Auto, Critical, Never};
        self.one_of(Choice::ShowTimeZone, &[Auto, Never, Critical]).unwrap_or(Auto)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Value};

    #[test]
    fn there_is_no_smallest_unit_by_itself() {
        let mut options = [None; 11];
        options[Choice::SmallestUnit as usize] = Some(0.0);
        let choices = Choices(&options);
        for (kind, text) in [
            (Kind::Time, "12:00"),
            (Kind::DateTime, "2024-01-01T12:00"),
            (Kind::Zoned, "2024-01-01T12:00[UTC]"),
            (Kind::Instant, "2024-01-01T12:00Z"),
            (Kind::Duration, "PT1H"),
        ] {
            let value = Value::parse(kind, text).and_then(|value| value.resolved(&Choices::default())).expect(text);
            assert!(value.round(None, &choices).is_err(), "{text}");
            assert!(value.text(None, &choices).is_err(), "{text}");
            if kind == Kind::Duration {
                assert!(value.total(None, &choices).is_err());
            } else {
                assert!(value.difference(&value, false, &choices).is_err(), "{text}");
            }
        }
    }
}
