//! The guest's clock.
//!
//! A guest reads the time without leaving the VM: each call brings the time at which it was made, by a clock that may be set
//! and by one that is not, and the rate of the processor's counter. The guest counts on from there.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Nanoseconds since the Unix epoch.
pub fn epoch_nanos() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let nanos = u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX);
    #[cfg(feature = "test-guest")]
    let nanos = nanos.saturating_sub(SET_BACK_NANOS.load(std::sync::atomic::Ordering::Relaxed));
    nanos
}

#[cfg(feature = "test-guest")]
static SET_BACK_NANOS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

/// Has all calls of this process believe that somebody has set the system's clock back.
#[cfg(feature = "test-guest")]
pub fn set_back(by: Duration) {
    SET_BACK_NANOS.store(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX), std::sync::atomic::Ordering::Relaxed);
}

/// Nanoseconds since the first use in this process, whatever happens to the system's clock.
pub fn monotonic_nanos() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Ticks of the processor's counter per second, measured from the first use in this process to now.
///
/// The longer a process runs, the better the figure: the error is that of two clock readings over the time between them.
pub fn tsc_hz() -> u64 {
    static START: OnceLock<(Instant, u64)> = OnceLock::new();
    // Long enough for an error below one in ten thousand.
    const SHORTEST: Duration = Duration::from_millis(5);

    let (start, start_ticks) = *START.get_or_init(now);
    loop {
        let (end, end_ticks) = now();
        let elapsed = end - start;
        if elapsed >= SHORTEST {
            let ticks = u128::from(end_ticks.wrapping_sub(start_ticks));
            return u64::try_from(ticks * 1_000_000_000 / elapsed.as_nanos()).unwrap_or(u64::MAX);
        }
        std::thread::sleep(SHORTEST - elapsed);
    }
}

fn now() -> (Instant, u64) {
    (Instant::now(), ticks())
}

#[cfg(target_arch = "x86_64")]
fn ticks() -> u64 {
    // SAFETY: every x86-64 processor has RDTSC, and no supported system forbids it to user code.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// The counter of the system's time, which a guest sees with another start.
#[cfg(target_arch = "aarch64")]
fn ticks() -> u64 {
    let ticks;
    // SAFETY: every arm64 processor has this counter, and no supported system forbids it to user code.
    unsafe { core::arch::asm!("isb", "mrs {}, cntvct_el0", out(reg) ticks, options(nostack, preserves_flags)) };
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_runs_at_a_plausible_and_steady_rate() {
        let first = tsc_hz();
        std::thread::sleep(Duration::from_millis(50));
        let second = tsc_hz();
        let least = if cfg!(target_arch = "x86_64") { 100_000_000 } else { 1_000_000 };
        assert!((least..20_000_000_000).contains(&second), "{second} Hz");
        assert!(first.abs_diff(second) < second / 50, "{first} Hz, then {second} Hz");
    }
}
