//! The runtime that all monitors of users' own share.

use std::ops::RangeInclusive;
use std::panic::catch_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::sandbox::thread_count;

const VARIABLE: &str = "HYPERLIGHT_MONITOR_THREADS";
const DEFAULT_THREADS: usize = 2;
const RANGE: RangeInclusive<usize> = 1..=1024;

/// The runtime; `None` if its threads cannot be had. It is made when it is first asked for, and asked for again if it could not
/// be.
pub fn runtime() -> Option<Handle> {
    static RUNTIME: Mutex<Option<Runtime>> = Mutex::new(None);

    let mut runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if runtime.is_none() {
        // Where it cannot have the first thread, tokio panics, and what it has made by then is never freed. So whether there
        // is one is tried before.
        if let Err(error) = thread::Builder::new().spawn(|| ()) {
            tracing::error!("the threads for execution monitors cannot be had: {error}");
            return None;
        }
        let made = catch_unwind(|| {
            let threads = thread_count::from_environment(VARIABLE, RANGE, DEFAULT_THREADS);
            Builder::new_multi_thread().worker_threads(threads).thread_name("hyperlight-monitor").enable_time().build()
        });
        match made {
            Ok(Ok(made)) => *runtime = Some(made),
            Ok(Err(error)) => tracing::error!("the threads for execution monitors cannot be had: {error}"),
            Err(_) => tracing::error!("the threads for execution monitors cannot be had"),
        }
    }
    runtime.as_ref().map(|runtime| runtime.handle().clone())
}

/// Waits, on the runtime that monitors run on.
pub async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}
