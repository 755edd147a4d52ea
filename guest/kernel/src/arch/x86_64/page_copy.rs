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

use guest_abi::counters::{self, Counter};
use guest_abi::memory::{COPY_CODE, COPY_SOURCE, PAGE_SIZE};
use guest_kernel::page_table::{Access, ENTRIES, Entry, FaultCode, window_of};

use super::descriptors::{AFTER_LAST_COPY, COPY_ORDER, COUNTERS};
use super::page_runs::{IN_ORDER, MANY, NEAR, SOME};
use super::self_map::{PageSlot, SELF_MAP};
use crate::memory::{Page, PageTables};

/// The direction flag.
const DIRECTION: u64 = 1 << 10;

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
// copy_code: copies a page, at CPL 3.
//   in: the order: the address of the page (DESTINATION) and that of the instruction that faulted (GO_ON_AT). The old content is
//     at COPY_SOURCE. DF is clear.
//   out: to that instruction, with all registers and flags as they were.
//   stack: none. The order page takes three registers meanwhile.
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

// Every instruction and still more every memory access counts here: this runs for each page that a call writes first. So it
// is not Rust, which would save and restore all registers. It takes only what is plain: a write by CPL 3 in the lower half to
// a page that is mapped, open and marked copy-on-write, with the direction flag clear, on which the copying code relies.
// Whatever else CPL 3 does goes on to `page_fault_entry` with nothing changed. The kernel itself has no page faults to resolve.
global_asm!(
    "
// copy_on_write_entry: the vector of page faults. An interrupt gate on the exceptions' stack.
//   in: CR2: the address. At the top of the stack: the error code, then the frame of five words.
//   out: to `copy_code` at CPL 3, with the page mapped at its address and the old one at COPY_SOURCE; all registers as they were,
//     and RSP, flags and segments as the frame has them. From CPL 0 to `page_fault_refused`, and in all other cases to
//     `page_fault_entry`: both with the registers and the stack as they were.
//   stack: 48 bytes by the processor, 32 more.
.balign 16
.globl copy_on_write_entry
copy_on_write_entry:
    test byte ptr [rsp + 16], 3 // the privilege level, in the code segment
    jz page_fault_refused
    push rax
    push rcx
    push rdx
    cmp dword ptr [rsp + 24], {user_write}
    jne 9f
    test dword ptr [rsp + 48], {direction}
    jnz 9f
    mov rdx, cr2
    mov rax, rdx
    shr rax, 47
    jnz 9f
    shr rdx, 12
    mov rcx, {self_map}
    lea rcx, [rcx + 8 * rdx]
    // Pages that are written one after the other are copied in runs, so are those that follow many, and further ones when some
    // were written, unless the guest is learning which pages those are.
    xor eax, eax
    cmp dword ptr [{copies}], {some}
    je 2f
    cmp dword ptr [{copies}], {many}
    jae 2f
    mov eax, edx
    sub eax, [{after_last_copy}]
    cmp eax, {near}
    mov eax, 0
    jae 1f
    mov eax, [{after_last_copy} + 4]
    inc eax
    cmp eax, {in_order}
    jb 1f
2:  cmp dword ptr [{prepared}], 0
    jne 9f
1:  shl rax, 32
    lea rdx, [rax + rdx + 1]
    mov [{after_last_copy}], rdx
    mov rdx, [rcx]
    mov eax, edx
    not eax
    test eax, {copied}
    jnz 9f
    // A fresh page, if there is one: RAX. The slot is in RCX, its entry in RDX.
    push rbx
    mov rbx, {limit}
    mov rax, [{next_free}]
    cmp rax, rbx
    jae 8f
    lea rbx, [rax + {page_size}]
    mov [{next_free}], rbx
    // The old page is mapped read-only at the source, the fresh one in its place.
    mov rbx, {address}
    and rdx, rbx
    mov rbx, {source_flags}
    or rdx, rbx
    mov rbx, {source_slot}
    mov [rbx], rdx
    mov rbx, {flags}
    or rax, rbx
    mov [rcx], rax
    invlpg [{source}]
    mov rdx, cr2
    invlpg [rdx]
    and rdx, -{page_size}
    mov [{destination}], rdx
    mov rax, [rsp + 40]
    mov [{go_on_at}], rax
    mov qword ptr [rsp + 40], {copy_code}
    mov rbx, [{copies}]
    and ebx, {kept} - 1
    mov [8 * rbx + {copied_pages}], rdx
    inc qword ptr [{copies}]
    inc qword ptr [{faults}]
    pop rbx
    pop rdx
    pop rcx
    pop rax
    add rsp, 8
    iretq
8:  pop rbx
9:  pop rdx
    pop rcx
    pop rax
    jmp page_fault_entry
",
    user_write = const FaultCode::USER_WRITE,
    direction = const DIRECTION,
    self_map = const SELF_MAP as i64,
    copied = const Entry::USER_COPY_ON_WRITE,
    limit = const Page::LIMIT as i64,
    next_free = const Page::NEXT_FREE as i64,
    page_size = const PAGE_SIZE,
    address = const Entry::ADDRESS as i64,
    source_flags = const Entry::user_page(0, Access::Read).bits() as i64,
    source_slot = const PageSlot::address_of(COPY_SOURCE) as i64,
    flags = const Entry::user_page(0, Access::ReadWrite).bits() as i64,
    source = const COPY_SOURCE,
    destination = const DESTINATION as i64,
    go_on_at = const GO_ON_AT as i64,
    copy_code = const COPY_CODE,
    after_last_copy = const AFTER_LAST_COPY as i64,
    near = const NEAR,
    in_order = const IN_ORDER,
    some = const SOME,
    many = const MANY,
    prepared = const (COUNTERS + 8 * Counter::Prepared as u64) as i64,
    faults = const (COUNTERS + 8 * Counter::Faults as u64) as i64,
    kept = const counters::COPIED_PAGES,
    copied_pages = const (COUNTERS + 8 * Counter::COUNT as u64) as i64,
    copies = const (COUNTERS + 8 * Counter::Copied as u64) as i64,
);

unsafe extern "C" {
    static copy_code_start: u8;
    static copy_code_end: u8;
}

/// Maps the code.
pub fn install(tables: &PageTables) {
    // SAFETY: the linker has put the symbols around the code.
    let (start, end) = unsafe { (&copy_code_start, &copy_code_end) };
    super::map_user_code(tables, COPY_CODE, start, end);
    // The host maps scratch memory for CPL 0. After a restore `prefault` opens the page.
    if let Some(slot) = tables.page_slot(COPY_ORDER) {
        slot.open_window::<1>();
    }
}

const _: () = assert!(
    window_of(COPY_CODE, ENTRIES as u64) == window_of(COPY_SOURCE, ENTRIES as u64),
    "the code is always mapped, so the other has a table too"
);
