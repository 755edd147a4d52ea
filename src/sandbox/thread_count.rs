//! Numbers of threads, which the environment can set.

use std::ops::RangeInclusive;
use std::sync::LazyLock;

/// How many threads there may be of one kind for work that blocks: as many sandboxes can be at work at a time.
pub fn most_for_blocking() -> usize {
    static MOST: LazyLock<usize> = LazyLock::new(|| from_environment("HYPERLIGHT_JS_THREADS", 1..=16_384, 512));
    *MOST
}

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
