//! How full pools are, as metrics.

use std::time::{Duration, Instant};

use metrics::{Gauge, Unit, describe_gauge, describe_histogram, gauge, histogram};

use crate::sandbox::metrics::{POOL_READY, POOL_WAIT, POOL_WAITING};

/// What one pool adds to the gauges of all, until it is dropped.
pub struct Occupancy {
    ready: Share,
    waiting: Share,
}

/// A gauge, and what of it is this pool's.
struct Share {
    gauge: Gauge,
    value: usize,
}

impl Occupancy {
    /// Of a pool that is empty.
    pub fn new() -> Self {
        describe_gauge!(POOL_READY, Unit::Count, "Sandboxes of pools that are ready for a request.");
        describe_gauge!(POOL_WAITING, Unit::Count, "Requests that wait for a sandbox of a pool.");
        describe_histogram!(POOL_WAIT, Unit::Seconds, "How long requests waited until a pool had a sandbox for them.");
        // Kept, so that the recorder that was told of the pool is the one that hears of its end.
        Self { ready: Share::of(gauge!(POOL_READY)), waiting: Share::of(gauge!(POOL_WAITING)) }
    }

    /// So many sandboxes are ready, and so many requests wait.
    pub fn is(&mut self, ready: usize, waiting: usize) {
        self.ready.set(ready);
        self.waiting.set(waiting);
    }
}

impl Share {
    fn of(gauge: Gauge) -> Self {
        Self { gauge, value: 0 }
    }

    fn set(&mut self, value: usize) {
        if value != self.value {
            self.gauge.increment(value as f64 - self.value as f64);
            self.value = value;
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// When a request asked for a sandbox.
#[derive(Clone, Copy)]
pub struct Asked(Instant);

impl Asked {
    pub fn now() -> Self {
        Self(Instant::now())
    }

    /// A sandbox is there for it at once.
    pub fn is_served_at_once() {
        histogram!(POOL_WAIT).record(Duration::ZERO);
    }

    /// A sandbox is there for it.
    pub fn is_served(self) {
        histogram!(POOL_WAIT).record(self.0.elapsed());
    }
}
