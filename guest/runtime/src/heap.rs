//! The memory allocator.
//!
//! Of a large heap only the start is used as long as that is enough: the allocator also writes to the end of what it has, and
//! the kernel makes ready only pages near the start for a call after a restore.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::ptr::{self, NonNull};

use guest_abi::memory::{HEAP_FIRST_SIZE, HEAP_START};
use talc::TalcCell;
use talc::source::Manual;

#[global_allocator]
static HEAP: Heap =
    Heap { allocator: TalcCell::new(Manual), end: Cell::new(ptr::null_mut()), size: Cell::new(0), used: Cell::new(0) };

struct Heap {
    allocator: TalcCell<Manual>,
    /// Exclusive end of what the allocator has.
    end: Cell<*mut u8>,
    /// Size of the whole heap in bytes.
    size: Cell<u64>,
    /// Bytes in use.
    used: Cell<usize>,
}

// SAFETY: the guest has one thread and no interrupts.
unsafe impl Sync for Heap {}

impl Heap {
    /// Gives the allocator all of the heap; `false` if it has that already.
    fn grow(&self) -> bool {
        let Some(old) = NonNull::new(self.end.get()) else { return false };
        // SAFETY: the allocator has said that its memory ends there, and nothing else uses what follows.
        let new = unsafe { self.allocator.extend(old, (HEAP_START + self.size.get()) as *mut u8) };
        self.end.set(new.as_ptr());
        new != old
    }

    /// Tries again with more memory if there was not enough.
    fn or_grown(&self, allocate: impl Fn() -> *mut u8) -> *mut u8 {
        let memory = allocate();
        if memory.is_null() && self.grow() { allocate() } else { memory }
    }
}

// SAFETY: talc is an allocator.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are passed on, here and below.
        let memory = self.or_grown(|| unsafe { self.allocator.alloc(layout) });
        if !memory.is_null() {
            self.used.set(self.used.get() + taken(layout.size()));
        }
        memory
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { self.allocator.dealloc(memory, layout) };
        self.used.set(self.used.get() - taken(layout.size()));
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as above; a failure leaves the memory as it was.
        let moved = self.or_grown(|| unsafe { self.allocator.realloc(memory, layout, new_size) });
        if !moved.is_null() {
            self.used.set(self.used.get() - taken(layout.size()) + taken(new_size));
        }
        moved
    }
}

/// What an allocation of a size takes at most, with what the allocator notes of it.
fn taken(size: usize) -> usize {
    (size + 8).next_multiple_of(16)
}

/// Bytes that nothing uses. They need not be in one piece.
pub fn free() -> usize {
    (HEAP.size.get() as usize).saturating_sub(HEAP.used.get())
}

/// Size of the heap in bytes.
#[cfg(feature = "commit-faults")]
pub fn size() -> u64 {
    HEAP.size.get()
}

/// Gives the heap's address range to the allocator; the kernel backs it with memory page by page.
pub fn claim(size: u64) {
    // SAFETY: called once, at boot; nothing else uses these addresses.
    let claimed = unsafe { HEAP.allocator.claim(HEAP_START as *mut u8, size.min(HEAP_FIRST_SIZE) as usize) };
    HEAP.end.set(claimed.expect("the heap is too small").as_ptr());
    HEAP.size.set(size);
}
