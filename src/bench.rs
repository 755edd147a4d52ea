//! What the benchmarks measure and no program needs. It is no part of the interface, and may change with any version.

pub use crate::sandbox::stats::GuestCounters;
use crate::{LoadedJSSandbox, Result};

/// Enters the guest and comes back without calling a handler. What it takes is the hypervisor's share of every call, which
/// others can be compared with.
///
/// # Errors
/// [`Error::Poisoned`](crate::Error::Poisoned).
pub fn round_trip(sandbox: &mut LoadedJSSandbox) -> Result<()> {
    sandbox.round_trip()
}

/// Why the first call after a start or a restore is slow. To ask is a call of its own.
///
/// # Errors
/// [`Error::Poisoned`](crate::Error::Poisoned).
pub fn guest_counters(sandbox: &mut LoadedJSSandbox) -> Result<GuestCounters> {
    sandbox.guest_counters()
}
