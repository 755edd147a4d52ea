//! The Rust API. It knows `hyperlight-host` and the guest; it knows no Node.js.
//!
//! A value moves through these types, each consuming the one before:
//! [`SandboxBuilder`](builder::SandboxBuilder) → [`ProtoJSSandbox`](proto::ProtoJSSandbox) →
//! [`JSSandbox`](js::JSSandbox) → [`LoadedJSSandbox`](loaded::LoadedJSSandbox).
//!
//! Files import one another in one direction. The exception is [`js`] and [`loaded`]: a sandbox goes from the one to the other
//! and back.
//!
//! What the rest relies on:
//! - Every call into a guest goes through `vm`, which alone turns the guest's replies into values and errors. Each reply
//!   passes `reply` first; one that breaks the protocol poisons the sandbox.
//! - A guest boots once per process and configuration (`image`); every sandbox starts from that snapshot, so nothing
//!   that must differ between sandboxes may be decided during the boot.

pub mod builder;
pub mod bytes;
pub(crate) mod call;
mod call_context;
pub(crate) mod call_control;
pub(crate) mod call_settings;
pub(crate) mod clock;
mod configuration;
mod dispatcher;
pub mod embedded_modules;
mod entry;
mod environment;
pub mod error;
mod fault;
pub mod handler_call;
pub mod host_function;
pub mod host_function_module;
pub(crate) mod host_functions;
mod host_reply;
pub(crate) mod hypervisor;
pub mod image;
pub mod intake;
pub mod interrupt;
pub mod invalid_argument;
pub mod js;
mod large_pages;
pub mod loaded;
mod machine;
mod memory_pressure;
pub mod metrics;
pub mod module_folder;
pub mod monitor;
pub(crate) mod name;
pub mod no_hypervisor;
pub mod pool;
pub mod program;
pub mod proto;
mod reply;
pub mod requirements;
mod runtime_image;
pub mod script;
mod shadow_paging;
mod signatures;
pub mod snapshot;
mod snapshot_folder;
pub mod snapshot_mismatch;
mod snapshot_origin;
pub mod snapshot_problem;
mod staged;
pub mod stats;
mod stock;
mod stopper;
mod suspended;
pub(crate) mod sync;
pub(crate) mod tally;
mod thread_clock;
pub(crate) mod thread_count;
pub(crate) mod trace;
pub mod typed_function;
mod values;
mod vm;
pub(crate) mod workers;
mod working_sets;
