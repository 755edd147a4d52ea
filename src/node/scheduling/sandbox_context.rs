//! What stays the same of a sandbox while it goes from class to class.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use guest_abi::payload::Payload;

use super::call_record::CallRecord;
use super::host_call::{Caller, Cause, PendingHostCall, Replies};
use super::jobs::Source;
use super::pool_id::PoolId;
use super::reentrancy;
use crate::node::error::Result;
use crate::sandbox::host_function::FunctionResult;

/// What stays the same of a sandbox while it goes from class to class.
pub struct SandboxContext {
    /// Whose the jobs are that it causes on the JavaScript thread. No other sandbox has the same.
    source: Source,
    /// The pool that it belongs to, if any.
    pool: OnceLock<PoolId>,
    /// What is noted of the call that runs.
    record: Mutex<Option<Arc<CallRecord>>>,
    has_host_functions: AtomicBool,
    /// Why the running call was made.
    cause: Mutex<Cause>,
    /// The replies to its host calls.
    replies: Arc<Replies>,
}

impl SandboxContext {
    /// That of a new sandbox.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            source: Source::next(),
            pool: OnceLock::new(),
            record: Mutex::default(),
            has_host_functions: AtomicBool::new(false),
            cause: Mutex::default(),
            replies: Arc::default(),
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

    /// A call of a host function by the guest's call that runs, and where its reply will come.
    pub fn host_call(&self) -> (Arc<PendingHostCall>, oneshot::Receiver<FunctionResult<Payload>>) {
        let caller = Caller { source: self.source, pool: self.pool.get().copied() };
        PendingHostCall::new(caller, self.lock_cause().clone(), self.replies.clone())
    }

    /// Refuses to use the sandbox where that would never end: see [`reentrancy`]. Returns what a call has to know of its cause.
    pub fn check(
        &self,
        running: Option<Arc<PendingHostCall>>,
        method: &'static str,
    ) -> Result<Option<Arc<PendingHostCall>>> {
        reentrancy::check(running, method, |caller| caller.source == self.source)
    }

    /// A call runs, until this is dropped.
    pub fn run(self: &Arc<Self>, cause: Cause) -> Running {
        *self.lock_cause() = cause;
        Running(self.clone())
    }

    fn lock_cause(&self) -> MutexGuard<'_, Cause> {
        // No code runs under the lock that could leave it half changed.
        self.cause.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A sandbox has a call that runs.
pub struct Running(Arc<SandboxContext>);

impl Drop for Running {
    fn drop(&mut self) {
        let cause = std::mem::take(&mut *self.0.lock_cause());
        drop(cause);
    }
}
