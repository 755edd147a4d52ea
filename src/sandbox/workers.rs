//! Threads for work that blocks.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::error::{Error, Result};

/// How long a thread waits for work before it ends.
const IDLE_TIME: Duration = Duration::from_secs(2);
/// Pages enough for a thread that does nothing.
const SMALLEST_STACK: usize = 64 << 10;

/// What is waited for a thread that has just ended before another is said not to be had.
const PROBE_DELAYS: [Duration; 3] = [Duration::from_millis(1), Duration::from_millis(5), Duration::from_millis(25)];

/// Work for a thread.
pub type BlockingJob = Box<dyn FnOnce() + Send>;

/// Threads that do work which blocks. They come as they are needed, up to a number, and go when there is nothing to do, but for
/// the last one: so where one could be had once, all work is done sooner or later, also when no more can be had.
pub struct Workers {
    name: &'static str,
    most: fn() -> usize,
    state: Mutex<State>,
    wake: Condvar,
}

struct State {
    jobs: VecDeque<BlockingJob>,
    threads: usize,
    /// Those that wait for work.
    idle: usize,
}

impl Workers {
    /// No threads yet. At most so many there will be; that is asked for when the first is needed.
    pub const fn new(name: &'static str, most: fn() -> usize) -> Self {
        let state = State { jobs: VecDeque::new(), threads: 0, idle: 0 };
        Self { name, most, state: Mutex::new(state), wake: Condvar::new() }
    }

    /// Sees to it that there is a thread.
    ///
    /// # Errors
    /// [`Error::NoThread`] if none can be had.
    pub fn ensure_one(&'static self) -> Result<()> {
        let mut state = self.lock();
        if state.threads == 0 {
            self.start(&mut state).map_err(|error| Error::no_thread("for work that blocks", &error))?;
        }
        Ok(())
    }

    /// Has some work done on a thread, in the order in which it comes. Gives it back if there is no thread and none can be had.
    pub fn run(&'static self, job: BlockingJob) -> std::result::Result<(), BlockingJob> {
        let mut state = self.lock();
        state.jobs.push_back(job);
        if self.start_if_short(&mut state).is_err() && state.threads == 0 {
            return state.jobs.pop_back().map_or(Ok(()), Err);
        }
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    /// Starts a thread if there are more jobs than threads that wait for them.
    fn start_if_short(&'static self, state: &mut State) -> std::io::Result<()> {
        if state.idle < state.jobs.len() && state.threads < (self.most)() { self.start(state) } else { Ok(()) }
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
            state.idle += 1;
            let (woken, timeout) = self.wake.wait_timeout(state, IDLE_TIME).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if timeout.timed_out() && state.jobs.is_empty() && state.threads > 1 {
                state.threads -= 1;
                return;
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
pub fn probe(purpose: &str) -> Result<()> {
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
    spawn().map_err(|error| Error::no_thread(purpose, &error))
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
    fn a_panic_in_a_job_costs_no_thread() {
        static WORKERS: Workers = Workers::new("test", || 1);
        let (sender, receiver) = mpsc::channel();
        assert!(WORKERS.run(Box::new(|| panic!("as told"))).is_ok());
        assert!(WORKERS.run(Box::new(move || sender.send(()).expect("the test waits"))).is_ok());
        assert_eq!(receiver.recv(), Ok(()));
    }
}
