//! Stopping a call from another thread.
//!
//! hyperlight-host can stop its VM, but a request that comes before the guest has been entered is forgotten, and one that
//! comes while the guest waits for a host function takes effect only when that returns. So each call has a number and a
//! record of what it waits for, and a request to stop it is repeated until that call, and no other, has ended:
//!
//! 1. `CallControl::begin` gives the call its number. It may enter the guest several times: whoever does asks first whether
//!    the call shall stop.
//! 2. A host function that waits registers how it can be told to give up (`CallControl::on_cancel`).
//! 3. [`InterruptHandle::kill_call`] takes the lock. If its call is not the current one any more, it is done. Otherwise it
//!    tells a waiting host function to give up, signals the VM, and releases the lock; it repeats this until it is done.
//! 4. `CallControl::end` takes the lock, so a signal can never reach the call that follows.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyperlight_host::hypervisor::InterruptHandle as VmInterruptHandle;

/// Time between two attempts to stop a call.
const RETRY_DELAY: Duration = Duration::from_micros(200);

/// Stops the call that a sandbox is running, from any thread.
#[derive(Clone)]
pub struct InterruptHandle {
    control: Arc<CallControl>,
}

/// A call of a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallId(u64);

impl InterruptHandle {
    pub(super) fn new(control: Arc<CallControl>) -> Self {
        Self { control }
    }

    /// Stops the running call, which then fails with [`Error::Cancelled`](super::error::Error::Cancelled) and poisons the
    /// sandbox. Returns when it has ended, and at once, with `false`, if none is running. A later call is not affected.
    pub fn kill(&self) -> bool {
        self.current_call().is_some_and(|call| self.kill_call(call))
    }

    /// The running call.
    pub fn current_call(&self) -> Option<CallId> {
        self.control.lock().current
    }

    /// As [`kill`](Self::kill), but stops that call only.
    pub fn kill_call(&self, call: CallId) -> bool {
        let _span = tracing::debug_span!("kill").entered();
        let mut asked = false;
        loop {
            let mut state = self.control.lock();
            if state.current != Some(call) {
                return asked;
            }
            asked = true;
            state.cancelled = true;
            if let Some(give_up) = state.give_up.take() {
                give_up();
            }
            self.control.vm.kill();
            drop(state);
            std::thread::sleep(RETRY_DELAY);
        }
    }
}

impl fmt::Debug for InterruptHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InterruptHandle").field("current_call", &self.current_call()).finish()
    }
}

/// What is known of the current call.
pub struct CallControl {
    vm: Arc<dyn VmInterruptHandle>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: u64,
    current: Option<CallId>,
    cancelled: bool,
    give_up: Option<Box<dyn FnOnce() + Send>>,
}

impl CallControl {
    pub fn new(vm: Arc<dyn VmInterruptHandle>) -> Arc<Self> {
        Arc::new(Self { vm, state: Mutex::default() })
    }

    /// A call begins. It ends when the guard is dropped.
    pub fn begin(self: &Arc<Self>) -> CallGuard {
        let mut state = self.lock();
        state.last += 1;
        let id = CallId(state.last);
        state.current = Some(id);
        state.cancelled = false;
        CallGuard(self.clone(), id)
    }

    fn end(&self) {
        let mut state = self.lock();
        state.current = None;
        state.give_up = None;
    }

    /// Says how to make a host function give up should the call be stopped while it waits. At once, if it has been already.
    pub fn on_cancel(&self, give_up: impl FnOnce() + Send + 'static) {
        let mut state = self.lock();
        if state.cancelled {
            drop(state);
            give_up();
        } else {
            state.give_up = Some(Box::new(give_up));
        }
    }

    /// The host function does not wait any more.
    pub fn waits_no_more(&self) {
        self.lock().give_up = None;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code runs under the lock that could leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Marks a call as running.
pub struct CallGuard(Arc<CallControl>, CallId);

impl CallGuard {
    pub fn id(&self) -> CallId {
        self.1
    }

    /// Stops the call, which has not entered the guest yet.
    pub fn cancel(&self) {
        self.0.lock().cancelled = true;
    }

    /// Whether the call shall stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.lock().cancelled
    }
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        self.0.end();
    }
}
