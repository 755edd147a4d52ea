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

use guest_abi::abort::AbortCode;
use guest_abi::counters::Counter;
use guest_abi::memory::{
    BACKING_STEP, HEAP_SIZE_MAX, HEAP_START, PAGE_SIZE, STACK_GUARD_SIZE, STACK_SIZE_MAX, STACK_TOP, USER_END,
};
use guest_kernel::page_table::{Access, Entry, FaultCode, window_of};

use crate::abort::abort;
use crate::arch::{self, PageSlot};
use crate::constants::constants;
use crate::memory::{GROUP, Page, PageTables, Slot};

/// Pages of the heap or the stack that are mapped at once when one of them is first touched.
const FRESH_WINDOW: u64 = BACKING_STEP / PAGE_SIZE;
/// Pages of the heap that are opened to CPL 3 at once: most of them will be used.
const HEAP_OPEN_WINDOW: u64 = 32;
/// Pages of anything else that are: one or two will be.
const OPEN_WINDOW: u64 = 8;

/// Resolves a page fault; `false` if the access is not allowed.
///
/// # Safety
/// The processor has raised it with this error code at this address.
pub unsafe fn resolve(address: u64, error: FaultCode) -> bool {
    if !error.is_user() {
        return false;
    }
    count(Counter::Faults);
    if !error.is_protection() {
        if !is_demand_zero(address) {
            return false;
        }
        count(Counter::Mapped);
        map_fresh(address);
        debug_assert!(arch::sees_tables(address), "a table has an old translation");
        return true;
    }
    if !belongs_to_user(address) {
        return false;
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
    entry.allows(error) || error.is_write() && entry.is_copy_on_write()
}

fn count(counter: Counter) {
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

fn map_fresh(address: u64) {
    let start = window_of(address, FRESH_WINDOW);
    PageTables::current().for_each_user_slot(start..start + BACKING_STEP, |slot, _| {
        if slot.get().is_absent() {
            // SAFETY: a fresh page for the runtime, where it has none.
            unsafe { slot.fill(Entry::user_page(Page::allocate().physical(), Access::ReadWrite)) };
        }
    });
}

/// Opens a page that belongs to CPL 3, and those around it. What is mapped of the heap and the stack is mapped by groups.
fn open(slot: PageSlot, address: u64) {
    if (HEAP_START..USER_END).contains(&address) {
        slot.open_groups::<HEAP_OPEN_WINDOW>();
    } else if (STACK_TOP - STACK_SIZE_MAX..STACK_TOP).contains(&address) {
        slot.open_groups::<OPEN_WINDOW>();
    } else {
        slot.open_tables();
        if address < USER_END {
            slot.window::<OPEN_WINDOW>().for_each(Slot::open);
        } else {
            // A window at an end of the arena may reach beyond it.
            let arena = constants().arena_start..constants().arena_end;
            slot.window_within::<OPEN_WINDOW>(&arena).for_each(Slot::open);
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
        && FRESH_WINDOW.is_multiple_of(GROUP),
    "windows must not reach beyond the stack or below the heap, and a group is mapped as a whole"
);
