//! The Node.js addon: napi classes over [`crate::sandbox`]. It knows no `hyperlight-host`.
//!
//! Who does what on which thread:
//! - The JavaScript thread checks arguments, turns events into JSON text and results back into values ([`json`]), builds
//!   errors ([`error`]) and runs host functions. It never waits.
//! - Threads for work that blocks do all work on a hypervisor. [`promise`] brings it to them and carries their results back.
//! - A sandbox is used by one thread at a time: a [`slot`] holds one that the next method takes away, a [`queue`] one
//!   whose calls run in the order in which they were made.
//! - What runs in a guest can be stopped from when it is asked for: [`calls`].
//! - When guest code calls a host function, the thread that runs the guest posts a job to the JavaScript thread's
//!   [`inbox`] and waits until that has settled the [`host_call`]. [`callback`] is the bridge, step by step.
//! - Lines of a guest's [`console`] wait for the JavaScript thread in a list; the guest does not. Those that go to the
//!   process's [`output`] wait for a thread that does nothing else than write them.
//!
//! What the rest relies on:
//! - All that guests cause on the JavaScript thread, lines, host calls and results, comes through its [`inbox`]. That gives
//!   the thread's event loop its turns, and the sandboxes theirs ([`jobs`]), and keeps what one of them causes in order: the
//!   promise of a call is settled after the call's lines have been delivered.
//! - Nothing here unwinds into Node.js. Every entry and every job runs inside [`promise::guard`], which makes a panic an
//!   error with the code `ERR_INTERNAL`.
//! - A thread waits for the JavaScript thread in one place, `callback`, and that wait ends with the call (`kill`) and
//!   with the [`environment`], whichever comes first.

mod arguments;
mod builder;
mod callback;
mod calls;
mod console;
mod disposal;
mod ended;
mod environment;
mod error;
mod exception;
mod function;
mod guest_error;
mod hash_flaw;
mod host_call;
mod host_error;
mod host_module;
mod inbox;
mod interrupt;
mod jobs;
mod js;
mod json;
mod limits;
mod lines;
mod loaded;
mod log;
mod output;
mod pool;
mod promise;
mod proto;
mod queue;
mod signal;
mod slot;
mod snapshot;
mod status;
mod thenable;
