//! The gate: the only way from CPL 3 into the kernel, taken with `int 4`.
//!
//! EAX holds the operation and ECX its argument; RAX, RCX and RDX are clobbered, all else is preserved. There is no
//! operation 0, and none that has the host look into the queues while the guest is in the midst of something.

/// Interrupt vector of the gate. Some hypervisors deliver only `int3` and `int 4` from CPL 3 to the guest.
pub const VECTOR: u8 = 4;

/// Ends the current entry; the host takes over and the kernel does not return to the caller.
pub const HALT: u32 = 2;
/// Adds bytes to the abort message: the lowest byte of the argument is their number (1 to 3), then come the bytes.
/// The byte [`crate::abort::TERMINATOR`] ends the message and the call.
pub const ABORT: u32 = 3;
/// Returns in RAX the word that the argument names of those that the kernel has counted; see [`crate::counters`].
pub const COUNTER: u32 = 4;
/// Adds a page of the lower half, by its number, to those that are copied at once after a restore of a later snapshot. See
/// [`crate::function::SET_WORKING_SETS`].
pub const PLAN: u32 = 5;
/// Argument of [`PLAN`]: begin anew, with the pages of a guest that has no handlers.
pub const BEGIN_PLAN: u32 = 0;
/// Argument of [`PLAN`]: from now on, the pages of the next list: of a guest that has handlers, then the further ones.
pub const NEXT_LIST: u32 = u32::MAX;
/// Only for the kernel's own code at CPL 3: the prefault code is done.
pub const PREFAULTED: u32 = 6;
/// Only for the kernel's own code at CPL 3: a run of pages is mapped or copied.
pub const FILLED: u32 = 8;
/// As [`HALT`], for the first time: the runtime is ready for calls.
pub const READY: u32 = 7;

/// Ports through which the kernel reaches the host, as hyperlight-host defines them.
pub mod port {
    /// Takes the bytes of an abort message.
    pub const ABORT: u16 = 102;
    /// Ends an entry into the guest.
    pub const HALT: u16 = 108;
}
