//! The guest kernel: all that runs at CPL 0.
//!
//! It boots the runtime, an ordinary program at CPL 3, and serves three needs of it: ending a call, reaching the host, and
//! memory. There is no scheduler, no interrupt, no device.
//!
//! - [`boot`] runs once per snapshot lineage: it sets up the descriptor tables, loads the runtime image and enters it.
//! - [`entry`] holds every way into the kernel: the boot entry, a call from the host, the gate, and the exceptions.
//! - [`page_fault`] gives memory when it is first touched, and opens to CPL 3 what the host has mapped.
//! - [`page_copy`] sees each page fault first: most are of pages that must be copied, which it has done at CPL 3.
//! - [`prefault`] makes ready at CPL 3 what a call after a restore will need.
//! - [`memory`] reaches physical pages and page tables.
//! - [`descriptors`] defines what the processor and the kernel keep between calls.
//! - [`abort`] ends a call that cannot go on.
//!
//! What the code relies on:
//! - Nothing of the kernel is writable once the runtime has started, but for the pages that the host reserves at the end of
//!   scratch memory (its stacks and a few words), the page tables, and the plan of [`prefault`] while it is made. A restore
//!   zeroes the pages and rebuilds the tables, so the kernel has no state to lose; of a plan it loses a guess.
//! - The kernel is entered with interrupts off and never faults. A fault at CPL 0 ends in an abort, as does every fault
//!   that cannot be resolved; `hlt` would look like a finished call to the host and is never executed.
//! - On some hypervisors each instruction here is emulated, at about a microsecond, two or three if it writes memory: run
//!   little. No SSE: the target has none.
#![no_std]
#![no_main]

mod abort;
mod boot;
mod descriptors;
mod entry;
mod memory;
mod page_copy;
mod page_fault;
mod prefault;

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    abort::abort(guest_abi::abort::AbortCode::Kernel, format_args!("{info}"))
}
