//! Physical pages and page tables.
//!
//! All of scratch memory is mapped at a fixed distance from its physical address, and all page tables lie in it: the host
//! puts its own there and the kernel allocates there. So every table is reached without a mapping of its own, from the root
//! down. Page faults may take a shorter way, since they are many: see [`arch::PageSlot`].

use core::ops::Range;
use core::ptr::NonNull;

use guest_abi::abort::AbortCode;
use guest_abi::memory::{
    PAGE_SIZE, SCRATCH_END, SCRATCH_END_PHYSICAL, SCRATCH_METADATA, SCRATCH_RESERVED_PAGES, ScratchMetadata,
};
use guest_kernel::page_table::{Entry, index, page_of};

use crate::abort::abort;
use crate::arch;

/// Pages that are opened at once by [`arch::PageSlot::open_groups`].
pub const GROUP: u64 = 8;

/// Size of an entry in bytes.
pub const SLOT_SIZE: u64 = size_of::<Entry>() as u64;

/// The words that the host publishes at the end of scratch memory.
pub fn metadata() -> ScratchMetadata {
    // SAFETY: the host maps and fills this place before the guest runs. It is plain data, and nobody writes to it while
    // the guest runs but the kernel, which is not interrupted.
    unsafe { (SCRATCH_METADATA as *const ScratchMetadata).read_volatile() }
}

/// A page of scratch memory that belongs to its holder.
pub struct Page {
    physical: u64,
}

impl Page {
    /// Address of the word that tells the next free page.
    pub const NEXT_FREE: u64 = SCRATCH_METADATA + core::mem::offset_of!(ScratchMetadata, next_free) as u64;
    /// Exclusive end of the pages that can be given.
    pub const LIMIT: u64 = SCRATCH_END_PHYSICAL - SCRATCH_RESERVED_PAGES * PAGE_SIZE;

    /// Takes a fresh page. It is zero: scratch memory is when a sandbox starts or is restored, and no page is given twice.
    pub fn allocate() -> Self {
        let next_free = Self::NEXT_FREE as *mut u64;
        // SAFETY: as in `metadata`; the kernel is the only user of this word while the guest runs.
        let physical = unsafe { next_free.read_volatile() };
        if physical >= Self::LIMIT {
            out_of_memory();
        }
        // SAFETY: as above.
        unsafe { next_free.write_volatile(physical + PAGE_SIZE) };
        let page = Self { physical };
        debug_assert!(page.seems_fresh(), "a page was given twice");
        page
    }

    /// How many there are.
    pub fn free() -> u64 {
        Self::LIMIT.saturating_sub(Self::next_free()) / PAGE_SIZE
    }

    /// Physical address of the next one. Those after it follow it.
    pub fn next_free() -> u64 {
        // SAFETY: as in `allocate`.
        unsafe { (Self::NEXT_FREE as *const u64).read_volatile() }
    }

    /// Whether the page is zero at both ends: to look at all of it would take too long where the kernel is emulated.
    fn seems_fresh(&self) -> bool {
        let words = window(self.physical).cast::<u64>();
        // SAFETY: the page is in scratch memory, all of which is mapped.
        unsafe { words.read_volatile() == 0 && words.add(PAGE_SIZE as usize / 8 - 1).read_volatile() == 0 }
    }

    pub fn physical(&self) -> u64 {
        self.physical
    }

    /// The page's bytes.
    pub fn as_mut_ptr<T>(&mut self) -> *mut T {
        window(self.physical).cast()
    }
}

/// Ends the call.
pub fn out_of_memory() -> ! {
    abort(AbortCode::OutOfMemory, format_args!("out of memory: all scratch memory is used"))
}

/// A page table entry in its place, which is in a table: tables are never freed.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Slot(NonNull<Entry>);

impl Slot {
    /// The slot at an address.
    ///
    /// # Safety
    /// It is in a table, which is mapped there and nowhere near address zero.
    pub unsafe fn at(address: u64) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { NonNull::new_unchecked(address as *mut Entry) })
    }

    pub fn get(self) -> Entry {
        // SAFETY: the slot is in a table.
        unsafe { self.0.as_ptr().read_volatile() }
    }

    /// Opens a page or a table that is present to the runtime.
    pub fn open_present(self) {
        // SAFETY: as in `get`.
        unsafe { arch::open_slot(self.0.as_ptr()) };
    }

    /// Takes away the right to write to the page. The processor may use the old mapping until [`arch::flush`].
    pub fn seal_until_flush(self) {
        // SAFETY: a write that is no longer allowed is a fault.
        unsafe { self.write(self.get().sealed()) };
    }

    /// Maps something where nothing is.
    ///
    /// # Safety
    /// The slot is of an absent page, of which the processor knows nothing. What is mapped is memory that may be accessed there.
    pub unsafe fn fill(self, entry: Entry) {
        debug_assert!(self.get().is_absent(), "a translation is replaced that the processor may know");
        // SAFETY: the caller's promise.
        unsafe { self.write(entry) };
    }

    /// Maps nothing. The processor may use the old mapping until [`arch::flush`].
    ///
    /// # Safety
    /// Nothing uses the page any more.
    pub unsafe fn clear_until_flush(self) {
        // SAFETY: the caller's promise.
        unsafe { self.write(Entry::ABSENT) };
    }

    /// # Safety
    /// What is mapped is memory that may be accessed there, and the processor is told to forget what it knows of the page.
    pub unsafe fn write(self, entry: Entry) {
        // SAFETY: as in `get`.
        unsafe { arch::write_slot(self.0.as_ptr(), entry) };
    }

    /// This slot and those that follow in its table, but no more than `count`.
    pub fn following(self, count: u64) -> Slots {
        let next = self.0.as_ptr() as u64;
        let end_of_table = page_of(next) + PAGE_SIZE;
        let end = end_of_table.min(next.saturating_add(count.saturating_mul(SLOT_SIZE)));
        // SAFETY: the slot is in a table, and the others are before its end.
        unsafe { Slots::between(next, end) }
    }
}

/// Slots that follow one another in one table.
pub struct Slots {
    next: u64,
    end: u64,
}

impl Slots {
    /// The slots between two addresses.
    ///
    /// # Safety
    /// They are in a table that stays where it is.
    pub unsafe fn between(next: u64, end: u64) -> Self {
        Self { next, end }
    }
}

impl Iterator for Slots {
    type Item = Slot;

    fn next(&mut self) -> Option<Slot> {
        if self.next >= self.end {
            return None;
        }
        // SAFETY: as promised when this was made; no table is mapped at address zero.
        let slot = unsafe { Slot::at(self.next) };
        self.next += SLOT_SIZE;
        Some(slot)
    }
}

/// The page tables in use.
pub struct PageTables {
    root: u64,
}

impl PageTables {
    /// Those that the processor uses.
    pub fn current() -> Self {
        Self { root: Entry::table(arch::root_table()).physical() }
    }

    /// The slot for the page at `address`; the tables above it are opened to CPL 3, and made if they are missing.
    pub fn user_slot_or_new(&self, address: u64) -> Slot {
        let slot = self.walk(address, |slot| {
            let entry = slot.get();
            if !entry.is_present() {
                // SAFETY: nothing is mapped there, and the table is empty.
                unsafe { slot.fill(Entry::table(Page::allocate().physical())) };
            } else if !entry.is_for_user() {
                slot.open_present();
            }
        });
        match slot {
            Some(slot) => slot,
            None => unreachable!(),
        }
    }

    /// Visits the slots for a range of pages; the tables are opened to CPL 3, and made if they are missing. The way down to
    /// a table is gone once for all pages in it.
    pub fn for_each_user_slot(&self, pages: Range<u64>, mut visit: impl FnMut(Slot, u64)) {
        let mut address = pages.start;
        while address < pages.end {
            for slot in self.user_slot_or_new(address).following((pages.end - address).div_ceil(PAGE_SIZE)) {
                visit(slot, address);
                address += PAGE_SIZE;
            }
        }
    }

    /// The slot for the page at `address`, as it is; `None` if there is no table for it.
    pub fn slot(&self, address: u64) -> Option<Slot> {
        self.walk(address, |_| {})
    }

    /// Goes down to the last level, as far as there are tables; `visit` sees each slot above it first.
    fn walk(&self, address: u64, mut visit: impl FnMut(Slot)) -> Option<Slot> {
        let mut table = self.root;
        for level in [3, 2, 1] {
            // SAFETY: the root is a table, and so is what an entry above the last level leads to if it is present.
            let slot = unsafe { slot_in(table, address, level) };
            visit(slot);
            let entry = slot.get();
            if !entry.is_present() {
                return None;
            }
            table = entry.physical();
        }
        // SAFETY: as above.
        Some(unsafe { slot_in(table, address, 0) })
    }
}

/// The slot that leads to the page at `address`, in a table of that level.
///
/// # Safety
/// `table` is the physical address of a table.
pub unsafe fn slot_in(table: u64, address: u64, level: u32) -> Slot {
    let entry = window(table).cast::<Entry>().wrapping_add(index(address, level));
    // SAFETY: all tables are in scratch memory, which is mapped nowhere near address zero.
    unsafe { Slot::at(entry as u64) }
}

/// Where a physical page of scratch memory is mapped.
pub fn window(physical: u64) -> *mut u8 {
    physical.wrapping_add(SCRATCH_END.wrapping_sub(SCRATCH_END_PHYSICAL)) as *mut u8
}
