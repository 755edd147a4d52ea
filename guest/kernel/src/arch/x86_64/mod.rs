//! The kernel on x86-64, at CPL 0; the runtime is at CPL 3.
//!
//! On some hypervisors each instruction at CPL 0 is emulated, at about a microsecond, two or three if it writes memory, while CPL 3
//! runs at full speed. Hence [`page_copy`], [`page_runs`] and [`prefault`], which have code of the kernel's own run at CPL 3.

mod descriptors;
mod entry;
mod page_copy;
mod page_runs;
mod paging;
mod prefault;
mod self_map;

use core::arch::asm;

use guest_abi::memory::PREFAULT_PLAN;
use guest_kernel::page_table::{Access, Entry};

use crate::constants::Constants;
use crate::memory::{Page, PageTables};

pub use descriptors::{CONSTANTS, COUNTERS, PLAN_IN_WORK, seal};
pub use entry::enter_runtime;
pub use paging::{copy_user_page, flush, increment, invalidate, open_slot, root_table, write_slot};
pub use prefault::begin_plan;
pub use self_map::PageSlot;

/// Where the plan is: where the prefault code can read it.
pub const PLAN: u64 = PREFAULT_PLAN;

/// Maps what the kernel keeps between calls, fills it and makes the processor use it.
pub fn install(tables: &PageTables, constants: Constants) {
    tables.map_themselves();
    descriptors::install(tables, constants);
}

/// Maps the kernel's code that runs at CPL 3.
pub fn install_user_code(tables: &PageTables) {
    page_copy::install(tables);
    prefault::install(tables);
    page_runs::install(tables);
}

/// Writes a word to one of the host's ports.
pub fn send(port: u16, word: u32) {
    // SAFETY: the host takes the word, or ends the call. Writing to a port changes nothing in the guest.
    unsafe { asm!("out dx, eax", in("dx") port, in("eax") word, options(nomem, nostack)) };
}

/// Whether the processor sees the page tables as they are; for assertions.
pub fn sees_tables(address: u64) -> bool {
    PageTables::current().agree(address)
}

/// Maps a page of code for CPL 3 with a copy of the kernel's code between two symbols.
fn map_user_code(tables: &PageTables, address: u64, start: &'static u8, end: &'static u8) {
    let (start, end) = (&raw const *start as u64, &raw const *end as u64);
    let mut page = Page::allocate();
    // SAFETY: the code is part of the kernel's image and smaller than a page.
    unsafe { paging::copy(start, page.as_mut_ptr(), end - start) };
    // SAFETY: the page is for code at CPL 3, and nothing is mapped there.
    unsafe { tables.user_slot_or_new(address).fill(Entry::user_page(page.physical(), Access::Execute)) };
}
