//! The gate: the only way from CPL 3 into the kernel, taken with `int 4`.
//!
//! EAX holds the operation and ECX its argument; RAX, RCX and RDX are clobbered, all else is preserved. There is no
//! operation 0.

/// Interrupt vector of the gate. Some hypervisors deliver only `int3` and `int 4` from CPL 3 to the guest.
pub const VECTOR: u8 = 4;

/// Ends the current call; the host takes over and the kernel does not return to the caller.
pub const HALT: u32 = 1;
/// Tells the host that the guest-to-host queue has something for it, and returns when it was served.
pub const NOTIFY: u32 = 2;
/// Adds bytes to the abort message: the lowest byte of the argument is their number (1 to 3), then come the bytes.
/// The byte [`crate::abort::TERMINATOR`] ends the message and the call.
pub const ABORT: u32 = 3;

/// Gives in RAX what the counter says that the argument names; see [`crate::counters`]. There is no counter to set.
pub const COUNTER: u32 = 4;

/// Ports through which the kernel reaches the host, as hyperlight-host defines them.
pub mod port {
    /// Takes the bytes of an abort message.
    pub const ABORT: u16 = 102;
    /// Ends a call.
    pub const HALT: u16 = 108;
    /// Announces messages in the guest-to-host queue.
    pub const NOTIFY: u16 = 109;
}
