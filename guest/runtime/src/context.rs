//! Leaving the guest in the midst of a call, to go on there at the next entry.
//!
//! Each entry begins on an empty stack. One that is to go on where the last one ended finds the stack of that one instead, with the
//! registers on it that a function must preserve. The rest of the stack stays as it is: nothing is pushed before that is known.

use core::sync::atomic::AtomicU64;

/// The stack of the entry that is to go on, or 0. The code in [`arch`](crate::arch) alone uses it.
pub static STACK: AtomicU64 = AtomicU64::new(0);

unsafe extern "C" {
    #[link_name = "leave_guest"]
    safe fn leave_guest();
}

/// Ends the entry. It returns at the next entry.
pub fn leave() {
    leave_guest();
}
