//! What the processor does with page tables.

use core::arch::asm;

use guest_abi::memory::PAGE_SIZE;
use guest_kernel::page_table::Entry;

/// Where the processor finds the root of the page tables, with flags.
pub fn root_table() -> u64 {
    let root: u64;
    // SAFETY: reading CR3 changes nothing.
    unsafe { asm!("mov {}, cr3", out(reg) root, options(nomem, nostack, preserves_flags)) };
    root
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

/// Opens a page, or a table, that is present, to CPL 3: one instruction instead of three.
///
/// # Safety
/// The entry is in a table, and the page is one that CPL 3 may have.
pub unsafe fn open_slot(slot: *mut Entry) {
    // SAFETY: the caller's promise.
    unsafe { asm!("or qword ptr [{}], {}", in(reg) slot, const Entry::USER, options(nostack)) };
}

/// Changes an entry.
///
/// # Safety
/// The entry is in a table, and what it says from now on is right.
pub unsafe fn write_slot(slot: *mut Entry, entry: Entry) {
    // SAFETY: the caller's promise.
    unsafe { slot.write_volatile(entry) };
}

/// Copies `size` bytes.
///
/// # Safety
/// `from` is mapped and not written to meanwhile; `to` is the caller's own.
pub unsafe fn copy(from: u64, to: *mut u8, size: u64) {
    // SAFETY: the caller's promise. DF is clear: every entry into the kernel clears it.
    unsafe {
        asm!(
            "rep movsb",
            inout("rcx") size => _,
            inout("rsi") from => _,
            inout("rdi") to => _,
            options(nostack, preserves_flags),
        );
    }
}

/// Copies the whole page at `from`, which CPL 3 can read.
///
/// # Safety
/// As for [`copy`], for a page.
pub unsafe fn copy_user_page(from: u64, to: *mut u8) {
    // SAFETY: as in `copy`; eight bytes a step are an eighth of the work where this is emulated.
    unsafe {
        asm!(
            "rep movsq",
            inout("rcx") PAGE_SIZE / 8 => _,
            inout("rsi") from => _,
            inout("rdi") to => _,
            options(nostack, preserves_flags),
        );
    }
}

/// Counts one more in a word.
///
/// # Safety
/// The word is the kernel's own.
pub unsafe fn increment(word: u64) {
    // SAFETY: the caller's promise; one instruction instead of three.
    unsafe { asm!("inc qword ptr [{}]", in(reg) word, options(nostack)) };
}
