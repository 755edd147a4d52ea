//! What a call after a restore will need, made ready before it faults.
//!
//! After a restore the host has mapped everything, but closed to CPL 3, and every page that the runtime writes must be copied.
//! Page by page that is a fault each, and where code at CPL 0 is emulated, a fault costs as much as copying many pages, and a
//! write to a page table still as much as a page. So this is done at CPL 3, by code of the kernel's own. During that CPL 3 can
//! reach the page tables: the kernel maps them before it enters the prefault code and takes the mapping back when that code is
//! done, before the runtime continues. The runtime can run the same code, but finds no tables.
//!
//! What is to be done stands in the [`Plan`], a page that CPL 3 cannot write: which ranges of pages to open, and which pages to
//! copy, the [working set](crate::working_set).

use core::arch::global_asm;
use core::mem::offset_of;
use core::ops::Range;

use guest_abi::gate;
use guest_abi::memory::{
    FILL_CODE, HEAP_FIRST_SIZE, HEAP_START, PAGE_SIZE, PREFAULT_CODE, PREFAULT_PLAN, PREFAULT_WINDOW, THREAD_AREA,
};
use guest_kernel::page_table::{Access, ENTRIES, Entry, window_of};

use super::descriptors::COPY_ORDER;
use super::self_map::{PREFAULT_SELF_MAP, PageSlot};
use crate::memory::{Page, PageTables};
use crate::working_set::{self, LIST_MAX, TABLE_SIZE, WorkingSets, opened};

/// What the prefault code does.
#[repr(C)]
struct Plan {
    /// The pages to be copied, as far as they are open and marked copy-on-write. The window, in which the old pages are read, has
    /// room for one working set.
    sets: WorkingSets,
    /// The slots to be opened, as far as they are present; the end is a count of zero.
    ranges: [SlotRange; 11],
}

#[repr(C)]
#[derive(Clone, Copy)]
struct SlotRange {
    first: u64,
    count: u64,
}

impl SlotRange {
    /// The slots that lead to the pages, so many levels above the last, in the order in which the prefault code finds them.
    fn of(pages: &Range<u64>, levels: u32) -> Self {
        let mut slots = pages.start..pages.end - PAGE_SIZE;
        for _ in 0..=levels {
            slots = PageSlot::address_for_prefault(slots.start)..PageSlot::address_for_prefault(slots.end);
        }
        Self { first: slots.start, count: (slots.end - slots.start) / 8 + 1 }
    }
}

// No translation has to be forgotten meanwhile. All were before, and will be when this code is done; places in the window are
// used once. Should the processor know a page to be copied as it was before, from looking ahead, the write to it is a fault that
// `page_fault` leaves at once.
global_asm!(
    "
.globl prefault_code_start
.globl prefault_code_end
.balign 16
// prefault_code: does what the plan says, at CPL 3.
//   in: R12: physical address of the next free page, EBP: whether there are handlers. DF is clear. The tables are mapped at
//     PREFAULT_SELF_MAP. All that is written is those, and the pages to be copied.
//   out: to the gate, operation PREFAULTED, with R12: the next free page now.
//   clobbers: all registers but RSP
//   stack: none; RSP is 0.
//   CR3: not touched; the kernel reloads it before and afterwards.
prefault_code_start:
    // Open the ranges. What is open is not written again: that may make a hypervisor forget all that is below.
    mov r8d, {plan} + {ranges}
1:  mov rdi, [r8]
    mov rcx, [r8 + 8]
    add r8, 16
    test rcx, rcx
    jz 4f
2:  mov al, [rdi]
    and al, {present} | {user}
    cmp al, {present}
    jne 3f
    or byte ptr [rdi], {user}
3:  add rdi, 8
    dec rcx
    jnz 2b
    jmp 1b

    // The working set: RBX pages, listed at R8.
4:  mov rbx, [{plan} + {counts}]
    mov r8d, {plan} + {pages}
    test ebp, ebp
    jz 5f
    lea r8, [r8 + 4 * rbx]
    mov rbx, [{plan} + {counts} + 8]

    // Map all of its pages in the window as they are now.
5:  mov r14, {self_map}
    mov r9, {address}
    mov r15, {source_flags}
    mov r10, {window_slot}
    xor ecx, ecx
6:  cmp rcx, rbx
    jae 7f
    mov eax, [r8 + 4 * rcx]
    mov rdx, [r14 + 8 * rax]
    and rdx, r9
    or rdx, r15
    mov [r10 + 8 * rcx], rdx
    inc ecx
    jmp 6b

    // Give each a page of its own, while there are any, and copy.
7:  mov r13, {limit}
    mov r15, {flags}
    mov r9d, {window} - {page_size}
    xor r11d, r11d
8:  cmp r11, rbx
    jae 9f
    mov eax, [r8 + 4 * r11]
    inc r11d
    add r9, {page_size}
    lea rdx, [r14 + 8 * rax]
    mov ecx, [rdx]
    not ecx
    test ecx, {copied}
    jnz 8b
    cmp r12, r13
    jae 9f
    lea rcx, [r15 + r12]
    mov [rdx], rcx
    add r12, {page_size}
    mov rsi, r9
    mov rdi, rax
    shl rdi, 12
    mov ecx, {words}
    rep movsq
    jmp 8b

    // Leave nothing in the window.
9:  mov rdi, r10
    mov rcx, rbx
    xor eax, eax
    rep stosq
    mov eax, {prefaulted}
    int {gate}
prefault_code_end:
",
    plan = const PREFAULT_PLAN,
    present = const Entry::PRESENT,
    user = const Entry::USER,
    ranges = const offset_of!(Plan, ranges),
    counts = const offset_of!(Plan, sets.counts),
    pages = const offset_of!(Plan, sets.pages),
    address = const Entry::ADDRESS as i64,
    source_flags = const Entry::user_page(0, Access::Read).bits() as i64,
    window = const PREFAULT_WINDOW,
    window_slot = const PageSlot::address_for_prefault(PREFAULT_WINDOW) as i64,
    limit = const Page::LIMIT as i64,
    self_map = const PREFAULT_SELF_MAP as i64,
    flags = const Entry::user_page(0, Access::ReadWrite).bits() as i64,
    copied = const Entry::USER_COPY_ON_WRITE,
    words = const PAGE_SIZE / 8,
    page_size = const PAGE_SIZE,
    prefaulted = const gate::PREFAULTED,
    gate = const gate::VECTOR,
);

unsafe extern "C" {
    static prefault_code_start: u8;
    static prefault_code_end: u8;
}

/// Maps the code and a plan without a working set.
pub fn install(tables: &PageTables) {
    // SAFETY: the linker has put the symbols around the code.
    let (start, end) = unsafe { (&prefault_code_start, &prefault_code_end) };
    super::map_user_code(tables, PREFAULT_CODE, start, end);
    // SAFETY: there is a table for the plan: that of the code's page.
    unsafe { working_set::begin() };
}

/// Has the prefault code open what is opened after a restore, and the pages that the kernel itself uses at CPL 3.
pub fn begin_plan(page: &mut Page) -> Entry {
    let plan = page.as_mut_ptr::<Plan>();
    let [thread, image, heap, stack, arena] = opened();
    let kernels = [thread.start..FILL_CODE + PAGE_SIZE, COPY_ORDER..COPY_ORDER + PAGE_SIZE];
    let tables =
        [(&image, 1), (&arena, 3), (&arena, 2), (&arena, 1)].map(|(pages, levels)| SlotRange::of(pages, levels));
    let kernels = kernels.map(|range| SlotRange::of(&range, 0));
    let pages = [image, heap, stack, arena].map(|range| SlotRange::of(&range, 0));
    // The tables of the others are open, and those above the image's: see `dispatch`.
    for (i, range) in kernels.iter().chain(&tables).chain(&pages).enumerate() {
        // SAFETY: the page is ours, and larger than a plan. It is zero, so a range without slots follows the last one; none of
        // these is without.
        unsafe { (&raw mut (*plan).ranges[i]).write(*range) };
    }
    Entry::user_page(page.physical(), Access::Read)
}

const _: () = assert!(
    window_of(PREFAULT_CODE, ENTRIES as u64) == window_of(PREFAULT_PLAN, ENTRIES as u64),
    "the code is always mapped, so there is a table for the plan too"
);
const _: () = assert!(
    HEAP_FIRST_SIZE <= TABLE_SIZE && HEAP_START.is_multiple_of(TABLE_SIZE),
    "`dispatch` opens one table of the heap: for a larger first part it has to open more"
);
const _: () =
    assert!(size_of::<Plan>() <= PAGE_SIZE as usize && LIST_MAX as u64 <= (THREAD_AREA - PREFAULT_WINDOW) / PAGE_SIZE);
