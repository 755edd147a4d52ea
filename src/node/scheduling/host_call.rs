//! Calls of host functions that a guest waits for.

use std::any::Any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use guest_abi::payload::Payload;

use super::jobs::Source;
use super::pool_id::PoolId;
use crate::sandbox::host_function::FunctionResult;
use crate::{ErrorDetails, HostFunctionError, ThrownError};

/// Most bytes that the replies may take which a sandbox has not taken: more may come at once than a guest can take in.
pub const REPLIES_SIZE_MAX: usize = 64 << 20;

/// What guest code calls a host function by.
#[derive(PartialEq, Eq)]
pub struct FunctionName {
    pub module: String,
    pub name: String,
}

/// Why a guest's call was made.
#[derive(Clone, Default)]
pub struct Cause {
    /// During which host function it was made, or of none.
    pub host_call: Option<Arc<PendingHostCall>>,
    /// Where it was made: an `Origin` of the bridge, without meaning here. Calls that have no host functions have none.
    pub origin: Option<Arc<dyn Any + Send + Sync>>,
}

/// The sandbox whose guest calls a host function.
pub struct Caller {
    /// That of its jobs, which is no other sandbox's.
    pub source: Source,
    /// The pool that it belongs to, if any. It does not change while the guest waits: a sandbox joins a pool between calls.
    pub pool: Option<PoolId>,
}

/// The replies that have been given to one sandbox and not been taken.
#[derive(Default)]
pub struct Replies {
    size: Mutex<usize>,
}

/// One call of a host function.
pub struct PendingHostCall {
    pub(super) caller: Caller,
    /// Why the guest's call was made.
    pub cause: Cause,
    reply: Mutex<Option<oneshot::Sender<FunctionResult<Payload>>>>,
    replies: Arc<Replies>,
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
        *self.0.replies.lock() -= size;
    }
}

impl PendingHostCall {
    /// A call of a sandbox's host function, and where its reply will come.
    pub fn new(
        caller: Caller,
        cause: Cause,
        replies: Arc<Replies>,
    ) -> (Arc<Self>, oneshot::Receiver<FunctionResult<Payload>>) {
        let (sender, receiver) = oneshot::channel();
        let reply = Mutex::new(Some(sender));
        let call = Arc::new(Self { caller, cause, reply, replies, size: AtomicUsize::new(0) });
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
        if let Some(send) = self.settle_later(reply) {
            send();
        }
    }

    /// As [`settle`](Self::settle), but the guest hears of it when what this returns is called.
    pub fn settle_later(&self, reply: FunctionResult<Payload>) -> Option<impl FnOnce() + Send + 'static> {
        let mut place = self.lock();
        let sender = place.take()?;
        let reply = self.count(reply);
        drop(place);
        // Nobody receives it if the thread that waits has gone.
        Some(move || drop(sender.send(reply)))
    }

    /// The sandbox whose guest has made the call, as the source of jobs.
    pub fn source(&self) -> Source {
        self.caller.source
    }

    /// Counts the reply as one that has not been taken. Another takes its place if there are too many of those.
    fn count(&self, reply: FunctionResult<Payload>) -> FunctionResult<Payload> {
        let size = size_of(&reply);
        let mut total = self.replies.lock();
        // A single one is as large as it is.
        if *total > 0 && *total + size > REPLIES_SIZE_MAX {
            drop(total);
            let message = "the results that the guest has not taken yet are too large together".to_string();
            return Err(HostFunctionError { name: "RangeError".to_string(), message, ..HostFunctionError::default() });
        }
        *total += size;
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

impl Replies {
    fn lock(&self) -> MutexGuard<'_, usize> {
        // No code runs under the lock that could leave the number half changed.
        self.size.lock().unwrap_or_else(PoisonError::into_inner)
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
