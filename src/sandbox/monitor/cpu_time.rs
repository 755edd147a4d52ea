//! A limit on the processor time that a handler uses.

use std::future::Future;
use std::time::Duration;

use hyperlight_host::{HyperlightError, Result};

use super::{ExecutionMonitor, checked, sleep};
use crate::sandbox::error;

/// Stops a handler after it has used the processor for some time. Waiting for a host function does not count.
///
/// The time is that of the thread that runs the VM. It is available on Linux; elsewhere the monitor cannot start, so the
/// handler is not run.
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
        let Some((clock, start)) = clock.and_then(|clock| Some((clock, clock.now()?))) else {
            return Err(HyperlightError::Error("the processor time of a thread cannot be measured here".to_string()));
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
}

/// Counts the processor time that a thread uses.
#[derive(Clone, Copy, Debug)]
pub struct ThreadCpuClock {
    #[cfg(target_os = "linux")]
    id: libc::clockid_t,
}

#[cfg(target_os = "linux")]
impl ThreadCpuClock {
    /// The clock of the calling thread; it can be read from others.
    pub fn of_this_thread() -> Option<Self> {
        let mut id = 0;
        // SAFETY: the thread is the calling one, and `id` is written to.
        let result = unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &raw mut id) };
        (result == 0).then_some(Self { id })
    }

    /// Time used so far; `None` if the thread has ended.
    pub fn now(self) -> Option<Duration> {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is written to.
        let result = unsafe { libc::clock_gettime(self.id, &raw mut time) };
        let nanoseconds = u32::try_from(time.tv_nsec).ok()?;
        (result == 0).then_some(Duration::new(u64::try_from(time.tv_sec).ok()?, nanoseconds))
    }
}

#[cfg(not(target_os = "linux"))]
impl ThreadCpuClock {
    /// There is none here.
    pub fn of_this_thread() -> Option<Self> {
        None
    }

    /// There is none here.
    pub fn now(self) -> Option<Duration> {
        None
    }
}
