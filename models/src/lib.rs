//! Models of the protocols between threads. The files of the library that have them are compiled here against stand-ins of what
//! they use; their locks are those of loom, which tries every order of the threads' steps, up to a number of preemptions.
//!
//! ```sh
//! cargo test --package hyperlight-js-models
//! ```
//!
//! What is tried is the very code of the library, but for [`Arc`](std::sync::Arc), which is the standard library's.

#![allow(dead_code, reason = "the models use a part of each file")]

pub mod node;
pub mod sandbox;

pub use sandbox::interrupt::InterruptHandle;

/// Tries every order of steps in which threads are preempted at most so many times.
pub fn explore(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut explorer = loom::model::Builder::new();
    explorer.preemption_bound = Some(preemptions);
    explorer.check(model);
}
