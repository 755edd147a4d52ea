//! Sandboxes in stock: virtual machines that are made ahead and taken by those who load a runtime.
//!
//! What is in stock has done nothing but to start and to [warm up](Vm::warm_up), with neither host functions nor an environment;
//! whoever takes it brings all that is theirs. Nothing is ever put back: a sandbox that had a tenant is not in stock again.
//!
//! `prewarm` fills the stock on the thread that calls it. What has been taken is made again on a thread of the stock's own, the
//! keeper, a moment later, so that whoever has taken it has the processor first. The keeper also looks whether [memory is
//! short](memory_pressure): then all of the stock is dropped, and none is made for a while. It is there as long as something is
//! wanted in stock, and nobody waits for it when the process ends.
//!
//! What the rest relies on: no machine is made or dropped, and nothing is logged, under the lock of the state.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::configuration::Configuration;
use super::error::{Error, Result};
use super::invalid_argument::check_range;
use super::metrics::InStock;
use super::snapshot::Snapshot;
use super::vm::Vm;
use super::{memory_pressure, stopper};

/// Most sandboxes in stock, of all kinds together.
pub const MOST: usize = 256;

/// Time between the taking of a sandbox and the making of another. That takes memory mappings, for which the kernel has all page
/// faults of the process wait, and a processor.
const REFILL_DELAY: Duration = Duration::from_millis(5);
/// Time between two looks at the memory.
const LOOK_INTERVAL: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 1_000 });
/// How long nothing is made after the stock was given up, or after one could not be made.
const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 100 } else { 10_000 });
/// How long one may take to warm up. In a guest from a snapshot code of others has run, so that nobody knows what its memory holds.
const WARM_UP_LIMIT: Duration = Duration::from_secs(5);

static STOCK: Stock = Stock::new(memory_pressure::is_short);

/// Has so many sandboxes in stock from now on, which start in the state of this snapshot, or else as they have booted. They are there
/// when this returns, unless memory is short.
///
/// # Errors
/// [`Error::InvalidArgument`] if there would be more than [`MOST`] of all kinds; what making one fails with.
pub fn keep(configuration: &Configuration, start: Option<&Arc<Snapshot>>, count: usize) -> Result<()> {
    STOCK.keep(&Kind { configuration: configuration.clone(), start: start.cloned() }, count)
}

/// Takes a sandbox out of the stock, if there is one that starts so.
pub fn take(configuration: &Configuration, start: Option<&Snapshot>) -> Option<Vm> {
    STOCK.take(configuration, start)
}

/// Drops all of the stock, to make room for what is needed now. Returns whether there was any.
pub fn give_up() -> bool {
    STOCK.give_up()
}

/// What sandboxes have in common that are alike when they start.
#[derive(Clone)]
struct Kind {
    configuration: Configuration,
    start: Option<Arc<Snapshot>>,
}

impl Kind {
    fn is(&self, configuration: &Configuration, start: Option<&Snapshot>) -> bool {
        let is_same_start = match (&self.start, start) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one.state(), other.state()),
            _ => false,
        };
        is_same_start && self.configuration == *configuration
    }

    fn is_same(&self, other: &Self) -> bool {
        self.is(&other.configuration, other.start.as_deref())
    }

    fn make(&self) -> Result<Ready> {
        stopper::ensure()?;
        let mut vm = Vm::start(self.configuration.clone(), self.start.as_deref())?;
        vm.warm_up_ahead(WARM_UP_LIMIT)?;
        Ok(Ready { vm, _counted: InStock::one_more() })
    }
}

/// A sandbox in stock.
struct Ready {
    vm: Vm,
    _counted: InStock,
}

/// Sandboxes of one kind.
struct Shelf {
    kind: Kind,
    wanted: usize,
    ready: Vec<Ready>,
    /// One could not be made: until then none is, so that other kinds have their turn.
    paused_until: Option<Instant>,
}

struct Stock {
    state: Mutex<State>,
    /// The keeper has something to do.
    changed: Condvar,
    /// Held while sandboxes are made.
    making: Mutex<()>,
    /// The process in which there is a stock; 0 if there has been none. A process that was forked off has neither the keeper nor the
    /// use of the machines, and the lock may be held there for ever.
    process: AtomicU32,
    is_memory_short: fn() -> bool,
}

#[derive(Default)]
struct State {
    shelves: Vec<Shelf>,
    has_keeper: bool,
    /// When what has been taken may be made again.
    refill_at: Option<Instant>,
    paused_until: Option<Instant>,
}

impl Stock {
    const fn new(is_memory_short: fn() -> bool) -> Self {
        let state = State { shelves: Vec::new(), has_keeper: false, refill_at: None, paused_until: None };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            making: Mutex::new(()),
            process: AtomicU32::new(0),
            is_memory_short,
        }
    }

    fn keep(&'static self, kind: &Kind, count: usize) -> Result<()> {
        check_range("number of sandboxes in stock", count as u64, "", &(0..=MOST as u64))?;
        let known = self.process.compare_exchange(0, process::id(), Ordering::Relaxed, Ordering::Relaxed);
        if known.is_err_and(|known| known != process::id()) {
            return Ok(());
        }
        // One who wants none does not wait for those who make some.
        let _making = (count > 0).then(|| self.making.lock().unwrap_or_else(PoisonError::into_inner));
        let mut state = self.lock();
        let others =
            state.shelves.iter().filter(|shelf| !shelf.kind.is_same(kind)).map(|shelf| shelf.wanted).sum::<usize>();
        check_range(
            "number of sandboxes in stock, those of other settings included",
            (others + count) as u64,
            "",
            &(0..=MOST as u64),
        )?;
        let surplus = state.want(kind, count);
        if !state.has_keeper && !state.shelves.is_empty() {
            let keeper = thread::Builder::new().name("hyperlight-stock".to_string());
            if let Err(source) = keeper.spawn(|| self.work()) {
                let all = std::mem::take(&mut state.shelves);
                drop(state);
                drop((surplus, all));
                return Err(Error::NoThread { purpose: "which keeps sandboxes in stock", source });
            }
            state.has_keeper = true;
        }
        if count > 0 {
            // Whoever asks for it anew does not wait for the end of a pause.
            state.paused_until = None;
        }
        drop(state);
        self.changed.notify_one();
        drop(surplus);
        while self.lock().lacks(kind) && !self.give_up_if_short() {
            let made = kind.make();
            let failed = self.put(kind, made);
            if failed.is_some() {
                let mut state = self.lock();
                let there = state.shelf(kind).map_or(0, |shelf| shelf.ready.len());
                state.want(kind, there);
            }
            failed.map_or(Ok(()), Err)?;
        }
        Ok(())
    }

    /// Puts one into its place, if it is still wanted. Returns why there is none.
    fn put(&self, kind: &Kind, made: Result<Ready>) -> Option<Error> {
        match made {
            Ok(ready) => {
                let mut state = self.lock();
                let place = state.shelf(kind).filter(|shelf| shelf.ready.len() < shelf.wanted);
                let unwanted = match place {
                    Some(shelf) => {
                        shelf.ready.push(ready);
                        None
                    }
                    None => Some(ready),
                };
                drop(state);
                drop(unwanted);
                None
            }
            Err(error) => Some(error),
        }
    }

    fn take(&self, configuration: &Configuration, start: Option<&Snapshot>) -> Option<Vm> {
        if self.process.load(Ordering::Relaxed) != process::id() {
            return None;
        }
        let mut state = self.lock();
        let shelf = state.shelves.iter_mut().find(|shelf| shelf.kind.is(configuration, start))?;
        let taken = shelf.ready.pop()?;
        state.refill_at.get_or_insert_with(|| Instant::now() + REFILL_DELAY);
        drop(state);
        self.changed.notify_one();
        Some(taken.vm)
    }

    fn give_up(&self) -> bool {
        if self.process.load(Ordering::Relaxed) != process::id() {
            return false;
        }
        let mut state = self.lock();
        let all: Vec<Ready> = state.shelves.iter_mut().flat_map(|shelf| shelf.ready.drain(..)).collect();
        if !state.shelves.is_empty() {
            state.paused_until = Some(Instant::now() + PAUSE);
        }
        drop(state);
        if !all.is_empty() {
            tracing::warn!("{} sandboxes in stock were given up for want of memory or files", all.len());
        }
        !all.is_empty()
    }

    fn give_up_if_short(&self) -> bool {
        let is_short = (self.is_memory_short)();
        if is_short {
            self.give_up();
        }
        is_short
    }

    /// What the keeper does.
    fn work(&self) {
        loop {
            self.give_up_if_short();
            let making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
            let mut state = self.lock();
            if state.shelves.is_empty() {
                state.has_keeper = false;
                return;
            }
            let Some(kind) = state.next(Instant::now()) else {
                drop(making);
                let time = state.rest(Instant::now());
                drop(self.changed.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner));
                continue;
            };
            drop(state);
            let made = catch_unwind(AssertUnwindSafe(|| kind.make()));
            let failed = made.map(|made| self.put(&kind, made).map(|error| error.to_string()));
            if let Some(error) = failed.unwrap_or_else(|_| Some("it panicked".to_string())) {
                if let Some(shelf) = self.lock().shelf(&kind) {
                    shelf.paused_until = Some(Instant::now() + PAUSE);
                }
                tracing::warn!("a sandbox for the stock could not be made: {error}");
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code of others runs under the lock, so the state is whole whatever happened.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn shelf(&mut self, kind: &Kind) -> Option<&mut Shelf> {
        self.shelves.iter_mut().find(|shelf| shelf.kind.is_same(kind))
    }

    /// Sets how many of a kind are wanted. Returns those that are too many.
    fn want(&mut self, kind: &Kind, count: usize) -> Vec<Ready> {
        let Some(place) = self.shelves.iter().position(|shelf| shelf.kind.is_same(kind)) else {
            if count > 0 {
                self.shelves.push(Shelf { kind: kind.clone(), wanted: count, ready: Vec::new(), paused_until: None });
            }
            return Vec::new();
        };
        if count == 0 {
            return self.shelves.swap_remove(place).ready;
        }
        let shelf = &mut self.shelves[place];
        (shelf.wanted, shelf.paused_until) = (count, None);
        shelf.ready.split_off(count.min(shelf.ready.len()))
    }

    fn lacks(&mut self, kind: &Kind) -> bool {
        self.shelf(kind).is_some_and(|shelf| shelf.ready.len() < shelf.wanted)
    }

    /// Of what kind one is to be made now: of which most are missing.
    fn next(&mut self, now: Instant) -> Option<Kind> {
        if self.paused_until.is_some_and(|end| now < end) || self.refill_at.is_some_and(|at| now < at) {
            return None;
        }
        (self.paused_until, self.refill_at) = (None, None);
        let missing = |shelf: &&Shelf| shelf.wanted.saturating_sub(shelf.ready.len());
        let may_be_made = |shelf: &&Shelf| missing(shelf) > 0 && shelf.paused_until.is_none_or(|end| now >= end);
        self.shelves.iter().filter(may_be_made).max_by_key(missing).map(|shelf| shelf.kind.clone())
    }

    /// How long there is nothing to do, unless something changes.
    fn rest(&self, now: Instant) -> Duration {
        let next = self.paused_until.max(self.refill_at).map(|at| at.saturating_duration_since(now));
        next.map_or(LOOK_INTERVAL, |time| time.min(LOOK_INTERVAL))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::sandbox::environment::Environment;
    use crate::sandbox::host_functions::HostFunctions;
    use crate::sandbox::intake::Intake;

    /// With heaps of a size of their own, so that the stocks of the whole process have nothing to do with it.
    fn kind(mebibytes: u64) -> Kind {
        Kind { configuration: Configuration { heap_size: mebibytes << 20, ..Configuration::default() }, start: None }
    }

    impl Stock {
        fn take_one(&self, kind: &Kind) -> Option<Vm> {
            self.take(&kind.configuration, kind.start.as_deref())
        }

        fn ready(&self, kind: &Kind) -> usize {
            self.lock().shelf(kind).map_or(0, |shelf| shelf.ready.len())
        }

        /// Waits until something holds, or so long that it will never.
        fn wait_until(&self, holds: impl Fn(&Self) -> bool) {
            let end = Instant::now() + Duration::from_secs(60);
            while !holds(self) {
                assert!(Instant::now() < end, "it does not happen");
                thread::sleep(Duration::from_millis(1));
            }
        }
    }

    #[test]
    fn what_is_wanted_is_there_and_what_is_taken_is_made_again() {
        static STOCK: Stock = Stock::new(|| false);
        let (kind, other) = (kind(3), kind(4));
        assert!(STOCK.take_one(&kind).is_none());
        STOCK.keep(&kind, 2).expect("a stock");
        assert_eq!(STOCK.ready(&kind), 2);
        assert!(STOCK.take_one(&other).is_none(), "it has another heap");
        for _ in 0..5 {
            let mut vm = STOCK.take_one(&kind).expect("one is ready");
            vm.round_trip().expect("it works");
            STOCK.wait_until(|stock| stock.ready(&kind) == 2);
        }
        // Fewer are wanted, and then none.
        STOCK.keep(&kind, 1).expect("a stock");
        assert_eq!(STOCK.ready(&kind), 1);
        STOCK.keep(&kind, 0).expect("no stock");
        assert!(STOCK.take_one(&kind).is_none());
        STOCK.wait_until(|stock| !stock.lock().has_keeper);
        STOCK.keep(&kind, 1).expect("a stock");
        assert!(STOCK.lock().has_keeper && STOCK.take_one(&kind).is_some());
        STOCK.keep(&kind, 0).expect("no stock");
    }

    #[test]
    fn a_process_has_no_more_in_stock_than_the_limit() {
        static STOCK: Stock = Stock::new(|| false);
        let (kind, other) = (kind(3), kind(4));
        STOCK.keep(&kind, 1).expect("a stock");
        for count in [MOST, MOST + 1, usize::MAX] {
            let error = STOCK.keep(&other, count).expect_err("too many");
            assert!(matches!(error, Error::InvalidArgument(_)) && error.to_string().contains("256"), "{error}");
        }
        assert_eq!((STOCK.ready(&kind), STOCK.ready(&other)), (1, 0));
        STOCK.keep(&kind, 0).expect("no stock");
    }

    #[test]
    fn when_memory_is_short_there_is_no_stock() {
        static IS_SHORT: AtomicBool = AtomicBool::new(false);
        static STOCK: Stock = Stock::new(|| IS_SHORT.load(Ordering::Relaxed));
        let kind = kind(3);
        STOCK.keep(&kind, 1).expect("a stock");
        IS_SHORT.store(true, Ordering::Relaxed);
        STOCK.wait_until(|stock| stock.ready(&kind) == 0);
        STOCK.keep(&kind, 2).expect("it is wanted, but cannot be had now");
        assert!(STOCK.take_one(&kind).is_none());
        IS_SHORT.store(false, Ordering::Relaxed);
        STOCK.wait_until(|stock| stock.ready(&kind) == 2);
        assert!(STOCK.give_up() && !STOCK.give_up());
        assert!(STOCK.take_one(&kind).is_none());
        STOCK.wait_until(|stock| stock.ready(&kind) == 2);
        STOCK.keep(&kind, 0).expect("no stock");
        assert!(!STOCK.give_up());
    }

    #[test]
    fn a_snapshot_has_a_stock_of_its_own() {
        static STOCK: Stock = Stock::new(|| false);
        let booted = kind(3);
        let vm = Vm::start(booted.configuration.clone(), None).expect("a sandbox");
        let snapshot = |vm: &Vm| vm.base_snapshot(None).expect("a snapshot");
        let (one, other) =
            (snapshot(&vm), Vm::start(booted.configuration.clone(), None).expect("a sandbox").snapshot());
        let of_snapshot = Kind { start: Some(one.clone()), ..booted.clone() };
        STOCK.keep(&of_snapshot, 1).expect("a stock");
        assert!(STOCK.take_one(&booted).is_none());
        assert!(STOCK.take_one(&Kind { start: Some(other.expect("a snapshot")), ..booted.clone() }).is_none());
        // Of the same state there may be several.
        assert!(STOCK.take_one(&Kind { start: Some(snapshot(&vm)), ..booted }).is_some());
        STOCK.keep(&of_snapshot, 0).expect("no stock");
    }

    #[test]
    fn what_is_in_stock_counts_as_new_for_whoever_takes_it() {
        let booted = kind(5);
        keep(&booted.configuration, None, 1).expect("a stock");
        let new = || {
            let (functions, environment) = (HostFunctions::default(), Environment::default());
            Vm::new(booted.configuration.clone(), functions, environment, Intake::default(), None).expect("a sandbox")
        };
        let mut vm = new();
        assert!(vm.is_untouched() && vm.was_entered(), "it has been warmed up");
        vm.expect_programs().expect("it prepares what programs write");
        assert!(!vm.is_untouched());
        keep(&booted.configuration, None, 0).expect("no stock");
        assert!(new().is_untouched(), "there is none in stock, so it was made");
    }
}
