//! The state of the call that a sandbox is in, and who may do what about it: what stopping a call from another thread rests on.
//!
//! hyperlight-host can stop its VM, but a request that comes before the guest has been entered is forgotten, one that comes
//! while the guest waits for a host function takes effect only when that returns, and to ask means to wait until the guest
//! has been left. So each call has a number here and a record of whether it shall stop, and a request is one decision under
//! one lock; the threads of `stopper.rs` do the rest. `docs/cancellation.md` has the protocol with its points in
//! time, and `models` tries every order of its steps.
//!
//! What the rest relies on:
//! - Nobody but the threads of `stopper.rs` waits for a guest to be left. No code of others, neither a closure nor the dropping of one, runs
//!   under a lock.
//! - The VM is signalled for the current call only: `CallControl::end` waits for a signal that is under way, so none can reach
//!   the call that follows.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;

use super::sync::{Arc, Mutex, MutexGuard, PoisonError};
use super::tally::Tally;
use super::thread_clock::ThreadCpuClock;

/// A call of a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallId(u64);

/// Why a call shall stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoppedBy {
    /// Somebody has asked for it.
    Request,
    /// The monitor of this name.
    Monitor(&'static str),
}

/// How to make a host function give up waiting.
pub type GiveUp = Box<dyn FnOnce() + Send>;

/// What has become of a request to stop a call.
pub enum Stop {
    /// That call does not run any more, or not yet.
    NotRunning,
    /// It was asked to stop before.
    Already,
    /// It shall stop. Whoever asked owes it two things: to call the closure, if there is one, and to have it
    /// [signalled](CallControl::signal).
    Begun(Option<GiveUp>),
}

/// What is known of the current call.
pub struct CallControl {
    /// Asks the VM to stop, and waits until the guest has been left. Returns whether that was in it.
    interrupt_vm: Box<dyn Fn() -> bool + Send + Sync>,
    state: Mutex<State>,
    /// Held while the VM is signalled.
    signalling: Mutex<()>,
}

#[derive(Default)]
struct State {
    last: u64,
    current: Option<CallId>,
    stopped_by: Option<StoppedBy>,
    /// The guest waits for a host function: before it is entered again, whoever does that looks whether the call shall stop.
    in_host: bool,
    give_up: Option<GiveUp>,
    /// That of the thread which runs the call, and what it showed when that began.
    clock: Option<(ThreadCpuClock, Duration)>,
    /// Processor time that the call has used on other threads before.
    used: Duration,
}

impl CallControl {
    pub fn new(interrupt_vm: impl Fn() -> bool + Send + Sync + 'static) -> Arc<Self> {
        let interrupt_vm = Box::new(interrupt_vm);
        Arc::new(Self { interrupt_vm, state: Mutex::new(State::default()), signalling: Mutex::new(()) })
    }

    /// A call begins, on this thread. It ends when the guard is dropped.
    pub fn begin(self: &Arc<Self>) -> CallGuard {
        let began = Instant::now();
        let mut state = self.lock();
        state.last += 1;
        let id = CallId(state.last);
        state.current = Some(id);
        state.stopped_by = None;
        state.used = Duration::ZERO;
        state.clock = start_of_clock();
        CallGuard { control: self.clone(), id, began, tally: Arc::default() }
    }

    /// The running call.
    pub fn current_call(&self) -> Option<CallId> {
        self.lock().current
    }

    fn end(&self) {
        let mut state = self.lock();
        state.current = None;
        let give_up = state.give_up.take();
        drop(state);
        // Whoever signals the VM has seen that this call was the current one, and nobody will from now on.
        drop(self.signalling.lock().unwrap_or_else(PoisonError::into_inner));
        drop(give_up);
    }

    /// Decides that a call shall stop.
    pub fn request_stop(&self, call: CallId, by: StoppedBy) -> Stop {
        let mut state = self.lock();
        if state.current != Some(call) {
            return Stop::NotRunning;
        }
        if state.stopped_by.is_some() {
            return Stop::Already;
        }
        state.stopped_by = Some(by);
        Stop::Begun(state.give_up.take())
    }

    /// Signals the VM of a call that shall stop. Returns whether nothing more is to be done: the call has ended, or it will look
    /// for itself, or its guest has been made to leave. If not, the guest may not have been entered yet, where a signal is
    /// forgotten. This waits until the guest's thread has come back from it.
    pub fn signal(&self, call: CallId) -> bool {
        let _signalling = self.signalling.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.lock();
        // After a host function whoever enters the guest looks for a stop.
        let needs_signal = state.current == Some(call) && !state.in_host;
        drop(state);
        !needs_signal || (self.interrupt_vm)()
    }

    /// Processor time that a call has used; `None` if it is not the current one, or if that cannot be measured.
    pub fn cpu_time(&self, call: CallId) -> Option<Duration> {
        let state = self.lock();
        if state.current == Some(call) { state.cpu_time() } else { None }
    }

    /// The guest waits for a host function until [`leave_host`](Self::leave_host).
    pub fn enter_host(&self) {
        self.lock().in_host = true;
    }

    /// Says how to make a host function give up should the call be stopped while it waits. At once, if it has been already.
    pub fn on_cancel(&self, give_up: impl FnOnce() + Send + 'static) {
        let mut state = self.lock();
        if state.stopped_by.is_some() {
            drop(state);
            give_up();
        } else {
            let former = state.give_up.replace(Box::new(give_up));
            drop(state);
            drop(former);
        }
    }

    /// The host function does not wait any more. Whoever enters the guest now looks for a stop before.
    pub fn leave_host(&self) {
        let mut state = self.lock();
        state.in_host = false;
        let give_up = state.give_up.take();
        drop(state);
        drop(give_up);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code runs under the lock that could leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn cpu_time(&self) -> Option<Duration> {
        match &self.clock {
            Some((clock, start)) => Some(self.used + clock.now()?.saturating_sub(*start)),
            // It is on no thread, or such a clock is not to be had.
            None => ThreadCpuClock::of_this_thread().map(|_| self.used),
        }
    }
}

fn start_of_clock() -> Option<(ThreadCpuClock, Duration)> {
    let clock = ThreadCpuClock::of_this_thread()?;
    Some((clock.clone(), clock.now()?))
}

/// The guest waits for the host until this is dropped.
pub struct InHost(Arc<CallControl>);

impl InHost {
    pub fn enter(control: Arc<CallControl>) -> Self {
        control.enter_host();
        Self(control)
    }
}

impl Drop for InHost {
    fn drop(&mut self) {
        self.0.leave_host();
    }
}

/// The call is suspended until this is dropped.
struct SuspendedSince<'a>(Instant, &'a Tally);

impl Drop for SuspendedSince<'_> {
    fn drop(&mut self) {
        self.1.suspended_for(self.0.elapsed());
    }
}

/// Marks a call as running.
pub struct CallGuard {
    control: Arc<CallControl>,
    id: CallId,
    began: Instant,
    tally: Arc<Tally>,
}

impl CallGuard {
    pub fn id(&self) -> CallId {
        self.id
    }

    /// When the call began: before all that is measured of it, so that no limit is reached earlier than its statistics say.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// What the call has done so far.
    pub fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// Stops the call, which has not entered the guest yet.
    #[cfg_attr(not(feature = "node"), allow(dead_code, reason = "only the addon has use for it"))]
    pub fn cancel(&self) {
        self.control.lock().stopped_by.get_or_insert(StoppedBy::Request);
    }

    /// Waits for a future; `None` if the call shall stop first. The guest must have been left.
    pub async fn wait_for<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let waker = std::sync::Arc::new(AtomicWaker::new());
        let stopped = waker.clone();
        let _in_host = InHost::enter(self.control.clone());
        let _suspended = SuspendedSince(Instant::now(), &self.tally);
        // In this order: a stop that comes now is either seen below or wakes whoever waits.
        self.control.on_cancel(move || stopped.wake());
        let mut future = pin!(future);
        poll_fn(|context| {
            waker.register(context.waker());
            if self.stopped_by().is_some() {
                return Poll::Ready(None);
            }
            future.as_mut().poll(context).map(Some)
        })
        .await
    }

    /// The call goes on on this thread.
    pub fn enter_thread(&self) {
        let clock = start_of_clock();
        self.control.lock().clock = clock;
    }

    /// The call is on no thread, until [`enter_thread`](Self::enter_thread).
    pub fn leave_thread(&self) {
        let mut state = self.control.lock();
        state.used = state.cpu_time().unwrap_or(state.used);
        state.clock = None;
    }

    /// Processor time that the call has used; `None` if that cannot be measured.
    pub fn cpu_time(&self) -> Option<Duration> {
        self.control.cpu_time(self.id)
    }

    /// Why the call shall stop, if it shall.
    pub fn stopped_by(&self) -> Option<StoppedBy> {
        self.control.lock().stopped_by
    }
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        self.control.end();
    }
}
