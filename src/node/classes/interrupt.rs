//! `InterruptHandle` for JavaScript.

use std::sync::Arc;

use napi_derive::napi;

use crate::node::scheduling::calls::Calls;

/// Stops what a sandbox is doing. `LoadedJSSandbox.interruptHandle` and `JSSandbox.interruptHandle` make it; both stand for
/// the same sandbox, whatever class it is of.
///
/// It may be used from a timer, from a signal handler, from wherever: the event loop is free while guest code runs.
#[napi]
pub struct InterruptHandle {
    calls: Arc<Calls>,
}

#[napi]
impl InterruptHandle {
    pub(super) fn new(calls: Arc<Calls>) -> Self {
        Self { calls }
    }

    /// Stops the call of a handler that is running now, which then rejects with `ERR_CANCELLED` and poisons the sandbox. Or
    /// the `getLoadedSandbox()` that is running now, which then rejects with `ERR_CANCELLED`; the `JSSandbox` stays usable.
    ///
    /// It returns at once, and does nothing if there is nothing to stop. Of several calls it stops the oldest that has not
    /// ended, also if that has been made but not started yet. The others are not affected, but find the sandbox poisoned.
    ///
    /// @example
    /// ```ts
    /// process.once('SIGINT', () => sandbox.interruptHandle.kill());
    /// ```
    #[napi]
    pub fn kill(&self) {
        self.calls.kill();
    }
}
