//! Files of the library, and stand-ins for the modules that they use, by the same names.

#[path = "../../../src/sandbox/call_control.rs"]
pub mod call_control;

#[path = "../../../src/sandbox/interrupt.rs"]
pub mod interrupt;

#[path = "../../../src/sandbox/tally.rs"]
pub mod tally;

#[path = "../../../src/sandbox/pool/lease_queue.rs"]
pub mod lease_queue;

/// Metrics play no part in the models.
pub mod occupancy {
    #[derive(Default)]
    pub struct Occupancy;

    impl Occupancy {
        pub fn new() -> Self {
            Self
        }

        pub fn is(&mut self, _: usize, _: usize) {}
    }

    #[derive(Clone, Copy)]
    pub struct Asked;

    impl Asked {
        pub fn now() -> Self {
            Self
        }

        pub fn is_served_at_once() {}

        pub fn is_served(self) {}
    }
}

pub mod error {
    #[derive(Debug)]
    pub enum Error {
        PoolFull(usize),
        PoolClosed,
        PoolPrepare(PoolFailure),
    }
    #[derive(Clone, Debug)]
    pub enum PoolFailure {
        Gone,
    }
    pub type Result<T> = std::result::Result<T, Error>;
}

/// Time plays no part in the models.
pub mod thread_clock {
    use std::time::Duration;

    #[derive(Clone)]
    pub struct ThreadCpuClock;

    impl ThreadCpuClock {
        pub fn of_this_thread() -> Option<Self> {
            None
        }

        pub fn now(&self) -> Option<Duration> {
            None
        }
    }
}

/// What the stopper does for one call, on the thread that asks for it.
pub mod stopper {
    use super::call_control::{CallControl, CallId, Stop, StoppedBy};
    use super::sync::Arc;

    pub fn stop(control: &Arc<CallControl>, call: CallId, by: StoppedBy) -> bool {
        match control.request_stop(call, by) {
            Stop::NotRunning => return false,
            Stop::Already => return true,
            Stop::Begun(give_up) => give_up.into_iter().for_each(|give_up| give_up()),
        }
        while !control.signal(call) {
            loom::thread::yield_now();
        }
        true
    }
}

pub mod sync {
    pub use loom::sync::{Mutex, MutexGuard};
    pub use std::sync::{Arc, PoisonError};
}

/// A handle for a control, which is the library's own business to make.
pub fn handle(control: &sync::Arc<call_control::CallControl>) -> interrupt::InterruptHandle {
    interrupt::InterruptHandle::new(control.clone())
}
