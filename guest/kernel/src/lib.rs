//! The parts of the guest kernel that compute and touch no machine state, so that they can be tested anywhere.
//!
//! The kernel itself is the binary of this package; its page says how it works.
#![no_std]

pub mod page_table;
pub mod segments;
