//! The guest kernel: all that runs at CPL 0.
//!
//! It boots the runtime, an ordinary program at CPL 3, and serves three needs of it: ending a call, reaching the host, and
//! memory. There is no scheduler, no interrupt, no device.
//!
//! - [`boot`] runs once per snapshot lineage: it loads the runtime image and enters it.
//! - [`page_fault`] gives memory when it is first touched, and opens to CPL 3 what the host has mapped.
//! - [`memory`] reaches physical pages and page tables.
//! - [`working_set`] is which pages to copy before a call after a restore.
//! - [`constants`] is what boot finds out and later calls need.
//! - [`abort`] ends a call that cannot go on.
//! - [`arch`] is what depends on the processor: every way into the kernel, from the host, by the gate and by exceptions; page
//!   tables; and on x86-64 the kernel's code at CPL 3, which copies pages and makes ready what a call after a restore will need.
//!
//! What the code relies on:
//! - Nothing of the kernel is writable once the runtime has started, but for the pages that the host reserves at the end of
//!   scratch memory (its stacks and a few words), the page tables, and the plan for calls after a restore while it is made. A restore
//!   zeroes the pages and rebuilds the tables, so the kernel has no state to lose; of a plan it loses a guess.
//! - The kernel is entered with interrupts off and never faults. A fault at CPL 0 ends in an abort, as does every fault
//!   that cannot be resolved; `hlt` would look like a finished call to the host and is never executed.
//! - On some hypervisors each instruction here is emulated, at about a microsecond, two or three if it writes memory: run
//!   little. No SSE: the target has none.
#![no_std]
#![no_main]

mod abort;
mod arch;
mod boot;
mod constants;
mod memory;
mod page_fault;
mod working_set;

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    abort::abort(guest_abi::abort::AbortCode::Kernel, format_args!("{info}"))
}
