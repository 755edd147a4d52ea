//! Limits on the execution of a handler.
//!
//! Two traits, since two sides look at a monitor:
//! - [`ExecutionMonitor`] is what you implement: a future that completes when the limit is reached, and a name.
//! - [`MonitorSet`] is what [`handle_event_with_monitor`](crate::LoadedJSSandbox::handle_event_with_monitor) takes: one
//!   monitor, an [`Option`] of one, or a tuple of up to five of these, of which the first to fire stops the handler. It is sealed and implemented for you.
//!
//! [`WallClockMonitor`] and [`CpuTimeMonitor`] are made to be used together: CPU time catches computation without end and is
//! fair to handlers that wait; wall-clock time catches those that hold on to the host's resources without computing.
//!
//! A monitor that cannot start means that the handler is not run.
//!
//! ```
//! use std::time::Duration;
//! use hyperlight_js::{CpuTimeMonitor, Error, SandboxBuilder, Script, WallClockMonitor};
//!
//! # fn main() -> hyperlight_js::Result<()> {
//! let mut sandbox = SandboxBuilder::new().build()?.load_runtime()?;
//! sandbox.add_handler("spin", Script::from_content("function handler() { for (;;); }"))?;
//! let mut loaded = sandbox.get_loaded_sandbox()?;
//!
//! let limits = (WallClockMonitor::new(Duration::from_secs(5))?, CpuTimeMonitor::new(Duration::from_millis(50))?);
//! let result = loaded.handle_event_with_monitor("spin", "null".to_string(), &limits, None);
//! assert!(matches!(result, Err(Error::Cancelled)));
//! # Ok(())
//! # }
//! ```
//!
//! The thread that stops calls watches these two itself, so they work also where no other thread can be had. Monitors of your
//! own share a runtime of 2 threads; the environment variable `HYPERLIGHT_MONITOR_THREADS` sets another number, 1 to 1024, when
//! it is first used.

mod cpu_time;
mod runtime;
mod set;
mod wall_clock;
mod watch;

/// What a monitor's [`get_monitor`](ExecutionMonitor::get_monitor) returns, of `hyperlight-host`: a program needs no dependency on
/// that. [`new_error!`](crate::new_error) makes its error.
pub use hyperlight_host::Result;

pub use cpu_time::CpuTimeMonitor;
pub use runtime::sleep;
pub use set::{BuiltInLimit, ExecutionMonitor, MonitorSet, Started};
pub use wall_clock::WallClockMonitor;
pub(crate) use watch::Watching;
pub(super) use watch::{watch, winner};
