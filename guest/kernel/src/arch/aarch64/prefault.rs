//! What a call after a restore will need, made ready before it faults.
//!
//! After a restore every page is closed to EL0, and every page that the runtime writes must be copied, which is a fault each. So those
//! that it will use are opened, and the [working set](crate::working_set) is copied.

use guest_abi::counters::Counter;
use guest_abi::memory::{HAS_HANDLERS, KERNEL_TABLES, PAGE_SIZE};
use guest_kernel::page_table::{Access, ENTRIES, Entry, window_of};

use super::page_slot::open;
use super::{COUNTERS, PageSlot, increment, paging};
use crate::memory::{Page, PageTables};
use crate::working_set::{self, WorkingSets};

/// Where the plan is, beside the constants.
pub const PLAN: u64 = KERNEL_TABLES + PAGE_SIZE;

/// Maps a plan without a working set.
pub fn install(tables: &PageTables) {
    tables.user_slot_or_new(PLAN);
    // SAFETY: there are tables for it now.
    unsafe { working_set::begin() };
}

/// The plan has nothing but the working sets. The kernel sees it read-only: it is written where scratch memory is mapped.
pub fn begin_plan(page: &mut Page) -> Entry {
    Entry::kernel_page(page.physical(), false)
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
    let sets = PLAN as *const WorkingSets;
    // SAFETY: the boot has mapped both. The byte is the runtime's, and may be anything.
    let ([first, second, _], has_handlers) =
        unsafe { ((*sets).counts, (HAS_HANDLERS as *const u8).read_volatile() != 0) };
    let set = if has_handlers { first..first + second } else { 0..first };
    let tables = PageTables::current();
    for i in set {
        // SAFETY: the kernel has written no larger counts.
        let address = u64::from(unsafe { (&raw const (*sets).pages[i as usize]).read() }) * PAGE_SIZE;
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

/// Opens what is said to be opened, as far as it is present.
fn open_ranges() {
    let tables = PageTables::current();
    for range in working_set::opened() {
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
