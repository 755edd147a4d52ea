//! Run JavaScript that you do not trust in a hypervisor micro-VM.
//!
//! Each sandbox is a virtual machine of its own with nothing in it but a small kernel (CPL 0) and QuickJS (CPL 3): no
//! operating system, no file system, no network. Code in it can compute, and it can call what you give to it.
//!
//! # A first program
//!
//! ```toml
//! [dependencies]
//! hyperlight-js-host-api = { path = "...", default-features = false }
//! ```
//!
//! Without its default features the crate has nothing to do with Node.js. To build it takes the Rust targets
//! `x86_64-unknown-none` and `x86_64-unknown-linux-musl` and, for QuickJS, `musl-gcc` (Debian: `musl-tools`); to run it, a
//! hypervisor: on Linux `/dev/kvm` and the right to open it. `docs/hypervisors.md` says what there is on arm64.
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
//! # The life of a sandbox
//!
//! One type for each state; each method that leads to the next takes the value away.
//!
//! ```text
//! SandboxBuilder ── build ──► ProtoJSSandbox ── load_runtime ──► JSSandbox ── get_loaded_sandbox ──► LoadedJSSandbox
//!   settings,                   host functions,                    handlers,     ◄──── unload ─────    events,
//!   console                     module loader                      modules                             snapshots
//! ```
//!
//! - [`SandboxBuilder`] has the limits of memory and messages. A builder left as it is is valid.
//! - [`ProtoJSSandbox`] is given what guest code can reach: [host functions](ProtoJSSandbox::host_module) with Rust types, or
//!   [raw](ProtoJSSandbox::register_raw) with JSON text, and a [loader](ProtoJSSandbox::set_module_loader) for modules.
//! - [`JSSandbox`] is given handlers, which events are sent to, and modules, which handlers import.
//! - [`LoadedJSSandbox`] handles events: JSON text in, JSON text out. State at module level lives from call to call.
//!
//! The first sandbox of a process with given settings boots its guest; the others are copies of it, made page by page when
//! they are written to, and take a fraction of the time.
//!
//! # Limits
//!
//! Code that you do not trust may compute for ever. Give every call limits, and the evaluation of handlers as well
//! ([`JSSandbox::get_loaded_sandbox_with_monitor`]):
//!
//! ```
//! # use std::time::Duration;
//! # use hyperlight_js::{CpuTimeMonitor, Error, SandboxBuilder, Script, WallClockMonitor};
//! # fn main() -> hyperlight_js::Result<()> {
//! # let mut sandbox = SandboxBuilder::new().build()?.load_runtime()?;
//! # sandbox.add_handler("spin", Script::from_content("function handler() { for (;;); }"))?;
//! # let mut loaded = sandbox.get_loaded_sandbox()?;
//! let snapshot = loaded.snapshot()?;
//! let limits = (WallClockMonitor::new(Duration::from_secs(5))?, CpuTimeMonitor::new(Duration::from_millis(50))?);
//! let result = loaded.handle_event_with_monitor("spin", "null".to_string(), &limits, None);
//! assert!(matches!(result, Err(Error::Cancelled)));
//! assert_eq!(loaded.last_call_stats().and_then(|stats| stats.terminated_by), Some("cpu-time"));
//! loaded.restore(snapshot)?; // a call that was stopped poisons its sandbox
//! # Ok(())
//! # }
//! ```
//!
//! [`monitor`] has more, and says how to write a monitor of your own. An [`InterruptHandle`] stops a call from elsewhere.
//!
//! # Clean state
//!
//! [`LoadedJSSandbox::snapshot`] and [`restore`](LoadedJSSandbox::restore) give each tenant, or each request, a sandbox that
//! nobody has used before; a [`SandboxPool`] does so off the request's path. A [`Snapshot`] can be saved to a folder, and other processes
//! [start from it](SandboxBuilder::from_snapshot).
//!
//! # When something goes wrong
//!
//! Every failure is an [`Error`]; its variants say what became of the sandbox. Nothing that guest code does makes this crate
//! panic, hang or leak: a fault in the guest is [`Error::GuestAbort`], and the sandbox is poisoned until it is restored or
//! unloaded.
//!
//! # Cargo features
//!
//! | feature | |
//! | --- | --- |
//! | `node` (default) | The Node.js addon. It brings napi into the dependency tree. |
//! | `function_call_metrics` | A histogram of how long handlers take, see [`metrics`]. |
//! | `crashdump` | `LoadedJSSandbox::generate_crashdump`, and a core dump of each guest that faults. |
//! | `gdb` | For builds with debug assertions: where the environment variable `HYPERLIGHT_JS_GDB` names a port, sandboxes wait there for gdb. |
//! | `kvm` | Nothing: on Linux the crate is always built for KVM. |
//! | `mshv3` | Does not compile: the Microsoft Hypervisor is not supported, and the message says why. |
//! | `monitor-wall-clock`, `monitor-cpu-time`, `guest-call-stats` | Nothing: monitors and statistics are always there. |
//!
//! # Where to start reading
//!
//! [`sandbox`] is this API; the guest's two programs are in `guest/kernel` and `guest/runtime`, and what they and the host
//! agree on is in `guest/abi`. The Node.js addon over this API is in `src/node`. `docs/threat-model.md` says what a sandbox
//! holds back and what it does not.

#[cfg(all(target_arch = "aarch64", any(feature = "crashdump", feature = "gdb")))]
compile_error!("the features `crashdump` and `gdb` are not supported on arm64: hyperlight-host 0.18 has neither there");

#[cfg(feature = "mshv3")]
compile_error!(
    "the feature `mshv3` is not supported: hyperlight-host 0.18 built for MSHV empties scratch memory at a restore in a way that \
     KVM does not notice where it shadows page tables (kvm_amd npt=0, kvm_intel ept=0, kvm_pvm), so that guests compute wrong \
     without an error; and nothing here has been tested on MSHV. Leave the feature out: KVM is always built in on Linux"
);

#[doc(hidden)]
pub mod bench;
pub mod sandbox;

#[cfg(feature = "node")]
mod node;

/// Its examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/observability.md")]
pub mod observability {}

pub use guest_abi::function::ConsoleLevel;
pub use hyperlight_host::{HyperlightError, SandboxStatus, new_error};
pub use sandbox::builder::SandboxBuilder;
pub use sandbox::bytes::Bytes;
#[cfg(feature = "test-guest")]
#[doc(hidden)]
pub use sandbox::clock::set_back as set_clock_back;
pub use sandbox::embedded_modules::EmbeddedModules;
pub use sandbox::error::{Error, ErrorDetails, MonitorFailure, PoolFailure, Result, ThrownError};
pub use sandbox::handler_call::HandlerCall;
pub use sandbox::host_function::{HostCall, HostFunctionError};
pub use sandbox::host_function_module::HostFunctionModule;
pub use sandbox::hypervisor::is_hypervisor_present;
pub use sandbox::image::GuestImage;
pub use sandbox::intake::UnhandledRejections;
pub use sandbox::interrupt::InterruptHandle;
pub use sandbox::invalid_argument::InvalidArgument;
pub use sandbox::js::JSSandbox;
pub use sandbox::loaded::LoadedJSSandbox;
pub use sandbox::metrics;
pub use sandbox::module_folder::ModuleFolder;
pub use sandbox::monitor::{self, CpuTimeMonitor, ExecutionMonitor, MonitorSet, WallClockMonitor};
pub use sandbox::no_hypervisor::NoHypervisor;
pub use sandbox::pool::SandboxPool;
pub use sandbox::program::Program;
pub use sandbox::proto::ProtoJSSandbox;
pub use sandbox::requirements::{RequiredFunction, Requirements};
pub use sandbox::script::{Language, Script};
pub use sandbox::snapshot::Snapshot;
pub use sandbox::snapshot_mismatch::SnapshotMismatch;
pub use sandbox::snapshot_problem::SnapshotProblem;
pub use sandbox::stats::{ExecutionStats, HeapUse};
pub use sandbox::typed_function::{AsyncHostFunction, HostFunction};
