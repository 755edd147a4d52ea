//! Which pool is which.

use std::sync::atomic::{AtomicU64, Ordering};

/// Identifies a pool of sandboxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolId(u64);

impl PoolId {
    /// One that no other pool of this process has.
    pub fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }
}
