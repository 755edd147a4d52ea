//! What a monitor is, and several of them together.

use std::future::{Future, pending};
use std::pin::Pin;
use std::time::Duration;

use hyperlight_host::Result;

use crate::sandbox::error;
use crate::sandbox::invalid_argument::InvalidArgument;
use crate::sandbox::stopper::Limit;

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
pub struct BuiltInLimit(pub(super) Limit);

/// What is to be watched during a call.
#[doc(hidden)]
#[derive(Default)]
pub struct Started {
    pub(super) limits: Vec<Limit>,
    pub(super) races: Vec<Pin<Box<dyn Future<Output = &'static str> + Send>>>,
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

/// Checks the limit of a monitor.
pub(super) fn checked(limit: Duration) -> error::Result<Duration> {
    if limit.is_zero() {
        return Err(InvalidArgument::ZeroLimit.into());
    }
    Ok(limit)
}
