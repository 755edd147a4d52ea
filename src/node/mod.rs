//! The Node.js addon: napi classes over [`crate::sandbox`]. It knows no `hyperlight-host`.
//!
//! Who does what on which thread:
//! - The JavaScript thread checks arguments, turns events into JSON text and results back into values ([`json`]), and
//!   builds errors ([`error`]). It never waits.
//! - Threads of tokio's blocking pool (`spawn_blocking`) do all work on a hypervisor. [`promise`] carries their results
//!   back.
//! - A sandbox is used by one thread at a time: a [`slot`] holds one that the next method takes away, a [`queue`] one
//!   whose calls run in the order in which they were made.
//!
//! What the rest relies on: nothing here unwinds into Node.js. Every entry and every job runs inside
//! [`promise::guard`], which makes a panic an error with the code `ERR_INTERNAL`.

mod arguments;
mod builder;
mod error;
mod exception;
mod js;
mod json;
mod loaded;
mod promise;
mod proto;
mod queue;
mod slot;
