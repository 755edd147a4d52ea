//! Work that may wait without a thread: futures that are polled on the threads for work that blocks.
//!
//! A future is polled for the first time when there is a thread for it, and again each time that what it waits for has woken it. In
//! between it is on no thread. It is polled by one thread at a time, and not again once it has ended.

use std::future::Future;

use super::worker_threads;

/// Has a future polled to its end, as [`blocking`](worker_threads::blocking) has work done. The future may block while it is polled. Where
/// no thread could ever be had it is dropped, wherever it has got to.
pub fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    let schedule = |runnable: async_task::Runnable| {
        worker_threads::blocking(move || {
            runnable.run();
        });
    };
    let (runnable, task) = async_task::spawn(future, schedule);
    task.detach();
    runnable.schedule();
}
