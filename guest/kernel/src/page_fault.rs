//! Page faults of the runtime.
//!
//! Three of them are part of ordinary life:
//! - The page is absent and lies in the heap or the stack: it gets a fresh, zeroed page.
//! - The page is marked copy-on-write, as every writable page is after a snapshot: it is copied.
//! - The page is mapped but closed to CPL 3: the host rebuilds the tables for a restored sandbox without the User bit, so
//!   it is given back. Only addresses that belong to CPL 3 get it.
//!
//! On x86-64 most of the second kind are resolved before they come here.
//!
//! Since a fault costs far more than the work in it, each serves a window of pages.

use core::ops::Range;

use guest_abi::abort::AbortCode;
use guest_abi::counters::Counter;
use guest_abi::memory::{
    BACKING_STEP, HEAP_SIZE_MAX, HEAP_START, PAGE_SIZE, STACK_GUARD_SIZE, STACK_SIZE_MAX, STACK_TOP, USER_END,
};
use guest_kernel::page_table::{Access, ENTRIES, Entry, FaultCode, window_of};

use crate::abort::abort;
use crate::arch::{self, PageSlot};
use crate::constants::constants;
use crate::memory::{GROUP, Page, PageTables, out_of_memory};

/// Pages that are mapped at once when one of them is first touched: always of the stack, and to begin with of the heap.
const FRESH_MIN: u64 = BACKING_STEP / PAGE_SIZE;
/// The most that are: as many as a table maps.
const FRESH_MAX: u64 = ENTRIES as u64;
/// Pages of the heap that are opened to CPL 3 at once: most of them will be used.
const HEAP_OPEN_WINDOW: u64 = 32;
/// Pages of anything else that are: one or two will be.
const OPEN_WINDOW: u64 = 8;

/// What becomes of a page fault.
pub enum Outcome {
    /// The access is not allowed.
    Refused,
    /// The instruction can be repeated.
    Resolved,
    /// It can be once these pages are mapped, those of them that are absent: whole groups of the heap or the stack, in one table,
    /// which is there. There are as many free pages.
    MapFresh(Range<u64>),
}

/// Resolves a page fault, all but the mapping of fresh pages.
///
/// # Safety
/// The processor has raised it with this error code at this address.
pub unsafe fn resolve(address: u64, error: FaultCode) -> Outcome {
    if !error.is_user() {
        return Outcome::Refused;
    }
    count(Counter::Faults);
    if !error.is_protection() {
        if !is_demand_zero(address) {
            return Outcome::Refused;
        }
        count(Counter::Mapped);
        return Outcome::MapFresh(fresh_pages(address));
    }
    if !belongs_to_user(address) {
        return Outcome::Refused;
    }
    debug_assert!(arch::sees_tables(address), "a table has an old translation");
    // SAFETY: the fault is about the rights of a page that is present, so its tables are.
    let slot = unsafe { PageSlot::of(address) };
    if !slot.get().is_for_user() {
        count(Counter::Opened);
        open(slot, address);
    } else if error.is_write() && slot.get().is_copy_on_write() {
        count(Counter::Copied);
        // SAFETY: as above.
        unsafe { copy_on_write(slot) };
    }
    arch::invalidate(address);
    let entry = slot.get();
    // What must be copied faults again, now that it is open.
    let is_allowed = entry.allows(error) || error.is_write() && entry.is_copy_on_write();
    if is_allowed { Outcome::Resolved } else { Outcome::Refused }
}

/// Counts something.
pub fn count(counter: Counter) {
    // SAFETY: the word is the kernel's own, in scratch memory.
    unsafe { arch::increment(arch::COUNTERS + 8 * counter as u64) };
}

fn is_demand_zero(address: u64) -> bool {
    (constants().stack_bottom..STACK_TOP).contains(&address)
        || (HEAP_START..HEAP_START + HEAP_SIZE_MAX).contains(&address) && address < constants().heap_end
}

/// The lower half of the address space holds nothing but the runtime's pages; above it only the transport arena
/// is its own.
fn belongs_to_user(address: u64) -> bool {
    address < USER_END || (constants().arena_start..constants().arena_end).contains(&address)
}

/// The pages that a fault at an absent page maps. A program that allocates touches thousands, and a fault costs far more than
/// mapping a page. So of the heap they grow with what has been mapped since the sandbox was started or restored, by a quarter of
/// that: at most a fifth of what is mapped was never touched. Until it is, it takes no memory of the host, but in large pages of the host.
fn fresh_pages(address: u64) -> Range<u64> {
    let first = window_of(address, GROUP);
    PageTables::current().user_slot_or_new(first);
    let end = if first < STACK_TOP { first + FRESH_MIN * PAGE_SIZE } else { constants().heap_end };
    let end_of_table = window_of(first, ENTRIES as u64) + ENTRIES as u64 * PAGE_SIZE;
    // SAFETY: the word is the kernel's own, in scratch memory.
    let mapped = unsafe { ((arch::COUNTERS + 8 * Counter::Fresh as u64) as *const u64).read_volatile() };
    let wanted = (mapped / 4).clamp(FRESH_MIN, FRESH_MAX).min((end.min(end_of_table) - first) / PAGE_SIZE);
    let count = wanted.min(Page::free()) / GROUP * GROUP;
    if count == 0 {
        out_of_memory();
    }
    first..first + count * PAGE_SIZE
}

/// Opens a page that belongs to CPL 3, and those around it. What is mapped of the heap and the stack is mapped by groups.
fn open(slot: PageSlot, address: u64) {
    if (HEAP_START..USER_END).contains(&address) {
        slot.open_groups::<HEAP_OPEN_WINDOW>();
    } else if (STACK_TOP - STACK_SIZE_MAX..STACK_TOP).contains(&address) {
        slot.open_groups::<OPEN_WINDOW>();
    } else {
        if address < USER_END {
            slot.open_window::<OPEN_WINDOW>();
        } else {
            // A window at an end of the arena may reach beyond it.
            let arena = constants().arena_start..constants().arena_end;
            slot.open_window_within::<OPEN_WINDOW>(&arena);
        }
    }
}

/// Gives a page of its own to the slot of one that is copied when it is written, and copies the content here. That is slow, so it
/// is for what `copy_on_write_entry` leaves.
///
/// # Safety
/// The page is present.
unsafe fn copy_on_write(slot: PageSlot) {
    let mut page = Page::allocate();
    // SAFETY: the page is mapped, read-only, and only the runtime could write to it.
    unsafe { arch::copy_user_page(slot.page(), page.as_mut_ptr()) };
    // SAFETY: the new page has the content of the old one.
    unsafe { slot.replace(Entry::user_page(page.physical(), Access::ReadWrite)) };
}

/// Ends the call over a page fault, by the instruction at that address, that cannot be resolved.
pub fn refuse(address: u64, error: FaultCode, instruction: u64, from_user: bool) -> ! {
    let verb = error.verb();
    if !from_user {
        abort(
            AbortCode::Kernel,
            format_args!("page fault in the kernel: {verb} {address:#x} by instruction {instruction:#x}"),
        );
    }
    let stack_bottom = constants().stack_bottom;
    if (stack_bottom - STACK_GUARD_SIZE..stack_bottom).contains(&address) {
        abort(
            AbortCode::StackOverflow,
            format_args!("stack overflow: {verb} {address:#x} by instruction {instruction:#x}"),
        );
    }
    abort(
        AbortCode::PageFault,
        format_args!("page fault ({error}): cannot {verb} {address:#x}, by instruction {instruction:#x}"),
    )
}

const _: () = assert!(
    STACK_TOP.is_multiple_of(BACKING_STEP)
        && HEAP_START.is_multiple_of(HEAP_OPEN_WINDOW * PAGE_SIZE)
        && FRESH_MIN == GROUP,
    "windows must not reach beyond the stack or below the heap, which are whole groups"
);
