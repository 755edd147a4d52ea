//! The runtime that all monitors of a process share.

use std::ops::RangeInclusive;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

use crate::sandbox::threads;

const VARIABLE: &str = "HYPERLIGHT_MONITOR_THREADS";
const DEFAULT_THREADS: usize = 2;
const RANGE: RangeInclusive<usize> = 1..=1024;

/// The runtime; `None` if its threads cannot be had. It is made when it is first asked for.
pub fn runtime() -> Option<&'static Runtime> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let make = || {
        let threads = threads::from_environment(VARIABLE, RANGE, DEFAULT_THREADS);
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(threads).thread_name("hyperlight-monitor").enable_time().build();
        runtime.inspect_err(|error| tracing::error!("the threads for execution monitors cannot be had: {error}")).ok()
    };
    RUNTIME.get_or_init(make).as_ref()
}
