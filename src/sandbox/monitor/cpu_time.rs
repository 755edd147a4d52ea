//! A limit on the processor time that a handler uses.

use std::future::Future;
use std::time::Duration;

use hyperlight_host::{HyperlightError, Result};

use super::runtime::sleep;
use super::set::{BuiltInLimit, ExecutionMonitor, checked};
use crate::sandbox::error;
use crate::sandbox::stopper::Limit;
use crate::sandbox::thread_clock::ThreadCpuClock;

/// Stops a handler after it has used the processor for some time. Waiting for a host function does not count.
///
/// The time is that of the thread that runs the VM. It is available on Linux, and on Windows in steps of some 15 ms;
/// elsewhere the monitor cannot start, so the handler is not run.
#[derive(Clone, Debug)]
pub struct CpuTimeMonitor {
    limit: Duration,
}

impl CpuTimeMonitor {
    /// A monitor with this limit.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`](error::Error::InvalidArgument) if it is zero.
    pub fn new(limit: Duration) -> error::Result<Self> {
        Ok(Self { limit: checked(limit)? })
    }
}

impl ExecutionMonitor for CpuTimeMonitor {
    fn get_monitor(&self) -> Result<impl Future<Output = ()> + Send + 'static> {
        let limit = self.limit;
        let clock = ThreadCpuClock::of_this_thread();
        let Some((start, clock)) = clock.and_then(|clock| Some((clock.now()?, clock))) else {
            return Err(not_measured());
        };
        Ok(async move {
            // A clock that cannot be read any more counts as a limit that is reached: nothing runs unwatched.
            while let Some(used) = clock.now().map(|now| now.saturating_sub(start)) {
                // A thread cannot use more processor time than passes, so this is the earliest moment of interest.
                match limit.checked_sub(used) {
                    Some(left) if !left.is_zero() => sleep(left.max(Duration::from_micros(100))).await,
                    _ => break,
                }
            }
        })
    }

    fn name(&self) -> &'static str {
        "cpu-time"
    }

    fn limit(&self) -> Option<Result<BuiltInLimit>> {
        Some(Limit::cpu_time(self.name(), self.limit).map(BuiltInLimit).ok_or_else(not_measured))
    }
}

fn not_measured() -> HyperlightError {
    HyperlightError::Error("the processor time of a thread cannot be measured here".to_string())
}
