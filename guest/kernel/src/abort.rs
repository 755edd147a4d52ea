//! Ending a call that cannot go on.

use core::fmt::{Arguments, Write};

use guest_abi::abort::{AbortCode, TERMINATOR, pack};
use guest_abi::gate::port;

use crate::arch;

/// Ends the call with a message for the host, which poisons the sandbox.
#[cold]
pub fn abort(code: AbortCode, message: Arguments) -> ! {
    let mut message_to_host = Message { bytes: [0; 3], length: 0 };
    message_to_host.push(code as u8);
    // Writing to the host cannot fail.
    let _ = message_to_host.write_fmt(message);
    message_to_host.push(TERMINATOR);
    loop {
        // The host has stopped this guest when it saw the terminator; should it not have, it sees it again.
        message_to_host.send();
        message_to_host.push(TERMINATOR);
    }
}

/// A message on its way to the abort port, three bytes a write.
struct Message {
    bytes: [u8; 3],
    length: usize,
}

impl Message {
    fn push(&mut self, byte: u8) {
        if self.length == self.bytes.len() {
            self.send();
        }
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    fn send(&mut self) {
        let word = pack(&self.bytes[..self.length]);
        arch::send(port::ABORT, word);
        self.length = 0;
    }
}

impl Write for Message {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        text.bytes().for_each(|byte| self.push(byte));
        Ok(())
    }
}
