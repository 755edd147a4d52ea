//! What differs between processor architectures: the way into the kernel (`enter`), where every entry begins and how it is left in
//! its midst (the symbols `_start` and `leave_guest`), the counter behind the clock (`ticks`), and where the C library has a
//! thread's variables (`place_thread_variables`). For tests, `faults` commits those that only this architecture has.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub use aarch64::*;
#[cfg(target_arch = "x86_64")]
pub use x86_64::*;
