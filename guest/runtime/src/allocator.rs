//! The engine's memory: as much as the settings say, and a little more for what is thrown when that is used up.
//!
//! QuickJS has a limit of its own, but when that is reached there is no room for the error either, and it throws `null`.

use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use guest_abi::heap_report::HeapReport;
use rquickjs::allocator::{Allocator, RustAllocator};

/// What errors may take beyond the limit.
const RESERVE: usize = 64 << 10;
/// What an allocation takes beside its usable size.
const OVERHEAD: usize = 8;

/// Bytes in use: there is one engine, which has the allocator to itself.
static USED: AtomicUsize = AtomicUsize::new(0);
/// Most of them since the call began.
static PEAK: AtomicUsize = AtomicUsize::new(0);
/// Most bytes that the call may use, if that is less than it always is.
static LIMIT_OF_CALL: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Whether there is no limit at the moment.
static IS_BEYOND_LIMIT: AtomicBool = AtomicBool::new(false);

/// Lets the engine allocate beyond its limit what must not be refused to it. The caller has seen to it that there is memory.
pub fn beyond_limit<T>(f: impl FnOnce() -> T) -> T {
    IS_BEYOND_LIMIT.store(true, Relaxed);
    let result = f();
    IS_BEYOND_LIMIT.store(false, Relaxed);
    result
}

/// Bytes that the engine has in use.
pub fn used() -> usize {
    USED.load(Relaxed)
}

fn set_used(bytes: usize) {
    USED.store(bytes, Relaxed);
    if bytes > PEAK.load(Relaxed) {
        PEAK.store(bytes, Relaxed);
    }
}

/// A call begins, for which there may be a limit.
pub fn begin_call(limit: Option<u64>) {
    PEAK.store(used(), Relaxed);
    LIMIT_OF_CALL.store(limit.and_then(|limit| limit.try_into().ok()).unwrap_or(usize::MAX), Relaxed);
}

/// The call has ended, and with it its limit.
pub fn end_call() {
    LIMIT_OF_CALL.store(usize::MAX, Relaxed);
}

/// What the engine uses, and has used during the call.
pub fn heap_use() -> HeapReport {
    HeapReport { used: used() as u64, peak: PEAK.load(Relaxed) as u64 }
}

/// The engine's allocator, with a limit.
pub struct Limited {
    inner: RustAllocator,
    limit: usize,
    /// An allocation has been refused, and nothing has been given back since that would make it possible.
    is_full: bool,
}

impl Limited {
    /// An allocator of this many bytes.
    pub fn new(limit: usize) -> Self {
        Self { inner: RustAllocator, limit, is_full: false }
    }

    /// Whether `size` bytes more are allowed in place of `old` ones.
    fn allows(&mut self, old: usize, size: usize) -> bool {
        let used = (used() - old).saturating_add(size).saturating_add(OVERHEAD);
        let limit = self.limit.min(LIMIT_OF_CALL.load(Relaxed));
        if used <= limit {
            self.is_full = false;
            return true;
        }
        if IS_BEYOND_LIMIT.load(Relaxed) {
            return true;
        }
        let allowed = self.is_full && used <= limit.saturating_add(RESERVE);
        self.is_full = true;
        allowed
    }

    fn note(&mut self, memory: *mut u8) -> *mut u8 {
        if memory.is_null() {
            self.is_full = true;
        } else {
            // SAFETY: the inner allocator has just made it.
            set_used(used() + unsafe { taken(memory) });
        }
        memory
    }
}

/// What an allocation takes.
///
/// # Safety
/// The inner allocator must have made it.
unsafe fn taken(memory: *mut u8) -> usize {
    // SAFETY: the caller's promise.
    OVERHEAD + unsafe { RustAllocator::usable_size(memory) }
}

// SAFETY: all memory is the inner allocator's.
unsafe impl Allocator for Limited {
    fn alloc(&mut self, size: usize) -> *mut u8 {
        if !self.allows(0, size) {
            return ptr::null_mut();
        }
        let memory = self.inner.alloc(size);
        self.note(memory)
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        if !self.allows(0, count.saturating_mul(size)) {
            return ptr::null_mut();
        }
        let memory = self.inner.calloc(count, size);
        self.note(memory)
    }

    unsafe fn dealloc(&mut self, memory: *mut u8) {
        // SAFETY: the caller's promise, here and below.
        unsafe {
            set_used(used() - taken(memory));
            self.inner.dealloc(memory);
        }
    }

    unsafe fn realloc(&mut self, memory: *mut u8, new_size: usize) -> *mut u8 {
        // SAFETY: as above.
        let old = unsafe { taken(memory) };
        if !self.allows(old, new_size) {
            return ptr::null_mut();
        }
        // SAFETY: as above.
        let moved = unsafe { self.inner.realloc(memory, new_size) };
        if !moved.is_null() {
            set_used(used() - old);
        }
        self.note(moved)
    }

    unsafe fn usable_size(memory: *mut u8) -> usize {
        // SAFETY: as above.
        unsafe { RustAllocator::usable_size(memory) }
    }
}
