//! Every way into the kernel, and the way out to CPL 3.
//!
//! | from | entry | stack |
//! |---|---|---|
//! | the host, once | `entry` | the gate's |
//! | the host, for each call | `dispatch` | the gate's; the host sets RSP to what it was at the first halt: to the frame above it |
//! | CPL 3, `int 4` | `gate` | the gate's, from the task state segment |
//! | a page fault | `copy_on_write_entry`, then `page_fault_entry` | the exceptions', from the task state segment |
//! | any other exception | `exception_stubs` | the exceptions', from the task state segment |
//!
//! Each label in the assembly, here and in [`page_copy`](super::page_copy) and [`prefault`], begins with its contract:
//!
//! - `in`: what it takes from registers and from the top of the stack, which is at RSP.
//! - `out`: what it hands on, and to whom.
//! - `clobbers`: registers that have no meaning afterwards. All others are preserved. No x87, MMX or SSE state is touched.
//! - `stack`: which one, and how many bytes of it are used, without those of Rust functions.
//!
//! One thing holds for all of them. IF is clear: the host enters with it clear, the descriptor table has interrupt gates only, and
//! every frame that is made here has RFLAGS 2, at CPL 3 as well. CR3 is the root that the host has set; it is written at two places
//! only, with the value that it has, to have translations forgotten. DF may be set by CPL 3, so it is cleared before any Rust
//! function or string instruction.
//!
//! The host sets ZF for the first call after a restore: the processor may still know translations of the state before, and the
//! [`prefault`] runs first.
//!
//! A call that was stopped while the hypervisor was about to deliver an exception, or the gate's interrupt, may leave that
//! behind: setting registers anew does not take it back, and then it hits the next call at its first instruction. An
//! exception there says nothing about that call, nor does an interrupt that the kernel itself has not raised, wherever it is
//! said to come from. So they are left at once, and the call begins as if they had not been. The gate finds all registers zero
//! then, hence it has no operation 0.

use core::arch::{asm, global_asm};
use core::mem::{MaybeUninit, offset_of};

use guest_abi::abort::AbortCode;
use guest_abi::boot::entry;
use guest_abi::counters::{Counter, WORDS};
use guest_abi::gate;
use guest_abi::memory::{
    HAS_HANDLERS, HEAP_START, IMAGE_START, PAGE_SIZE, PREFAULT_CODE, PREFAULT_PLAN, SCRATCH_END, SCRATCH_END_PHYSICAL,
    STACK_TOP,
};
use guest_kernel::page_table::{Entry, FaultCode, index};

use super::descriptors::{
    AFTER_LAST_COPY, AFTER_LAST_RUN, CALL_FRAME, CALL_FRAME_SIZE, COPY_ORDER, COUNTERS, EXCEPTION_STACK_TOP,
    GATE_STACK_TOP, RUNTIME_ENTRY, USER_CODE, USER_DATA,
};
use super::page_runs::{IN_ORDER, Run};
use super::self_map::{PREFAULT_SELF_MAP, PageSlot, SELF_MAP};
use crate::abort::abort;
use crate::memory::Page;
use crate::page_fault::Outcome;
use crate::{boot, page_fault, working_set};

/// Exceptions that have a handler: all that the processor defines.
pub const VECTORS: usize = 32;
const PAGE_FAULT: usize = 14;
const STUB_SIZE: u64 = 16;

/// What the processor and the stubs leave on the stack at an exception.
#[derive(Debug)]
#[repr(C)]
pub struct ExceptionFrame {
    pub vector: u64,
    pub error: u64,
    pub instruction: u64,
    pub code_segment: u64,
    pub flags: u64,
    pub stack: u64,
    pub stack_segment: u64,
}

impl ExceptionFrame {
    pub fn is_from_user(&self) -> bool {
        self.code_segment & 3 == 3
    }

    /// Whether a call that was stopped has left this behind for the one that begins.
    fn is_left_over(&self) -> bool {
        const GATE: u64 = gate::VECTOR as u64;
        // Only CPL 3 takes the gate. AMD's processors give the interrupt an instruction of the stopped call.
        !self.is_from_user() && (self.instruction == dispatch as *const () as u64 || self.vector == GATE)
    }
}

unsafe extern "C" {
    fn dispatch();
    fn gate_entry();
    fn copy_on_write_entry();
    static exception_stubs: u8;
    /// Enters the runtime at CPL 3 for the first time.
    ///
    /// # Safety
    /// The constants say where the runtime begins, it is mapped, and nothing of what is on the stack of CPL 0 is needed
    /// any more.
    pub fn enter_runtime(argument: u64, stack: u64) -> !;
}

/// Address of the handler for a vector.
pub fn handler(vector: usize) -> u64 {
    match vector {
        v if v == usize::from(gate::VECTOR) => gate_entry as *const () as u64,
        PAGE_FAULT => copy_on_write_entry as *const () as u64,
        v => (&raw const exception_stubs) as u64 + v as u64 * STUB_SIZE,
    }
}

/// # Safety
/// The processor has raised a page fault with this error code at this address.
unsafe extern "C" fn page_fault(address: u64, error: FaultCode, run: &mut MaybeUninit<Run>) -> Fault {
    // SAFETY: the caller's promise.
    if let Some(copies) = unsafe { Run::of_copies(address, error) } {
        page_fault::count(Counter::Faults);
        page_fault::count(Counter::Copied);
        run.write(copies);
        return Fault::Run;
    }
    // SAFETY: as above.
    match unsafe { page_fault::resolve(address, error) } {
        Outcome::Refused => Fault::Refused,
        Outcome::Resolved => Fault::Resolved,
        Outcome::MapFresh(pages) => {
            run.write(Run::of_fresh(&pages));
            Fault::Run
        }
    }
}

/// What `page_fault_entry` is to do.
#[repr(u32)]
enum Fault {
    /// End the call.
    Refused,
    /// Have the instruction repeated.
    Resolved,
    /// The same, once the code for runs of pages has done this one.
    Run,
}

extern "C" fn plan(page: u32) {
    working_set::plan(page);
}

/// Ends the call, or returns to have the exception left.
extern "C" fn exception(frame: &mut ExceptionFrame) {
    if frame.is_left_over() {
        frame.instruction = dispatch as *const () as u64;
        return;
    }
    if frame.vector == PAGE_FAULT as u64 {
        page_fault::refuse(fault_address(), FaultCode(frame.error), frame.instruction, frame.is_from_user());
    }
    let name = match frame.vector {
        0 => "divide error",
        1 => "debug exception",
        3 => "breakpoint",
        6 => "invalid instruction",
        7 => "device not available",
        8 => "double fault",
        10 => "invalid task state segment",
        11 => "segment not present",
        12 => "stack segment fault",
        13 => "general protection fault",
        16 => "floating-point error",
        17 => "alignment check",
        19 => "SIMD floating-point error",
        _ => "exception",
    };
    let code = if frame.is_from_user() { AbortCode::Exception } else { AbortCode::Kernel };
    abort(
        code,
        format_args!(
            "{name} (vector {}, error code {:#x}) at instruction {:#x}, stack {:#x}, CPL {}",
            frame.vector,
            frame.error,
            frame.instruction,
            frame.stack,
            frame.code_segment & 3
        ),
    )
}

/// The address that the last page fault was about.
fn fault_address() -> u64 {
    let address: u64;
    // SAFETY: reading CR2 changes nothing.
    unsafe { asm!("mov {}, cr2", out(reg) address, options(nomem, nostack, preserves_flags)) };
    address
}

/// Ends the call, or returns to have the gate left.
extern "C" fn bad_gate_operation(frame: &mut ExceptionFrame, operation: u32) {
    if frame.is_left_over() {
        frame.instruction = dispatch as *const () as u64;
        return;
    }
    abort(AbortCode::BadGate, format_args!("the gate has no operation {operation}"))
}

global_asm!(
    "
// entry: boots the guest.
//   in: RDI: address of a ProcessEnvironment. The rest is of no use.
//   out: never returns. `boot` ends in `enter_runtime`, and that in the runtime's READY.
//   stack: the gate's, from its top; the host's is not used.
.globl entry
entry:
    mov rsp, {gate_stack}
    xor ebp, ebp
    call {boot}
    ud2

// enter_runtime: the first entry of the runtime, a System V function that does not return.
//   in: RDI: the argument for the runtime, RSI: its stack pointer.
//   out: to the runtime's entry at CPL 3 with RDI and RSP as given, RFLAGS 2.
//   clobbers: RAX
//   stack: the gate's, 40 bytes.
.globl enter_runtime
enter_runtime:
    mov rax, [{runtime_entry}]
    push {user_data}
    push rsi
    push 2
    push {user_code}
    push rax
    iretq

// push_call_frame: makes the frame with which `dispatch` enters the runtime. It lies above the gate's stack, where nothing else
// writes.
//   out: RSP: the frame, for `iretq`.
//   clobbers: RAX
.macro push_call_frame
    mov rsp, {call_frame_end}
    mov rax, [{runtime_entry}]
    push {user_data}
    push {stack_top}
    push 2
    push {user_code}
    push rax
.endm

// dispatch: begins a call. The host enters here for each.
//   in: RSP: the call frame. ZF: this is the first call after a restore; then the frame is not there, since its page is zero. All
//     other registers are zero.
//   out: to the runtime's entry at CPL 3 with RDI = CALL, RSP = STACK_TOP, RFLAGS 2. After a restore, to the prefault code at CPL 3
//     with R12: physical address of the next free page, EBP: whether there are handlers, RSP = 0, RFLAGS 2.
//   clobbers: nothing; after a restore RAX, RCX, RDX
//   stack: nothing; after a restore the gate's, 40 bytes.
//   CR3: after a restore it is reloaded, once CR4.PGE has been changed twice.
.balign 16
.globl dispatch
dispatch:
    jz 2f
    iretq
2:  // Changing CR4.PGE makes the processor forget all translations. A hypervisor that shadows the page tables may keep those of
    // tables that the host has replaced: there is no way to have it forget them from here, so the host sees to that.
    mov rax, cr4
    xor eax, 0x80
    mov cr4, rax
    xor eax, 0x80
    mov cr4, rax
    // Map the tables, for the kernel and for the prefault code. Open the way to that code and its plan, and the tables of all
    // that it opens but the arena, whose place is not fixed, and what of the image the first does not map.
    mov rdx, cr3
    and rdx, -{page_size}
    mov rcx, {window}
    mov rax, {kernel_table}
    or rax, rdx
    mov [rcx + rdx + 8 * {self_map_index}], rax
    lea rax, [rdx + {table}]
    mov [rcx + rdx + 8 * {prefault_self_map_index}], rax
    mov rax, {tables}
    or byte ptr [rax + {prefault_3}], {user}
    or byte ptr [rax + {prefault_2}], {user}
    or byte ptr [rax + {prefault_1}], {user}
    or byte ptr [rax + {image_1}], {user}
    or byte ptr [rax + {stack_1}], {user}
    or byte ptr [rax + {heap_2}], {user}
    or byte ptr [rax + {heap_1}], {user}
    or byte ptr [rax + {order_3}], {user}
    or byte ptr [rax + {order_2}], {user}
    or byte ptr [rax + {order_1}], {user}
    mov rax, {prefault_code_slot}
    or byte ptr [rax], {user}
    or byte ptr [rax + {plan_offset}], {user}
    mov cr3, rdx
    mov r12, [{next_free}]
    movzx ebp, byte ptr [{has_handlers}]
    mov eax, {prefault_code}
    push {user_data}
    push 0
    push 2
    push {user_code}
    push rax
    iretq

// gate_entry: the vector of the gate, from CPL 3. An interrupt gate on the gate's stack, without an error code.
//   in: EAX: the operation, ECX: its argument. PREFAULTED takes R12 as well: the next free page after those that were used. FILLED
//     takes RDX: an entry for that page, RDI: the slot after the run, ECX: the counter of the pages that were used. At the
//     top of the stack: the frame of five words.
//   out: HALT, READY: to the host, which goes on at `dispatch`. READY tells it where that is (RAX), and the stack for it (RSP).
//     ABORT, PLAN: to the caller. COUNTER: to the caller with RAX: the word. PREFAULTED: to the runtime's entry at CPL 3 with
//     RDI = CALL_AFTER_RESTORE, RSP = STACK_TOP. FILLED: to the instruction that faulted, with all registers as they were. Anything
//     else ends the call, or, if it was left over, returns with RDI = 0.
//   clobbers: RAX, RCX, RDX; if it was left over, all but RSP and RDI
//   stack: the gate's: 40 bytes by the processor, 56 more for PLAN, at most 24 for what is refused.
//   CR3: reloaded by PREFAULTED and FILLED.
.balign 16
.globl gate_entry
gate_entry:
    cmp eax, {halt}
    jne 3f
    out {port_halt}, eax
    ud2
3:  cmp eax, {abort}
    jne 4f
    mov eax, ecx
    out {port_abort}, eax
    iretq
4:  cmp eax, {ready}
    jne 5f
    // The first halt tells the host where to dispatch calls (RAX) and with which stack (RSP).
    push_call_frame
    lea rax, [rip + dispatch]
    out {port_halt}, eax
    ud2
5:  cmp eax, {counter}
    jne 6f
    mov ecx, ecx // the argument is what is in its lower half
    cmp ecx, {counters}
    jae 9f
    mov rdx, {counter_words}
    mov rax, [rdx + 8 * rcx]
    iretq
6:  cld
    cmp eax, {plan}
    jne 7f
    push rsi
    push rdi
    push r8
    push r9
    push r10
    push r11
    mov edi, ecx
    // The processor aligned the stack to 16 bytes and pushed five words; six more make it odd.
    sub rsp, 8
    call {do_plan}
    add rsp, 8
    pop r11
    pop r10
    pop r9
    pop r8
    pop rdi
    pop rsi
    iretq
7:  cmp eax, {prefaulted}
    jne 8f
    // Only the prefault code has its map of the tables. Nobody has it from now on.
    mov rdx, {prefault_map_slot}
    cmp qword ptr [rdx], 0
    je 9f
    mov qword ptr [rdx], 0
    mov rdx, cr3
    mov cr3, rdx
    mov rdx, r12
    sub rdx, [{next_free}]
    shr rdx, {page_bits}
    mov [{prepared}], rdx
    mov [{next_free}], r12
    push_call_frame
    mov edi, {call_after_restore}
    iretq
    // As above. What was used of the free pages is taken, and the interrupted code goes on.
8:  cmp eax, {filled}
    jne 9f
    mov rsi, {prefault_map_slot}
    cmp qword ptr [rsi], 0
    je 9f
    mov qword ptr [rsi], 0
    mov rsi, cr3
    mov cr3, rsi
    mov rsi, {entry_address}
    and rdx, rsi
    mov rsi, [{next_free}]
    mov [{next_free}], rdx
    sub rdx, rsi
    shr rdx, {page_bits}
    mov rsi, {counter_words}
    add [rsi + 8 * rcx], rdx
    // The number of the page after the run, from where its slot is.
    shl rdi, 25
    shr rdi, 28
    mov [{after_last_run}], rdi
    mov [{after_last_copy}], edi
    mov dword ptr [{after_last_copy} + 4], {in_order}
    mov rsp, {fault_registers}
    jmp leave_page_fault
9:  cld
    mov esi, eax
    push 0
    push {gate_vector}
    mov rdi, rsp
    mov rbx, rsp
    and rsp, -16
    call {bad_gate_operation}
    xor edi, edi // as the host had it, for the call that begins
    lea rsp, [rbx + 16]
    iretq

// pop_saved_registers: gives back the nine registers that `page_fault_entry` saves.
//   in: at the top of the stack: those registers.
.macro pop_saved_registers
    pop r11
    pop r10
    pop r9
    pop r8
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop rax
.endm

// page_fault_entry: a page fault that `copy_on_write_entry` has left alone.
//   in: CR2: the address. At the top of the stack: the error code, then the frame of five words.
//   out: to the instruction that faulted, with all registers as they were; or to `page_fault_refused`, likewise. Where a run of pages
//     is to be mapped or copied, to the code for it at CPL 3 with RDI, ECX, RDX as it takes them, RSP = 0, RFLAGS 2; the registers
//     stay at the top of the stack, for the gate.
//   stack: the exceptions': 48 bytes by the processor, up to 152 more.
.balign 16
.globl page_fault_entry
page_fault_entry:
    cld
    push rax
    push rcx
    push rdx
    push rsi
    push rdi
    push r8
    push r9
    push r10
    push r11
    mov rdi, cr2
    mov rsi, [rsp + 72]
    // The processor aligned the stack to 16 bytes and pushed six words; nine more make it odd. The run takes four.
    sub rsp, 40
    mov rdx, rsp
    call {page_fault}
    cmp eax, {run}
    je 3f
    add rsp, 40
    cmp eax, {refused}
    je 2f
// leave_page_fault: goes on at the instruction that faulted.
//   in: at the top of the stack: the nine registers that were saved, the error code, then the frame of five words.
leave_page_fault:
    pop_saved_registers
    add rsp, 8
    iretq
2:  pop_saved_registers
    jmp page_fault_refused
3:  mov rdi, [rsp + {run_first}]
    mov ecx, [rsp + {run_count}]
    mov rdx, [rsp + {run_entry}]
    mov rax, [rsp + {run_code}]
    push {user_data}
    push 0
    push 2
    push {user_code}
    push rax
    iretq
// page_fault_refused: a page fault that cannot be resolved.
//   in, out, stack: as a stub of a vector with an error code.
.globl page_fault_refused
page_fault_refused:
    push 14
    jmp exception_common

// exception_stubs: one a vector, 16 bytes each.
//   in: at the top of the stack: the error code, if the vector has one, then the frame of five words.
//   out: to `exception_common` with an ExceptionFrame at the top of the stack; a vector without an error code gets a zero for one.
//   stack: the exceptions': 40 or 48 bytes by the processor, up to 56.
.balign 16
.globl exception_stubs
exception_stubs:
.set vector, 0
.rept {vectors}
    .balign 16
    .if !((1 << vector) & {with_error_code})
    push 0
    .endif
    push vector
    jmp exception_common
    .set vector, vector + 1
.endr

// exception_common: ends the call over an exception.
//   in: at the top of the stack: an ExceptionFrame.
//   out: to the host. If the exception was left over, to `dispatch` with the flags of the frame and RDI = 0.
//   clobbers: all but RSP
//   stack: the exceptions', 8 bytes more to align it.
exception_common:
    cld
    mov rdi, rsp
    mov rbx, rsp // no longer needed: whatever raised the exception does not go on, unless it was left over
    and rsp, -16
    call {exception}
    xor edi, edi // as the host had it, for the call that begins
    lea rsp, [rbx + 16]
    iretq
",
    gate_stack = const GATE_STACK_TOP as i64,
    call_frame_end = const (CALL_FRAME + CALL_FRAME_SIZE) as i64,
    runtime_entry = const RUNTIME_ENTRY as i64,
    stack_top = const STACK_TOP as i64,
    user_data = const USER_DATA as i64,
    user_code = const USER_CODE as i64,
    call_after_restore = const entry::CALL_AFTER_RESTORE,
    halt = const gate::HALT,
    abort = const gate::ABORT,
    ready = const gate::READY,
    counter = const gate::COUNTER,
    counters = const WORDS,
    plan = const gate::PLAN,
    prefaulted = const gate::PREFAULTED,
    filled = const gate::FILLED,
    run = const Fault::Run as u32,
    refused = const Fault::Refused as u32,
    run_first = const offset_of!(Run, first),
    run_count = const offset_of!(Run, count),
    run_entry = const offset_of!(Run, entry),
    run_code = const offset_of!(Run, code),
    after_last_copy = const AFTER_LAST_COPY as i64,
    in_order = const IN_ORDER,
    after_last_run = const AFTER_LAST_RUN as i64,
    entry_address = const Entry::ADDRESS as i64,
    fault_registers = const (EXCEPTION_STACK_TOP - FAULT_FRAME_SIZE) as i64,
    next_free = const Page::NEXT_FREE as i64,
    page_bits = const PAGE_SIZE.trailing_zeros(),
    prepared = const (COUNTERS + 8 * Counter::Prepared as u64) as i64,
    page_size = const PAGE_SIZE,
    window = const SCRATCH_END.wrapping_sub(SCRATCH_END_PHYSICAL) as i64,
    kernel_table = const Entry::kernel_page(0, true).bits() as i64,
    table = const Entry::table(0).bits(),
    self_map_index = const index(SELF_MAP, 3),
    prefault_self_map_index = const index(PREFAULT_SELF_MAP, 3),
    user = const Entry::USER,
    tables = const TABLES as i64,
    prefault_3 = const table_offset(PREFAULT_CODE, 3),
    prefault_2 = const table_offset(PREFAULT_CODE, 2),
    prefault_1 = const table_offset(PREFAULT_CODE, 1),
    image_1 = const table_offset(IMAGE_START, 1),
    stack_1 = const table_offset(STACK_TOP - 1, 1),
    heap_2 = const table_offset(HEAP_START, 2),
    heap_1 = const table_offset(HEAP_START, 1),
    order_3 = const table_offset(COPY_ORDER, 3),
    order_2 = const table_offset(COPY_ORDER, 2),
    order_1 = const table_offset(COPY_ORDER, 1),
    prefault_code_slot = const PageSlot::address_of(PREFAULT_CODE) as i64,
    plan_offset = const PageSlot::address_of(PREFAULT_PLAN) - PageSlot::address_of(PREFAULT_CODE),
    prefault_map_slot = const PageSlot::address_above(PREFAULT_SELF_MAP, 3) as i64,
    prefault_code = const PREFAULT_CODE,
    has_handlers = const HAS_HANDLERS,
    counter_words = const COUNTERS as i64,
    gate_vector = const gate::VECTOR,
    port_halt = const gate::port::HALT,
    port_abort = const gate::port::ABORT,
    vectors = const VECTORS,
    with_error_code = const WITH_ERROR_CODE,
    boot = sym boot::boot,
    bad_gate_operation = sym bad_gate_operation,
    page_fault = sym page_fault,
    do_plan = sym plan,
    exception = sym exception,
);

/// Where the slots begin that lead to tables of the last level.
const TABLES: u64 = PageSlot::address_above(0, 1);

/// How far from there the slot is that leads to the page at `address`, one or more levels above the last.
const fn table_offset(address: u64, levels: u32) -> u64 {
    PageSlot::address_above(address, levels) - TABLES
}

/// What lies at the top of the stack of exceptions while a page fault is served: the frame, the error code and nine registers.
const FAULT_FRAME_SIZE: u64 = (5 + 1 + 9) * 8;

/// The exceptions for which the processor pushes an error code.
const WITH_ERROR_CODE: u32 =
    1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17 | 1 << 21 | 1 << 29 | 1 << 30;

const _: () = {
    let operations = [gate::HALT, gate::ABORT, gate::READY, gate::COUNTER, gate::PLAN, gate::PREFAULTED, gate::FILLED];
    let mut i = 0;
    while i < operations.len() {
        assert!(operations[i] != 0, "zero is no operation");
        i += 1;
    }
    assert!(entry::CALL == 0, "all registers are zero when the host calls");
};
