//! `InterruptHandle` for JavaScript.

use napi_derive::napi;

use super::promise::blocking;

/// Stops the call that a sandbox is running. `LoadedJSSandbox.interruptHandle` makes it.
///
/// It may be used from a timer, from a signal handler, from wherever: the event loop is free while a handler runs.
#[napi]
pub struct InterruptHandle {
    interrupt: crate::InterruptHandle,
}

#[napi]
impl InterruptHandle {
    pub(super) fn new(interrupt: crate::InterruptHandle) -> Self {
        Self { interrupt }
    }

    /// Stops the call that is running now, which then rejects with `ERR_CANCELLED` and poisons the sandbox.
    ///
    /// It returns at once, and does nothing if no call is running. Calls that wait their turn are not affected, but find
    /// the sandbox poisoned.
    #[napi]
    pub fn kill(&self) {
        // Which call is meant is decided now; stopping it waits until it has ended.
        if let Some(call) = self.interrupt.current_call() {
            let interrupt = self.interrupt.clone();
            blocking(move || {
                interrupt.kill_call(call);
            });
        }
    }
}
