//! Every way into the kernel, and the way out to EL0.
//!
//! | from | entry | stack |
//! |---|---|---|
//! | the host, once | `entry` | that of EL1, from its top |
//! | the host, for each call | `dispatch`; one instruction later for the first call after a restore | the same |
//! | EL0: `svc`, a fault, anything else | the vector of synchronous exceptions from EL0 | the same |
//! | all other vectors | the end of the call | the same |
//!
//! There is one stack at EL1 (SP_EL1), and each entry begins at its top. The host enters at EL1 with the stack pointer of EL0, which
//! is left alone, so it is the runtime's: at the first halt the host finds there what it sets for each call.
//!
//! Interrupts are masked, at EL0 too, and there is nothing that would raise one. The host sets TTBR0_EL1, TCR_EL1, MAIR_EL1,
//! SCTLR_EL1, CPACR_EL1, VBAR_EL1 and SP_EL1 at a restore to what they were when the snapshot was taken, and all other registers to
//! what they are when a processor starts. What of those matters is set by `after_reset`.

use core::arch::global_asm;
use core::mem::offset_of;
use core::ops::Range;

use guest_abi::abort::AbortCode;
use guest_abi::boot::entry;
use guest_abi::counters::{COPIED_PAGES, Counter, WORDS};
use guest_abi::gate;
use guest_abi::memory::{IO_PAGE, STACK_TOP, THREAD_POINTER};
use guest_kernel::page_table::{Access, Entry, FaultCode, page_of};

use super::{CONSTANTS, COUNTERS, STACK_TOP_EL1, prefault, registers};
use crate::abort::abort;
use crate::constants::Constants;
use crate::memory::{Page, PageTables};
use crate::page_fault::Outcome;
use crate::{arch, boot, page_fault, working_set};

/// What is kept of the code at EL0 while the kernel serves it: what a function of the kernel's may change. All else such a function
/// preserves, and the kernel uses no floating-point registers.
#[repr(C)]
struct Registers {
    /// X0 to X18.
    general: [u64; 19],
    link: u64,
    instruction: u64,
    state: u64,
}

const FRAME_SIZE: usize = size_of::<Registers>();
const _: () = assert!(FRAME_SIZE.is_multiple_of(16) && offset_of!(Registers, link) == 152);

unsafe extern "C" {
    /// Enters the runtime at EL0 for the first time.
    ///
    /// # Safety
    /// The constants say where the runtime begins, it is mapped, and nothing of what is on the stack of EL1 is needed
    /// any more.
    pub fn enter_runtime(argument: u64, stack: u64) -> !;
    /// Tells the host that the runtime is ready for calls.
    ///
    /// # Safety
    /// As above: the next entry begins at the top of the stack of EL1.
    fn ready() -> !;
}

/// An exception at EL0. It returns if the code there can go on.
extern "C" fn exception_at_el0(frame: &mut Registers) {
    const SVC: u64 = 0x15;
    let syndrome = registers::syndrome();
    let class = syndrome >> 26 & 0x3f;
    if class == SVC && syndrome & 0xffff == u64::from(gate::VECTOR) {
        frame.general[0] = gate_operation(frame.general[0] as u32, frame.general[1] as u32);
        return;
    }
    let error = FaultCode(syndrome);
    if error.is_page_fault() && error.is_user() {
        return page_fault_at_el0(registers::fault_address(), error, frame.instruction);
    }
    abort(
        AbortCode::Exception,
        format_args!(
            "{} (syndrome {syndrome:#x}) at instruction {:#x}, stack {:#x}, EL0",
            name_of(class),
            frame.instruction,
            registers::user_stack(),
        ),
    )
}

/// What a class of exceptions is called.
fn name_of(class: u64) -> &'static str {
    match class {
        0x00 => "invalid instruction",
        0x01 => "wait for an event or interrupt",
        0x07 => "no floating-point unit",
        0x0d => "branch target exception",
        0x0e => "illegal execution state",
        0x15 => "system call",
        0x18 => "access to a system register",
        0x19 => "no scalable vectors",
        0x1c => "pointer authentication failure",
        0x20 | 0x24 => "bus error",
        0x22 => "misaligned instruction address",
        0x26 => "misaligned stack pointer",
        0x2c => "floating-point error",
        0x2f => "system error",
        0x30 | 0x32 | 0x34 => "debug exception",
        0x3c => "breakpoint",
        _ => "exception",
    }
}

fn page_fault_at_el0(address: u64, error: FaultCode, instruction: u64) {
    let copied = counter(Counter::Copied as u64);
    // SAFETY: the processor has raised this fault.
    match unsafe { page_fault::resolve(address, error) } {
        Outcome::Refused => page_fault::refuse(address, error, instruction, true),
        Outcome::Resolved => {}
        Outcome::MapFresh(pages) => map_fresh(pages),
    }
    if counter(Counter::Copied as u64) != copied {
        let kept = COUNTERS + 8 * (Counter::COUNT as u64 + copied % COPIED_PAGES as u64);
        // SAFETY: the word is one of the kernel's own.
        unsafe { (kept as *mut u64).write_volatile(page_of(address)) };
    }
}

/// Maps those of the pages that are absent.
fn map_fresh(pages: Range<u64>) {
    PageTables::current().for_each_user_slot(pages, |slot, _| {
        if slot.get().is_absent() {
            // SAFETY: a fresh page for the runtime, where it has none.
            unsafe { slot.fill(Entry::user_page(Page::allocate().physical(), Access::ReadWrite)) };
            // SAFETY: the word is one of the kernel's own.
            unsafe { arch::increment(COUNTERS + 8 * Counter::Fresh as u64) };
        }
    });
}

/// Serves the gate, and returns what it leaves in X0.
fn gate_operation(operation: u32, argument: u32) -> u64 {
    match operation {
        gate::HALT => loop {
            // The host goes on at `dispatch`.
            arch::send(gate::port::HALT, 0);
        },
        // SAFETY: the host goes on at `dispatch`, which needs nothing of what is on the stack.
        gate::READY => unsafe { ready() },
        gate::ABORT => {
            arch::send(gate::port::ABORT, argument);
            0
        }
        gate::COUNTER if (argument as usize) < WORDS => counter(u64::from(argument)),
        gate::PLAN => {
            working_set::plan(argument);
            0
        }
        _ => abort(AbortCode::BadGate, format_args!("the gate has no operation {operation}")),
    }
}

fn counter(index: u64) -> u64 {
    // SAFETY: the word is one of the kernel's own.
    unsafe { ((COUNTERS + 8 * index) as *const u64).read_volatile() }
}

/// Ends the call over an exception that should not be: at EL1, or one that nothing can raise. The code says which vector it was.
extern "C" fn unexpected_exception(vector: u64) -> ! {
    let (syndrome, address, instruction) =
        (registers::syndrome(), registers::fault_address(), registers::exception_address());
    let error = FaultCode(syndrome);
    if vector < 8 && error.is_page_fault() {
        page_fault::refuse(address, error, instruction, false);
    }
    abort(
        AbortCode::Kernel,
        format_args!("exception (vector {vector}, syndrome {syndrome:#x}) at instruction {instruction:#x}"),
    )
}

global_asm!(
    "
// after_reset: sets the registers that the host does not and that mean something here: what EL0 reads as thread pointers, and which
// counters and timers it may use, the virtual counter alone.
//   clobbers: X9
.macro after_reset
    ldr x9, ={thread_pointer}
    msr tpidr_el0, x9
    msr tpidrro_el0, xzr
    mov x9, 2
    msr cntkctl_el1, x9
    isb
.endm

// entry: boots the guest.
//   in: X0: address of a ProcessEnvironment. The rest is of no use. The host enters at EL1 with the stack pointer of EL0.
//   out: never returns. `boot` ends in `enter_runtime`, and that in the runtime's READY.
.globl entry
entry:
    msr spsel, 1
    ldr x9, ={stack}
    mov sp, x9
    adrp x9, vectors
    add x9, x9, :lo12:vectors
    msr vbar_el1, x9
    // Nothing is to be found by TTBR1_EL1.
    mrs x9, tcr_el1
    orr x9, x9, {no_walks_by_ttbr1}
    msr tcr_el1, x9
    // What can be written cannot be executed; both stack pointers must be aligned; EL0 may zero memory by cache lines. Where there
    // is PAN, EL1 cannot use pages of EL0's: it is set at each exception if SPAN is not.
    mrs x9, sctlr_el1
    ldr x10, ={control}
    orr x9, x9, x10
    mrs x10, id_aa64mmfr1_el1
    tst x10, {pan_field}
    b.eq 2f
    bic x9, x9, {span}
    .inst 0xd500419f // msr pan, 1: older assemblers and processors do not know it
2:  msr sctlr_el1, x9
    isb
    after_reset
    mov x29, xzr
    bl {boot}
    brk 0

// enter_runtime: the first entry of the runtime.
//   in: X0: the argument for the runtime, X1: its stack pointer.
//   out: to the runtime's entry at EL0 with X0 and the stack pointer as given.
//   clobbers: X9
.globl enter_runtime
enter_runtime:
    msr sp_el0, x1
3:  ldr x9, ={runtime_entry}
    ldr x9, [x9]
    msr elr_el1, x9
    mov x9, {state}
    msr spsr_el1, x9
    ldr x9, ={stack}
    mov sp, x9
    mov x9, xzr
    eret

// ready: the first halt.
//   in: nothing.
//   out: to the host, which learns where to dispatch calls (X0) and with which stack pointer of EL0.
.globl ready
ready:
    ldr x9, ={stack_top}
    msr sp_el0, x9
    adr x0, dispatch
    ldr x9, ={halt}
4:  str wzr, [x9]
    b 4b

// dispatch: begins a call. The host enters here for each, but one instruction later for the first after a restore.
//   in: SP_EL0: STACK_TOP. All other registers are zero.
//   out: to the runtime's entry at EL0 with X0 = CALL or CALL_AFTER_RESTORE, all other registers zero.
.balign 16
.globl dispatch
dispatch:
    b 5f
    tlbi vmalle1
    dsb nsh
    isb
    after_reset
    msr spsel, 1
    ldr x9, ={stack}
    mov sp, x9
    mov x29, xzr
    bl {prepare}
    mov x0, {call_after_restore}
    .irp number, 1,2,3,4,5,6,7,8,10,11,12,13,14,15,16,17,18,30
    mov x\\number, xzr
    .endr
5:  msr spsel, 1
    b 3b

// from_el0: an exception at EL0.
//   in: ESR_EL1, FAR_EL1, ELR_EL1, SPSR_EL1. SP: the top of the stack of EL1.
//   out: to EL0 with all registers as they were, but for those that the gate returns something in; or to the host.
from_el0:
    sub sp, sp, {frame}
    stp x0, x1, [sp]
    stp x2, x3, [sp, 16]
    stp x4, x5, [sp, 32]
    stp x6, x7, [sp, 48]
    stp x8, x9, [sp, 64]
    stp x10, x11, [sp, 80]
    stp x12, x13, [sp, 96]
    stp x14, x15, [sp, 112]
    stp x16, x17, [sp, 128]
    stp x18, x30, [sp, 144]
    mrs x9, elr_el1
    mrs x10, spsr_el1
    stp x9, x10, [sp, 160]
    mov x0, sp
    bl {exception_at_el0}
    ldp x9, x10, [sp, 160]
    msr elr_el1, x9
    msr spsr_el1, x10
    ldp x0, x1, [sp]
    ldp x2, x3, [sp, 16]
    ldp x4, x5, [sp, 32]
    ldp x6, x7, [sp, 48]
    ldp x8, x9, [sp, 64]
    ldp x10, x11, [sp, 80]
    ldp x12, x13, [sp, 96]
    ldp x14, x15, [sp, 112]
    ldp x16, x17, [sp, 128]
    ldp x18, x30, [sp, 144]
    add sp, sp, {frame}
    dsb nshst // the processor sees what has been written to page tables
    eret

// vectors: one each 128 bytes: synchronous exceptions, interrupts, fast interrupts, system errors, each from EL1 with the stack
// pointer of EL0, from EL1, from EL0, and from EL0 in 32-bit mode.
.macro unexpected number
    .balign 128
    ldr x9, ={stack}
    mov sp, x9
    mov x0, \\number
    b {unexpected_exception}
.endm
.balign 2048
.globl vectors
vectors:
    unexpected 0
    unexpected 1
    unexpected 2
    unexpected 3
    unexpected 4
    unexpected 5
    unexpected 6
    unexpected 7
    .balign 128
    b from_el0
    unexpected 9
    unexpected 10
    unexpected 11
    unexpected 12
    unexpected 13
    unexpected 14
    unexpected 15
    .balign 128
.ltorg
",
    stack = const STACK_TOP_EL1,
    stack_top = const STACK_TOP,
    thread_pointer = const THREAD_POINTER,
    runtime_entry = const CONSTANTS + offset_of!(Constants, runtime_entry) as u64,
    halt = const IO_PAGE + 8 * gate::port::HALT as u64,
    no_walks_by_ttbr1 = const 1 << 23,
    control = const WRITABLE_IS_NOT_EXECUTABLE | ALIGNED_STACKS | ZEROING_AT_EL0,
    pan_field = const 0xf << 20,
    span = const 1 << 23,
    state = const MASKED_AT_EL0,
    call_after_restore = const entry::CALL_AFTER_RESTORE,
    frame = const FRAME_SIZE,
    boot = sym boot::boot,
    prepare = sym prefault::prepare,
    exception_at_el0 = sym exception_at_el0,
    unexpected_exception = sym unexpected_exception,
);

// Bits of SCTLR_EL1.
const WRITABLE_IS_NOT_EXECUTABLE: u64 = 1 << 19;
const ALIGNED_STACKS: u64 = 1 << 3 | 1 << 4;
const ZEROING_AT_EL0: u64 = 1 << 14;

/// The processor's state at EL0: 64-bit mode, with all interrupts masked.
const MASKED_AT_EL0: u64 = 0xf << 6;

const _: () = assert!(entry::CALL == 0, "all registers are zero when the host calls");
