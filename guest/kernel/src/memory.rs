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
use guest_kernel::page_table::{ENTRIES, Entry, index, page_of};

use crate::abort::abort;

/// Where the page tables are mapped by their own root: slots of the last level in the order of their pages. CPL 3 cannot reach
/// them, whatever the tables say, since the entry that leads there is not for it. hyperlight-host has this part of the address
/// space in no snapshot, so the entry is set again after each restore.
pub const SELF_MAP: u64 = 0xffff_8000_0000_0000;
/// The same for [`prefault`](crate::prefault), as long as it runs: there the entry is for CPL 3. Not every hypervisor gives
/// CPL 3 all of the upper half.
pub const PREFAULT_SELF_MAP: u64 = 0x0000_7f80_0000_0000;

/// Pages that are opened at once by [`PageSlot::open_groups`].
pub const GROUP: u64 = 8;

const SLOT_SIZE: u64 = size_of::<Entry>() as u64;

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

/// A page table entry in its place, which is in a table: tables are never freed.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Slot(NonNull<Entry>);

impl Slot {
    pub fn get(self) -> Entry {
        // SAFETY: the slot is in a table.
        unsafe { self.0.as_ptr().read_volatile() }
    }

    /// Opens the page to CPL 3 if it is present: an absent entry may have another meaning. Should the processor know it as closed,
    /// the next access is a fault that [`page_fault`](crate::page_fault) leaves at once.
    pub fn open(self) {
        if self.get().is_present() {
            self.open_present();
        }
    }

    fn open_present(self) {
        // SAFETY: as in `get`; one instruction instead of three.
        unsafe { asm!("or qword ptr [{}], {}", in(reg) self.0.as_ptr(), const Entry::USER, options(nostack)) };
    }

    /// Takes away the right to write to the page. The processor may use the old mapping until [`PageTables::flush`].
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

    /// Maps nothing. The processor may use the old mapping until [`PageTables::flush`].
    ///
    /// # Safety
    /// Nothing uses the page any more.
    pub unsafe fn clear_until_flush(self) {
        // SAFETY: the caller's promise.
        unsafe { self.write(Entry::ABSENT) };
    }

    /// # Safety
    /// What is mapped is memory that may be accessed there, and the processor is told to forget what it knows of the page.
    unsafe fn write(self, entry: Entry) {
        // SAFETY: as in `get`.
        unsafe { self.0.as_ptr().write_volatile(entry) };
    }

    /// This slot and those that follow in its table, but no more than `count`.
    fn following(self, count: u64) -> Slots {
        let next = self.0.as_ptr() as u64;
        let end_of_table = page_of(next) + PAGE_SIZE;
        Slots { next, end: end_of_table.min(next.saturating_add(count.saturating_mul(SLOT_SIZE))) }
    }
}

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

    /// Where [`prefault`](crate::prefault) finds it.
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
        // SAFETY: the address is in the upper half.
        Slot(unsafe { NonNull::new_unchecked(Self::address_of(self.address) as *mut Entry) })
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
        PageTables::invalidate(self.address);
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

    /// The aligned window of so many slots around this one.
    pub fn window<const PAGES: u64>(self) -> Slots {
        const { assert!(PAGES.is_power_of_two() && PAGES <= ENTRIES as u64, "a window lies in one table") };
        let size = PAGES * SLOT_SIZE;
        let start = Self::address_of(self.address) & !(size - 1);
        Slots { next: start, end: start + size }
    }

    /// Opens to CPL 3 what is present of the aligned window of so many pages around this one, and the tables above. It looks at
    /// the first page of each [`GROUP`] only, so it is for memory of which groups are mapped as a whole.
    pub fn open_groups<const PAGES: u64>(self) {
        const { assert!(PAGES >= GROUP, "a window is made of whole groups") };
        self.open_tables();
        let Slots { next: mut slot, end } = self.window::<PAGES>();
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

/// Slots that follow one another in one table.
pub struct Slots {
    next: u64,
    end: u64,
}

impl Slots {
    /// Those of pages in the range, which is of whole pages.
    pub fn within(self, pages: &Range<u64>) -> Self {
        let (first, end) = (PageSlot::address_of(pages.start), PageSlot::address_of(pages.end - 1) + SLOT_SIZE);
        Self { next: self.next.max(first), end: self.end.min(end) }
    }
}

impl Iterator for Slots {
    type Item = Slot;

    fn next(&mut self) -> Option<Slot> {
        if self.next >= self.end {
            return None;
        }
        // SAFETY: tables are mapped in the upper half only.
        let slot = unsafe { NonNull::new_unchecked(self.next as *mut Entry) };
        self.next += SLOT_SIZE;
        Some(Slot(slot))
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

    /// Maps the tables at [`SELF_MAP`]. Boot does it before anything else, and `dispatch` after each restore.
    pub fn map_themselves(&self) {
        // SAFETY: the root is a table; so is each that it leads to, and only slots are accessed there.
        unsafe { slot_in(self.root, SELF_MAP, 3).fill(Entry::kernel_page(self.root, true)) };
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

    /// Whether the slot for the page at `address` is the same by both ways to it, from the root down and by [`SELF_MAP`]. If it
    /// is not, the processor or the hypervisor has kept a translation that should have been forgotten.
    pub fn agree(&self, address: u64) -> bool {
        self.slot(address).is_some_and(|slot| {
            // SAFETY: there is a slot, so there are its tables.
            slot.get() == unsafe { PageSlot::of(address) }.get()
        })
    }

    /// The slot for the page at `address`, as it is; `None` if there is no table for it.
    pub fn slot(&self, address: u64) -> Option<Slot> {
        self.walk(address, |_| {})
    }

    /// The same, reached through [`SELF_MAP`].
    pub fn page_slot(&self, address: u64) -> Option<PageSlot> {
        // SAFETY: there is a slot, so there are its tables.
        self.slot(address).map(|_| unsafe { PageSlot::of(address) })
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

/// The slot that leads to the page at `address`, in a table of that level.
///
/// # Safety
/// `table` is the physical address of a table.
unsafe fn slot_in(table: u64, address: u64, level: u32) -> Slot {
    let entry = window(table).cast::<Entry>().wrapping_add(index(address, level));
    // SAFETY: all tables are in scratch memory, which is mapped nowhere near address zero.
    Slot(unsafe { NonNull::new_unchecked(entry) })
}

/// Where a physical page of scratch memory is mapped.
pub fn window(physical: u64) -> *mut u8 {
    physical.wrapping_add(SCRATCH_END.wrapping_sub(SCRATCH_END_PHYSICAL)) as *mut u8
}
