//! The way into the kernel.

use core::arch::asm;
use core::fmt::{Arguments, Write};

use guest_abi::abort::{AbortCode, TERMINATOR, pack};
use guest_abi::counters::Counter;
use guest_abi::gate;

/// Takes the gate for an operation that returns, and gives what it leaves in RAX.
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

/// What the kernel has counted; see [`guest_abi::counters`].
pub fn counters() -> [u64; Counter::COUNT] {
    core::array::from_fn(|counter| enter(gate::COUNTER, counter as u32))
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
