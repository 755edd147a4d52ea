//! Who may wait for what: sandboxes, and the host functions that their calls wait for.
//!
//! A guest's call cannot end while its host function runs. A host function that waits for another operation on the same
//! sandbox would wait for ever, since that waits for the guest's call; and so it would by way of a second sandbox. The rule
//! that keeps this from happening: **what is done during a host function may not use a sandbox whose call waits
//! for that function**, directly or through other sandboxes' calls.
//!
//! "During" is what Node.js calls the asynchronous context: all that the callback does, and whatever follows from
//! it, until the result is settled. An `AsyncLocalStorage` of our own carries the [`PendingHostCall`] along. So a call that
//! somebody else makes meanwhile is not affected: it waits its turn.

use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::call_record::CallRecord;
use super::host_call::PendingHostCall;
use super::jobs::Source;
use crate::node::error::{Error, Result};

/// What stays the same of a sandbox while it goes from class to class.
pub struct SandboxContext {
    /// Whose the jobs are that it causes on the JavaScript thread.
    source: Source,
    /// The pool that it belongs to, if any.
    pool: OnceLock<PoolId>,
    /// What is noted of the call that runs.
    record: Mutex<Option<Arc<CallRecord>>>,
    has_host_functions: AtomicBool,
    state: Mutex<State>,
}

/// Why a guest's call was made.
#[derive(Clone, Default)]
pub struct Cause {
    /// During which host function it was made, or of none.
    pub host_call: Option<Arc<PendingHostCall>>,
    /// Where it was made: an `Origin` of the bridge, without meaning here. Calls that have no host functions have none.
    pub origin: Option<Arc<dyn Any + Send + Sync>>,
}

/// Identifies a pool of sandboxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolId(u64);

impl PoolId {
    /// One that no other pool of this process has.
    pub fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }

    /// Refuses to use the pool during a host function that one of its sandboxes waits for: it may be the last one.
    /// Gives what a call has to know of its cause.
    pub fn check(
        self,
        caller: Option<Arc<PendingHostCall>>,
        method: &'static str,
    ) -> Result<Option<Arc<PendingHostCall>>> {
        let cause = caller.and_then(PendingHostCall::first_waiting);
        let mut next = cause.as_ref();
        while let Some(call) = next {
            if call.sandbox.pool.get() == Some(&self) && call.is_waiting() {
                return Err(Error::Reentrant { method });
            }
            next = call.cause.host_call.as_ref();
        }
        Ok(cause)
    }
}

#[derive(Default)]
pub(super) struct State {
    /// Why the running call was made.
    pub(super) cause: Cause,
    /// Bytes of the replies that have been given to it and not been taken.
    pub(super) replies_size: usize,
}

impl SandboxContext {
    /// A sandbox whose jobs have this source.
    pub fn new(source: Source) -> Arc<Self> {
        Arc::new(Self {
            source,
            pool: OnceLock::new(),
            record: Mutex::default(),
            has_host_functions: AtomicBool::new(false),
            state: Mutex::default(),
        })
    }

    /// Whose the jobs are that the sandbox causes on the JavaScript thread.
    pub fn source(&self) -> Source {
        self.source
    }

    /// What is noted of the call that runs, if it shall have a receipt.
    pub fn record(&self) -> Option<Arc<CallRecord>> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A call that shall have a receipt begins, or has ended.
    pub fn set_record(&self, record: Option<Arc<CallRecord>>) {
        let old = std::mem::replace(&mut *self.record.lock().unwrap_or_else(PoisonError::into_inner), record);
        drop(old);
    }

    /// Whether a call of the sandbox may call a host function that was registered in it.
    pub fn has_host_functions(&self) -> bool {
        self.has_host_functions.load(Ordering::Relaxed)
    }

    /// A host function is registered in the sandbox.
    pub fn add_host_function(&self) {
        self.has_host_functions.store(true, Ordering::Relaxed);
    }

    /// The sandbox belongs to a pool from now on.
    pub fn join(&self, pool: PoolId) {
        // It can join only once, since it is consumed.
        let _ = self.pool.set(pool);
    }

    /// Refuses to use the sandbox where that would never end. Gives what a call has to know of its cause.
    pub fn check(
        &self,
        caller: Option<Arc<PendingHostCall>>,
        method: &'static str,
    ) -> Result<Option<Arc<PendingHostCall>>> {
        let cause = caller.and_then(PendingHostCall::first_waiting);
        let mut next = cause.as_ref();
        while let Some(call) = next {
            if std::ptr::eq(&raw const *call.sandbox, self) && call.is_waiting() {
                return Err(Error::Reentrant { method });
            }
            next = call.cause.host_call.as_ref();
        }
        Ok(cause)
    }

    /// A call runs, until this is dropped.
    pub fn run(self: &Arc<Self>, cause: Cause) -> Running {
        self.lock().cause = cause;
        Running(self.clone())
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // No code runs under the lock that could leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A sandbox has a call that runs.
pub struct Running(Arc<SandboxContext>);

impl Drop for Running {
    fn drop(&mut self) {
        let cause = std::mem::take(&mut self.0.lock().cause);
        drop(cause);
    }
}
