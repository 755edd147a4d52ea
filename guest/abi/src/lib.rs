//! What the host, the guest kernel and the guest runtime agree on.
//!
//! Three programs are built apart and meet inside one micro-VM: the host library, the kernel (CPL 0) and the runtime
//! (CPL 3). Whatever one of them says to another is defined here and nowhere else:
//!
//! - [`memory`]: guest addresses: where the image, the heap and the stack live, and what hyperlight-host publishes at the top of
//!   scratch memory;
//! - [`boot`]: what the host hands to the kernel, and the kernel to the runtime, when a sandbox starts;
//! - [`gate`]: the operations that the kernel serves to the runtime;
//! - [`counters`]: what the kernel counts;
//! - [`abort`]: the codes with which a guest ends a call that cannot go on;
//! - [`function`]: the names and signatures of guest functions;
//! - [`message`]: what travels in their arguments and results (feature `messages`);
//! - [`exception`]: the errors among that (feature `messages`);
//! - [`call_options`]: how a call is to be made, and what it may use (feature `messages`);
//! - [`heap_report`]: how much memory JavaScript uses, which comes with each reply (feature `messages`);
//! - [`host_request`]: what a guest asks its host for in the midst of a call (feature `messages`);
//! - [`own_modules`]: modules of host functions that mean something else than those of users;
//! - [`suspension`]: what a call that waits for the host waits for, and what has come of it (feature `messages`);
//! - [`program`]: a program that is run once, and what it may use (feature `messages`);
//! - [`source`]: which language a source is in;
//! - [`payload`]: the values among that: events, results, arguments of host functions (feature `messages`).
//!
//! A change to any of it is a change of [`VERSION`].
#![no_std]

#[cfg(any(feature = "messages", test))]
extern crate alloc;

pub mod abort;
pub mod boot;
#[cfg(any(feature = "messages", test))]
pub mod call_options;
pub mod counters;
#[cfg(any(feature = "messages", test))]
pub mod exception;
pub mod function;
pub mod gate;
#[cfg(any(feature = "messages", test))]
pub mod heap_report;
#[cfg(any(feature = "messages", test))]
pub mod host_request;
pub mod memory;
#[cfg(any(feature = "messages", test))]
pub mod message;
pub mod own_modules;
#[cfg(any(feature = "messages", test))]
pub mod payload;
#[cfg(any(feature = "messages", test))]
pub mod program;
pub mod source;
#[cfg(any(feature = "messages", test))]
pub mod suspension;

/// Version of everything in this crate. The host, the kernel and the runtime must agree on it: the kernel refuses to boot for a host
/// of another, and so does the runtime for a kernel. It is raised with each change of what one of them says to another.
pub const VERSION: u32 = 25;

/// What to do if they do not.
pub const VERSION_ADVICE: &str = "the library and the two guest images must be built from the same sources";
