//! Calls of host functions that a guest waits for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use guest_abi::payload::Payload;

use super::sandbox_context::{Cause, SandboxContext};
use crate::sandbox::host_function::FunctionResult;
use crate::{ErrorDetails, HostFunctionError, ThrownError};

/// Most bytes that the replies may take which a sandbox has not taken: more may come at once than a guest can take in.
pub const REPLIES_SIZE_MAX: usize = 64 << 20;

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
    /// Bytes of the reply that has been given and not taken.
    size: AtomicUsize,
}

/// Waits for the reply to a call, on the guest's side.
pub struct Waiting(Arc<PendingHostCall>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.give_up();
        // Nobody gives a reply from now on.
        let size = self.0.size.swap(0, Ordering::Relaxed);
        self.0.sandbox.lock().replies_size -= size;
    }
}

impl PendingHostCall {
    /// A call of a sandbox's host function, and where its reply will come.
    pub fn new(
        sandbox: &Arc<SandboxContext>,
        function: Arc<FunctionName>,
    ) -> (Arc<Self>, oneshot::Receiver<FunctionResult<Payload>>) {
        let (sender, receiver) = oneshot::channel();
        let cause = sandbox.lock().cause.clone();
        let reply = Mutex::new(Some(sender));
        let call = Arc::new(Self { sandbox: sandbox.clone(), cause, function, reply, size: AtomicUsize::new(0) });
        (call, receiver)
    }

    /// The guest waits for the reply until this is dropped.
    pub fn wait(self: &Arc<Self>) -> Waiting {
        Waiting(self.clone())
    }

    /// Whether the guest still waits.
    pub fn is_waiting(&self) -> bool {
        self.lock().is_some()
    }

    /// Gives the guest the reply. One that comes too late, or a second one, is dropped.
    pub fn settle(&self, reply: FunctionResult<Payload>) {
        let mut place = self.lock();
        let Some(sender) = place.take() else { return };
        let reply = self.count(reply);
        drop(place);
        // Nobody receives it if the thread that waits has gone.
        let _ = sender.send(reply);
    }

    /// Counts the reply as one that has not been taken. Another takes its place if there are too many of those.
    fn count(&self, reply: FunctionResult<Payload>) -> FunctionResult<Payload> {
        let size = size_of(&reply);
        let mut state = self.sandbox.lock();
        // A single one is as large as it is.
        if state.replies_size > 0 && state.replies_size + size > REPLIES_SIZE_MAX {
            drop(state);
            let message = "the results that the guest has not taken yet are too large together".to_string();
            return Err(HostFunctionError { name: "RangeError".to_string(), message, ..HostFunctionError::default() });
        }
        state.replies_size += size;
        self.size.store(size, Ordering::Relaxed);
        reply
    }

    /// Lets the guest wait no longer: there will be no reply.
    pub fn give_up(&self) {
        let sender = self.lock().take();
        drop(sender);
    }

    /// This call, or the first of those during which it was made for which somebody still waits. The others are forgotten, so that
    /// chains of calls do not grow for ever.
    pub(super) fn first_waiting(self: Arc<Self>) -> Option<Arc<Self>> {
        let mut call = self;
        while !call.is_waiting() {
            call = call.cause.host_call.clone()?;
        }
        Some(call)
    }

    fn lock(&self) -> MutexGuard<'_, Option<oneshot::Sender<FunctionResult<Payload>>>> {
        // No code runs under the lock that could leave the place half changed.
        self.reply.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size_of(reply: &FunctionResult<Payload>) -> usize {
    match reply {
        Ok(value) => value.as_ref().map_or(0, Payload::size),
        Err(HostFunctionError { name, message, details }) => name.len() + message.len() + size_of_details(details),
    }
}

fn size_of_details(ErrorDetails { properties, cause, errors }: &ErrorDetails) -> usize {
    let nested = cause.as_deref().into_iter().chain(errors);
    let size = |error: &ThrownError| error.name.len() + error.message.len() + size_of_details(&error.details);
    properties.len() + nested.map(size).sum::<usize>()
}
