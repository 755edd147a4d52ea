//! `InterruptHandle` for JavaScript.

use std::sync::Arc;

use napi_derive::napi;

use crate::node::scheduling::calls::Calls;

/// Stops what a sandbox is doing. `LoadedJSSandbox.interruptHandle` and `JSSandbox.interruptHandle` return it. It
/// refers to the sandbox in all of its states, from `JSSandbox` to `LoadedJSSandbox` and back.
///
/// It can be used from a timer or a signal handler, for example: the event loop is free while guest code runs.
#[napi]
pub struct InterruptHandle {
    calls: Arc<Calls>,
}

#[napi]
impl InterruptHandle {
    pub(super) fn new(calls: Arc<Calls>) -> Self {
        Self { calls }
    }

    /// Stops the running call of a handler, which rejects with `ERR_CANCELLED` and poisons the sandbox; or the running
    /// `getLoadedSandbox()`, which rejects with `ERR_CANCELLED`, after which the `JSSandbox` stays usable.
    ///
    /// It returns at once, and does nothing if there is nothing to stop. If there are several calls, it stops the
    /// oldest one that has not ended, even if that has not started yet. The others are not stopped, but find the
    /// sandbox poisoned.
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
