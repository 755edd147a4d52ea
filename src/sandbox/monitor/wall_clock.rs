//! A limit on the time that passes.

use std::future::Future;
use std::time::Duration;

use super::runtime::sleep;
use super::set::{BuiltInLimit, ExecutionMonitor, checked};
use crate::sandbox::error;
use crate::sandbox::stopper::Limit;

/// Stops a handler after some time has passed, whatever it does.
#[derive(Clone, Debug)]
pub struct WallClockMonitor {
    limit: Duration,
}

impl WallClockMonitor {
    /// A monitor with this limit.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`](error::Error::InvalidArgument) if it is zero.
    pub fn new(limit: Duration) -> error::Result<Self> {
        Ok(Self { limit: checked(limit)? })
    }
}

impl ExecutionMonitor for WallClockMonitor {
    fn get_monitor(&self) -> hyperlight_host::Result<impl Future<Output = ()> + Send + 'static> {
        Ok(sleep(self.limit))
    }

    fn name(&self) -> &'static str {
        "wall-clock"
    }

    fn limit(&self) -> Option<hyperlight_host::Result<BuiltInLimit>> {
        Some(Ok(BuiltInLimit(Limit::wall_clock(self.name(), self.limit))))
    }
}
