//! Leaving the guest in the midst of a call, to go on there at the next entry.
//!
//! Each entry begins on an empty stack. One that is to go on where the last one ended finds the stack of that one instead, with the
//! registers on it that a function must preserve. The rest of the stack stays as it is: nothing is pushed before that is known.

use core::arch::global_asm;
use core::sync::atomic::AtomicU64;

use guest_abi::gate;

/// The stack of the entry that is to go on, or 0.
static STACK: AtomicU64 = AtomicU64::new(0);

unsafe extern "C" {
    #[link_name = "leave_guest"]
    safe fn leave_guest();
}

/// Ends the entry. It returns at the next entry.
pub fn leave() {
    leave_guest();
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
