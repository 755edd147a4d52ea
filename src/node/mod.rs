//! The Node.js addon: napi classes over [`crate::sandbox`]. It knows no `hyperlight-host`.
//!
//! | room | what |
//! | --- | --- |
//! | [`classes`] | What JavaScript sees: one class a file. |
//! | [`console`] | Lines that guest code writes, on their way to JavaScript or to the process's output. |
//! | [`bridge`] | V8: values, exceptions, promises, callbacks, and the way to the JavaScript thread. |
//! | [`scheduling`] | Which thread does what, and when; it does not know V8. |
//!
//! Each uses those below it and none above. `metrics` is beside them: what the library counts goes there by itself.
//!
//! Who does what on which thread:
//! - The JavaScript thread checks arguments, turns events into JSON text and results back into values
//!   ([`json`](bridge::json)), builds errors ([`error`]) and runs host functions. It never waits.
//! - [Worker threads](scheduling::worker_threads) do all work on a hypervisor. [`promise`](bridge::promise) brings it to them
//!   and carries their results back.
//! - A call whose guest waits for the host has no thread: [`tasks`](scheduling::tasks) brings it to one when it can go on.
//! - A sandbox is used by one thread at a time: a [`Consumable`](scheduling::consumable) holds one that the next method takes away, a
//!   [`queue`](scheduling::queue) one whose calls run in the order in which they were made.
//! - What runs in a guest can be stopped from when it is asked for: [`calls`](scheduling::calls).
//! - When guest code calls a host function, the thread that runs the guest posts a job to the JavaScript thread's
//!   [`inbox`](bridge::inbox) and waits until that has settled the [`host_call`](scheduling::host_call).
//!   [`host_function`](bridge::host_function) is the bridge, step by step.
//! - Lines of a guest's [`console`] wait for the JavaScript thread in a list; the guest does not. Those that go to the
//!   process's output wait for a thread that does nothing else than write them.
//!
//! What the rest relies on:
//! - All that guests cause on the JavaScript thread, lines, host calls and results, comes through its inbox. That gives
//!   the thread's event loop its turns, and the sandboxes theirs ([`jobs`](scheduling::jobs)), and keeps what one of them
//!   causes in order: the promise of a call is settled after the call's lines have been delivered.
//! - Nothing here unwinds into Node.js. Every entry and every job runs inside [`panic::catch_panic`], which makes a panic an
//!   error with the code `ERR_INTERNAL`.
//! - A thread waits for the JavaScript thread in one place, `host_function`, and that wait ends with the call (`kill`) and
//!   with the [`environment`](bridge::environment), whichever comes first.
//! - All `unsafe` is in `bridge`, but for the system calls of the console's output.

mod bridge;
mod classes;
mod console;
mod error;
mod invalid_value;
mod load;
mod metrics;
mod panic;
mod scheduling;
