//! Numbers of threads that the environment sets.

use std::ops::RangeInclusive;

/// The number that an environment variable gives; the default, with a warning in the log, if it gives none of the range.
pub fn from_environment(variable: &str, range: RangeInclusive<usize>, default: usize) -> usize {
    match std::env::var_os(variable) {
        Some(setting) => parse(&setting.to_string_lossy(), &range).unwrap_or_else(|| {
            let (least, most) = (range.start(), range.end());
            tracing::warn!("{variable} is {setting:?}, not a number from {least} to {most}; using {default}");
            default
        }),
        None => default,
    }
}

fn parse(setting: &str, range: &RangeInclusive<usize>) -> Option<usize> {
    setting.trim().parse().ok().filter(|threads| range.contains(threads))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_of_the_range_count() {
        for setting in ["", "0", "-1", "two", "1025", "99999999999999999999"] {
            assert_eq!(parse(setting, &(1..=1024)), None, "{setting:?}");
        }
        assert_eq!(parse("1", &(1..=1024)), Some(1));
        assert_eq!(parse(" 8 ", &(1..=1024)), Some(8));
        assert_eq!(from_environment("HYPERLIGHT_NO_SUCH_VARIABLE", 1..=1024, 2), 2);
    }
}
