//! What of a sandbox, or of a pool of them, can be stopped: calls of handlers and the evaluation of modules, from when they are asked for.
//!
//! `kill()` means the oldest of them that has not ended. It may still wait for its turn, or for a thread; then it is stopped
//! before it starts. Which one is meant is decided at once, so a later call is never affected.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::InterruptHandle;
use crate::sandbox::interrupt::{CallGuard, CallId};

/// The calls that have not ended.
#[derive(Default)]
pub struct Calls {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: u64,
    /// The oldest is the first.
    calls: VecDeque<Call>,
}

struct Call {
    number: u64,
    stage: Stage,
}

enum Stage {
    Waiting,
    /// It shall stop as soon as it starts.
    Stopped,
    Running(InterruptHandle, CallId),
}

impl Calls {
    /// Something was asked for that can be stopped from now on, until the ticket is dropped.
    pub fn add(self: &Arc<Self>) -> Ticket {
        let mut state = self.lock();
        state.last += 1;
        let number = state.last;
        state.calls.push_back(Call { number, stage: Stage::Waiting });
        Ticket { calls: self.clone(), number }
    }

    /// Stops the oldest call. Returns at once.
    pub fn kill(&self) {
        if let Some(call) = self.lock().calls.front_mut() {
            call.stop();
        }
    }

    /// Stops all calls that there are. Returns at once.
    pub fn kill_all(&self) {
        self.lock().calls.iter_mut().for_each(Call::stop);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code runs under the lock that could leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Call {
    fn stop(&mut self) {
        match &self.stage {
            Stage::Waiting => self.stage = Stage::Stopped,
            Stage::Stopped => {}
            Stage::Running(interrupt, id) => {
                interrupt.kill_call(*id);
            }
        }
    }
}

/// Stands for one call.
pub struct Ticket {
    calls: Arc<Calls>,
    number: u64,
}

impl Ticket {
    /// The call starts, by what `begin` does. The handle is what stops it.
    pub fn begin(&self, interrupt: InterruptHandle, begin: impl FnOnce() -> CallGuard) -> CallGuard {
        let mut state = self.calls.lock();
        let running = begin();
        if let Some(call) = state.calls.iter_mut().find(|call| call.number == self.number) {
            if matches!(call.stage, Stage::Stopped) {
                running.cancel();
            }
            call.stage = Stage::Running(interrupt, running.id());
        }
        running
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.calls.lock().calls.retain(|call| call.number != self.number);
    }
}
