//! What the processor does with page tables.
//!
//! It may look a page up at any time, whether the guest asks for it or not. So a mapping is never changed to another in one step:
//! the slot is emptied first, and the processor made to forget the old one. A change of the rights alone may be made at once; what
//! the processor still knows has it fault, and [`crate::page_fault`] makes it forget. That an entry has been written the processor
//! sees at the latest when EL0 goes on, or after [`invalidate`] or [`flush`].

use core::arch::asm;

use guest_abi::memory::PAGE_SIZE;
use guest_kernel::page_table::Entry;

use super::registers;

/// Where the processor finds the root of the page tables, with an identifier in its upper bits.
pub fn root_table() -> u64 {
    registers::root_table()
}

/// Makes the processor forget what it knows of the page at `address`, and see what has been written to page tables.
pub fn invalidate(address: u64) {
    let page = address << 16 >> 28;
    // SAFETY: forgetting a translation only costs time.
    unsafe { asm!("dsb nshst", "tlbi vaae1, {}", "dsb nsh", "isb", in(reg) page, options(nostack, preserves_flags)) };
}

/// The same of all pages.
pub fn flush() {
    // SAFETY: as in `invalidate`.
    unsafe { asm!("dsb nshst", "tlbi vmalle1", "dsb nsh", "isb", options(nostack, preserves_flags)) };
}

/// Opens a page, or a table, that is present, to EL0.
///
/// # Safety
/// The entry is in a table, and the page is one that EL0 may have.
pub unsafe fn open_slot(slot: *mut Entry) {
    // SAFETY: the caller's promise.
    unsafe { write_slot(slot, slot.read_volatile().for_user()) };
}

/// Changes an entry.
///
/// # Safety
/// The entry is in a table, and what it says from now on is right.
pub unsafe fn write_slot(slot: *mut Entry, entry: Entry) {
    // SAFETY: the caller's promise.
    unsafe { slot.write_volatile(entry) };
}

/// Copies the whole page at `from`, which EL0 can read, with no more rights than EL0 has.
///
/// # Safety
/// `from` is the address of a page that is mapped, open to EL0, and not written to meanwhile; `to` is the caller's own.
pub unsafe fn copy_user_page(from: u64, to: *mut u8) {
    // The processor may know the page as it was when it was closed, and a fault at EL1 is the end.
    invalidate(from);
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "2: ldtr {a}, [{from}]",
            "ldtr {b}, [{from}, #8]",
            "stp {a}, {b}, [{to}], #16",
            "add {from}, {from}, #16",
            "subs {left}, {left}, #16",
            "b.ne 2b",
            a = out(reg) _,
            b = out(reg) _,
            from = inout(reg) from => _,
            to = inout(reg) to => _,
            left = inout(reg) PAGE_SIZE => _,
            options(nostack),
        );
    }
}

/// Copies the whole page at `from`, which EL1 can read.
///
/// # Safety
/// `from` is the address of a page that is mapped, closed to EL0, and not written to meanwhile; `to` is the caller's own.
pub unsafe fn copy_page(from: u64, to: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe { (from as *const u64).copy_to_nonoverlapping(to.cast(), PAGE_SIZE as usize / 8) };
}

/// Counts one more in a word.
///
/// # Safety
/// The word is the kernel's own.
pub unsafe fn increment(word: u64) {
    let word = word as *mut u64;
    // SAFETY: the caller's promise.
    unsafe { word.write_volatile(word.read_volatile() + 1) };
}

/// Stores a word by the one kind of instruction that a hypervisor can be sure to make out: the processor tells it what is stored.
///
/// # Safety
/// The address is mapped for EL1, and storing there does no harm.
pub unsafe fn store(address: u64, word: u32) {
    // SAFETY: the caller's promise.
    unsafe { asm!("str {:w}, [{}]", in(reg) word, in(reg) address, options(nostack, preserves_flags)) };
}
