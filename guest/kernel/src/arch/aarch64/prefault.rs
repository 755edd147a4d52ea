//! What a call after a restore will need, made ready before it faults.
//!
//! After a restore every page is closed to EL0, and every page that the runtime writes must be copied, which is a fault each. So those
//! that it will use are opened, and what it will probably write is copied. What a call of the same kind has written stands in the [`Plan`], a page of the kernel's: the *working set*. There are two of it: one for a guest without handlers,
//! which will be given one, and one for a guest that will be called. The runtime says which to take. Whatever they are, they change
//! nothing but when a page is copied.

use core::ops::Range;

use guest_abi::counters::Counter;
use guest_abi::gate;
use guest_abi::memory::{
    HAS_HANDLERS, HEAP_FIRST_SIZE, HEAP_START, IMAGE_START, KERNEL_TABLES, PAGE_SIZE, STACK_TOP, THREAD_AREA,
};
use guest_kernel::page_table::{Access, ENTRIES, Entry, window_of};

use super::page_slot::open;
use super::{COUNTERS, PLAN_IN_WORK, PageSlot, increment, paging};
use crate::constants::constants;
use crate::memory::{Page, PageTables, window};

/// Where the plan is, beside the constants.
const PLAN: u64 = KERNEL_TABLES + PAGE_SIZE;
/// Pages that a working set can have: the plan has room for two of them.
const WORKING_SET_MAX: usize = 488;

/// More of the transport arena than this is opened only as it is used.
const ARENA_MAX: u64 = 8 << 20;

#[repr(C)]
struct Plan {
    /// Pages in each working set.
    counts: [u64; 2],
    /// Their numbers: one working set after the other.
    pages: [u32; 2 * WORKING_SET_MAX],
}

const _: () = assert!(size_of::<Plan>() <= PAGE_SIZE as usize);

/// Maps a plan without a working set.
pub fn install(tables: &PageTables) {
    tables.user_slot_or_new(PLAN);
    begin();
}

/// Puts an empty plan in place of the one that there is. The kernel sees it read-only: it is written where scratch memory is mapped.
fn begin() {
    let page = Page::allocate();
    // SAFETY: the boot has made the tables for it. The fresh page is zero, which is a plan without pages.
    unsafe { PageSlot::of(PLAN).replace(Entry::kernel_page(page.physical(), false)) };
    // SAFETY: the words are the kernel's own.
    unsafe { (PLAN_IN_WORK as *mut [u64; 2]).write_volatile([page.physical(), 0]) };
}

/// Adds a page, by its number, to the working set that is being made. [`gate::BEGIN_PLAN`] begins the first one, and
/// [`gate::NEXT_SET`] the second. What does not fit or does not belong there is left out.
pub fn plan(page: u32) {
    if page == gate::BEGIN_PLAN {
        return begin();
    }
    let set = (PLAN_IN_WORK + 8) as *mut u64;
    // SAFETY: the words are the kernel's own.
    let (physical, in_second) = unsafe { ((PLAN_IN_WORK as *const u64).read_volatile(), set.read_volatile() != 0) };
    // A plan that a snapshot has kept cannot be written any more.
    // SAFETY: the plan was mapped during boot, and its tables stay.
    if physical == 0 || unsafe { PageSlot::of(PLAN) }.get().physical() != physical {
        return;
    }
    if page == gate::NEXT_SET {
        // SAFETY: as above.
        return unsafe { set.write_volatile(1) };
    }
    let address = u64::from(page) * PAGE_SIZE;
    if !ranges().iter().any(|range| range.contains(&address)) {
        return;
    }
    let plan = window(physical).cast::<Plan>();
    // SAFETY: the page holds a plan and was allocated since the last restore, so it is in scratch memory, mapped for EL1.
    unsafe {
        let [first, second] = (*plan).counts;
        let count = if in_second { second } else { first };
        if count < WORKING_SET_MAX as u64 {
            (&raw mut (*plan).pages[(first + second) as usize]).write(page);
            (&raw mut (*plan).counts[usize::from(in_second)]).write(count + 1);
        }
    }
}

/// The pages that the runtime has of its own.
fn ranges() -> [Range<u64>; 4] {
    let constants = constants();
    [
        THREAD_AREA..THREAD_AREA + PAGE_SIZE,
        IMAGE_START..constants.image_end,
        HEAP_START..constants.heap_end,
        constants.stack_bottom..STACK_TOP,
    ]
}

/// Makes ready what the first call after a restore will need.
pub extern "C" fn prepare() {
    copy_working_set();
    open_ranges();
    // What EL1 has read meanwhile the processor knows as closed.
    paging::flush();
}

/// Gives each page of the working set one of its own, while there are any. All pages are closed to EL0 still, so EL1 can read them
/// whether there is PAN or not.
fn copy_working_set() {
    let plan = PLAN as *const Plan;
    // SAFETY: the boot has mapped both. The byte is the runtime's, and may be anything.
    let ([first, second], has_handlers) = unsafe { ((*plan).counts, (HAS_HANDLERS as *const u8).read_volatile() != 0) };
    let set = if has_handlers { first..first + second } else { 0..first };
    let tables = PageTables::current();
    for i in set {
        // SAFETY: the kernel has written no larger counts.
        let address = u64::from(unsafe { (&raw const (*plan).pages[i as usize]).read() }) * PAGE_SIZE;
        if Page::free() == 0 {
            return;
        }
        let Some(entry) = tables.slot(address).map(|slot| slot.get()) else { continue };
        if !entry.is_present() || entry.is_for_user() || !entry.is_copy_on_write() {
            continue;
        }
        let mut page = Page::allocate();
        // SAFETY: the page is mapped for EL1, and the runtime, which could write to it, does not run.
        unsafe { paging::copy_page(address, page.as_mut_ptr()) };
        // SAFETY: there is a slot, and the new page has the content of the old one.
        unsafe { PageSlot::of(address).replace(Entry::user_page(page.physical(), Access::ReadWrite)) };
        // SAFETY: the word is one of the kernel's own.
        unsafe { increment(COUNTERS + 8 * Counter::Prepared as u64) };
    }
}

/// Opens the image, the start of the heap, the end of the stack, and the transport arena.
fn open_ranges() {
    let constants = constants();
    let tables = PageTables::current();
    let [thread, image, ..] = ranges();
    let stack = constants.stack_bottom.max(STACK_TOP - HEAP_FIRST_SIZE)..STACK_TOP;
    let heap = HEAP_START..constants.heap_end.min(HEAP_START + HEAP_FIRST_SIZE);
    let arena = constants.arena_start..constants.arena_end.min(constants.arena_start + ARENA_MAX);
    for range in [thread, image, heap, stack, arena] {
        let mut address = range.start;
        while address < range.end {
            let end_of_table = window_of(address, ENTRIES as u64) + ENTRIES as u64 * PAGE_SIZE;
            let end = range.end.min(end_of_table);
            if let Some(first) = tables.slot(address) {
                let addresses = (address..end).step_by(PAGE_SIZE as usize);
                first.following((end - address) / PAGE_SIZE).zip(addresses).for_each(|(slot, page)| open(slot, page));
            }
            address = end;
        }
    }
}
