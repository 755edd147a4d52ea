//! Metrics of sandboxes, through the [`metrics`](https://docs.rs/metrics) crate.
//!
//! They go to the recorder that the program installs; without one they cost next to nothing. Install it before the first
//! sandbox is made: a sandbox that is older than the recorder is not counted as active.
//!
//! `docs/observability.md` has the table and an example with an exporter. [`HANDLER_CALL_DURATION`] is recorded if the
//! cargo feature `function_call_metrics` is on, which turns on the feature of that name of `hyperlight-host` too.

use metrics::{Gauge, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};

#[cfg(feature = "function_call_metrics")]
use super::error::Error;
use super::error::Result;
use super::stats::ExecutionStats;

/// Gauge: sandboxes that there are now, by [`KIND`].
pub const SANDBOXES_ACTIVE: &str = "hyperlight_js_sandboxes_active";
/// Counter: sandboxes that there have been, by [`KIND`].
pub const SANDBOXES: &str = "hyperlight_js_sandboxes_total";
/// Counter: sandboxes whose handlers were loaded.
pub const LOADS: &str = "hyperlight_js_loads_total";
/// Counter: sandboxes whose handlers were unloaded.
pub const UNLOADS: &str = "hyperlight_js_unloads_total";
/// Counter: guest code that a monitor stopped, by [`MONITOR`].
pub const MONITOR_TERMINATIONS: &str = "hyperlight_js_monitor_terminations_total";
/// Histogram: how long handlers ran, in seconds, by [`HANDLER`] and [`OUTCOME`].
pub const HANDLER_CALL_DURATION: &str = "hyperlight_js_handler_call_duration_seconds";

/// Label: the type of a sandbox, `proto`, `js` or `loaded`.
pub const KIND: &str = "kind";
/// Label: the name of a monitor.
pub const MONITOR: &str = "monitor";
/// Label: the name of a handler; empty if a call came to nothing before it was known that there is such a handler.
pub const HANDLER: &str = "handler";
/// Label: `ok`, or the kind of an error.
pub const OUTCOME: &str = "outcome";

/// Describes the metrics to the recorder.
pub(super) fn describe() {
    describe_gauge!(SANDBOXES_ACTIVE, Unit::Count, "Sandboxes that there are now.");
    describe_counter!(SANDBOXES, Unit::Count, "Sandboxes that there have been.");
    describe_counter!(LOADS, Unit::Count, "Sandboxes whose handlers were loaded.");
    describe_counter!(UNLOADS, Unit::Count, "Sandboxes whose handlers were unloaded.");
    describe_counter!(MONITOR_TERMINATIONS, Unit::Count, "Guest code that a monitor stopped.");
    if cfg!(feature = "function_call_metrics") {
        describe_histogram!(HANDLER_CALL_DURATION, Unit::Seconds, "How long handlers ran.");
    }
}

/// A sandbox is active, as one of a kind, until this is dropped.
#[derive(Debug)]
pub(super) struct Active(Gauge);

impl Active {
    pub fn proto() -> Self {
        Self::new("proto")
    }

    pub fn js() -> Self {
        Self::new("js")
    }

    pub fn loaded() -> Self {
        Self::new("loaded")
    }

    fn new(kind: &'static str) -> Self {
        counter!(SANDBOXES, KIND => kind).increment(1);
        // Kept, so that the recorder that counted the sandbox is the one that hears of its end.
        let active = gauge!(SANDBOXES_ACTIVE, KIND => kind);
        active.increment(1.0);
        Self(active)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// The handlers of a sandbox were loaded.
pub(super) fn loaded() {
    counter!(LOADS).increment(1);
}

/// The handlers of a sandbox were unloaded.
pub(super) fn unloaded() {
    counter!(UNLOADS).increment(1);
}

/// A monitor stopped guest code.
pub(super) fn terminated(monitor: &'static str) {
    counter!(MONITOR_TERMINATIONS, MONITOR => monitor).increment(1);
}

/// A handler was called.
#[cfg(feature = "function_call_metrics")]
pub(super) fn handler_called<T>(name: &str, result: &Result<T>, stats: &ExecutionStats) {
    let outcome = result.as_ref().err().map_or("ok", Error::kind);
    let handler = if is_known(result) { name } else { "" };
    metrics::histogram!(HANDLER_CALL_DURATION, HANDLER => handler.to_string(), OUTCOME => outcome)
        .record(stats.wall_clock);
}

/// A handler was called.
#[cfg(not(feature = "function_call_metrics"))]
pub(super) fn handler_called<T>(_: &str, _: &Result<T>, _: &ExecutionStats) {}

/// Whether a call's result shows that there is such a handler. Names that callers make up must not become labels: each
/// would be kept for good.
#[cfg(feature = "function_call_metrics")]
fn is_known<T>(result: &Result<T>) -> bool {
    matches!(
        result,
        Ok(_)
            | Err(Error::Guest { .. }
                | Error::InvalidEvent(_)
                | Error::PayloadTooLarge { what: "result", .. }
                | Error::Cancelled
                | Error::GuestAbort(_))
    )
}
