//! The way into the kernel.

use core::arch::asm;
use core::fmt::{Arguments, Write};

use guest_abi::abort::{AbortCode, TERMINATOR, pack};
use guest_abi::gate;

/// Takes the gate for an operation that returns.
pub fn enter(operation: u32, argument: u32) {
    // SAFETY: the gate preserves all but RAX and RDX. The host may change shared memory meanwhile, hence no `nomem`.
    unsafe {
        asm!(
            "int {vector}",
            vector = const gate::VECTOR,
            inout("rax") u64::from(operation) => _,
            in("rcx") u64::from(argument),
            out("rdx") _,
        );
    }
}

/// Ends the call with a message for the host, which poisons the sandbox.
#[cold]
pub fn abort(code: AbortCode, message: Arguments) -> ! {
    send(&[code as u8]);
    // Writing to the host cannot fail.
    let _ = Message.write_fmt(message);
    loop {
        send(&[TERMINATOR]);
    }
}

struct Message;

impl Write for Message {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        text.as_bytes().chunks(3).for_each(send);
        Ok(())
    }
}

fn send(bytes: &[u8]) {
    enter(gate::ABORT, pack(bytes));
}
