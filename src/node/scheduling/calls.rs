//! What of a sandbox, or of a pool of them, can be stopped: calls of handlers and the evaluation of modules, from when they are asked for.
//!
//! `kill()` means the oldest of them that has not ended. It may still wait for its turn, or for a thread; then it is stopped
//! before it starts. Which one is meant is decided at once, so a later call is never affected. A signal is for one call; if that
//! waits, it is as if it had never been asked for.

use crate::sandbox::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::InterruptHandle;
use crate::sandbox::call_control::{CallGuard, CallId};

/// The calls that have not ended.
#[derive(Default)]
pub struct Calls {
    state: Mutex<State>,
    /// Whether it has been arranged that they are stopped when their environment ends.
    end_at_end: AtomicBool,
}

#[derive(Default)]
struct State {
    last: u64,
    /// The oldest is the first.
    calls: VecDeque<ListedCall>,
}

struct ListedCall {
    number: u64,
    stage: Stage,
}

enum Stage {
    Waiting,
    /// It shall stop as soon as it starts.
    Stopped,
    /// It shall not start.
    Aborted,
    Running(Stoppable),
}

/// A call that has begun, and what stops it.
type Stoppable = (InterruptHandle, CallId);

impl Calls {
    /// Something was asked for that can be stopped from now on, until the ticket is dropped.
    pub fn add(self: &Arc<Self>) -> Ticket {
        let mut state = self.lock();
        state.last += 1;
        let number = state.last;
        state.calls.push_back(ListedCall { number, stage: Stage::Waiting });
        Ticket { calls: self.clone(), number }
    }

    /// Stops the oldest call. Returns at once.
    pub fn kill(&self) {
        // One that shall not start has ended as far as anybody can tell.
        let mut state = self.lock();
        let oldest = state.calls.iter_mut().find(|call| !matches!(call.stage, Stage::Aborted));
        let running = oldest.and_then(ListedCall::stop);
        drop(state);
        kill(running);
    }

    /// Stops all calls that there are. Returns at once.
    pub fn kill_all(&self) {
        let running: Vec<Stoppable> = self.lock().calls.iter_mut().filter_map(ListedCall::stop).collect();
        kill(running);
    }

    /// Whether nobody has arranged yet that the calls are stopped when their environment ends: the caller has to do so.
    pub fn is_first_to_end(&self) -> bool {
        !self.end_at_end.swap(true, Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code runs under the lock that could leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ListedCall {
    /// Returns what is to be stopped, if the call runs. Not here, where a lock is held.
    fn stop(&mut self) -> Option<Stoppable> {
        match &self.stage {
            Stage::Waiting => self.stage = Stage::Stopped,
            Stage::Stopped | Stage::Aborted => {}
            Stage::Running(running) => return Some(running.clone()),
        }
        None
    }
}

/// Stops calls that run, unless they have ended meanwhile.
fn kill(running: impl IntoIterator<Item = Stoppable>) {
    for (interrupt, id) in running {
        interrupt.kill_call(id);
    }
}

/// Stands for one call.
pub struct Ticket {
    calls: Arc<Calls>,
    number: u64,
}

impl Ticket {
    /// The call starts, by what `begin` does. The handle is what stops it. `None` if the call shall not start.
    pub fn begin(&self, interrupt: InterruptHandle, begin: impl FnOnce() -> CallGuard) -> Option<CallGuard> {
        let mut state = self.calls.lock();
        let call = state.find(self.number)?;
        let is_stopped = match call.stage {
            Stage::Aborted => return None,
            Stage::Stopped => true,
            Stage::Waiting | Stage::Running(_) => false,
        };
        let running = begin();
        if is_stopped {
            running.cancel();
        }
        call.stage = Stage::Running((interrupt, running.id()));
        Some(running)
    }

    /// What stops this call and no other.
    pub fn aborter(&self) -> Aborter {
        Aborter { calls: self.calls.clone(), number: self.number }
    }
}

/// Stops one call, as long as it has not ended.
pub struct Aborter {
    calls: Arc<Calls>,
    number: u64,
}

impl Aborter {
    /// Stops the call, or keeps it from starting: then this returns `true`. Returns at once.
    pub fn abort(&self) -> bool {
        let mut state = self.calls.lock();
        let Some(call) = state.find(self.number) else { return false };
        match call.stage {
            Stage::Waiting | Stage::Stopped => {
                call.stage = Stage::Aborted;
                true
            }
            Stage::Aborted => false,
            Stage::Running(_) => {
                let running = call.stop();
                drop(state);
                kill(running);
                false
            }
        }
    }
}

impl State {
    fn find(&mut self, number: u64) -> Option<&mut ListedCall> {
        self.calls.iter_mut().find(|call| call.number == number)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.calls.lock().calls.retain(|call| call.number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_was_aborted_while_it_waited_never_begins() {
        let calls = Arc::new(Calls::default());
        let (first, second) = (calls.add(), calls.add());
        let aborter = first.aborter();
        assert!(aborter.abort());
        assert!(!aborter.abort(), "once is enough");
        calls.kill();
        let stages = |calls: &Calls| -> Vec<u8> {
            let stage = |call: &ListedCall| match call.stage {
                Stage::Waiting => 0,
                Stage::Stopped => 1,
                Stage::Aborted => 2,
                Stage::Running(_) => 3,
            };
            calls.lock().calls.iter().map(stage).collect()
        };
        assert_eq!(stages(&calls), [2, 1], "kill() means the oldest that has not ended");
        assert!(second.aborter().abort(), "it has not begun either");
        drop(first);
        assert!(!aborter.abort(), "it has ended");
        assert_eq!(stages(&calls), [2]);
    }

    #[test]
    fn the_end_of_the_environment_is_arranged_for_once_however_often_a_sandbox_is_loaded() {
        let calls = Calls::default();
        assert_eq!([(); 3].map(|()| calls.is_first_to_end()), [true, false, false]);
    }
}
