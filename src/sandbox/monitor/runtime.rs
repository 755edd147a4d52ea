//! The runtime that all monitors of a process share.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

const VARIABLE: &str = "HYPERLIGHT_MONITOR_THREADS";
const DEFAULT_THREADS: usize = 2;
const MAX_THREADS: usize = 1024;

/// The runtime; `None` if its threads cannot be had. It is made when it is first asked for.
pub fn runtime() -> Option<&'static Runtime> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let make = || {
        let threads = threads(std::env::var(VARIABLE).ok().as_deref());
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(threads).thread_name("hyperlight-monitor").enable_time().build();
        runtime.inspect_err(|error| tracing::error!("the threads for execution monitors cannot be had: {error}")).ok()
    };
    RUNTIME.get_or_init(make).as_ref()
}

fn threads(setting: Option<&str>) -> usize {
    let Some(setting) = setting else { return DEFAULT_THREADS };
    match setting.trim().parse() {
        Ok(threads) if (1..=MAX_THREADS).contains(&threads) => threads,
        _ => {
            tracing::warn!("{VARIABLE} is {setting:?}, not a number from 1 to {MAX_THREADS}; using {DEFAULT_THREADS}");
            DEFAULT_THREADS
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_setting_gives_the_default() {
        for setting in [None, Some(""), Some("0"), Some("-1"), Some("two"), Some("1025"), Some("99999999999999999999")]
        {
            assert_eq!(threads(setting), DEFAULT_THREADS, "{setting:?}");
        }
        assert_eq!(threads(Some("1")), 1);
        assert_eq!(threads(Some(" 8 ")), 8);
    }
}
