//! The runtime on arm64, at EL0.

#[cfg(feature = "commit-faults")]
pub mod faults;

use core::arch::{asm, global_asm};

use guest_abi::gate;
use guest_abi::memory::THREAD_POINTER;

use crate::context::STACK;

/// Takes the gate for an operation that returns, and returns what it leaves in X0.
pub fn enter(operation: u32, argument: u32) -> u64 {
    let result;
    // SAFETY: the gate preserves all but X0. The host may change shared memory meanwhile, hence no `nomem`.
    unsafe {
        asm!(
            "svc {vector}",
            vector = const gate::VECTOR,
            inout("x0") u64::from(operation) => result,
            in("x1") u64::from(argument),
        );
    }
    result
}

/// The counter of the system's time.
pub fn ticks() -> u64 {
    let ticks;
    // SAFETY: the kernel lets EL0 read this counter. No reading may be moved before what comes before it, or two could be in the
    // wrong order.
    unsafe { asm!("isb", "mrs {}, cntvct_el0", out(reg) ticks, options(nostack, preserves_flags)) };
    ticks
}

/// Asked for what the processor can do beyond the least: nothing. So cryptography uses no special instructions, and a snapshot can go
/// to another processor. The C library's own function would read a list that an operating system gives to a program.
#[unsafe(no_mangle)]
extern "C" fn getauxval(_kind: usize) -> usize {
    0
}

/// Says where a thread's variables of this size and alignment are to be: behind two words to which the thread pointer points.
pub fn place_thread_variables(_size: u64, alignment: u64) -> u64 {
    THREAD_POINTER + 16u64.next_multiple_of(alignment)
}

global_asm!(
    "
// leave_guest: ends the entry, a function by the standard of procedure calls. It returns at the next entry.
//   in: nothing. Out: nothing.
//   clobbers: what such a function may. What it must preserve is on the stack meanwhile: FPCR belongs to it, since the host sets it,
//     at each entry, to what it is at the start of a program.
//   stack: 176 bytes, which stay until the next entry.
.globl leave_guest
leave_guest:
    sub sp, sp, 176
    stp x19, x20, [sp]
    stp x21, x22, [sp, 16]
    stp x23, x24, [sp, 32]
    stp x25, x26, [sp, 48]
    stp x27, x28, [sp, 64]
    stp x29, x30, [sp, 80]
    stp d8, d9, [sp, 96]
    stp d10, d11, [sp, 112]
    stp d12, d13, [sp, 128]
    stp d14, d15, [sp, 144]
    mrs x9, fpcr
    str x9, [sp, 160]
    adrp x9, {stack}
    mov x10, sp
    str x10, [x9, :lo12:{stack}]
    mov x0, {halt}
    svc {gate}
    brk 0

// _start: the kernel enters here, for the boot and for every call.
//   in: X0: the argument for `run`. SP: the end of the stack, or the BootInfo there; a multiple of 16. The other registers mean
//     nothing.
//   out: to the gate, operation HALT, when `run` has returned. If an entry has left the guest, back into that `leave_guest`: X0
//     means nothing then, since no state in which a call waits is ever restored.
//   stack: nothing is pushed before it is known which of the two it is.
.globl _start
_start:
    adrp x9, {stack}
    ldr x10, [x9, :lo12:{stack}]
    cbnz x10, 2f
    mov x29, xzr
    mov x30, xzr
    bl {run}
    mov x0, {halt}
    svc {gate}
    brk 0
2:  mov sp, x10
    str xzr, [x9, :lo12:{stack}]
    ldr x9, [sp, 160]
    msr fpcr, x9
    ldp d14, d15, [sp, 144]
    ldp d12, d13, [sp, 128]
    ldp d10, d11, [sp, 112]
    ldp d8, d9, [sp, 96]
    ldp x29, x30, [sp, 80]
    ldp x27, x28, [sp, 64]
    ldp x25, x26, [sp, 48]
    ldp x23, x24, [sp, 32]
    ldp x21, x22, [sp, 16]
    ldp x19, x20, [sp]
    add sp, sp, 176
    ret
",
    stack = sym STACK,
    run = sym crate::run,
    halt = const gate::HALT,
    gate = const gate::VECTOR,
);
