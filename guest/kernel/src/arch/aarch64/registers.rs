//! System registers.

use core::arch::asm;

/// Reads a system register.
macro_rules! read {
    ($name:literal) => {{
        let value: u64;
        // SAFETY: reading one of the registers that are named in this file changes nothing.
        unsafe { asm!(concat!("mrs {}, ", $name), out(reg) value, options(nomem, nostack, preserves_flags)) };
        value
    }};
}

/// What an exception was about.
pub fn syndrome() -> u64 {
    read!("esr_el1")
}

/// The address that an abort was about.
pub fn fault_address() -> u64 {
    read!("far_el1")
}

/// Where an exception was taken.
pub fn exception_address() -> u64 {
    read!("elr_el1")
}

/// The stack pointer of EL0.
pub fn user_stack() -> u64 {
    read!("sp_el0")
}

/// Where the root of the page tables is.
pub fn root_table() -> u64 {
    read!("ttbr0_el1")
}
