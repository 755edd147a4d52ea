//! What a call has done so far, counted while it goes on, and how often it may call the host.

use std::ops::RangeInclusive;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// How often a call may call host functions. Calls beyond that are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostCallLimits {
    /// In total, synchronous and asynchronous.
    pub total: u64,
    /// Asynchronous ones at the same time.
    pub in_flight: usize,
}

impl HostCallLimits {
    pub const DEFAULT_TOTAL: u64 = 100_000;
    pub const TOTAL_RANGE: RangeInclusive<u64> = 0..=u32::MAX as u64;
    pub const DEFAULT_IN_FLIGHT: usize = 1_000;
    /// The guest has no room for more.
    pub const IN_FLIGHT_RANGE: RangeInclusive<usize> = 0..=1_000;
}

impl Default for HostCallLimits {
    fn default() -> Self {
        Self { total: Self::DEFAULT_TOTAL, in_flight: Self::DEFAULT_IN_FLIGHT }
    }
}

/// Counts of one call. They order nothing between threads: whoever reads them has been handed the call.
#[derive(Debug, Default)]
pub struct Tally {
    entries: AtomicU64,
    host_calls: AtomicU64,
    suspended_nanos: AtomicU64,
    /// Zero until the guest has said something of it.
    heap_used: AtomicU64,
    heap_peak: AtomicU64,
    /// Set before the guest is entered.
    limits: OnceLock<HostCallLimits>,
}

impl Tally {
    /// Sets the call's limits, once.
    pub fn limit(&self, limits: HostCallLimits) {
        let _ = self.limits.set(limits);
    }

    pub fn limits(&self) -> HostCallLimits {
        self.limits.get().copied().unwrap_or_default()
    }

    /// The guest is entered.
    pub fn entry(&self) {
        self.entries.fetch_add(1, Relaxed);
    }

    /// The guest calls a host function.
    ///
    /// # Errors
    /// It has called too many.
    pub fn host_call(&self) -> Result<(), String> {
        let (count, most) = (self.host_calls.fetch_add(1, Relaxed) + 1, self.limits().total);
        if count > most { Err(format!("the call has made {most} calls of host functions already")) } else { Ok(()) }
    }

    /// The call was suspended for this time.
    pub fn suspended_for(&self, time: Duration) {
        self.suspended_nanos.fetch_add(time.as_nanos().try_into().unwrap_or(u64::MAX), Relaxed);
    }

    /// The guest says that so many bytes of its heap are in use, and so many were at one time.
    pub fn heap_use(&self, used: u64, peak: u64) {
        self.heap_used.store(used, Relaxed);
        self.heap_peak.store(peak, Relaxed);
    }

    /// Bytes of the heap that are in use, and most at one time, if the guest has said that.
    pub fn heap(&self) -> Option<(u64, u64)> {
        let (used, peak) = (self.heap_used.load(Relaxed), self.heap_peak.load(Relaxed));
        (peak > 0).then_some((used, peak))
    }

    /// Entries into the guest.
    pub fn entries(&self) -> u64 {
        self.entries.load(Relaxed)
    }

    /// Calls of host functions, those that were refused among them.
    pub fn host_calls(&self) -> u64 {
        self.host_calls.load(Relaxed)
    }

    /// Time for which the call was suspended.
    pub fn suspended(&self) -> Duration {
        Duration::from_nanos(self.suspended_nanos.load(Relaxed))
    }
}
