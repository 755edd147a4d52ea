//! Limits on the execution of a handler.
//!
//! Two traits, since two sides look at a monitor:
//! - [`ExecutionMonitor`] is what you implement: a future that completes when the limit is reached, and a name.
//! - [`MonitorSet`] is what [`handle_event_with_monitor`](crate::LoadedJSSandbox::handle_event_with_monitor) takes: one
//!   monitor, an [`Option`] of one, or a tuple of up to five of these, of which the first to fire stops the handler. It is sealed and implemented for you.
//!
//! [`WallClockMonitor`] and [`CpuTimeMonitor`] are made to be used together: CPU time catches computation without end and is
//! fair to handlers that wait; wall-clock time catches those that hold on to the host's resources without computing.
//!
//! A monitor that cannot start means that the handler is not run.
//!
//! ```
//! use std::time::Duration;
//! use hyperlight_js::{CpuTimeMonitor, Error, SandboxBuilder, Script, WallClockMonitor};
//!
//! # fn main() -> hyperlight_js::Result<()> {
//! let mut sandbox = SandboxBuilder::new().build()?.load_runtime()?;
//! sandbox.add_handler("spin", Script::from_content("function handler() { for (;;); }"))?;
//! let mut loaded = sandbox.get_loaded_sandbox()?;
//!
//! let limits = (WallClockMonitor::new(Duration::from_secs(5))?, CpuTimeMonitor::new(Duration::from_millis(50))?);
//! let result = loaded.handle_event_with_monitor("spin", "null".to_string(), &limits, None);
//! assert!(matches!(result, Err(Error::Cancelled)));
//! # Ok(())
//! # }
//! ```
//!
//! The thread that stops calls watches these two itself, so they work also where no other thread can be had. Monitors of your
//! own share a runtime of 2 threads; the environment variable `HYPERLIGHT_MONITOR_THREADS` sets another number, 1 to 1024, when
//! it is first used.

mod cpu_time;
mod runtime;
mod thread_clock;
mod wall_clock;
mod watch;

use std::future::{Future, pending};
use std::pin::Pin;
use std::time::Duration;

/// What a monitor's [`get_monitor`](ExecutionMonitor::get_monitor) returns, of `hyperlight-host`: a program needs no dependency on
/// that. [`new_error!`](crate::new_error) makes its error.
pub use hyperlight_host::Result;

pub use cpu_time::CpuTimeMonitor;
pub(super) use thread_clock::ThreadCpuClock;
pub use wall_clock::WallClockMonitor;
pub(crate) use watch::Watching;
pub(super) use watch::{watch, winner};

use super::stopper::Limit;

/// A limit on the execution of a handler.
///
/// ```
/// use std::future::{Future, pending};
/// use std::time::Duration;
/// use hyperlight_js::{ExecutionMonitor, monitor};
///
/// struct Patience(Duration);
///
/// impl ExecutionMonitor for Patience {
///     fn get_monitor(&self) -> monitor::Result<impl Future<Output = ()> + Send + 'static> {
///         let patience = self.0;
///         Ok(async move { monitor::sleep(patience).await })
///     }
///
///     fn name(&self) -> &'static str {
///         "patience"
///     }
/// }
/// ```
pub trait ExecutionMonitor: Send + Sync {
    /// A future that completes when the limit is reached. This is called on the thread that is going to run the handler,
    /// right before it does.
    ///
    /// # Errors
    /// Why the limit cannot be watched. The handler is not run then.
    fn get_monitor(&self) -> Result<impl Future<Output = ()> + Send + 'static>;

    /// Name of the limit, for logs and statistics.
    fn name(&self) -> &'static str;

    /// The limit itself, if it is one that needs no future to be watched.
    #[doc(hidden)]
    fn limit(&self) -> Option<Result<BuiltInLimit>> {
        None
    }
}

/// A limit that the thread which stops calls watches itself.
#[doc(hidden)]
pub struct BuiltInLimit(Limit);

/// What is to be watched during a call.
#[doc(hidden)]
#[derive(Default)]
pub struct Started {
    limits: Vec<Limit>,
    races: Vec<Pin<Box<dyn Future<Output = &'static str> + Send>>>,
}

/// One monitor or several, of which the first to fire stops the handler. `None` is none that fires.
pub trait MonitorSet: sealed::Sealed + Send + Sync {
    /// A future that gives the name of the first monitor to fire.
    ///
    /// # Errors
    /// Why one of them cannot start.
    fn to_race(&self) -> Result<impl Future<Output = &'static str> + Send + 'static>;

    /// Adds the monitors to what is to be watched.
    ///
    /// # Errors
    /// As [`to_race`](Self::to_race).
    #[doc(hidden)]
    fn start(&self, started: &mut Started) -> Result<()>;
}

mod sealed {
    pub trait Sealed {}
}

impl<M: ExecutionMonitor> sealed::Sealed for M {}

impl<M: ExecutionMonitor> MonitorSet for M {
    fn to_race(&self) -> Result<impl Future<Output = &'static str> + Send + 'static> {
        let (monitor, name) = (self.get_monitor()?, self.name());
        Ok(async move {
            monitor.await;
            name
        })
    }

    fn start(&self, started: &mut Started) -> Result<()> {
        match self.limit() {
            Some(limit) => started.limits.push(limit?.0),
            None => started.races.push(Box::pin(self.to_race()?)),
        }
        Ok(())
    }
}

impl<M: ExecutionMonitor> sealed::Sealed for Option<M> {}

/// A limit that may be left out.
impl<M: ExecutionMonitor> MonitorSet for Option<M> {
    fn to_race(&self) -> Result<impl Future<Output = &'static str> + Send + 'static> {
        let race = self.as_ref().map(MonitorSet::to_race).transpose()?;
        Ok(async move {
            match race {
                Some(race) => race.await,
                None => pending().await,
            }
        })
    }

    fn start(&self, started: &mut Started) -> Result<()> {
        self.as_ref().map_or(Ok(()), |monitor| monitor.start(started))
    }
}

macro_rules! impl_monitor_set_for_tuple {
    ($($monitor:ident),+) => {
        impl<$($monitor: MonitorSet),+> sealed::Sealed for ($($monitor,)+) {}

        impl<$($monitor: MonitorSet),+> MonitorSet for ($($monitor,)+) {
            #[allow(non_snake_case)]
            fn to_race(&self) -> Result<impl Future<Output = &'static str> + Send + 'static> {
                let ($($monitor,)+) = self;
                $(let $monitor = $monitor.to_race()?;)+
                Ok(async move {
                    tokio::select! { $(name = $monitor => name,)+ }
                })
            }

            #[allow(non_snake_case)]
            fn start(&self, started: &mut Started) -> Result<()> {
                let ($($monitor,)+) = self;
                $($monitor.start(started)?;)+
                Ok(())
            }
        }
    };
}

impl_monitor_set_for_tuple!(A);
impl_monitor_set_for_tuple!(A, B);
impl_monitor_set_for_tuple!(A, B, C);
impl_monitor_set_for_tuple!(A, B, C, D);
impl_monitor_set_for_tuple!(A, B, C, D, E);

/// Waits, on the runtime that monitors run on.
pub async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// Checks the limit of a monitor.
fn checked(limit: Duration) -> super::error::Result<Duration> {
    if limit.is_zero() {
        return Err(super::error::Error::InvalidArgument("the limit of a monitor must not be zero".to_string()));
    }
    Ok(limit)
}
