//! The clock: the time at which the current call was made, and the time-stamp counter from there on.

use core::arch::x86_64::_rdtsc;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

static EPOCH_NANOS: AtomicU64 = AtomicU64::new(0);
static TICKS_PER_SECOND: AtomicU64 = AtomicU64::new(0);
static START: AtomicU64 = AtomicU64::new(0);

/// When the first call was made.
static ORIGIN: AtomicU64 = AtomicU64::new(0);

/// Sets the clock at the start of a call.
pub fn set(epoch_nanos: u64, ticks_per_second: u64) {
    if ORIGIN.load(Relaxed) == 0 {
        ORIGIN.store(epoch_nanos, Relaxed);
    }
    EPOCH_NANOS.store(epoch_nanos, Relaxed);
    TICKS_PER_SECOND.store(ticks_per_second, Relaxed);
    START.store(ticks(), Relaxed);
}

/// Nanoseconds since the Unix epoch; 0 during boot.
pub fn now_nanos() -> u64 {
    let elapsed = u128::from(ticks().wrapping_sub(START.load(Relaxed))) * 1_000_000_000;
    let elapsed = elapsed.checked_div(u128::from(TICKS_PER_SECOND.load(Relaxed))).unwrap_or(0);
    EPOCH_NANOS.load(Relaxed).saturating_add(u64::try_from(elapsed).unwrap_or(u64::MAX))
}

/// Nanoseconds since the first call.
pub fn since_origin_nanos() -> u64 {
    now_nanos().saturating_sub(ORIGIN.load(Relaxed))
}

fn ticks() -> u64 {
    // SAFETY: every x86-64 processor has RDTSC, and the kernel does not forbid it.
    unsafe { _rdtsc() }
}
