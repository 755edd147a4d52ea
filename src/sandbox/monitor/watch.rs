//! Calls under the eyes of monitors.

use tokio::task::AbortHandle;

use super::runtime::runtime;
use super::set::{MonitorSet, Started};
use crate::sandbox::call_control::{CallGuard, StoppedBy};
use crate::sandbox::error::{Error, MonitorFailure, Result};
use crate::sandbox::interrupt::InterruptHandle;
use crate::sandbox::{metrics, stopper};

/// A call is watched by monitors until this is dropped.
pub struct Watching {
    _watch: stopper::Watch,
    _racing: Racing,
}

/// Has a call, which has begun, watched: the first monitor to fire stops it.
///
/// # Errors
/// [`Error::Monitor`] if a monitor cannot start. The call must not be made then.
pub fn watch<M: MonitorSet>(monitor: &M, interrupt: &InterruptHandle, running: &CallGuard) -> Result<Watching> {
    let mut started = Started::default();
    monitor.start(&mut started).map_err(|error| Error::Monitor(MonitorFailure::Refused(Box::new(error))))?;
    let Started { limits, races } = started;

    let watch = stopper::watch(interrupt.control(), running.id(), limits);
    let mut racing = Racing(Vec::with_capacity(races.len()));
    if !races.is_empty() {
        let runtime = runtime().ok_or_else(|| Error::Monitor(MonitorFailure::NoThreads))?;
        for race in races {
            let (interrupt, id) = (interrupt.clone(), running.id());
            let task = runtime.spawn(async move {
                let name = race.await;
                interrupt.stop(id, StoppedBy::Monitor(name));
            });
            racing.0.push(task.abort_handle());
        }
    }
    Ok(Watching { _watch: watch, _racing: racing })
}

/// The name of the monitor that has stopped a call, given the call's result.
pub fn winner<T>(running: &CallGuard, result: &Result<T>) -> Option<&'static str> {
    let winner = match running.stopped_by() {
        Some(StoppedBy::Monitor(name)) if matches!(result, Err(Error::Cancelled)) => Some(name),
        _ => None,
    };
    if let Some(name) = winner {
        tracing::warn!(monitor = name, "an execution monitor has stopped guest code");
        metrics::terminated(name);
    }
    winner
}

/// Futures of monitors, which end with this.
struct Racing(Vec<AbortHandle>);

impl Drop for Racing {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}
