//! Mapping pages that are touched for the first time.
//!
//! Where code at CPL 0 is emulated, writing the slots of a run of pages there would cost more than the fault. So the kernel maps the
//! tables for CPL 3 as for [`prefault`](super::prefault), and enters code of its own there ([`FILL_CODE`]), which fills the slots and
//! takes the gate back. The registers of the interrupted code stay on the stack of exceptions meanwhile: the gate has another one,
//! and nothing else can come in between.

use core::arch::global_asm;
use core::ops::Range;

use guest_abi::gate;
use guest_abi::memory::{FILL_CODE, PAGE_SIZE};
use guest_kernel::page_table::{Access, Entry};

use super::self_map::PageSlot;
use crate::memory::{Page, PageTables};

global_asm!(
    "
.globl fill_code_start
.globl fill_code_end
.balign 16
// fill_code: maps fresh pages in the absent slots of a run, at CPL 3.
//   in: RDI: the first slot, ECX: how many, at least one, RDX: the entry for the next free page. The tables are mapped at
//     PREFAULT_SELF_MAP.
//   out: to the gate, operation FILLED, with RDX: the entry for what is the next free page now, ECX: how many slots were filled.
//   clobbers: RAX, RDI, RSI
//   stack: none; RSP is 0.
fill_code_start:
    mov esi, ecx
    xor ecx, ecx
1:  cmp qword ptr [rdi], 0
    jne 2f
    mov [rdi], rdx
    add rdx, {page_size}
    inc ecx
2:  add rdi, 8
    dec esi
    jnz 1b
    mov eax, {filled}
    int {gate}
fill_code_end:
",
    page_size = const PAGE_SIZE,
    filled = const gate::FILLED,
    gate = const gate::VECTOR,
);

unsafe extern "C" {
    static fill_code_start: u8;
    static fill_code_end: u8;
}

/// Maps the code.
pub fn install(tables: &PageTables) {
    // SAFETY: the linker defines both.
    unsafe { super::map_user_code(tables, FILL_CODE, &fill_code_start, &fill_code_end) };
}

/// What the code is to do: [`page_fault_entry`](super::entry) enters it with this.
#[repr(C)]
pub struct Run {
    /// Where it finds the first slot.
    pub first: u64,
    /// How many there are.
    pub count: u64,
    /// The entry for the next free page.
    pub entry: Entry,
}

/// What it is to do to map those of the pages that are absent. The tables are mapped for it from now on.
pub fn run(pages: &Range<u64>) -> Run {
    PageTables::current().map_themselves_for_user();
    Run {
        first: PageSlot::address_for_prefault(pages.start),
        count: (pages.end - pages.start) / PAGE_SIZE,
        entry: Entry::user_page(Page::next_free(), Access::ReadWrite),
    }
}
