//! The kernel on arm64, at EL1; the runtime is at EL0.
//!
//! The host sets up one range of addresses, that of TTBR0_EL1, and the kernel's part of it is its upper half. There is no self-map
//! of the page tables: the host makes tables without the access flag that a page needs. So the way to a slot goes down from the
//! root, through the mapping of scratch memory.
//!
//! Code at EL1 runs as fast as any, so there is none of the kernel's at EL0: pages are copied where the fault is served.

mod entry;
mod page_slot;
mod paging;
mod prefault;
mod registers;

use guest_abi::memory::{IO_PAGE, KERNEL_TABLES, PAGE_SIZE, SCRATCH_END, SCRATCH_METADATA, SCRATCH_RESERVED_PAGES};
use guest_kernel::page_table::Entry;

use crate::constants::Constants;
use crate::memory::{Page, PageTables};

pub use entry::enter_runtime;
pub use page_slot::PageSlot;
pub use paging::{copy_user_page, flush, increment, invalidate, open_slot, root_table, write_slot};
pub use prefault::{PLAN, begin_plan};

/// Where the constants are.
pub const CONSTANTS: u64 = KERNEL_TABLES;
/// The words in which the kernel counts; see [`guest_abi::counters`]. They are at the start of the pages that the host reserves at
/// the end of scratch memory, which a restore zeroes.
pub const COUNTERS: u64 = SCRATCH_END - SCRATCH_RESERVED_PAGES * PAGE_SIZE;
/// The physical page of the plan that is being made, zero if none is, and which of its working sets.
pub const PLAN_IN_WORK: u64 = COUNTERS + 8 * guest_abi::counters::WORDS as u64;
/// Top of the stack of EL1.
const STACK_TOP_EL1: u64 = SCRATCH_METADATA;

const _: () = {
    assert!(PLAN_IN_WORK + 16 < STACK_TOP_EL1 - 4 * PAGE_SIZE, "there is a stack below its top");
    assert!(STACK_TOP_EL1.is_multiple_of(16), "the processor checks the stack's alignment");
    assert!(size_of::<Constants>() <= PAGE_SIZE as usize);
};

/// Maps the constants and fills them. The processor has what it needs already: see [`entry`].
pub fn install(tables: &PageTables, constants: Constants) {
    // SAFETY: the page is for the kernel's constants, and nothing is mapped there.
    unsafe { tables.user_slot_or_new(CONSTANTS).fill(Entry::kernel_page(Page::allocate().physical(), true)) };
    invalidate(CONSTANTS);
    // SAFETY: the page was just mapped and belongs to the kernel alone.
    unsafe { (CONSTANTS as *mut Constants).write(constants) };
}

/// There is no code of the kernel's at EL0; but the plan of what to copy ahead is made here.
pub fn install_user_code(tables: &PageTables) {
    prefault::install(tables);
}

/// Takes away the right to write to the constants.
pub fn seal(tables: &PageTables) {
    if let Some(slot) = tables.slot(CONSTANTS) {
        slot.seal_until_flush();
    }
}

/// Writes a word to one of the host's ports: a place in a page where there is no memory.
pub fn send(port: u16, word: u32) {
    // SAFETY: the host maps the page for EL1. It takes the word, or ends the call.
    unsafe { paging::store(IO_PAGE + 8 * u64::from(port), word) };
}

/// Whether the processor sees the page tables as they are; for assertions. There is one way to them only.
pub fn sees_tables(_: u64) -> bool {
    true
}
