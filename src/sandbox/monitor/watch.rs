//! Calls under the eyes of monitors.

use tokio::task::AbortHandle;

use super::runtime::runtime;
use super::{MonitorSet, Started};
use crate::sandbox::error::{Error, Result};
use crate::sandbox::interrupt::{CallGuard, InterruptHandle, StoppedBy};
use crate::sandbox::{metrics, stopper};

/// Makes a call, which has begun, under limits: the first monitor to fire stops it. Gives the call's result, and the name
/// of the monitor that stopped it.
///
/// # Errors
/// [`Error::Monitor`] if a monitor cannot start. The call is not made then.
pub fn watched<M: MonitorSet, T>(
    monitor: &M,
    interrupt: &InterruptHandle,
    running: &CallGuard,
    call: impl FnOnce() -> Result<T>,
) -> Result<(Result<T>, Option<&'static str>)> {
    let mut started = Started::default();
    monitor.start(&mut started).map_err(|error| Error::Monitor(error.to_string()))?;
    let Started { limits, races } = started;

    let watch = stopper::watch(interrupt.control(), running.id(), limits);
    let mut racing = Racing(Vec::with_capacity(races.len()));
    if !races.is_empty() {
        let runtime = runtime().ok_or_else(|| Error::Monitor("there are no threads for it".to_string()))?;
        for race in races {
            let (interrupt, id) = (interrupt.clone(), running.id());
            let task = runtime.spawn(async move {
                let name = race.await;
                interrupt.stop(id, StoppedBy::Monitor(name));
            });
            racing.0.push(task.abort_handle());
        }
    }
    let result = call();
    drop((watch, racing));
    let winner = match running.stopped_by() {
        Some(StoppedBy::Monitor(name)) if matches!(result, Err(Error::Cancelled)) => Some(name),
        _ => None,
    };
    if let Some(name) = winner {
        tracing::warn!(monitor = name, "an execution monitor has stopped guest code");
        metrics::terminated(name);
    }
    Ok((result, winner))
}

/// Futures of monitors, which end with this.
struct Racing(Vec<AbortHandle>);

impl Drop for Racing {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}
