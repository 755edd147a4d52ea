//! Copying a page that is written for the first time.
//!
//! Where code at CPL 0 is emulated, copying a page there costs several times as much as everything else about the fault. So
//! the kernel only maps: a fresh page where the old one was, and the old one at [`COPY_SOURCE`]. Then it lets CPL 3 go on not
//! at the instruction that faulted but in a page of code of the kernel's own ([`COPY_CODE`]), which copies, with nothing
//! changed that the interrupted code could see, and jumps back.
//!
//! What to copy and where to go on stands in the page [`COPY_ORDER`]. It belongs to CPL 3, so nothing in it is trusted: the
//! kernel never reads it. Code at CPL 3 that runs the copy by itself does what it could do without it.

use core::arch::global_asm;

use guest_abi::memory::{COPY_CODE, COPY_SOURCE, PAGE_SIZE};
use guest_kernel::page_table::{Access, Entry, page_of};

use crate::descriptors::{COPY_ORDER, COPY_SLOT};
use crate::entry::FaultFrame;
use crate::memory::{Page, PageTables, Slot};

/// Places in the order page: the registers that the code saves, then what the kernel tells it.
const SAVED_RSI: u64 = COPY_ORDER;
const SAVED_RDI: u64 = COPY_ORDER + 8;
const SAVED_RCX: u64 = COPY_ORDER + 16;
const DESTINATION: u64 = COPY_ORDER + 24;
const GO_ON_AT: u64 = COPY_ORDER + 32;

global_asm!(
    "
.globl copy_code_start
.globl copy_code_end
.balign 16
copy_code_start:
    mov [{saved_rsi}], rsi
    mov [{saved_rdi}], rdi
    mov [{saved_rcx}], rcx
    mov rdi, [{destination}]
    mov esi, {source}
    mov ecx, {words}
    rep movsq
    mov rcx, [{saved_rcx}]
    mov rdi, [{saved_rdi}]
    mov rsi, [{saved_rsi}]
    jmp qword ptr [{go_on_at}]
copy_code_end:
",
    saved_rsi = const SAVED_RSI as i64,
    saved_rdi = const SAVED_RDI as i64,
    saved_rcx = const SAVED_RCX as i64,
    destination = const DESTINATION as i64,
    source = const COPY_SOURCE,
    words = const PAGE_SIZE / 8,
    go_on_at = const GO_ON_AT as i64,
);

unsafe extern "C" {
    static copy_code_start: u8;
    static copy_code_end: u8;
}

/// Maps the code.
pub fn install(tables: &PageTables) {
    let (start, end) = ((&raw const copy_code_start) as u64, (&raw const copy_code_end) as u64);
    let mut page = Page::allocate();
    // SAFETY: the code is part of the kernel's image and smaller than a page.
    unsafe { page.copy_from(start, end - start) };
    tables.user_slot_or_new(COPY_CODE).set(Entry::user_page(page.physical(), Access::Execute));
    open_order_page(tables);
}

/// Gives the order page to CPL 3: the host maps scratch memory for CPL 0.
pub fn open_order_page(tables: &PageTables) {
    if let Some(slot) = tables.user_slot(COPY_ORDER) {
        slot.set(slot.get().for_user());
    }
}

/// Gives the page at `address`, whose slot this is, a page of its own, and has the content copied before the code that
/// faulted goes on.
pub fn copy_on_write(tables: &PageTables, slot: Slot, address: u64, frame: &mut FaultFrame) {
    const DIRECTION: u64 = 1 << 10;
    let old = slot.get();
    let mut page = Page::allocate();
    if frame.flags & DIRECTION != 0 {
        // The copying code relies on the flag being clear, as compiled code does at nearly all times.
        // SAFETY: the page is mapped, read-only, and only the runtime could write to it.
        unsafe { page.copy_page_from(page_of(address)) };
    } else {
        let Some(source) = source_slot(tables) else { return };
        source.set(Entry::user_page(old.physical(), Access::Read));
        PageTables::invalidate(COPY_SOURCE);
        // SAFETY: the order page lies in scratch memory, always mapped for CPL 0; nothing else is kept there.
        unsafe {
            (DESTINATION as *mut u64).write_volatile(page_of(address));
            (GO_ON_AT as *mut u64).write_volatile(frame.instruction);
        }
        frame.instruction = COPY_CODE;
    }
    slot.set(Entry::user_page(page.physical(), Access::ReadWrite));
}

/// The slot for [`COPY_SOURCE`]; it is looked up once after each restore.
fn source_slot(tables: &PageTables) -> Option<Slot> {
    let kept = COPY_SLOT as *mut Option<Slot>;
    // SAFETY: the word is the kernel's own. Zero, which a restore leaves there, is `None`.
    if let Some(slot) = unsafe { kept.read_volatile() } {
        return Some(slot);
    }
    let slot = tables.user_slot(COPY_SOURCE);
    // SAFETY: as above.
    unsafe { kept.write_volatile(slot) };
    slot
}

const _: () = assert!(size_of::<Option<Slot>>() == 8, "zero must be `None`");
