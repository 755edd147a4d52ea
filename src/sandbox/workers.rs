//! Threads for work that blocks.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, Thread};
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
const RETRY_DELAYS: [Duration; 3] = [Duration::from_millis(1), Duration::from_millis(5), Duration::from_millis(25)];

/// All sets of threads that have one.
static BEGUN: Mutex<Vec<&'static Workers>> = Mutex::new(Vec::new());
/// For how many threads of others places are being kept. It is locked while a thread is started that can be done without.
static KEPT: Mutex<usize> = Mutex::new(0);

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
            self.start_first(&mut state)
                .map_err(|source| Error::NoThread { purpose: "for work that blocks", source })?;
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
        if state.threads == 0 {
            return self.start_first(state);
        }
        let kept = locked(&KEPT);
        // When none is kept any more, this is tried again.
        if *kept == 0 {
            // One that can be done without must not take the last of the address space.
            let mut spare = Vec::<u8>::new();
            spare.try_reserve_exact(SPARE)?;
            // An allocation that nobody looks at need not be made.
            std::hint::black_box(&spare);
            self.start(state)?;
        }
        Ok(())
    }

    fn start_first(&'static self, state: &mut State) -> std::io::Result<()> {
        self.start(state)?;
        locked(&BEGUN).push(self);
        Ok(())
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
        locked(&self.state)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code of others runs under these locks, so what they guard is whole whatever happened.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// While there is one, no thread is started that can be done without: it could take the place of one that must be had. It must not
/// be kept while a guest runs, since what waits for such a thread may be what ends that.
struct NoMoreThreads;

impl NoMoreThreads {
    fn begin() -> Self {
        *locked(&KEPT) += 1;
        Self
    }
}

impl Drop for NoMoreThreads {
    fn drop(&mut self) {
        *locked(&KEPT) -= 1;
        let begun = locked(&BEGUN).clone();
        for workers in begun {
            // Those that cannot be had now are not needed for the work to be done.
            let _ = workers.start_if_short(&mut workers.lock());
        }
    }
}

/// A thread that does nothing, in the place of one that KVM will want for a VM.
pub struct Placeholder {
    end: Sender<()>,
    thread: JoinHandle<()>,
}

impl Placeholder {
    /// # Errors
    /// [`Error::NoThread`] if no thread can be had; `purpose` says in it what the place is for.
    fn new(purpose: &'static str) -> Result<Self> {
        let spawn = || {
            let (end, gate) = mpsc::channel();
            let thread = thread::Builder::new().name("hyperlight-place".to_string()).stack_size(SMALLEST_STACK);
            // It ends when the sender is dropped.
            let wait = move || {
                let _ = gate.recv();
            };
            thread.spawn(wait).map(|thread| Self { end, thread })
        };
        // A thread that has just ended counts for a moment longer.
        for delay in RETRY_DELAYS {
            if let Ok(placeholder) = spawn() {
                return Ok(placeholder);
            }
            thread::sleep(delay);
        }
        spawn().map_err(|source| Error::NoThread { purpose, source })
    }

    /// Takes the place of a thread that ends when something is given up.
    ///
    /// # Errors
    /// As for [`probe`]: another process was faster.
    pub fn instead_of(give_up: impl FnOnce(), purpose: &'static str) -> Result<Self> {
        let _kept = NoMoreThreads::begin();
        give_up();
        Self::new(purpose)
    }

    /// Leaves the place to a thread that is wanted now.
    pub fn end(self) {
        drop(self.end);
        // It does nothing that could fail.
        drop(self.thread.join());
    }
}

/// Sees whether another thread could be had now, without keeping it.
///
/// # Errors
/// [`Error::NoThread`] if not; `purpose` says in it what it would have been for.
pub fn probe(purpose: &'static str) -> Result<()> {
    Placeholder::new(purpose).map(Placeholder::end)
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
    fn where_places_are_kept_threads_that_can_be_done_without_wait() {
        static WORKERS: Workers = Workers::new("test", || 2);
        let (sender, receiver) = mpsc::channel();
        let begin = || {
            let (end, gate) = mpsc::channel::<()>();
            let sender = sender.clone();
            let job = move || {
                sender.send(()).expect("the test waits");
                gate.recv().expect("the test ends it");
            };
            assert!(WORKERS.run(Box::new(job)).is_ok());
            end
        };
        let kept = NoMoreThreads::begin();
        let first = begin();
        receiver.recv().expect("the first thread is always started");
        let second = begin();
        assert_eq!(WORKERS.lock().threads, 1);
        drop(kept);
        receiver.recv().expect("the first job goes on, so another thread does the second");
        assert_eq!(WORKERS.lock().threads, 2);
        for end in [first, second] {
            end.send(()).expect("it waits");
        }
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
