//! The slot of one page.

use core::ops::Range;

use guest_abi::abort::AbortCode;
use guest_abi::memory::PAGE_SIZE;
use guest_kernel::page_table::{Entry, page_of, window_of};

use super::paging;
use crate::abort::abort;
use crate::constants::constants;
use crate::memory::{PageTables, Slot};

/// The slot of the page at an address. All tables that lead to the page are present; whether the page is does not matter.
#[derive(Clone, Copy)]
pub struct PageSlot {
    address: u64,
    slot: Slot,
}

impl PageSlot {
    /// The slot of the page that `address` lies in.
    ///
    /// # Safety
    /// All tables that lead to the page are present.
    pub unsafe fn of(address: u64) -> Self {
        match PageTables::current().slot(address) {
            Some(slot) => Self { address, slot },
            None => abort(AbortCode::Kernel, format_args!("there is no table for {address:#x}")),
        }
    }

    pub fn get(self) -> Entry {
        self.slot.get()
    }

    /// Address of the page.
    pub fn page(self) -> u64 {
        page_of(self.address)
    }

    /// Maps something else.
    ///
    /// # Safety
    /// What is mapped is memory that may be accessed at the page's address.
    pub unsafe fn replace(self, entry: Entry) {
        // SAFETY: nothing uses the page until it is mapped again: this runs instead of the runtime.
        unsafe { self.slot.clear_until_flush() };
        paging::invalidate(self.address);
        // SAFETY: the caller's promise.
        unsafe { self.slot.write(entry) };
    }

    /// Opens to EL0 what is present of the aligned window of so many pages around this one.
    pub fn open_window<const PAGES: u64>(self) {
        self.open_window_within::<PAGES>(&(0..u64::MAX));
    }

    /// The same, for memory that is mapped by groups.
    pub fn open_groups<const PAGES: u64>(self) {
        self.open_window::<PAGES>();
    }

    /// The same, of pages in the range only.
    pub fn open_window_within<const PAGES: u64>(self, pages: &Range<u64>) {
        let start = window_of(self.address, PAGES);
        // SAFETY: a window lies in one table, which is present.
        let first = unsafe { Self::of(start) };
        for (slot, address) in first.slot.following(PAGES).zip((start..).step_by(PAGE_SIZE as usize)) {
            if pages.contains(&address) {
                open(slot, address);
            }
        }
    }
}

/// Opens the page at `address`, which is one of EL0's, if it is present, as code if it is that.
pub fn open(slot: Slot, address: u64) {
    let entry = slot.get();
    if !entry.is_present() {
        return;
    }
    let is_code = (constants().code_start..constants().code_end).contains(&address);
    let entry = if is_code { entry.code_for_user() } else { entry.for_user() };
    // SAFETY: the mapping stays, and a right that the processor does not know of yet is a fault.
    unsafe { slot.write(entry) };
}
