//! The clocks: the time at which the current call was made, and the time-stamp counter from there on.
//!
//! There are two. One follows the host's, which may be set, also backwards. The other never goes back, whatever the host's
//! clocks do: not from call to call, not when the counter's rate is estimated anew, and not in a snapshot that another process
//! goes on with, whose clock has another start.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use guest_abi::message::CallContext;

use crate::arch::ticks;

/// What the current call has brought.
static EPOCH_NANOS: AtomicU64 = AtomicU64::new(0);
static HOST_MONOTONIC_NANOS: AtomicU64 = AtomicU64::new(0);
static TICKS_PER_SECOND: AtomicU64 = AtomicU64::new(0);
/// The counter at the beginning of the call; 0 before the first.
static START: AtomicU64 = AtomicU64::new(0);

/// The monotonic clock at the beginning of the call.
static MONOTONIC_NANOS: AtomicU64 = AtomicU64::new(0);
/// When that was 0: the time at the beginning of the first call.
static ORIGIN_EPOCH_NANOS: AtomicU64 = AtomicU64::new(0);
/// Its latest reading.
static LATEST: AtomicU64 = AtomicU64::new(0);

/// Sets the clocks at the start of a call.
pub fn set(call: &CallContext) {
    let is_first = START.load(Relaxed) == 0;
    if is_first {
        ORIGIN_EPOCH_NANOS.store(call.epoch_nanos, Relaxed);
    }
    let passed = call.monotonic_nanos.saturating_sub(HOST_MONOTONIC_NANOS.load(Relaxed));
    let monotonic = if is_first { 0 } else { MONOTONIC_NANOS.load(Relaxed).saturating_add(passed) };
    MONOTONIC_NANOS.store(monotonic.max(LATEST.load(Relaxed)), Relaxed);
    HOST_MONOTONIC_NANOS.store(call.monotonic_nanos, Relaxed);
    EPOCH_NANOS.store(call.epoch_nanos, Relaxed);
    TICKS_PER_SECOND.store(call.tsc_hz, Relaxed);
    START.store(ticks(), Relaxed);
}

/// Has the next call be the first.
pub fn forget() {
    for clock in [&START, &LATEST, &MONOTONIC_NANOS, &HOST_MONOTONIC_NANOS, &ORIGIN_EPOCH_NANOS] {
        clock.store(0, Relaxed);
    }
}

/// Nanoseconds since the Unix epoch; 0 during boot.
pub fn now_nanos() -> u64 {
    EPOCH_NANOS.load(Relaxed).saturating_add(since_call_nanos())
}

/// Nanoseconds since the first call.
pub fn since_origin_nanos() -> u64 {
    let now = MONOTONIC_NANOS.load(Relaxed).saturating_add(since_call_nanos()).max(LATEST.load(Relaxed));
    LATEST.store(now, Relaxed);
    now
}

fn since_call_nanos() -> u64 {
    let elapsed = u128::from(ticks().saturating_sub(START.load(Relaxed))) * 1_000_000_000;
    let elapsed = elapsed.checked_div(u128::from(TICKS_PER_SECOND.load(Relaxed))).unwrap_or(0);
    u64::try_from(elapsed).unwrap_or(u64::MAX)
}

/// Milliseconds from the Unix epoch to the first call; 0 during boot.
pub fn origin_millis() -> f64 {
    ORIGIN_EPOCH_NANOS.load(Relaxed) as f64 / 1e6
}
