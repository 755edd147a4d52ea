//! The thread that stops calls and watches their limits: one for the whole process.
//!
//! Stopping must never need what can run out. So this thread is made with the first sandbox, which cannot be had without it,
//! and stays. Whoever wants a call to stop leaves the request here and goes on ([`stop`]); limits of time are entries of a list
//! ([`watch`]) and need no thread or timer of their own.
//!
//! hyperlight-host's way to stop a guest waits until the guest's thread has come back from it: some microseconds if that thread
//! has a processor, but if it has none, until it gets one, which may take long where many guests compete. No other stop must
//! wait for that, and it need not: a guest without a processor does nothing. So a guest is signalled when its thread has been
//! seen to use the processor since the last look, and the others have their turn meanwhile.
//!
//! The thread has nothing to say to the log: what writes that may block.

use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tracing::subscriber::NoSubscriber;

use super::error::{Error, Result};
use super::interrupt::{CallControl, CallId, GiveUp, Stop, StoppedBy};
use super::monitor::ThreadCpuClock;
use super::sync::Arc;

/// Time between two looks at the guests that are to be stopped.
const LOOK_DELAY: Duration = Duration::from_micros(200);
/// How long a guest's thread may use no processor time before its guest is signalled all the same.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time between two looks at a limit of processor time that is about to be reached.
const CPU_TIME_STEP: Duration = Duration::from_micros(100);

/// Sees to it that the thread is there.
///
/// # Errors
/// [`Error::NoThread`] if it cannot be had.
pub fn ensure() -> Result<()> {
    static STARTING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if STOPPER.get().is_none() {
        let thread = thread::Builder::new().name("hyperlight-stop".to_string());
        thread.spawn(run).map_err(|error| Error::no_thread("which stops calls", &error))?;
        STOPPER.get_or_init(Stopper::default);
    }
    Ok(())
}

/// Has a call stopped, and returns at once. Gives whether it is the current one.
pub fn stop(control: &Arc<CallControl>, call: CallId, by: StoppedBy) -> bool {
    match control.request_stop(call, by) {
        Stop::NotRunning => false,
        Stop::Already => true,
        Stop::Begun(give_up) => {
            // Where a call runs there is a sandbox, and so the thread.
            let stopper = STOPPER.wait();
            stopper.lock().requests.push(Stopping::new(control.clone(), call, give_up));
            stopper.wake.notify_one();
            true
        }
    }
}

/// Stops a call when one of its limits is reached, unless what this gives is dropped before.
pub fn watch(control: &Arc<CallControl>, call: CallId, limits: Vec<Limit>) -> Watch {
    let stopper = STOPPER.wait();
    let now = Instant::now();
    let mut numbers = Vec::with_capacity(limits.len());
    let mut work = stopper.lock();
    let mut is_earlier = false;
    for limit in limits {
        // A time that the clock has no number for never comes.
        let Some(at) = now.checked_add(limit.time) else { continue };
        is_earlier |= work.wakes_at.is_none_or(|end| at < end);
        work.last += 1;
        let number = work.last;
        work.add(number, Deadline { at, control: control.clone(), call, limit });
        numbers.push(number);
    }
    drop(work);
    if is_earlier {
        stopper.wake.notify_one();
    }
    Watch(numbers)
}

/// A call is watched until this is dropped.
pub struct Watch(Vec<u64>);

impl Drop for Watch {
    fn drop(&mut self) {
        let mut work = STOPPER.wait().lock();
        for number in &self.0 {
            if let Some(deadline) = work.deadlines.remove(number) {
                work.order.remove(&(deadline.at, *number));
            }
        }
    }
}

/// A limit of a call, counted from when it is made.
pub struct Limit {
    name: &'static str,
    time: Duration,
    /// Of processor time: the clock, and what it showed at first.
    clock: Option<(ThreadCpuClock, Duration)>,
}

impl Limit {
    /// So much time may pass.
    pub fn wall_clock(name: &'static str, time: Duration) -> Self {
        Self { name, time, clock: None }
    }

    /// So much processor time may be used by this thread. `None` if that cannot be measured.
    pub fn cpu_time(name: &'static str, time: Duration) -> Option<Self> {
        let clock = ThreadCpuClock::of_this_thread()?;
        let start = clock.now()?;
        Some(Self { name, time, clock: Some((clock, start)) })
    }

    /// How long it takes at least until the limit is reached, whose time has come; `None` if it has been.
    fn left(&self) -> Option<Duration> {
        let (clock, start) = self.clock.as_ref()?;
        // A clock that cannot be read any more counts as a limit that is reached: nothing runs unwatched.
        let left = self.time.checked_sub(clock.now()?.saturating_sub(*start)).filter(|left| !left.is_zero())?;
        // A thread cannot use more processor time than passes, so this is the earliest moment of interest.
        Some(left.max(CPU_TIME_STEP))
    }
}

static STOPPER: OnceLock<Stopper> = OnceLock::new();

#[derive(Default)]
struct Stopper {
    work: Mutex<Work>,
    wake: Condvar,
}

#[derive(Default)]
struct Work {
    requests: Vec<Stopping>,
    deadlines: HashMap<u64, Deadline>,
    /// The times of the deadlines, and their numbers.
    order: BTreeSet<(Instant, u64)>,
    last: u64,
    /// When the thread wakes up if nobody wakes it.
    wakes_at: Option<Instant>,
}

struct Deadline {
    at: Instant,
    control: Arc<CallControl>,
    call: CallId,
    limit: Limit,
}

/// What the thread does. It never ends.
fn run() {
    let _silence = tracing::subscriber::set_default(NoSubscriber::default());
    let stopper = STOPPER.wait();
    let mut stopping = Vec::new();
    loop {
        let (requests, reached) = stopper.next(!stopping.is_empty());
        stopping.extend(requests);
        for Deadline { control, call, limit, .. } in reached {
            if let Stop::Begun(give_up) = control.request_stop(call, StoppedBy::Monitor(limit.name)) {
                stopping.push(Stopping::new(control, call, give_up));
            }
        }
        stopping.retain_mut(|stopping| !stopping.is_done());
    }
}

impl Stopper {
    /// The requests that have come and the limits that have been reached. Waits for one, or if there are guests to look after,
    /// until they are to be looked after again.
    fn next(&self, is_busy: bool) -> (Vec<Stopping>, Vec<Deadline>) {
        let mut work = self.lock();
        let mut has_waited = false;
        loop {
            let now = Instant::now();
            let reached = work.take_reached(now);
            if !work.requests.is_empty() || !reached.is_empty() || (is_busy && has_waited) {
                return (std::mem::take(&mut work.requests), reached);
            }
            let next = work.order.first().map(|(at, _)| *at);
            work.wakes_at = if is_busy { Some(now + LOOK_DELAY) } else { next };
            work = match work.wakes_at {
                Some(at) => {
                    let time = at.saturating_duration_since(now);
                    self.wake.wait_timeout(work, time).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.wake.wait(work).unwrap_or_else(PoisonError::into_inner),
            };
            has_waited = true;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Work> {
        // No code of others runs under the lock, so the state is whole whatever happened.
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work {
    fn add(&mut self, number: u64, deadline: Deadline) {
        self.order.insert((deadline.at, number));
        self.deadlines.insert(number, deadline);
    }

    /// Takes the limits that have been reached off the list.
    fn take_reached(&mut self, now: Instant) -> Vec<Deadline> {
        let mut reached = Vec::new();
        while self.order.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, number)) = self.order.pop_first() else { break };
            let Some(mut deadline) = self.deadlines.remove(&number) else { continue };
            match deadline.limit.left().and_then(|left| now.checked_add(left)) {
                Some(at) => {
                    deadline.at = at;
                    self.add(number, deadline);
                }
                None => reached.push(deadline),
            }
        }
        reached
    }
}

/// A call that is to be stopped.
struct Stopping {
    control: Arc<CallControl>,
    call: CallId,
    give_up: Option<GiveUp>,
    /// The processor time of its thread when that last changed, and when that was.
    seen: Option<(Duration, Instant)>,
}

impl Stopping {
    fn new(control: Arc<CallControl>, call: CallId, give_up: Option<GiveUp>) -> Self {
        Self { control, call, give_up, seen: None }
    }

    /// Does what can be done for it now. Gives whether that was all.
    fn is_done(&mut self) -> bool {
        if let Some(give_up) = self.give_up.take() {
            // A panic must harm neither this stop nor the others.
            drop(catch_unwind(AssertUnwindSafe(give_up)));
        }
        if !self.control.needs_signal(self.call) {
            return true;
        }
        self.is_on_processor() && self.control.signal(self.call)
    }

    /// Whether its thread has a processor, as far as can be told, or has not had one for so long that something else may be the
    /// matter.
    fn is_on_processor(&mut self) -> bool {
        let Some(used) = self.control.clock(self.call).and_then(|clock| clock.now()) else { return true };
        let now = Instant::now();
        match self.seen {
            Some((before, at)) if used == before && now.duration_since(at) < PATIENCE => false,
            seen => {
                self.seen = Some((used, now));
                seen.is_some()
            }
        }
    }
}
