//! How full a pool is, for JavaScript.

use napi_derive::napi;

use super::pool::SandboxPool;

/// How full a pool is at one moment.
#[napi(object)]
pub struct PoolStats {
    /// Number of sandboxes that the pool maintains.
    pub size: f64,
    /// Sandboxes that are ready for a request.
    pub ready: f64,
    /// Sandboxes in use, being created, or being returned to clean state.
    pub busy: f64,
    /// Sandboxes that could not be created, or were lost; the next request has them created.
    pub missing: f64,
    /// Requests that are waiting for a sandbox.
    pub waiting: f64,
    /// Number of requests that may wait.
    pub max_queue: f64,
}

#[napi]
impl SandboxPool {
    /// How full the pool is. All figures are of the same moment.
    #[napi]
    pub fn stats(&self) -> PoolStats {
        let leases = &self.requests.driver.leases;
        let (members, ready, waiting) = leases.occupancy();
        PoolStats {
            size: leases.size() as f64,
            ready: ready as f64,
            busy: (members - ready) as f64,
            missing: (leases.size() - members) as f64,
            waiting: waiting as f64,
            max_queue: leases.max_waiting() as f64,
        }
    }
}
