//! Page faults of the runtime.
//!
//! Three of them are part of ordinary life:
//! - The page is absent and lies in the heap or the stack: it gets a fresh, zeroed page.
//! - The page is marked copy-on-write, as every writable page is after a snapshot: it is copied.
//! - The page is mapped but closed to CPL 3: the host rebuilds the tables for a restored sandbox without the User bit, so
//!   it is given back. Only addresses that belong to CPL 3 get it.
//!
//! The second is most of them and is resolved in [`page_copy`] before it comes here, if it is a plain one.
//!
//! Since a fault costs far more than the work in it, each serves a window of pages.

use core::arch::asm;

use guest_abi::abort::AbortCode;
use guest_abi::counters::Counter;
use guest_abi::memory::{
    COPY_CODE, HEAP_SIZE_MAX, HEAP_START, IMAGE_END, PAGE_SIZE, STACK_GUARD_SIZE, STACK_SIZE_STEP, STACK_TOP, USER_END,
};
use guest_kernel::page_table::{Access, Entry, FaultCode, window_of};

use crate::abort::abort;
use crate::descriptors::{COUNTERS, constants};
use crate::entry::ExceptionFrame;
use crate::memory::{Page, PageTables, Slot};
use crate::page_copy;

/// Pages that are mapped at once when one of them is first touched.
const FRESH_WINDOW: u64 = 8;
/// Pages of the image or the heap that are opened to CPL 3 at once: most of them will be used.
const OPEN_WINDOW: u64 = 32;
/// Pages of the stack or the transport arena that are: one or two will be.
const SMALL_OPEN_WINDOW: u64 = 8;

/// Resolves a page fault; `false` if the access is not allowed.
pub fn resolve(address: u64, error: FaultCode) -> bool {
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
        return true;
    }
    if !belongs_to_user(address) {
        return false;
    }
    // There is a page, so there are its tables.
    let slot = Slot::of(address);
    if !slot.get().is_for_user() {
        count(Counter::Opened);
        open(address);
    } else if error.is_write() && slot.get().is_copy_on_write() {
        count(Counter::Copied);
        page_copy::copy_on_write(slot, address);
    }
    PageTables::invalidate(address);
    let entry = slot.get();
    // What must be copied faults again, now that it is open.
    entry.allows(error) || error.is_write() && entry.is_copy_on_write()
}

/// Opens to CPL 3 what every call needs. The host has mapped it without.
pub fn after_restore() {
    page_copy::open_order_page();
    open(COPY_CODE);
    open(STACK_TOP - PAGE_SIZE);
    open(constants().arena_start);
}

fn count(counter: Counter) {
    let word = COUNTERS + 8 * counter as u64;
    // SAFETY: the word is the kernel's own, in scratch memory.
    unsafe { asm!("inc qword ptr [{}]", in(reg) word, options(nostack)) };
}

fn is_demand_zero(address: u64) -> bool {
    (constants().stack_bottom..STACK_TOP).contains(&address)
        || (HEAP_START..HEAP_START + HEAP_SIZE_MAX).contains(&address) && address < constants().heap_end
}

/// The lower half of the address space holds nothing but the runtime's pages; above it the transport arena is its only one.
fn belongs_to_user(address: u64) -> bool {
    address < USER_END || (constants().arena_start..constants().arena_end).contains(&address)
}

fn map_fresh(address: u64) {
    let start = window_of(address, FRESH_WINDOW);
    let end = start + FRESH_WINDOW * PAGE_SIZE;
    // The stack's bounds and the heap's start are aligned to windows; only the heap's end may cut one short.
    let end = if address >= HEAP_START { end.min(constants().heap_end) } else { end };
    PageTables::current().for_each_user_slot(start..end, |slot, _| {
        if slot.get().is_absent() {
            slot.set(Entry::user_page(Page::allocate().physical(), Access::ReadWrite));
        }
    });
}

/// Opens a page that belongs to CPL 3, whose tables are present, and those around it.
fn open(address: u64) {
    let window =
        if address < IMAGE_END || (HEAP_START..USER_END).contains(&address) { OPEN_WINDOW } else { SMALL_OPEN_WINDOW };
    let first = window_of(address, window);
    let last = first | ((window - 1) * PAGE_SIZE);
    // A window at an end of the arena may reach beyond it.
    let (first, last) = if address < USER_END {
        (first, last)
    } else {
        (first.max(constants().arena_start), last.min(constants().arena_end - PAGE_SIZE))
    };
    let (mut slot, last) = (Slot::of(first), Slot::of(last));
    slot.open_tables();
    while slot <= last {
        if slot.get().is_present() {
            slot.open();
        }
        slot = slot.next();
    }
}

/// Ends the call over a page fault that cannot be resolved.
pub fn refuse(address: u64, frame: &ExceptionFrame) -> ! {
    let error = FaultCode(frame.error);
    if !frame.is_from_user() {
        abort(
            AbortCode::Kernel,
            format_args!(
                "page fault in the kernel: {} {address:#x} by instruction {:#x}",
                error.verb(),
                frame.instruction
            ),
        );
    }
    let stack_bottom = constants().stack_bottom;
    if (stack_bottom - STACK_GUARD_SIZE..stack_bottom).contains(&address) {
        abort(
            AbortCode::StackOverflow,
            format_args!("stack overflow: {} {address:#x} by instruction {:#x}", error.verb(), frame.instruction),
        );
    }
    abort(
        AbortCode::PageFault,
        format_args!(
            "page fault (vector 14, error code {:#x}): cannot {} {address:#x}, by instruction {:#x}",
            frame.error,
            error.verb(),
            frame.instruction
        ),
    )
}

const _: () = assert!(
    STACK_SIZE_STEP.is_multiple_of(FRESH_WINDOW * PAGE_SIZE)
        && STACK_TOP.is_multiple_of(FRESH_WINDOW * PAGE_SIZE)
        && HEAP_START.is_multiple_of(FRESH_WINDOW * PAGE_SIZE),
    "a window of fresh pages must not reach beyond the stack or below the heap"
);
