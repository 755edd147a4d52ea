//! Calls of host functions that a guest waits for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use guest_abi::payload::Payload;

use super::sandbox_context::{Cause, SandboxContext};
use crate::sandbox::host_function::FunctionResult;

/// What guest code calls a host function by.
pub struct FunctionName {
    pub module: String,
    pub name: String,
}

/// One call of a host function.
pub struct PendingHostCall {
    pub(super) sandbox: Arc<SandboxContext>,
    /// Why the guest's call was made.
    pub cause: Cause,
    pub function: Arc<FunctionName>,
    reply: Mutex<Option<oneshot::Sender<FunctionResult<Payload>>>>,
}

impl PendingHostCall {
    /// A call of a sandbox's host function, and where its reply will come.
    pub fn new(
        sandbox: &Arc<SandboxContext>,
        function: Arc<FunctionName>,
    ) -> (Arc<Self>, oneshot::Receiver<FunctionResult<Payload>>) {
        let (sender, receiver) = oneshot::channel();
        let mut state = sandbox.lock();
        let reply = Mutex::new(Some(sender));
        let call = Arc::new(Self { sandbox: sandbox.clone(), cause: state.cause.clone(), function, reply });
        state.waits_for.push(call.clone());
        (call, receiver)
    }

    /// Whether the guest still waits.
    pub fn is_waiting(&self) -> bool {
        self.lock().is_some()
    }

    /// Gives the guest the reply. One that comes too late, or a second one, is dropped.
    pub fn settle(&self, reply: FunctionResult<Payload>) {
        let sender = self.lock().take();
        if let Some(sender) = sender {
            // Nobody receives it if the thread that waits has gone.
            let _ = sender.send(reply);
        }
    }

    /// Lets the guest wait no longer: there will be no reply.
    pub fn give_up(&self) {
        let sender = self.lock().take();
        drop(sender);
        let mut state = self.sandbox.lock();
        let waited = state.waits_for.iter().position(|call| std::ptr::eq(&raw const **call, self));
        let waited = waited.map(|place| state.waits_for.swap_remove(place));
        drop(state);
        drop(waited);
    }

    /// This call, or the first of those during which it was made for which somebody still waits. The others are forgotten, so that chains of calls do not grow for ever.
    pub(super) fn first_waiting(self: Arc<Self>) -> Option<Arc<Self>> {
        let mut call = self;
        while !call.is_waiting() {
            call = call.cause.host_call.clone()?;
        }
        Some(call)
    }

    fn lock(&self) -> MutexGuard<'_, Option<oneshot::Sender<FunctionResult<Payload>>>> {
        // As above.
        self.reply.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
