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
// The registers that are to be preserved are those of the System V ABI: MXCSR and the control word of the x87 belong to them. The
// host sets both to what they are at the start of a program.
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
