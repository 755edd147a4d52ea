//! The memory of a guest's JavaScript, for JavaScript.

use napi::bindgen_prelude::{Either, Null};
use napi_derive::napi;

/// The memory of a guest's JavaScript.
#[napi(object)]
pub struct HeapStatistics {
    /// Most bytes that it may have in use: `SandboxBuilder.setHeapSize()`.
    pub heap_size_bytes: f64,
    /// Bytes in use when the most recent call ended. This is the guest's word, at most the size of the heap. `null` before the
    /// first call, and between `restore()` and the call that follows.
    pub used_bytes: Either<f64, Null>,
    /// Most bytes in use at one time during that call; as `usedBytes`.
    pub peak_bytes: Either<f64, Null>,
}

impl HeapStatistics {
    pub(super) fn new(heap_size: u64, heap: Option<crate::HeapUse>) -> Self {
        Self {
            heap_size_bytes: heap_size as f64,
            used_bytes: heap.map_or(Either::B(Null), |heap| Either::A(heap.used as f64)),
            peak_bytes: heap.map_or(Either::B(Null), |heap| Either::A(heap.peak as f64)),
        }
    }
}
