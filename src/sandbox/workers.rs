//! Threads for work that blocks.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::error::{Error, Result};

/// How long a thread waits for work before it ends. In tests it is so long that none does.
const IDLE_TIME: Duration = Duration::from_secs(if cfg!(test) { 3600 } else { 2 });
/// Bytes that must be free for one more thread: its stack and as much again. A thread that finds no memory for its own variables
/// ends the process: the C library allocates them when they are first used, and cannot say that it failed.
const SPARE: usize = 4 << 20;
/// Pages enough for a thread that does nothing.
const SMALLEST_STACK: usize = 64 << 10;

/// What is waited for a thread that has just ended before another is said not to be had.
const PROBE_DELAYS: [Duration; 3] = [Duration::from_millis(1), Duration::from_millis(5), Duration::from_millis(25)];

/// Work for a thread.
pub type BlockingJob = Box<dyn FnOnce() + Send>;

/// Threads that do work which blocks. They come as they are needed, up to a number, and go when there is nothing to do, but for
/// the last one: so where one could be had once, all work is done sooner or later, also when no more can be had.
///
/// The thread that has waited for the shortest time has the next work: its caches are warm, KVM need not get to know another for
/// the same virtual processor, and those that are not needed have nothing to do.
pub struct Workers {
    name: &'static str,
    most: fn() -> usize,
    state: Mutex<State>,
}

struct State {
    jobs: VecDeque<BlockingJob>,
    threads: usize,
    /// Those that wait for work, and for being woken.
    idle: Vec<Thread>,
    /// How many have been woken and have not looked for work yet.
    woken: usize,
}

impl Workers {
    /// No threads yet. At most so many there will be; that is asked for when the first is needed.
    pub const fn new(name: &'static str, most: fn() -> usize) -> Self {
        let state = State { jobs: VecDeque::new(), threads: 0, idle: Vec::new(), woken: 0 };
        Self { name, most, state: Mutex::new(state) }
    }

    /// Sees to it that there is a thread.
    ///
    /// # Errors
    /// [`Error::NoThread`] if none can be had.
    pub fn ensure_one(&'static self) -> Result<()> {
        let mut state = self.lock();
        if state.threads == 0 {
            self.start(&mut state).map_err(|source| Error::NoThread { purpose: "for work that blocks", source })?;
        }
        Ok(())
    }

    /// Has some work done on a thread, in the order in which it comes. Returns it if there is no thread and none can be had.
    pub fn run(&'static self, job: BlockingJob) -> std::result::Result<(), BlockingJob> {
        let mut state = self.lock();
        state.jobs.push_back(job);
        if let Some(thread) = state.idle.pop() {
            state.woken += 1;
            drop(state);
            thread.unpark();
            return Ok(());
        }
        if self.start_if_short(&mut state).is_err() && state.threads == 0 {
            return state.jobs.pop_back().map_or(Ok(()), Err);
        }
        Ok(())
    }

    /// Starts a thread if there are more jobs than threads that will look for them.
    fn start_if_short(&'static self, state: &mut State) -> std::io::Result<()> {
        let is_short = state.idle.len() + state.woken < state.jobs.len();
        if !is_short || state.threads >= (self.most)() {
            return Ok(());
        }
        // One that can be done without must not take the last of the address space.
        if state.threads > 0 {
            let mut spare = Vec::<u8>::new();
            spare.try_reserve_exact(SPARE)?;
            // An allocation that nobody looks at need not be made.
            std::hint::black_box(&spare);
        }
        self.start(state)
    }

    fn start(&'static self, state: &mut State) -> std::io::Result<()> {
        thread::Builder::new().name(self.name.to_string()).spawn(|| self.work())?;
        state.threads += 1;
        Ok(())
    }

    fn work(&'static self) {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                // Those that could not be had before may be had now.
                let _ = self.start_if_short(&mut state);
                drop(state);
                // What a job has to say about a panic of its own it has said itself.
                drop(catch_unwind(AssertUnwindSafe(job)));
                state = self.lock();
                continue;
            }
            let (woken, was_woken) = self.wait(state);
            state = woken;
            if !was_woken && state.jobs.is_empty() && state.threads > 1 {
                state.threads -= 1;
                return;
            }
        }
    }

    /// Waits to be woken; `false` if that has not happened for some time.
    fn wait<'a>(&'a self, mut state: MutexGuard<'a, State>) -> (MutexGuard<'a, State>, bool) {
        let thread = thread::current();
        let end = Instant::now() + IDLE_TIME;
        let id = thread.id();
        state.idle.push(thread);
        loop {
            drop(state);
            let left = end.saturating_duration_since(Instant::now());
            thread::park_timeout(left);
            state = self.lock();
            let Some(place) = state.idle.iter().position(|idle| idle.id() == id) else {
                state.woken -= 1;
                return (state, true);
            };
            if left.is_zero() {
                state.idle.remove(place);
                return (state, false);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code of others runs under the lock, so the state is whole whatever happened.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sees whether another thread could be had now, without keeping it.
///
/// # Errors
/// [`Error::NoThread`] if not; `purpose` says in it what it would have been for.
pub fn probe(purpose: &'static str) -> Result<()> {
    let spawn = || {
        let thread = thread::Builder::new().name("hyperlight-probe".to_string());
        // It does nothing that could fail.
        thread.stack_size(SMALLEST_STACK).spawn(|| ()).map(|thread| drop(thread.join()))
    };
    // A thread that has just ended, such as that of a VM which another replaces, counts for a moment longer.
    for delay in PROBE_DELAYS {
        if spawn().is_ok() {
            return Ok(());
        }
        thread::sleep(delay);
    }
    spawn().map_err(|source| Error::NoThread { purpose, source })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn work_is_done_in_its_order_by_no_more_threads_than_there_may_be() {
        static WORKERS: Workers = Workers::new("test", || 2);
        let (sender, receiver) = mpsc::channel();
        let gates: Vec<_> = (0..4)
            .map(|i| {
                let (open, gate) = mpsc::channel::<()>();
                let sender = sender.clone();
                let job = move || {
                    sender.send(i).expect("the test waits");
                    gate.recv().expect("the test opens it");
                };
                assert!(WORKERS.run(Box::new(job)).is_ok());
                open
            })
            .collect();
        let mut begun = [receiver.recv().expect("the first"), receiver.recv().expect("the second")];
        begun.sort_unstable();
        assert_eq!((begun, WORKERS.lock().threads), ([0, 1], 2));
        assert!(receiver.try_recv().is_err());
        gates[0].send(()).expect("it waits");
        assert_eq!(receiver.recv(), Ok(2));
        gates[1].send(()).expect("it waits");
        assert_eq!(receiver.recv(), Ok(3));
        drop(gates);
    }

    #[test]
    fn the_thread_that_was_busy_last_has_the_next_work() {
        static WORKERS: Workers = Workers::new("test", || 3);
        let (sender, receiver) = mpsc::channel();
        // Ends when it is told to, and says on which thread it ran.
        let begin = || {
            let (end, gate) = mpsc::channel::<()>();
            let sender = sender.clone();
            let job = move || {
                gate.recv().expect("the test ends it");
                sender.send(thread::current().id()).expect("the test waits");
            };
            assert!(WORKERS.run(Box::new(job)).is_ok());
            end
        };
        let are_idle = |count| {
            while WORKERS.lock().idle.len() < count {
                thread::yield_now();
            }
        };
        let ends = [begin(), begin(), begin()];
        let mut order = Vec::new();
        for (i, end) in ends.iter().enumerate() {
            end.send(()).expect("it waits");
            order.push(receiver.recv().expect("it ends"));
            are_idle(i + 1);
        }
        let last = order[2];
        for _ in 0..10 {
            begin().send(()).expect("it waits");
            assert_eq!(receiver.recv(), Ok(last));
            are_idle(3);
        }
        assert_eq!(WORKERS.lock().threads, 3);
    }

    #[test]
    fn a_panic_in_a_job_costs_no_thread() {
        static WORKERS: Workers = Workers::new("test", || 1);
        let (sender, receiver) = mpsc::channel();
        assert!(WORKERS.run(Box::new(|| panic!("as told"))).is_ok());
        assert!(WORKERS.run(Box::new(move || sender.send(()).expect("the test waits"))).is_ok());
        assert_eq!(receiver.recv(), Ok(()));
    }
}
