//! What differs between processor architectures. One module is chosen, here and nowhere else, and all have the same interface:
//!
//! - boot: the symbol `entry` is entered by the host; `install`, `install_user_code` and `seal` are called by [`crate::boot`];
//! - to the runtime: `enter_runtime`, for the first time; later entries, the gate and all exceptions are the module's own affair.
//!   It calls [`crate::page_fault`] for faults of the runtime, and `send` tells the host something;
//! - page tables: `root_table`, `invalidate`, `flush`, `open_slot`, `write_slot`, and `PageSlot`, the short way to the slot of a
//!   page; what an entry says is in [`guest_kernel::page_table`];
//! - copying: `copy_user_page`, for pages that are written for the first time;
//! - the prefault, which the module begins itself before the first call after a restore. It opens what [`crate::working_set`] says and
//!   copies the working set. `begin_plan` fills in what else it takes from the plan, and gives the entry that maps it;
//! - places of what the kernel keeps: `CONSTANTS`, `COUNTERS`, `PLAN`, `PLAN_IN_WORK`.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub use aarch64::*;
#[cfg(target_arch = "x86_64")]
pub use x86_64::*;
