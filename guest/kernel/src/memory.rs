//! Physical pages and page tables.
//!
//! All of scratch memory is mapped at a fixed distance from its physical address, and all page tables lie in it: the host
//! puts its own there and the kernel allocates there. So every table is reached without a mapping of its own, from the root
//! down. Page faults take a shorter way, since they are many: the root also maps itself, which puts the slots of all pages
//! that have tables into an array, [`SELF_MAP`].

use core::arch::asm;
use core::ops::Range;
use core::ptr::NonNull;

use guest_abi::abort::AbortCode;
use guest_abi::memory::{
    PAGE_SIZE, SCRATCH_END, SCRATCH_END_PHYSICAL, SCRATCH_METADATA, SCRATCH_RESERVED_PAGES, ScratchMetadata,
};
use guest_kernel::page_table::{Entry, index};

use crate::abort::abort;

/// Where the page tables are mapped by their own root: slots of the last level in the order of their pages. CPL 3 cannot reach
/// them, whatever the tables say, since the entry that leads there is not for it. hyperlight-host has this part of the address
/// space in no snapshot, so the entry is set again after each restore.
pub const SELF_MAP: u64 = 0xffff_8000_0000_0000;
/// The same for [`prefault`](crate::prefault), as long as it runs: there the entry is for CPL 3. Not every hypervisor gives
/// CPL 3 all of the upper half.
pub const PREFAULT_SELF_MAP: u64 = 0x0000_7f80_0000_0000;

/// Pages that are opened at once by [`Slot::open_group`].
pub const GROUP: u64 = 8;

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
            abort(AbortCode::OutOfMemory, format_args!("out of memory: all scratch memory is used"));
        }
        // SAFETY: as above.
        unsafe { next_free.write_volatile(physical + PAGE_SIZE) };
        let page = Self { physical };
        debug_assert!(page.seems_fresh(), "a page was given twice");
        page
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

    /// Copies `size` bytes from `source` to the start of the page.
    ///
    /// # Safety
    /// `source` is mapped and not written to meanwhile; `size` is at most the size of a page.
    pub unsafe fn copy_from(&mut self, source: u64, size: u64) {
        // SAFETY: the caller's promise; the page is ours. DF is clear: every entry into the kernel clears it.
        unsafe {
            asm!(
                "rep movsb",
                inout("rcx") size => _,
                inout("rsi") source => _,
                inout("rdi") self.as_mut_ptr::<u8>() => _,
                options(nostack, preserves_flags),
            );
        }
    }

    /// Copies the whole page at `source`.
    ///
    /// # Safety
    /// `source` is the address of a mapped page that is not written to meanwhile.
    pub unsafe fn copy_page_from(&mut self, source: u64) {
        // SAFETY: as in `copy_from`; eight bytes a step are an eighth of the work where this is emulated.
        unsafe {
            asm!(
                "rep movsq",
                inout("rcx") PAGE_SIZE / 8 => _,
                inout("rsi") source => _,
                inout("rdi") self.as_mut_ptr::<u8>() => _,
                options(nostack, preserves_flags),
            );
        }
    }
}

/// A page table entry in its place.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Slot(NonNull<Entry>);

impl Slot {
    pub fn get(self) -> Entry {
        // SAFETY: slots point into tables, which are never freed.
        unsafe { self.0.as_ptr().read_volatile() }
    }

    /// The slot for the page at `address`, all of whose tables must be present; whether the page is does not matter.
    pub fn of(address: u64) -> Self {
        // SAFETY: the address is in the upper half.
        Self(unsafe { NonNull::new_unchecked(Self::address_of(address) as *mut Entry) })
    }

    /// Where the slot for the page at `address` is.
    pub const fn address_of(address: u64) -> u64 {
        SELF_MAP | Self::offset(address)
    }

    /// Where the prefault code finds it.
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

    /// The slot of the table that this slot is in.
    fn table(self) -> Self {
        Self::of(self.0.as_ptr() as u64)
    }

    /// Opens the page to CPL 3; it must be present, since an absent entry may have another meaning. Should the processor know it
    /// as closed, the next access is a fault that [`page_fault`](crate::page_fault) leaves at once.
    pub fn open(self) {
        // SAFETY: as in `write`; one instruction instead of three.
        unsafe { asm!("or qword ptr [{}], {}", in(reg) self.0.as_ptr(), const Entry::USER, options(nostack)) };
    }

    /// Opens the page and those after it, [`GROUP`] in all; they must be present.
    pub fn open_group(self) {
        // SAFETY: as in `write`.
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
                slot = in(reg) self.0.as_ptr(),
                user = const Entry::USER,
                options(nostack),
            );
        }
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
            above.table().open();
            above.open();
        }
        table.open();
    }

    /// Maps something where nothing is, of which the processor knows nothing.
    pub fn fill(self, entry: Entry) {
        debug_assert!(self.get().is_absent(), "a translation is replaced that the processor may know");
        self.write(entry);
    }

    /// Maps something else at `address`, whose slot this is.
    pub fn replace(self, address: u64, entry: Entry) {
        debug_assert!(self == Self::of(address), "the slot is of another page");
        self.write(entry);
        PageTables::invalidate(address);
    }

    /// Maps something else, or nothing, while the kernel boots: the processor may use the old mapping until [`PageTables::flush`].
    pub fn replace_until_flush(self, entry: Entry) {
        self.write(entry);
    }

    fn write(self, entry: Entry) {
        // SAFETY: as in `get`. That the new mapping is sound is for the code that makes it to see to: all of it is in
        // the kernel's own, which is small.
        unsafe { self.0.as_ptr().write_volatile(entry) };
    }

    /// The slot of the next page, which must be in the same table.
    pub fn next(self) -> Slot {
        self.skip(1)
    }

    /// The slot so many pages on, which must be in the same table or, for the end of a loop, the first of the next.
    pub fn skip(self, pages: u64) -> Slot {
        // SAFETY: the same table, so the same page of memory, or its end.
        Slot(unsafe { self.0.add(pages as usize) })
    }
}

/// The page tables in use.
pub struct PageTables {
    root: u64,
}

impl PageTables {
    pub fn current() -> Self {
        let root: u64;
        // SAFETY: reading CR3 changes nothing.
        unsafe { asm!("mov {}, cr3", out(reg) root, options(nomem, nostack, preserves_flags)) };
        Self { root: Entry::table(root).physical() }
    }

    /// Maps the tables at [`SELF_MAP`].
    pub fn map_themselves(&self) {
        slot_in(self.root, SELF_MAP, 3).fill(Entry::kernel_page(self.root, true));
    }

    /// The slot for the page at `address`; the tables above it are opened to CPL 3, and made if they are missing.
    pub fn user_slot_or_new(&self, address: u64) -> Slot {
        let slot = self.walk(address, |slot| {
            let entry = slot.get();
            if !entry.is_present() {
                slot.fill(Entry::table(Page::allocate().physical()));
            } else if !entry.is_for_user() {
                slot.write(entry.for_user());
            }
            true
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
            let mut slot = self.user_slot_or_new(address);
            loop {
                visit(slot, address);
                address += PAGE_SIZE;
                if address >= pages.end || index(address, 0) == 0 {
                    break;
                }
                slot = slot.next();
            }
        }
    }

    /// Whether the slot for the page at `address` is the same by both ways to it, from the root down and by [`SELF_MAP`]. If it
    /// is not, the processor or the hypervisor has kept a translation that should have been forgotten.
    pub fn agree(&self, address: u64) -> bool {
        self.slot(address).is_some_and(|slot| slot.get() == Slot::of(address).get())
    }

    /// The slot for the page at `address`, as it is; `None` if there is no table for it.
    pub fn slot(&self, address: u64) -> Option<Slot> {
        self.walk(address, |slot| slot.get().is_present())
    }

    /// Goes down to the last level; `visit` sees each slot above it and says whether to go on.
    fn walk(&self, address: u64, mut visit: impl FnMut(Slot) -> bool) -> Option<Slot> {
        let mut table = self.root;
        for level in [3, 2, 1] {
            let slot = slot_in(table, address, level);
            if !visit(slot) {
                return None;
            }
            table = slot.get().physical();
        }
        Some(slot_in(table, address, 0))
    }

    /// Makes the processor forget what it knows of the page at `address`.
    pub fn invalidate(address: u64) {
        // SAFETY: forgetting a translation only costs time.
        unsafe { asm!("invlpg [{}]", in(reg) address, options(nostack, preserves_flags)) };
    }

    /// Makes the processor forget all translations.
    pub fn flush() {
        // SAFETY: as in `invalidate`.
        unsafe { asm!("mov {0}, cr3", "mov cr3, {0}", out(reg) _, options(nostack, preserves_flags)) };
    }
}

fn slot_in(table: u64, address: u64, level: u32) -> Slot {
    let entry = window(table).cast::<Entry>().wrapping_add(index(address, level));
    // SAFETY: scratch memory is nowhere near address zero.
    Slot(unsafe { NonNull::new_unchecked(entry) })
}

/// Where a physical page of scratch memory is mapped.
pub fn window(physical: u64) -> *mut u8 {
    physical.wrapping_add(SCRATCH_END.wrapping_sub(SCRATCH_END_PHYSICAL)) as *mut u8
}
