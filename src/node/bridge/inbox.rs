//! Jobs for a JavaScript thread, from other threads.
//!
//! Guests decide how many jobs there are, so the thread does not do all of them at one go: it has a [budget of
//! time](BUDGET). When that is used up, the event loop turns before it goes on: timers and I/O come first.
//!
//! 1. A [`post`](Inbox::post) that finds no job waiting calls the threadsafe function [`work`]. That is run when the event
//!    loop polls, does one job, and calls itself again if there are others. Node.js runs it again at once, after
//!    `process.nextTick` and the microtasks that the job has caused. So these count as well. Of [brief](Inbox::post_brief) jobs it
//!    does [some](BRIEF_JOBS) before that, since to be run takes longer than such a job: so what these cause is not broken off.
//! 2. When the budget is used up, `work` does no job and does not call itself, but a second threadsafe function,
//!    [`next_turn`]. That starts the next budget and calls `work`.
//!
//! 3. What comes of a job for its source may be [told later](Inbox::tell), together with what comes of the source's other jobs:
//!    when there are no more jobs, or the budget is used up. `work` is called once more for that if need be.
//!
//! libuv runs each of the two once at most each time that it polls, `next_turn` first, since it was made first. So `next_turn`
//! is run when the loop polls again, and `work` right after it. In any other order there would be a longer wait; never are
//! there two budgets in one turn.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use napi::{Env, sys};

use super::environment;
use super::node_api::check;
use crate::node::error::{Error, Result};
use crate::node::panic::catch_panic;
use crate::node::scheduling::jobs::{Jobs, Source};

/// How long jobs may take until the event loop has to turn. One that has begun is not broken off.
const BUDGET: Duration = Duration::from_millis(2);
/// Most brief jobs that are done before the microtasks are that they cause, and how long they may take until no other is begun.
const BRIEF_JOBS: usize = 16;
const BRIEF_JOBS_TIME: Duration = Duration::from_micros(250);
/// How often a thread that has been told something gives up its turn on the processor, which may be the JavaScript thread's.
const HEAR_OUT_TURNS: usize = 100;
/// What a job takes of it, at least, that leaves no others. What comes of its microtasks cannot be told from idle time, and
/// another job may come meanwhile.
const LONE_JOB: Duration = Duration::from_micros(125);

/// What the JavaScript thread shall do. It is dropped undone if the thread ends before.
enum Job {
    Once(Box<dyn FnOnce(&Env) + Send>),
    Brief(Box<dyn FnOnce(&Env) + Send>),
    Steps(Box<Steps>),
}

type Steps = dyn FnMut(&Env, &Budget) -> JobProgress + Send;

/// Tells other threads something. It must not block.
type News = Box<dyn FnOnce() + Send>;

/// Whether a job that is done step by step has come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobProgress {
    /// It has.
    Done,
    /// It shall be called again when it is its turn.
    More,
}

/// The time that is left for jobs until the event loop has to turn.
#[derive(Clone, Copy)]
pub struct Budget {
    end: Instant,
}

impl Budget {
    /// Whether the other jobs, and the other steps of this one, have to wait.
    pub fn is_used_up(&self) -> bool {
        Instant::now() >= self.end
    }
}

/// The way to one JavaScript thread. It keeps the thread from ending as long as jobs are expected, and only then.
///
/// Node-API may free its threadsafe functions when the environment ends, whoever still holds them. So they are used under a
/// lock only, and [`close`](Self::close), to be called in a hook that runs before that, takes them away. All others share the
/// lock: the JavaScript thread, which a new job has woken, need not wait for the thread that has posted it.
pub struct Inbox {
    functions: RwLock<Option<Functions>>,
    state: Mutex<State>,
    /// Jobs that the thread must not end before.
    expected: AtomicUsize,
    /// There may be brief jobs that the thread has not heard of.
    is_to_be_woken: AtomicBool,
    /// The thread is telling others what has come of several jobs.
    is_telling: AtomicBool,
}

/// The inbox of the environment of the running call.
pub fn of(env: &Env) -> Result<&'static Arc<Inbox>> {
    environment::kept(env)
}

#[derive(Clone, Copy)]
struct Functions {
    work: ThreadsafeFunction,
    next_turn: ThreadsafeFunction,
}

struct State {
    jobs: Jobs<Job>,
    /// What is to be told before the event loop turns.
    news: Vec<News>,
    /// What comes now comes of several jobs that have been done together, and `work` was called to tell it.
    gathers: bool,
    phase: Phase,
    /// How much of the budget is used up.
    used: Duration,
    /// When the last job ended, if others were left.
    left_others_at: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// There are no jobs.
    Idle,
    /// `work` was called, or does a job.
    AtWork,
    /// The jobs wait for `next_turn`.
    WaitsForTurn,
    /// The environment has ended: there will be no more jobs.
    Closed,
}

#[derive(Clone, Copy)]
struct ThreadsafeFunction(sys::napi_threadsafe_function);

// SAFETY: to be called from any thread is what it is for, and from several at once.
unsafe impl Send for ThreadsafeFunction {}
// SAFETY: as above.
unsafe impl Sync for ThreadsafeFunction {}

impl ThreadsafeFunction {
    /// One that does not keep the thread from ending.
    fn new(env: &Env, name: &str, run: sys::napi_threadsafe_function_call_js) -> napi::Result<Self> {
        let name = env.create_string(name)?;
        let mut function = ptr::null_mut();
        // SAFETY: the environment is that of the running call, on its own thread. A threadsafe function may have no
        // JavaScript function of its own.
        unsafe {
            check(sys::napi_create_threadsafe_function(
                env.raw(),
                ptr::null_mut(),
                ptr::null_mut(),
                napi::JsValue::raw(&name),
                0,
                1,
                ptr::null_mut(),
                None,
                ptr::null_mut(),
                run,
                &raw mut function,
            ))?;
            check(sys::napi_unref_threadsafe_function(env.raw(), function))?;
        }
        Ok(Self(function))
    }
}

impl Inbox {
    /// The inbox of the JavaScript thread that this is called on.
    pub fn new(env: &Env) -> napi::Result<Arc<Self>> {
        let next_turn = ThreadsafeFunction::new(env, "hyperlight turn", Some(next_turn))?;
        let work = ThreadsafeFunction::new(env, "hyperlight", Some(work))?;
        let state = State {
            jobs: Jobs::new(),
            news: Vec::new(),
            gathers: false,
            phase: Phase::Idle,
            used: Duration::ZERO,
            left_others_at: None,
        };
        Ok(Arc::new(Self {
            functions: RwLock::new(Some(Functions { work, next_turn })),
            state: Mutex::new(state),
            expected: AtomicUsize::new(0),
            is_to_be_woken: AtomicBool::new(false),
            is_telling: AtomicBool::new(false),
        }))
    }

    /// Hands a job to the JavaScript thread and returns at once. Jobs of one source are done in the order in which they came.
    pub fn post(&self, source: Source, job: impl FnOnce(&Env) + Send + 'static) -> Result<()> {
        self.add(source, Job::Once(Box::new(job)))
    }

    /// As [`post`](Self::post), but for a job that is brief as a rule: several are done before the microtasks that they cause. The
    /// thread hears of it at the next [`wake`](Self::wake), so that it is woken once for many, or with any other job.
    pub fn post_brief(&self, source: Source, job: impl FnOnce(&Env) + Send + 'static) -> Result<()> {
        let mut state = self.lock();
        if state.phase == Phase::Closed {
            drop(state);
            return Err(ended());
        }
        state.jobs.add(source, Job::Brief(Box::new(job)));
        self.is_to_be_woken.store(true, Ordering::Release);
        Ok(())
    }

    /// Has the thread hear of brief jobs.
    pub fn wake(&self) {
        if !self.is_to_be_woken.swap(false, Ordering::Acquire) {
            return;
        }
        let is_idle = {
            let mut state = self.lock();
            let is_idle = state.phase == Phase::Idle && !state.jobs.is_empty();
            if is_idle {
                state.phase = Phase::AtWork;
            }
            is_idle
        };
        if is_idle {
            self.call(|functions| functions.work);
        }
    }

    /// As [`post`](Self::post), but for a job that is called until it is done. Between its steps other sources have their
    /// turns, and so has the event loop.
    pub fn post_steps(
        &self,
        source: Source,
        step: impl FnMut(&Env, &Budget) -> JobProgress + Send + 'static,
    ) -> Result<()> {
        self.add(source, Job::Steps(Box::new(step)))
    }

    fn add(&self, source: Source, job: Job) -> Result<()> {
        let was_idle = {
            let mut state = self.lock();
            if state.phase == Phase::Closed {
                drop(state);
                return Err(ended());
            }
            state.jobs.add(source, job);
            let was_idle = state.phase == Phase::Idle;
            if was_idle {
                state.phase = Phase::AtWork;
            }
            was_idle
        };
        if was_idle {
            self.call(|functions| functions.work);
        }
        Ok(())
    }

    /// Tells other threads what has come of a job of a source: at once or, if the source has jobs that wait or several were done
    /// together, when there are no jobs any more, but not after the event loop has turned. A guest that has called many functions at
    /// once so has their results together.
    pub fn tell(&self, source: Source, news: impl FnOnce() + Send + 'static) {
        let mut state = self.lock();
        // Otherwise nobody would tell it before the event loop turns, or ever.
        if state.phase == Phase::AtWork && (state.gathers || state.jobs.has_jobs_of(source)) {
            state.news.push(Box::new(news));
            return;
        }
        drop(state);
        news();
    }

    /// Lets the thread tell the rest of what it is telling: a thread that has been told the first of it would go on without. Does
    /// not wait for long.
    pub fn hear_out(&self) {
        for _ in 0..HEAR_OUT_TURNS {
            if !self.is_telling.load(Ordering::Relaxed) {
                break;
            }
            std::thread::yield_now();
        }
    }

    /// Does a job, or several brief ones, unless the event loop has to turn. Called on the thread.
    fn work(&self, env: &Env) {
        let begin = Instant::now();
        let mut done = 0;
        while let Some(was_brief) = self.do_job(env) {
            done += 1;
            let is_over = !was_brief || done == BRIEF_JOBS || begin.elapsed() >= BRIEF_JOBS_TIME;
            let mut state = self.lock();
            let has_jobs = !state.jobs.is_empty();
            if has_jobs && !is_over {
                continue;
            }
            // What the microtasks of several have to tell is told together.
            state.gathers = done > 1;
            let has_more = has_jobs || state.gathers || !state.news.is_empty();
            if has_more {
                state.left_others_at = Some(Instant::now());
            } else {
                state.used += LONE_JOB.saturating_sub(begin.elapsed());
                if state.phase == Phase::AtWork {
                    state.phase = Phase::Idle;
                }
            }
            drop(state);
            if has_more {
                self.call(|functions| functions.work);
            }
            return;
        }
    }

    /// Does a job, unless there is none or the event loop has to turn. Returns whether it was to be brief.
    fn do_job(&self, env: &Env) -> Option<bool> {
        let begin = Instant::now();
        let next = {
            let mut state = self.lock();
            state.gathers = false;
            // What has come between jobs comes of them.
            if let Some(end) = state.left_others_at.take() {
                state.used += begin - end;
            }
            if state.used >= BUDGET && state.phase == Phase::AtWork {
                state.phase = Phase::WaitsForTurn;
                Err((std::mem::take(&mut state.news), true))
            } else if let Some((source, job)) = state.jobs.take() {
                Ok((source, job, Budget { end: begin + BUDGET.saturating_sub(state.used) }))
            } else {
                if state.phase == Phase::AtWork {
                    state.phase = Phase::Idle;
                }
                Err((std::mem::take(&mut state.news), false))
            }
        };
        match next {
            Ok((source, job, budget)) => {
                let was_brief = matches!(job, Job::Brief(_));
                let done = catch_panic(|| Ok(job.run(env, &budget)));
                let mut state = self.lock();
                state.jobs.done(source, done.unwrap_or_default());
                state.used += begin.elapsed();
                Some(was_brief)
            }
            Err((news, has_to_turn)) => {
                self.is_telling.store(news.len() > 1, Ordering::Relaxed);
                news.into_iter().for_each(|tell| tell());
                self.is_telling.store(false, Ordering::Relaxed);
                if has_to_turn {
                    self.call(|functions| functions.next_turn);
                }
                None
            }
        }
    }

    /// The event loop has turned. Called on the thread.
    fn next_turn(&self) {
        let has_jobs = {
            let mut state = self.lock();
            state.used = Duration::ZERO;
            match state.phase {
                Phase::AtWork | Phase::WaitsForTurn if state.jobs.is_empty() => {
                    state.phase = Phase::Idle;
                    false
                }
                Phase::WaitsForTurn => {
                    state.phase = Phase::AtWork;
                    true
                }
                Phase::Idle | Phase::AtWork | Phase::Closed => false,
            }
        };
        if has_jobs {
            self.call(|functions| functions.work);
        }
    }

    /// Has one of the functions run. If the environment ends meanwhile, [`close`](Self::close) drops the jobs.
    fn call(&self, which: impl FnOnce(&Functions) -> ThreadsafeFunction) {
        if let Some(functions) = &*self.functions() {
            let ThreadsafeFunction(function) = which(functions);
            // SAFETY: the function is there as long as it is in its place, which is locked.
            unsafe {
                sys::napi_call_threadsafe_function(
                    function,
                    ptr::null_mut(),
                    sys::ThreadsafeFunctionCallMode::nonblocking,
                );
            }
        }
    }

    /// Keeps the thread from ending until [`expected_job_came`](Self::expected_job_came). To be called on it.
    pub fn expect_job(&self, env: &Env) -> Result<()> {
        let Some(Functions { work: ThreadsafeFunction(function), .. }) = *self.functions() else { return Err(ended()) };
        if self.expected.load(Ordering::Relaxed) == 0 {
            // SAFETY: the function is there as long as it is in its place, which only this thread takes it from.
            check(unsafe { sys::napi_ref_threadsafe_function(env.raw(), function) })?;
        }
        self.expected.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// An expected job has come. To be called on the thread.
    pub fn expected_job_came(&self, env: &Env) {
        if self.expected.fetch_sub(1, Ordering::Relaxed) > 1 {
            return;
        }
        if let Some(Functions { work: ThreadsafeFunction(function), .. }) = *self.functions() {
            // SAFETY: as above. It cannot fail.
            unsafe { sys::napi_unref_threadsafe_function(env.raw(), function) };
        }
    }

    /// Takes no more jobs, and drops those that have not been done.
    pub fn close(&self) {
        let functions = self.functions.write().unwrap_or_else(PoisonError::into_inner).take();
        let (jobs, news) = {
            let mut state = self.lock();
            state.phase = Phase::Closed;
            (std::mem::replace(&mut state.jobs, Jobs::new()), std::mem::take(&mut state.news))
        };
        // What a job drops may post another, which is refused.
        drop((jobs, news));
        if let Some(Functions { work, next_turn }) = functions {
            for ThreadsafeFunction(function) in [work, next_turn] {
                // SAFETY: it was in its place, so it is there, and nobody can use it from now on.
                unsafe {
                    sys::napi_release_threadsafe_function(function, sys::ThreadsafeFunctionReleaseMode::abort);
                }
            }
        }
    }

    fn functions(&self) -> RwLockReadGuard<'_, Option<Functions>> {
        // No code runs under the lock that could leave its place half changed.
        self.functions.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // As above.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job {
    /// Does the job, or a step of it. Returns it if it is to go on.
    fn run(self, env: &Env, budget: &Budget) -> Option<Self> {
        match self {
            Self::Once(job) | Self::Brief(job) => {
                job(env);
                None
            }
            Self::Steps(mut step) => match step(env, budget) {
                JobProgress::Done => None,
                JobProgress::More => Some(Self::Steps(step)),
            },
        }
    }
}

fn ended() -> Error {
    Error::Internal("the JavaScript thread has ended".to_string())
}

/// Called by Node-API: on the JavaScript thread, without an environment when that is ending.
unsafe extern "C" fn work(env: sys::napi_env, _: sys::napi_value, _: *mut c_void, _: *mut c_void) {
    on_thread(env, Inbox::work);
}

/// As [`work`].
unsafe extern "C" fn next_turn(env: sys::napi_env, _: sys::napi_value, _: *mut c_void, _: *mut c_void) {
    on_thread(env, |inbox, _| inbox.next_turn());
}

fn on_thread(env: sys::napi_env, run: impl FnOnce(&Inbox, &Env)) {
    if env.is_null() {
        return;
    }
    let _ = catch_panic(|| {
        let env = Env::from_raw(env);
        run(of(&env)?, &env);
        Ok(())
    });
}
