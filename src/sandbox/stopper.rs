//! The threads that stop calls and watch their limits, for the whole process.
//!
//! Stopping must never need what can run out. So one thread that watches limits, and one that signals guests, are made with the
//! first sandbox, which cannot be had without them, and stay. Whoever wants a call to stop leaves the request here and goes on
//! ([`stop`]); limits of time are entries of a list ([`watch`]) and need no thread or timer of their own.
//!
//! hyperlight-host's way to stop a guest waits until the guest's thread has come back from it: some microseconds if that thread
//! has a processor, but if it has none, until it gets one, which may take long where many guests compete. So there are as many
//! threads that signal as there are guests to be stopped, if they can be had; if not, guests are stopped one after the other. The
//! thread that watches limits waits for none of them.
//!
//! These threads have nothing to say to the log: what writes that may block.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use tracing::subscriber::NoSubscriber;

use super::call_control::{CallControl, CallId, GiveUp, Stop, StoppedBy};
use super::error::{Error, Result};
use super::sync::Arc;
use super::thread_clock::ThreadCpuClock;
use super::thread_count::most_for_blocking;
use super::workers::Workers;

/// Time between two signals to a guest that was not in the VM.
const RETRY_DELAY: Duration = Duration::from_micros(200);
/// Time between two looks at a limit of processor time that is about to be reached.
const CPU_TIME_STEP: Duration = Duration::from_micros(100);
/// The most of that, while the call uses none because it waits.
const CPU_TIME_PAUSE: Duration = Duration::from_millis(5);

/// Sees to it that the threads are there.
///
/// # Errors
/// [`Error::NoThread`] if they cannot be had.
pub fn ensure() -> Result<()> {
    KILLERS.ensure_one()?;
    static STARTING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if STOPPER.get().is_none() {
        let thread = thread::Builder::new().name("hyperlight-stop".to_string());
        thread.spawn(run).map_err(|source| Error::NoThread { purpose: "which stops calls", source })?;
        STOPPER.get_or_init(Stopper::default);
    }
    Ok(())
}

/// Has a call stopped, and returns at once. Returns whether it is the current one.
pub fn stop(control: &Arc<CallControl>, call: CallId, by: StoppedBy) -> bool {
    match control.request_stop(call, by) {
        Stop::NotRunning => false,
        Stop::Already => true,
        Stop::Begun(give_up) => {
            kill(control.clone(), call, give_up);
            true
        }
    }
}

/// Stops a call when one of its limits is reached, unless what this returns is dropped before.
pub fn watch(control: &Arc<CallControl>, call: CallId, limits: Vec<Limit>) -> Watch {
    // Where a call runs there is a sandbox, and so the thread.
    let stopper = STOPPER.wait();
    let now = Instant::now();
    let mut numbers = Vec::with_capacity(limits.len());
    let mut schedule = stopper.lock();
    let mut is_earlier = false;
    for limit in limits {
        // A time that the clock has no number for never comes.
        let Some(at) = now.checked_add(limit.time) else { continue };
        is_earlier |= schedule.wakes_at.is_none_or(|end| at < end);
        schedule.last += 1;
        let number = schedule.last;
        let start = if limit.is_of_cpu_time { control.cpu_time(call) } else { None };
        let (control, seen, pause) = (control.clone(), None, CPU_TIME_STEP);
        schedule.add(number, Deadline { at, control, call, limit, start, seen, pause });
        numbers.push(number);
    }
    drop(schedule);
    if is_earlier {
        stopper.wake.notify_one();
    }
    Watch(numbers)
}

/// A call is watched until this is dropped.
pub struct Watch(Vec<u64>);

impl Drop for Watch {
    fn drop(&mut self) {
        let mut schedule = STOPPER.wait().lock();
        for number in &self.0 {
            if let Some(deadline) = schedule.deadlines.remove(number) {
                schedule.order.remove(&(deadline.at, *number));
            }
        }
    }
}

/// A limit of a call, counted from when it is watched.
pub struct Limit {
    name: &'static str,
    time: Duration,
    is_of_cpu_time: bool,
}

impl Limit {
    /// So much time may pass.
    pub fn wall_clock(name: &'static str, time: Duration) -> Self {
        Self { name, time, is_of_cpu_time: false }
    }

    /// So much processor time may be used. `None` if that cannot be measured.
    pub fn cpu_time(name: &'static str, time: Duration) -> Option<Self> {
        ThreadCpuClock::of_this_thread()?.now()?;
        Some(Self { name, time, is_of_cpu_time: true })
    }
}

/// A future that is ready at some time. It needs no thread but this one.
pub struct Alarm {
    at: Instant,
    number: Option<u64>,
}

impl Alarm {
    /// An alarm after so much time; `None` if the clock has no number for it: it never comes.
    pub fn after(time: Duration) -> Option<Self> {
        Some(Self { at: Instant::now().checked_add(time)?, number: None })
    }
}

impl Future for Alarm {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.at {
            return Poll::Ready(());
        }
        let (stopper, waker) = (STOPPER.wait(), context.waker().clone());
        let mut schedule = stopper.lock();
        let number = *self.number.get_or_insert_with(|| {
            schedule.last += 1;
            schedule.last
        });
        let is_earlier = schedule.wakes_at.is_none_or(|end| self.at < end);
        let former = schedule.alarms.insert((self.at, number), waker);
        drop(schedule);
        drop(former);
        if is_earlier {
            stopper.wake.notify_one();
        }
        Poll::Pending
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let waker = STOPPER.wait().lock().alarms.remove(&(self.at, number));
            drop(waker);
        }
    }
}

/// Does what it takes until a call that shall stop has ended, on a thread for that.
fn kill(control: Arc<CallControl>, call: CallId, give_up: Option<GiveUp>) {
    let job = move || {
        let _silence = tracing::subscriber::set_default(NoSubscriber::default());
        if let Some(give_up) = give_up {
            // A panic must not keep the call from being stopped.
            drop(catch_unwind(AssertUnwindSafe(give_up)));
        }
        while !control.signal(call) {
            thread::sleep(RETRY_DELAY);
        }
    };
    // There is one, see `ensure`.
    drop(KILLERS.run(Box::new(job)));
}

static KILLERS: Workers = Workers::new("hyperlight-kill", most_for_blocking);
/// As many as there may be guests at work in Node.js; the others are stopped after them.
static STOPPER: OnceLock<Stopper> = OnceLock::new();

#[derive(Default)]
struct Stopper {
    schedule: Mutex<Schedule>,
    wake: Condvar,
}

#[derive(Default)]
struct Schedule {
    deadlines: HashMap<u64, Deadline>,
    /// The times of the deadlines, and their numbers.
    order: BTreeSet<(Instant, u64)>,
    /// Who waits for what time.
    alarms: BTreeMap<(Instant, u64), Waker>,
    last: u64,
    /// When the thread wakes up if nobody wakes it.
    wakes_at: Option<Instant>,
}

struct Deadline {
    at: Instant,
    control: Arc<CallControl>,
    call: CallId,
    limit: Limit,
    /// Processor time that the call had used when it began to be watched, and at the last look.
    start: Option<Duration>,
    seen: Option<Duration>,
    /// Time until the next look if the call uses no processor time.
    pause: Duration,
}

impl Deadline {
    /// How long it takes at least until the limit is reached, whose time has come; `None` if it has been.
    fn left(&mut self) -> Option<Duration> {
        if !self.limit.is_of_cpu_time {
            return None;
        }
        // A clock that cannot be read any more counts as a limit that is reached: nothing runs unwatched.
        let now = self.control.cpu_time(self.call)?;
        let used = now.saturating_sub(self.start?);
        let left = self.limit.time.checked_sub(used).filter(|left| !left.is_zero())?;
        // While the call waits, looking would be in vain.
        self.pause = if self.seen == Some(now) { (2 * self.pause).min(CPU_TIME_PAUSE) } else { CPU_TIME_STEP };
        self.seen = Some(now);
        // A thread cannot use more processor time than passes, so this is the earliest moment of interest.
        Some(left.max(self.pause))
    }
}

/// What the thread does that watches limits. It never ends.
fn run() {
    let _silence = tracing::subscriber::set_default(NoSubscriber::default());
    let stopper = STOPPER.wait();
    loop {
        let (reached, alarms) = stopper.next();
        for waker in alarms {
            // As of a closure above.
            drop(catch_unwind(AssertUnwindSafe(|| waker.wake())));
        }
        for Deadline { control, call, limit, .. } in reached {
            stop(&control, call, StoppedBy::Monitor(limit.name));
        }
    }
}

impl Stopper {
    /// Waits until limits are reached, or the times of alarms have come.
    fn next(&self) -> (Vec<Deadline>, Vec<Waker>) {
        let mut schedule = self.lock();
        loop {
            let now = Instant::now();
            let (reached, alarms) = (schedule.take_reached(now), schedule.take_alarms(now));
            if !reached.is_empty() || !alarms.is_empty() {
                return (reached, alarms);
            }
            let times =
                [schedule.order.first().map(|(at, _)| *at), schedule.alarms.first_key_value().map(|((at, _), _)| *at)];
            schedule.wakes_at = times.into_iter().flatten().min();
            schedule = match schedule.wakes_at {
                Some(at) => {
                    let time = at.saturating_duration_since(now);
                    self.wake.wait_timeout(schedule, time).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.wake.wait(schedule).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Schedule> {
        // No code of others runs under the lock, so the state is whole whatever happened.
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Schedule {
    fn add(&mut self, number: u64, deadline: Deadline) {
        self.order.insert((deadline.at, number));
        self.deadlines.insert(number, deadline);
    }

    /// Takes the alarms whose time has come off the list.
    fn take_alarms(&mut self, now: Instant) -> Vec<Waker> {
        let mut alarms = Vec::new();
        while let Some(entry) = self.alarms.first_entry() {
            if entry.key().0 > now {
                break;
            }
            alarms.push(entry.remove());
        }
        alarms
    }

    /// Takes the limits that have been reached off the list.
    fn take_reached(&mut self, now: Instant) -> Vec<Deadline> {
        let mut reached = Vec::new();
        while self.order.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, number)) = self.order.pop_first() else { break };
            let Some(mut deadline) = self.deadlines.remove(&number) else { continue };
            match deadline.left().and_then(|left| now.checked_add(left)) {
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
