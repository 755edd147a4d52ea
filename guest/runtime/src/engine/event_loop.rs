//! The event loop: what runs in a call, and in which order.
//!
//! A call begins with a handler and ends when the promise that this has returned is settled, or with the last of the promises
//! that keep it open (`waitUntil`). Until then there run, over and over again:
//!
//! 1. what `process.nextTick` has put off, then all jobs, which is what promises have, and so on until neither is left;
//! 2. the immediates that were there when their turn came, the oldest first, each followed by all jobs;
//! 3. the timers that were due when their turn came, the earliest first, each followed by all jobs.
//!
//! When none of these is left, the call is suspended: the host is told which host calls have been started and when the next
//! timer is due. An entry that resumes it begins with the results that have come, in their order, each followed by all jobs.
//! While host calls are in flight, a call with something left is suspended too, after each round, so that their results have their
//! turn: it is resumed at once then, with those that have come.
//! A promise that nothing is left to settle fails the call.
//!
//! When the promise is settled, the reply is known and the jobs that are left still run. If the call is kept open, it goes on as
//! before, until the promises that do so are settled; then timers, immediates and host calls are dropped.

use alloc::vec::IntoIter;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use guest_abi::message::HostReply;
use guest_abi::suspension::Suspension;
use rquickjs::function::Func;
use rquickjs::promise::PromiseState;
use rquickjs::{Ctx, Function, Object, Persistent, Promise, Result, Value};

use super::{clock, contexts, host_promises, module};
use crate::global::Global;

static FUNCTIONS: Global<Functions> = Global::new();
/// Whether the call has made a timer, an immediate or a host call: most have not.
static IS_USED: AtomicBool = AtomicBool::new(false);

/// Whether functions wait for the end of the code that runs.
static HAS_TICKS: AtomicBool = AtomicBool::new(false);

/// Functions of the script that keeps what a call waits for.
struct Functions(Persistent<Object<'static>>);

/// What has to happen for a call to go on or to end.
pub enum Goal<'js> {
    /// The promise is settled.
    Settled(Promise<'js>),
    /// No promise keeps the call open.
    Released,
}

/// How far a call has come.
pub enum Progress {
    /// It is where it was to come.
    Reached,
    /// It waits for the host.
    Suspended(Suspension),
    /// It waits for nothing that could happen.
    Stuck,
}

/// Makes the global functions for timers.
pub fn install(ctx: &Ctx<'_>) -> Result<()> {
    let native = Object::new(ctx.clone())?;
    native.set("now", Func::from(now))?;
    native.set("use", Func::from(is_used))?;
    native.set("tick", Func::from(|| HAS_TICKS.store(true, Relaxed)))?;
    native.set("follow", Func::from(contexts::follow))?;
    native.set("promise", Func::from(promise_of))?;
    native.set("isPending", Func::from(is_pending))?;
    let script: Function = ctx.eval(include_str!("event_loop.js"))?;
    let functions: Object = script.call((native, ctx.globals()))?;
    FUNCTIONS.set(Functions(Persistent::save(ctx, functions)));
    host_promises::install();
    Ok(())
}

/// The function that starts a host call.
pub fn start<'js>(ctx: &Ctx<'js>) -> Result<Function<'js>> {
    Function::new(ctx.clone(), host_promises::start)
}

/// The call has something to drop when it ends.
pub fn is_used() {
    IS_USED.store(true, Relaxed);
}

/// The function of the script that keeps a call open.
pub fn wait_until<'js>(ctx: &Ctx<'js>) -> Result<Function<'js>> {
    function(ctx, "waitUntil")
}

/// The function of the script that puts off a call until the code that runs is done.
pub fn next_tick<'js>(ctx: &Ctx<'js>) -> Result<Function<'js>> {
    function(ctx, "nextTick")
}

/// The function of the script that begins to follow the contexts of what is put off.
pub fn follow_contexts<'js>(ctx: &Ctx<'js>) -> Result<Function<'js>> {
    function(ctx, "followContexts")
}

/// Runs what there is to run until the goal is reached, or until that takes the host, of whose calls these results have come. A
/// message to the host may have so many bytes.
///
/// # Errors
/// What an immediate or a timer threw, or that there is no memory left.
pub fn run(
    ctx: &Ctx<'_>,
    goal: &Goal<'_>,
    results: &mut IntoIter<(u64, HostReply)>,
    message_size_max: usize,
) -> Result<Progress> {
    loop {
        if run_jobs(ctx, goal)? {
            return Ok(Progress::Reached);
        }
        if !IS_USED.load(Relaxed) {
            return Ok(Progress::Stuck);
        }
        if let Some((number, reply)) = results.next() {
            host_promises::settle(ctx, number, reply)?;
            continue;
        }
        let last: f64 = function(ctx, "lastImmediate")?.call(())?;
        while function(ctx, "runImmediate")?.call((last,))? {
            if run_jobs(ctx, goal)? {
                return Ok(Progress::Reached);
            }
        }
        let now = now();
        while function(ctx, "runDue")?.call((now,))? {
            if run_jobs(ctx, goal)? {
                return Ok(Progress::Reached);
            }
        }
        let until_next: Option<f64> = function(ctx, "untilNext")?.call(())?;
        let is_next_due = until_next == Some(0.0);
        let is_in_flight = host_promises::is_in_flight();
        match until_next {
            None if !is_in_flight => return Ok(Progress::Stuck),
            // What runs over and over again must not keep results of the host from their turn.
            Some(0.0) if !is_in_flight => continue,
            _ => {}
        }
        let started = host_promises::take_started(message_size_max);
        let at_once = is_next_due || host_promises::has_started();
        let timer = until_next.filter(|_| !is_next_due).map(|milliseconds| (milliseconds * 1e6) as u64);
        return Ok(Progress::Suspended(Suspension { started, at_once, timer }));
    }
}

/// Milliseconds since the first call.
fn now() -> f64 {
    clock::since_origin_nanos() as f64 / 1e6
}

/// Drops what a call leaves behind.
pub fn clear(ctx: &Ctx<'_>) {
    contexts::reset(ctx);
    host_promises::clear();
    if IS_USED.swap(false, Relaxed) && function(ctx, "clear").and_then(|clear| clear.call::<_, ()>(())).is_err() {
        // There was no memory for it. The next call finds the rest and drops it.
        ctx.catch();
        IS_USED.store(true, Relaxed);
        return;
    }
    HAS_TICKS.store(false, Relaxed);
}

/// Runs jobs until the goal is reached: whether it is.
fn run_jobs(ctx: &Ctx<'_>, goal: &Goal<'_>) -> Result<bool> {
    loop {
        run_ticks(ctx)?;
        match goal {
            Goal::Settled(promise) => loop {
                if promise.state() != PromiseState::Pending {
                    return Ok(true);
                }
                if !contexts::run_job(ctx) {
                    break;
                }
                module::end_turn();
            },
            Goal::Released => {
                while contexts::run_job(ctx) {
                    module::end_turn();
                }
            }
        }
        if !HAS_TICKS.load(Relaxed) {
            break;
        }
    }
    match goal {
        Goal::Settled(_) => Ok(false),
        Goal::Released => {
            if !IS_USED.load(Relaxed) {
                return Ok(true);
            }
            let is_kept: bool = function(ctx, "isKept")?.call(())?;
            Ok(!is_kept)
        }
    }
}

/// Calls what waits for the end of the code that ran.
fn run_ticks(ctx: &Ctx<'_>) -> Result<()> {
    while HAS_TICKS.load(Relaxed) {
        let is_one: bool = function(ctx, "runTick")?.call(())?;
        if !is_one {
            HAS_TICKS.store(false, Relaxed);
        }
        module::end_turn();
    }
    Ok(())
}

/// What a value comes to: itself if it is a promise.
fn promise_of<'js>(ctx: Ctx<'js>, value: Value<'js>) -> Result<Promise<'js>> {
    if let Some(promise) = value.as_promise() {
        return Ok(promise.clone());
    }
    let (promise, resolve, _) = ctx.promise()?;
    resolve.call::<_, ()>((value,))?;
    Ok(promise)
}

fn is_pending(value: Value<'_>) -> bool {
    value.as_promise().is_some_and(|promise| promise.state() == PromiseState::Pending)
}

fn function<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Function<'js>> {
    FUNCTIONS.with(|functions| functions.0.clone()).restore(ctx)?.get(name)
}
