//! Calls of handlers, as sandboxes and pools make them.

use std::sync::{Arc, Mutex, PoisonError};

use guest_abi::payload::Payload;

use super::limits::limits;
use crate::Program;
use crate::node::bridge::call_end::{CallPromise, Ended};
use crate::node::bridge::call_options::CallHandlerOptions;
use crate::node::bridge::given_functions::GivenFunctions;
use crate::node::error::{Error, Result};
use crate::node::panic::catch_panic_in;
use crate::node::scheduling::call_record::CallRecord;
use crate::node::scheduling::calls::Ticket;
use crate::node::scheduling::host_call::Cause;
use crate::node::scheduling::sandbox_context::SandboxContext;
use crate::node::scheduling::status::{Era, SharedStatus};
use crate::sandbox::call_settings::CallSettings;

/// What a call asks for.
pub struct CallRequest {
    pub work: Work,
    pub options: CallHandlerOptions,
    /// Host functions of this call.
    pub functions: GivenFunctions,
    /// What is noted of the call, if it shall have a receipt.
    pub record: Option<Arc<CallRecord>>,
    pub cause: Cause,
}

/// What is to be done in the sandbox.
pub enum Work {
    /// A handler of this name is called with this event.
    Handler(String, Payload),
    /// A program is run.
    Program(Program),
}

/// What is kept of the call that ended last.
#[derive(Default)]
pub struct LastCall {
    /// What it has cost.
    pub stats: Option<crate::ExecutionStats>,
    /// The memory in use since then, unless the sandbox was restored.
    pub heap: Option<crate::HeapUse>,
}

/// What is kept of the call that ended last, on all threads.
pub type SharedLastCall = Arc<Mutex<LastCall>>;

/// The value of a call; and the status to poison, if the value is malformed, and when that was the call's.
pub type CallValue = (Option<Payload>, Option<(SharedStatus, Era)>);

/// What a call has come to, and what it has cost if it has begun.
pub type CallEnd = (Result<Option<Payload>>, Option<crate::ExecutionStats>);

/// The lines and the host calls of a sandbox are noted until this is dropped.
struct Recording<'a>(&'a SandboxContext);

impl<'a> Recording<'a> {
    fn begin(context: &'a SandboxContext, record: Arc<CallRecord>, snapshot_digest: Option<&str>) -> Self {
        record.begins(context.source(), snapshot_digest);
        context.set_record(Some(record));
        Self(context)
    }
}

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        self.0.set_record(None);
    }
}

/// Calls a handler. What this waits for, it waits for without a thread.
pub async fn call(
    sandbox: &mut crate::LoadedJSSandbox,
    context: &Arc<SandboxContext>,
    ticket: &Ticket,
    request: CallRequest,
) -> CallEnd {
    let CallRequest { work, options, functions, record, cause } = request;
    let _running = context.run(cause);
    // Its promise has been rejected already, and nothing happens to the sandbox.
    let Some(running) = ticket.begin(sandbox.interrupt_handle(), || sandbox.begin()) else {
        return (Err(crate::Error::Cancelled.into()), None);
    };
    sandbox.forget_call_stats();
    let _recording = record.map(|record| Recording::begin(context, record, sandbox.snapshot_digest()));
    let result = catch_panic_in(async {
        let watching = limits(options.limits)?.map(|limits| sandbox.watch(&running, &limits)).transpose()?;
        let options = CallSettings {
            gc: options.gc.unwrap_or(true),
            bytes: true,
            rejections: options.limits.unhandled_rejections,
            memory_limit: options.memory_limit,
            host_calls: options.limits.host_calls,
        };
        Ok(match work {
            Work::Handler(name, event) => {
                let mut call = crate::HandlerCall::with_payload(name, event);
                functions.register(call.functions(), context)?;
                sandbox.call_handler(running, watching, call, options).await?
            }
            Work::Program(mut program) => {
                functions.register(program.functions(), context)?;
                sandbox.run_program(running, watching, program, options).await?
            }
        })
    });
    let result = result.await;
    (result, sandbox.last_call_stats().cloned())
}

/// A call of a sandbox that waits for its turn.
pub struct QueuedCall {
    pub request: CallRequest,
    pub ticket: Ticket,
    pub call_promise: CallPromise<CallValue>,
    pub context: Arc<SandboxContext>,
    /// What JavaScript sees; it may be poisoned though the sandbox itself sees no reason for it.
    pub status: SharedStatus,
    pub last_call: SharedLastCall,
}

impl QueuedCall {
    /// It is its turn.
    pub async fn make(self, sandbox: &mut crate::LoadedJSSandbox) {
        let Self { request, ticket, call_promise, context, status, last_call } = self;
        let limits = request.options.limits;
        let (result, stats) = match status.check() {
            Ok(()) => {
                let ended = call(sandbox, &context, &ticket, request).await;
                if sandbox.poisoned() || matches!(ended.0, Err(Error::Internal(_))) {
                    status.poison();
                }
                ended
            }
            Err(error) => (Err(error), None),
        };
        // Before anybody hears of the end: a kill() that follows means the next call.
        drop(ticket);
        status.note(&result);
        // A call that was refused has no statistics of its own.
        if let Some(stats) = &stats {
            *last_call.lock().unwrap_or_else(PoisonError::into_inner) =
                LastCall { stats: Some(stats.clone()), heap: stats.heap };
        }
        let result = result.map(|value| {
            let era = status.era();
            (value, Some((status, era)))
        });
        call_promise.settle_after(context.source(), Ok(Ended { result, stats, limits }));
    }

    /// Its turn will never come.
    pub fn refuse(self, error: Error) {
        let Self { request, ticket, call_promise, context, .. } = self;
        drop(ticket);
        let ended = Ended { result: Err(error), stats: None, limits: request.options.limits };
        call_promise.settle_after(context.source(), Ok(ended));
    }
}
