//! Calls under the eyes of monitors.

use std::sync::{Arc, OnceLock};

use super::{MonitorSet, runtime};
use crate::sandbox::error::{Error, Result};
use crate::sandbox::interrupt::{CallGuard, InterruptHandle};
use crate::sandbox::metrics;

/// Makes a call, which has begun, under limits: the first monitor to fire stops it. Gives the call's result, and the name
/// of the monitor that stopped it.
///
/// # Errors
/// [`Error::Monitor`] if a monitor cannot start. The call is not made then.
pub fn watched<M: MonitorSet, T>(
    monitor: &M,
    interrupt: InterruptHandle,
    running: &CallGuard,
    call: impl FnOnce() -> Result<T>,
) -> Result<(Result<T>, Option<&'static str>)> {
    let runtime = runtime().ok_or_else(|| Error::Monitor("there are no threads for it".to_string()))?;
    let race = monitor.to_race().map_err(|error| Error::Monitor(error.to_string()))?;

    let winner = Arc::new(OnceLock::new());
    let task = {
        let (winner, id) = (winner.clone(), running.id());
        runtime.spawn(async move {
            let name = race.await;
            tracing::warn!(monitor = name, "an execution monitor stops guest code");
            let _ = winner.set(name);
            // It returns when the guest has stopped, which must not keep other monitors waiting.
            tokio::task::spawn_blocking(move || interrupt.kill_call(id));
        })
    };
    let result = call();
    task.abort();
    let winner = winner.get().copied().filter(|_| matches!(result, Err(Error::Cancelled)));
    if let Some(name) = winner {
        metrics::terminated(name);
    }
    Ok((result, winner))
}
