//! The memory allocator.

use core::alloc::{GlobalAlloc, Layout};

use guest_abi::memory::HEAP_START;
use talc::TalcCell;
use talc::source::Manual;

#[global_allocator]
static HEAP: Heap = Heap(TalcCell::new(Manual));

struct Heap(TalcCell<Manual>);

// SAFETY: the guest has one thread and no interrupts.
unsafe impl Sync for Heap {}

// SAFETY: talc is an allocator.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are passed on, here and below.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { self.0.dealloc(memory, layout) };
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as above.
        unsafe { self.0.realloc(memory, layout, new_size) }
    }
}

/// Size of the heap in bytes.
#[cfg(feature = "commit-faults")]
pub fn size() -> u64 {
    SIZE.load(core::sync::atomic::Ordering::Relaxed)
}

#[cfg(feature = "commit-faults")]
static SIZE: core::sync::atomic::AtomicU64 = core::sync::atomic::AtomicU64::new(0);

/// Gives the heap's address range to the allocator; the kernel backs it with memory page by page.
pub fn claim(size: u64) {
    #[cfg(feature = "commit-faults")]
    SIZE.store(size, core::sync::atomic::Ordering::Relaxed);
    // SAFETY: called once, at boot; nothing else uses these addresses.
    let claimed = unsafe { HEAP.0.claim(HEAP_START as *mut u8, size as usize) };
    assert!(claimed.is_some(), "the heap is too small");
}
