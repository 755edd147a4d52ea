//! The runtime on x86-64, at CPL 3.

#[cfg(feature = "commit-faults")]
pub mod faults;

use core::arch::x86_64::_rdtsc;
use core::arch::{asm, global_asm};

use guest_abi::gate;
use guest_abi::memory::THREAD_POINTER;

use crate::context::STACK;

/// Takes the gate for an operation that returns, and returns what it leaves in RAX.
pub fn enter(operation: u32, argument: u32) -> u64 {
    let result;
    // SAFETY: the gate preserves all but RAX, RCX and RDX. The host may change shared memory meanwhile, hence no `nomem`.
    unsafe {
        asm!(
            "int {vector}",
            vector = const gate::VECTOR,
            inout("rax") u64::from(operation) => result,
            inout("rcx") u64::from(argument) => _,
            out("rdx") _,
        );
    }
    result
}

/// The time-stamp counter.
pub fn ticks() -> u64 {
    // SAFETY: every x86-64 processor has RDTSC, and the kernel does not forbid it.
    unsafe { _rdtsc() }
}

/// Prepares the descriptor of the thread, and says where variables of this size and alignment are to be: before it.
pub fn place_thread_variables(size: u64, alignment: u64) -> u64 {
    // SAFETY: the kernel has mapped the page for nothing else.
    unsafe { (THREAD_POINTER as *mut u64).write(THREAD_POINTER) };
    THREAD_POINTER - size.next_multiple_of(alignment)
}

global_asm!(
    "
// leave_guest: ends the entry, a System V function. It returns at the next entry.
//   in: nothing. Out: nothing.
//   clobbers: what such a function may. What it must preserve is on the stack meanwhile: MXCSR and the control word of the x87
//     belong to it, since the host sets both, at each entry, to what they are at the start of a program.
//   stack: 56 bytes below the return address, which stay until the next entry.
//   IF is clear and CR3 is not touched, as ever at CPL 3.
.globl leave_guest
leave_guest:
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    sub rsp, 8
    stmxcsr [rsp]
    fnstcw [rsp + 4]
    mov [rip + {stack}], rsp
    mov eax, {halt}
    int {gate}
    ud2

// _start: the kernel enters here, for the boot and for every call.
//   in: RDI: the argument for `run`. RSP: the end of the stack, or the BootInfo there; a multiple of 16. DF is clear. The other
//     registers mean nothing.
//   out: to the gate, operation HALT, when `run` has returned. If an entry has left the guest, back into that `leave_guest`: RDI
//     means nothing then, since no state in which a call waits is ever restored.
//   stack: nothing is pushed before it is known which of the two it is.
.globl _start
_start:
    mov rax, [rip + {stack}]
    test rax, rax
    jnz 2f
    xor ebp, ebp
    call {run}
    mov eax, {halt}
    int {gate}
    ud2
2:  mov rsp, rax
    mov qword ptr [rip + {stack}], 0
    ldmxcsr [rsp]
    fldcw [rsp + 4]
    add rsp, 8
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret
",
    stack = sym STACK,
    run = sym crate::run,
    halt = const gate::HALT,
    gate = const gate::VECTOR,
);
