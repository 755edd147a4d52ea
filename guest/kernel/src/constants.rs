//! What boot finds out and later calls need. It is read-only once the sandbox has booted, and kept by snapshots.

use crate::arch;

/// See the module.
#[repr(C)]
pub struct Constants {
    /// Where the runtime is entered.
    pub runtime_entry: u64,
    /// Exclusive end of the runtime's image, or of its part before the first gap.
    pub image_end: u64,
    /// The pages that the runtime may execute.
    pub code_start: u64,
    /// Their exclusive end.
    pub code_end: u64,
    /// Exclusive end of the heap.
    pub heap_end: u64,
    /// Lowest address of the stack.
    pub stack_bottom: u64,
    /// The transport arena, as guest virtual addresses.
    pub arena_start: u64,
    pub arena_end: u64,
}

/// The constants that boot has set.
pub fn constants() -> &'static Constants {
    // SAFETY: called after `arch::install`, which maps and fills this place for good; nobody writes to it any more.
    unsafe { &*(arch::CONSTANTS as *const Constants) }
}
