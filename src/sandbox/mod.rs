//! The Rust API. It knows `hyperlight-host` and the guest; it knows no Node.js.
//!
//! A value moves through these types, each consuming the one before:
//! [`SandboxBuilder`](builder::SandboxBuilder) → [`ProtoJSSandbox`](proto::ProtoJSSandbox) →
//! [`JSSandbox`](js::JSSandbox) → [`LoadedJSSandbox`](loaded::LoadedJSSandbox).
//!
//! What the rest relies on:
//! - Every call into a guest goes through `vm`, which alone turns the guest's answers into values and errors. An answer
//!   that breaks the protocol poisons the sandbox.
//! - A guest boots once per process and configuration (`image`); every sandbox starts from that snapshot, so nothing
//!   that must differ between sandboxes may be decided during the boot.

pub mod builder;
pub(crate) mod call;
pub(crate) mod clock;
pub mod embedded_modules;
mod entry;
pub mod error;
mod fault;
pub mod host_function;
pub mod host_function_module;
pub mod host_module;
pub(crate) mod hypervisor;
pub mod image;
pub mod interrupt;
pub mod js;
pub mod loaded;
pub mod metrics;
pub mod monitor;
pub(crate) mod name;
pub mod pool;
pub mod program;
pub mod proto;
mod reply;
pub mod script;
mod shadow_paging;
pub mod snapshot;
mod snapshot_folder;
mod staged;
pub mod stats;
mod stopper;
mod suspended;
pub(crate) mod sync;
mod tally;
pub mod threads;
pub(crate) mod trace;
mod values;
mod vm;
