//! Metrics of sandboxes, through the [`metrics`](https://docs.rs/metrics) crate.
//!
//! They go to the recorder that the program installs; without one they cost next to nothing. Install it before the first
//! sandbox is made: a sandbox that is older than the recorder is not counted as active.
//!
//! `docs/observability.md` has the table and an example with an exporter. [`HANDLER_CALL_DURATION`] is recorded if the
//! cargo feature `function_call_metrics` is on, which turns on the feature of that name of `hyperlight-host` too.

use metrics::{Gauge, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use super::error::{Error, Result};
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
/// Counter: sandboxes that were put back into the state of a snapshot.
pub const RESTORES: &str = "hyperlight_js_restores_total";
/// Counter: calls of host functions, those that were refused among them.
pub const HOST_CALLS: &str = "hyperlight_js_host_calls_total";
/// Histogram: how long calls of handlers and runs of programs took, in seconds, by [`OUTCOME`].
pub const CALL_DURATION: &str = "hyperlight_js_call_duration_seconds";
/// Histogram: most bytes that JavaScript had in use at one time during a call.
pub const CALL_HEAP_PEAK: &str = "hyperlight_js_call_heap_peak_bytes";
/// Gauge: sandboxes of pools that are ready for a request.
pub const POOL_READY: &str = "hyperlight_js_pool_sandboxes_ready";
/// Gauge: requests that wait for a sandbox of a pool.
pub const POOL_WAITING: &str = "hyperlight_js_pool_requests_waiting";
/// Gauge: sandboxes in stock, see [`SandboxBuilder::prewarm_sandboxes`](crate::SandboxBuilder::prewarm_sandboxes).
pub const STOCK_READY: &str = "hyperlight_js_stock_sandboxes_ready";
/// Histogram: how long requests waited until a pool had a sandbox for them, in seconds.
pub const POOL_WAIT: &str = "hyperlight_js_pool_wait_seconds";
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
    describe_counter!(RESTORES, Unit::Count, "Sandboxes that were put back into the state of a snapshot.");
    describe_counter!(HOST_CALLS, Unit::Count, "Calls of host functions.");
    describe_histogram!(CALL_DURATION, Unit::Seconds, "How long calls of handlers and runs of programs took.");
    describe_histogram!(
        CALL_HEAP_PEAK,
        Unit::Bytes,
        "Most bytes that JavaScript had in use at one time during a call."
    );
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

/// A sandbox is in stock until this is dropped.
pub(super) struct InStock(Gauge);

impl InStock {
    pub fn one_more() -> Self {
        describe_gauge!(STOCK_READY, Unit::Count, "Sandboxes in stock.");
        // As above.
        let ready = gauge!(STOCK_READY);
        ready.increment(1.0);
        Self(ready)
    }
}

impl Drop for InStock {
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

/// A sandbox was put back into the state of a snapshot.
pub(super) fn restored() {
    counter!(RESTORES).increment(1);
}

/// A call has ended.
pub(super) fn call_ended<T>(result: &Result<T>, stats: &ExecutionStats) {
    let outcome = result.as_ref().err().map_or("ok", Error::kind);
    histogram!(CALL_DURATION, OUTCOME => outcome).record(stats.wall_clock);
    if stats.host_calls > 0 {
        counter!(HOST_CALLS).increment(stats.host_calls);
    }
    if let Some(heap) = stats.heap {
        histogram!(CALL_HEAP_PEAK).record(heap.peak as f64);
    }
}

/// A handler was called.
#[cfg(feature = "function_call_metrics")]
pub(super) fn handler_called<T>(name: &str, result: &Result<T>, stats: &ExecutionStats) {
    let outcome = result.as_ref().err().map_or("ok", Error::kind);
    let handler = if is_known(result) { name } else { "" };
    histogram!(HANDLER_CALL_DURATION, HANDLER => handler.to_string(), OUTCOME => outcome).record(stats.wall_clock);
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
