//! The page tables as an array of slots, which the root makes by mapping itself: page faults are many, and this is the short way.

use core::arch::asm;
use core::ops::Range;

use guest_kernel::page_table::{ENTRIES, Entry, page_of};

use super::paging;
use crate::memory::{GROUP, PageTables, SLOT_SIZE, Slot, Slots, slot_in};

/// Where the page tables are mapped by their own root: slots of the last level in the order of their pages. CPL 3 cannot reach
/// them, whatever the tables say, since the entry that leads there is not for it. hyperlight-host has this part of the address
/// space in no snapshot, so the entry is set again after each restore.
pub const SELF_MAP: u64 = 0xffff_8000_0000_0000;
/// The same for [`prefault`](super::prefault), as long as it runs: there the entry is for CPL 3. Not every hypervisor gives
/// CPL 3 all of the upper half.
pub const PREFAULT_SELF_MAP: u64 = 0x0000_7f80_0000_0000;

/// The slot of the page at an address, reached through [`SELF_MAP`]. All tables that lead to the page are present; whether the
/// page is does not matter.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct PageSlot {
    address: u64,
}

impl PageSlot {
    /// The slot of the page that `address` lies in.
    ///
    /// # Safety
    /// All tables that lead to the page are present.
    pub const unsafe fn of(address: u64) -> Self {
        Self { address }
    }

    /// Where the slot for the page at `address` is.
    pub const fn address_of(address: u64) -> u64 {
        SELF_MAP | Self::offset(address)
    }

    /// Where [`prefault`](super::prefault) finds it.
    pub const fn address_for_prefault(address: u64) -> u64 {
        PREFAULT_SELF_MAP | Self::offset(address)
    }

    const fn offset(address: u64) -> u64 {
        address >> 9 & 0x7f_ffff_fff8
    }

    /// Where the slot is that leads to the page at `address`, so many levels above the last.
    pub const fn address_above(address: u64, levels: u32) -> u64 {
        let slot = Self::address_of(address);
        if levels == 0 { slot } else { Self::address_above(slot, levels - 1) }
    }

    fn slot(self) -> Slot {
        // SAFETY: all tables that lead to the page are present, so its slot is there, in the upper half.
        unsafe { Slot::at(Self::address_of(self.address)) }
    }

    pub fn get(self) -> Entry {
        self.slot().get()
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
        // SAFETY: the caller's promise.
        unsafe { self.slot().write(entry) };
        paging::invalidate(self.address);
    }

    /// The slot that leads to the table that this one is in.
    fn table(self) -> Self {
        // SAFETY: the tables are present, and through the self-map each is a page to which those above it lead.
        unsafe { Self::of(Self::address_of(self.address)) }
    }

    /// Opens the tables above the page to CPL 3, which always happens from the top. What is open is not written again: that
    /// may make a hypervisor forget all that is below.
    pub fn open_tables(self) {
        let table = self.table();
        if table.get().is_for_user() {
            return;
        }
        let above = table.table();
        if !above.get().is_for_user() {
            above.table().slot().open_present();
            above.slot().open_present();
        }
        table.slot().open_present();
    }

    /// Opens to CPL 3 what is present of the aligned window of so many pages around this one, and the tables above.
    pub fn open_window<const PAGES: u64>(self) {
        self.open_tables();
        let (start, end) = self.window::<PAGES>();
        // SAFETY: the table of the slot in their midst is present.
        unsafe { Slots::between(start, end) }.for_each(open);
    }

    /// The same, of pages in the range only, which is of whole pages.
    pub fn open_window_within<const PAGES: u64>(self, pages: &Range<u64>) {
        self.open_tables();
        let (start, end) = self.window::<PAGES>();
        let (first, last) = (Self::address_of(pages.start), Self::address_of(pages.end - 1));
        // SAFETY: as in `open_window`.
        unsafe { Slots::between(start.max(first), end.min(last + SLOT_SIZE)) }.for_each(open);
    }

    /// Where the slots of the aligned window of so many pages around this one are.
    fn window<const PAGES: u64>(self) -> (u64, u64) {
        const { assert!(PAGES.is_power_of_two() && PAGES <= ENTRIES as u64, "a window lies in one table") };
        let size = PAGES * SLOT_SIZE;
        let start = Self::address_of(self.address) & !(size - 1);
        (start, start + size)
    }

    /// Opens to CPL 3 what is present of the aligned window of so many pages around this one, and the tables above. It looks at
    /// the first page of each [`GROUP`] only, so it is for memory of which groups are mapped as a whole.
    pub fn open_groups<const PAGES: u64>(self) {
        const { assert!(PAGES >= GROUP, "a window is made of whole groups") };
        self.open_tables();
        let (mut slot, end) = self.window::<PAGES>();
        while slot < end {
            // SAFETY: the group lies in the window, which is in one table.
            unsafe {
                if (*(slot as *const Entry)).is_present() {
                    open_group(slot);
                }
            }
            slot += GROUP * SLOT_SIZE;
        }
    }
}

/// Physical address of the root.
fn root() -> u64 {
    Entry::table(paging::root_table()).physical()
}

/// Opens the page to CPL 3 if it is present: an absent entry may have another meaning. Should the processor know it as closed, the
/// next access is a fault that [`page_fault`](crate::page_fault) leaves at once.
fn open(slot: Slot) {
    if slot.get().is_present() {
        slot.open_present();
    }
}

/// Opens the pages of a [`GROUP`] to CPL 3.
///
/// # Safety
/// The group's slots begin at `first`, in one table.
unsafe fn open_group(first: u64) {
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "or qword ptr [{slot}], {user}",
            "or qword ptr [{slot} + 8], {user}",
            "or qword ptr [{slot} + 16], {user}",
            "or qword ptr [{slot} + 24], {user}",
            "or qword ptr [{slot} + 32], {user}",
            "or qword ptr [{slot} + 40], {user}",
            "or qword ptr [{slot} + 48], {user}",
            "or qword ptr [{slot} + 56], {user}",
            slot = in(reg) first,
            user = const Entry::USER,
            options(nostack),
        );
    }
}

impl PageTables {
    /// Maps the tables at [`SELF_MAP`]. Boot does it before anything else, and `dispatch` after each restore.
    pub fn map_themselves(&self) {
        // SAFETY: the root is a table; so is each that it leads to, and only slots are accessed there.
        unsafe { slot_in(root(), SELF_MAP, 3).fill(Entry::kernel_page(root(), true)) };
    }

    /// Maps the tables at [`PREFAULT_SELF_MAP`] for code of the kernel's own at CPL 3, which takes the gate when it is done: that takes
    /// the mapping back. Nothing is mapped there at any other time.
    pub fn map_themselves_for_user(&self) {
        // SAFETY: as above, and only the kernel's own code runs until the mapping is taken back.
        unsafe { slot_in(root(), PREFAULT_SELF_MAP, 3).fill(Entry::table(root())) };
    }

    /// The slot for the page at `address`, reached through [`SELF_MAP`]; `None` if there is no table for it.
    pub fn page_slot(&self, address: u64) -> Option<PageSlot> {
        // SAFETY: there is a slot, so there are its tables.
        self.slot(address).map(|_| unsafe { PageSlot::of(address) })
    }

    /// Whether the slot for the page at `address` is the same by both ways to it, from the root down and by [`SELF_MAP`]. If it
    /// is not, the processor or the hypervisor has kept a translation that should have been forgotten.
    pub fn agree(&self, address: u64) -> bool {
        self.slot(address).is_some_and(|slot| {
            // SAFETY: there is a slot, so there are its tables.
            slot.get() == unsafe { PageSlot::of(address) }.get()
        })
    }
}
