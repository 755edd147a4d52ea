//! Stopping a call from another thread.

use std::fmt;

pub use super::call_control::CallId;
use super::call_control::{CallControl, CallGuard, StoppedBy};
use super::stopper;
use super::sync::Arc;

/// Stops the call that a sandbox is running, from any thread.
#[derive(Clone)]
pub struct InterruptHandle {
    control: Arc<CallControl>,
}

impl InterruptHandle {
    pub(super) fn new(control: Arc<CallControl>) -> Self {
        Self { control }
    }

    /// Stops the running call, which then fails with [`Error::Cancelled`](super::error::Error::Cancelled) and poisons the
    /// sandbox. Returns at once, wherever it is called, also in a host function of that very call: `true` if a call runs, which
    /// will end now, `false` if none does. A later call is not affected.
    ///
    /// A call that waits for a host function in Rust ends when that returns, or when it is told to give up
    /// ([`HostCall::on_cancel`](crate::HostCall::on_cancel)).
    pub fn kill(&self) -> bool {
        self.current_call().is_some_and(|call| self.kill_call(call))
    }

    /// The running call.
    pub fn current_call(&self) -> Option<CallId> {
        self.control.current_call()
    }

    /// As [`kill`](Self::kill), but stops that call only.
    pub fn kill_call(&self, call: CallId) -> bool {
        let _span = tracing::debug_span!("kill").entered();
        self.stop(call, StoppedBy::Request)
    }

    pub(super) fn stop(&self, call: CallId, by: StoppedBy) -> bool {
        stopper::stop(&self.control, call, by)
    }

    /// A call begins, on this thread. It ends when the guard is dropped.
    pub(super) fn begin(&self) -> CallGuard {
        self.control.begin()
    }

    pub(super) fn control(&self) -> &Arc<CallControl> {
        &self.control
    }
}

impl fmt::Debug for InterruptHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InterruptHandle").field("current_call", &self.current_call()).finish()
    }
}
