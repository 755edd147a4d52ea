//! Run JavaScript that you do not trust in a hypervisor micro-VM.
//!
//! Each sandbox is a virtual machine of its own with nothing in it but a small kernel (CPL 0) and QuickJS (CPL 3): no
//! operating system, no file system, no network. Code in it can compute, and it can call what you give to it.
//!
//! The life of a sandbox, one type for each state:
//!
//! ```text
//! SandboxBuilder ── build ──► ProtoJSSandbox ── load_runtime ──► JSSandbox ── get_loaded_sandbox ──► LoadedJSSandbox
//!   settings                    a hypervisor is there              handlers                            calls
//! ```
//!
//! ```
//! use hyperlight_js::{SandboxBuilder, Script};
//!
//! # fn main() -> hyperlight_js::Result<()> {
//! let mut sandbox = SandboxBuilder::new().build()?.load_runtime()?;
//! sandbox.add_handler("greet", Script::from_content("
//!     function handler(event) {
//!         return { message: `Hello, ${event.name}!` };
//!     }
//! "))?;
//! let mut loaded = sandbox.get_loaded_sandbox()?;
//! let result = loaded.handle_event("greet", r#"{"name":"World"}"#.to_string(), None)?;
//! assert_eq!(result, r#"{"message":"Hello, World!"}"#);
//! # Ok(())
//! # }
//! ```
//!
//! Where to start reading: [`sandbox`] is this API; the guest's two programs are in `guest/kernel` and `guest/runtime`,
//! and what they and the host agree on is in `guest/abi`. The Node.js addon over this API is in `src/node`.

pub mod sandbox;

#[cfg(feature = "node")]
mod node;

/// Its examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/observability.md")]
pub mod observability {}

pub use guest_abi::function::ConsoleLevel;
pub use hyperlight_host::SandboxStatus;
pub use sandbox::builder::SandboxBuilder;
pub use sandbox::error::{Error, Result};
pub use sandbox::host_function::{HostCall, HostFunctionError};
pub use sandbox::interrupt::InterruptHandle;
pub use sandbox::js::JSSandbox;
pub use sandbox::loaded::LoadedJSSandbox;
pub use sandbox::metrics;
pub use sandbox::monitor::{self, CpuTimeMonitor, ExecutionMonitor, MonitorSet, WallClockMonitor};
pub use sandbox::proto::ProtoJSSandbox;
pub use sandbox::script::Script;
pub use sandbox::snapshot::Snapshot;
pub use sandbox::stats::ExecutionStats;
