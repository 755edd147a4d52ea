//! What a call has cost, for JavaScript.

use std::time::Duration;

use napi::bindgen_prelude::{Either, Null};
use napi_derive::napi;

/// The cost of a call of a handler.
#[napi(object, object_from_js = false)]
pub struct CallStats {
    /// Duration of the call in milliseconds.
    pub wall_clock_ms: f64,
    /// Processor time of the call in milliseconds; `null` where it cannot be measured.
    pub cpu_time_ms: Either<f64, Null>,
    /// The timeout that stopped the call, `'wall-clock'` or `'cpu-time'`; `null` if no timeout did.
    #[napi(ts_type = "'wall-clock' | 'cpu-time' | null")]
    pub terminated_by: Either<String, Null>,
    /// Number of calls of host functions, synchronous and asynchronous, including refused ones.
    pub host_calls: f64,
    /// Milliseconds during which the call was suspended: it waited for asynchronous host functions or timers and used no
    /// thread. The time of synchronous host functions is not part of it.
    pub suspended_ms: f64,
    /// Number of entries into the guest: one at the beginning of the call, and one each time that it continued after a
    /// suspension, a synchronous host function or a line of the console.
    pub entries: f64,
    /// Most bytes that the guest's JavaScript had in use at one time during the call, with all that the sandbox keeps. This is
    /// the guest's word, at most the size of its heap. `null` if the guest was stopped before it said anything.
    pub peak_heap_bytes: Either<f64, Null>,
    /// Bytes in use after the call or, if that was stopped, when the guest last asked its host for something; as
    /// `peakHeapBytes`.
    pub heap_bytes: Either<f64, Null>,
}

impl From<&crate::ExecutionStats> for CallStats {
    fn from(stats: &crate::ExecutionStats) -> Self {
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        Self {
            wall_clock_ms: milliseconds(stats.wall_clock),
            cpu_time_ms: stats.cpu_time.map_or(Either::B(Null), |time| Either::A(milliseconds(time))),
            terminated_by: stats.terminated_by.map_or(Either::B(Null), |name| Either::A(name.to_string())),
            host_calls: stats.host_calls as f64,
            suspended_ms: milliseconds(stats.suspended),
            entries: stats.entries as f64,
            peak_heap_bytes: stats.heap.map_or(Either::B(Null), |heap| Either::A(heap.peak as f64)),
            heap_bytes: stats.heap.map_or(Either::B(Null), |heap| Either::A(heap.used as f64)),
        }
    }
}
