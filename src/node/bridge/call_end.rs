//! How JavaScript hears of the end of a call that can be stopped.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use guest_abi::payload::Payload;
use napi::bindgen_prelude::{JsObjectValue, Null, Object};
use napi::{Env, JsError, JsValue, Unknown};

use super::async_context::Origin;
use super::call_options::LoadOptions;
use super::call_stats::CallStats;
use super::promise::Pending;
use super::signal::{Listener, Signal};
use crate::node::error::{Code, Error, Result};
use crate::node::scheduling::calls::Ticket;
use crate::node::scheduling::jobs::Source;

/// What a call has come to.
pub struct Ended<T> {
    pub result: Result<T>,
    /// Its cost, if it has begun.
    pub stats: Option<crate::ExecutionStats>,
    pub limits: LoadOptions,
}

/// Size of a value in bytes.
pub fn output_size(value: Option<&Payload>) -> usize {
    value.map_or(0, Payload::size)
}

/// The promise for a call's end, which the call itself settles, or a signal that is aborted before the call has begun.
pub struct CallPromise<T>(Arc<Mutex<Option<Pending<Ended<T>>>>>);

impl<T: Send + 'static> CallPromise<T> {
    pub fn new() -> Self {
        Self(Arc::default())
    }

    pub fn put(&self, pending: Pending<Ended<T>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(pending);
    }

    /// Settles the promise with what a call has come to, unless it has been settled: after all that the source has caused, the
    /// lines of its console among it.
    pub fn settle_after(self, source: Source, ended: Result<Ended<T>>) {
        settle(&self.0, source, ended);
    }
}

fn settle<T: Send + 'static>(call_promise: &Mutex<Option<Pending<Ended<T>>>>, source: Source, ended: Result<Ended<T>>) {
    let pending = call_promise.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(pending) = pending {
        pending.after(source).settle_with(|| ended);
    }
}

/// What of a call is kept for the JavaScript thread, which has to end it.
#[derive(Clone, Default)]
pub struct OnThread(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    /// What listens to the call's signal.
    listener: Option<Listener>,
    /// Where it was made.
    origin: Option<Arc<Origin>>,
}

impl OnThread {
    /// Notes where the call is made, for the host functions that it calls, if there are any, and what they are given.
    pub fn originate(&self, env: &Env, context: Option<Unknown<'_>>) -> Result<Arc<Origin>> {
        let origin = Origin::new(env, context)?;
        self.lock().origin = Some(origin.clone());
        Ok(origin)
    }

    /// Stops a call when a signal is aborted. One that has not begun is never made: that promise is rejected at once, if it
    /// is given, and `withdrawn` is called.
    ///
    /// # Errors
    /// The signal has been aborted already: then nothing of the call may be done.
    pub fn begin<T: Send + 'static>(
        &self,
        env: &Env,
        signal: Option<Signal>,
        limits: LoadOptions,
        (ticket, call_promise): (&Ticket, Option<&CallPromise<T>>),
        withdrawn: impl Fn() + 'static,
    ) -> Result<()> {
        let Some(signal) = signal else { return Ok(()) };
        self.listen(env, signal, limits, (ticket, call_promise), withdrawn).inspect_err(|_| self.end_origin(env))
    }

    fn listen<T: Send + 'static>(
        &self,
        env: &Env,
        signal: Signal,
        limits: LoadOptions,
        (ticket, call_promise): (&Ticket, Option<&CallPromise<T>>),
        withdrawn: impl Fn() + 'static,
    ) -> Result<()> {
        if let Some(reason) = signal.reason(env)? {
            return Err(explained(env, crate::Error::Cancelled.into(), None, limits, Some(reason)));
        }
        // The call itself keeps the promise: should it be lost, the promise must not wait.
        let (aborter, call_promise) =
            (ticket.aborter(), call_promise.map_or_else(Weak::new, |call_promise| Arc::downgrade(&call_promise.0)));
        let listener = signal.listen(env, move || {
            if aborter.abort() {
                if let Some(call_promise) = call_promise.upgrade() {
                    // The call that runs may go on for long, and so may its lines.
                    settle(
                        &call_promise,
                        Source::HOST,
                        Ok(Ended { result: Err(crate::Error::Cancelled.into()), stats: None, limits }),
                    );
                }
                withdrawn();
            }
        })?;
        self.lock().listener = Some(listener);
        Ok(())
    }

    /// What the call gives to JavaScript: a value and what it has cost, or an error with that.
    pub fn end<T>(self, env: &Env, ended: Ended<T>) -> Result<(T, Option<crate::ExecutionStats>)> {
        let listener = self.lock().listener.take();
        // A signal that fails now has done what it was for.
        let reason = listener.and_then(|listener| listener.end(env).ok().flatten());
        self.end_origin(env);
        let Ended { result, stats, limits } = ended;
        match result {
            Ok(value) => Ok((value, stats)),
            Err(error) => Err(explained(env, error, stats, limits, reason)),
        }
    }

    fn end_origin(&self, env: &Env) {
        let origin = self.lock().origin.take();
        // It fails only where JavaScript code cannot run any more.
        let _ = origin.map(|origin| origin.end(env));
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // No code runs under the lock that could leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of a call, which says what the call has cost and why it was stopped.
pub fn explained(
    env: &Env,
    error: Error,
    stats: Option<crate::ExecutionStats>,
    limits: LoadOptions,
    reason: Option<Unknown<'_>>,
) -> Error {
    let is_cancelled = error.code() == Code::Cancelled;
    let terminated_by = stats.as_ref().and_then(|stats| stats.terminated_by);
    let reason = reason.filter(|_| is_cancelled && terminated_by.is_none());
    let error = match &stats {
        Some(stats) if is_cancelled => why(stats, limits).map_or(error, Error::Cancelled),
        _ => error,
    };
    let error = if reason.is_some() { Error::Cancelled("its signal was aborted".to_string()) } else { error };
    let add = || -> Result<Error> {
        let error = JsError::from(error.into_js(env)).into_unknown(*env);
        let mut object = Object::from_raw(env.raw(), error.raw());
        if is_cancelled {
            match terminated_by.or(reason.map(|_| "signal")) {
                Some(name) => object.set_named_property("terminatedBy", name)?,
                None => object.set_named_property("terminatedBy", Null)?,
            }
        }
        if let Some(stats) = &stats {
            object.set_named_property("stats", CallStats::from(stats))?;
        }
        if let Some(reason) = reason {
            object.set_named_property("cause", reason)?;
        }
        Ok(Error::Thrown(napi::Error::from(error)))
    };
    add().unwrap_or_else(|error| error)
}

/// Which limit was reached, and when.
fn why(stats: &crate::ExecutionStats, limits: LoadOptions) -> Option<String> {
    let (what, limit, used) = match stats.terminated_by? {
        "wall-clock" => ("wall-clock time", limits.wall_clock_timeout_ms, Some(stats.wall_clock)),
        _ => ("processor time", limits.cpu_timeout_ms, stats.cpu_time),
    };
    let milliseconds = |time: Duration| (time.as_secs_f64() * 1000.0).round();
    let used = used.map_or_else(String::new, |time| format!(" after {} ms", milliseconds(time)));
    Some(format!("the limit of {} ms of {what} was reached{used}", limit?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_the_limit_that_was_reached_and_the_time_used() {
        let limits =
            LoadOptions { wall_clock_timeout_ms: Some(500.0), cpu_timeout_ms: Some(20.0), ..LoadOptions::default() };
        let stats = |terminated_by, cpu_time| crate::ExecutionStats {
            wall_clock: Duration::from_micros(501_600),
            cpu_time,
            terminated_by,
            ..crate::ExecutionStats::default()
        };
        let cpu_time = Some(Duration::from_millis(21));
        assert_eq!(
            why(&stats(Some("wall-clock"), cpu_time), limits).as_deref(),
            Some("the limit of 500 ms of wall-clock time was reached after 502 ms")
        );
        assert_eq!(
            why(&stats(Some("cpu-time"), cpu_time), limits).as_deref(),
            Some("the limit of 20 ms of processor time was reached after 21 ms")
        );
        assert_eq!(
            why(&stats(Some("cpu-time"), None), limits).as_deref(),
            Some("the limit of 20 ms of processor time was reached")
        );
        assert_eq!(why(&stats(None, cpu_time), limits), None);
    }
}
