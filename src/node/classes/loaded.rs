//! `LoadedJSSandbox` for JavaScript.

use std::sync::{Arc, OnceLock, PoisonError};

use napi::bindgen_prelude::{Either, Null, Object, PromiseRaw};
use napi::{Env, Unknown};
use napi_derive::napi;

use super::call_driver::{Callee, call_handler};
use super::handler_call::{CallRequest, CallValue, QueuedCall, SharedLastCall};
use super::heap_statistics::HeapStatistics;
use super::interrupt::InterruptHandle;
use super::js::JSSandbox;
use super::snapshot::Snapshot;
use crate::node::bridge::arguments;
use crate::node::bridge::async_context::current;
use crate::node::bridge::call_end::CallPromise;
use crate::node::bridge::call_stats::CallStats;
use crate::node::bridge::delivery::with_stats;
use crate::node::bridge::environment;
use crate::node::bridge::promise::{Pending, promise};
use crate::node::bridge::receipt::Noted;
use crate::node::console::callback;
use crate::node::error::{Error, Result};
use crate::node::panic::catch_panic;
use crate::node::scheduling::calls::{Calls, Ticket};
use crate::node::scheduling::consumable::DISPOSE;
use crate::node::scheduling::host_call::PendingHostCall;
use crate::node::scheduling::queue::Queue;
use crate::node::scheduling::sandbox_context::SandboxContext;
use crate::node::scheduling::status::{SharedStatus, Status};

/// A sandbox with its handlers loaded. `JSSandbox.getLoadedSandbox()` returns it.
///
/// State that a handler keeps at module level is kept between calls, until a snapshot is restored.
///
/// Operations on one sandbox (calls, `snapshot()`, `restore()`, `unload()`) run one after the other, in the order in
/// which they were requested. During a host function they reject with `ERR_REENTRANT` if the sandbox's own call waits
/// for that function, directly or through a call of another sandbox.
#[napi(js_name = "LoadedJSSandbox")]
pub struct LoadedJSSandbox {
    queue: Arc<Queue<crate::LoadedJSSandbox>>,
    calls: Arc<Calls>,
    context: Arc<SandboxContext>,
    status: SharedStatus,
    last_call: SharedLastCall,
    heap_size: u64,
}

#[napi]
impl LoadedJSSandbox {
    pub(super) fn new(
        env: &Env,
        sandbox: crate::LoadedJSSandbox,
        calls: Arc<Calls>,
        context: Arc<SandboxContext>,
    ) -> Result<Self> {
        let status = SharedStatus::new(status_of(&sandbox));
        let heap_size = sandbox.heap_size().unwrap_or_default();
        let queue = Queue::new("LoadedJSSandbox", sandbox);

        // When the environment ends, nobody is left to stop a call or to hear of its result.
        let (queue_left, queue_to_end) = (Arc::downgrade(&queue), Arc::downgrade(&queue));
        let calls_at_end = calls.clone();
        environment::of(env)?.on_teardown(
            move || queue_left.strong_count() > 0,
            move || {
                if let Some(queue) = queue_to_end.upgrade() {
                    end(&queue, &calls_at_end, drop);
                }
            },
        );
        Ok(Self { queue, calls, context, status, last_call: Arc::default(), heap_size })
    }

    /// Calls a handler. Resolves to the value that the handler returned.
    ///
    /// Calls on one sandbox run one after the other, in the order in which they were made; calls on different sandboxes
    /// run in parallel. If the handler returns a promise, it is awaited.
    ///
    /// - `name`: the name under which the handler was added.
    /// - `event`: the handler's argument, any value that JSON can represent. A `Uint8Array`, a `Buffer` or an
    ///   `ArrayBuffer` in it arrives as a `Uint8Array`; so it does in the result. Event and result may each have at
    ///   most 1 MiB (JSON text in UTF-8 and binary data), unless the builder sets other limits, and 65,536 pieces of
    ///   binary data.
    /// - `options`: see `CallHandlerOptions`.
    ///
    /// The sandbox stays usable when it rejects with:
    /// - `ERR_INVALID_ARG`: the name is not a string, is empty or is too long, the event cannot be represented in JSON, or the
    ///   options are invalid. The handler was not called.
    /// - `ERR_HANDLER_NOT_FOUND`: there is no handler of this name.
    /// - `ERR_GUEST_ERROR`: the handler threw, or its promise was rejected. The error has the properties `guestName`,
    ///   `guestMessage` and `guestStack`; lines and columns in the stack are those of the sources, or of their originals (source maps). Exceeding
    ///   the heap or the stack is such an error, too.
    /// - `ERR_PAYLOAD_TOO_LARGE`: the event or the result is too large, or the result has too many values. See the
    ///   properties `size`, `limit` and `unit` (`'bytes'` or `'values'`).
    /// - `ERR_REENTRANT`: it was called during a host function that the sandbox's own call waits for.
    /// - `ERR_CONSUMED`: `unload()` or `dispose()` has been called.
    ///
    /// The sandbox is poisoned when it rejects with:
    /// - `ERR_GUEST_ABORT`: the guest ended the call without finishing it, by a fault or by violating the protocol.
    /// - `ERR_CANCELLED`: the call was stopped from outside: by a timeout, its signal, `kill()` or `dispose()`. The
    ///   error's `terminatedBy` names the timeout or is `'signal'`; its `cause` is the signal's reason. If the signal is
    ///   aborted before the call has begun, the call never begins, and the sandbox is not poisoned.
    /// - `ERR_POISONED`: it was already poisoned.
    ///
    /// The error of a call that has begun has the property `stats`: the cost of the call.
    ///
    /// `T` is the type that the program expects. It is not checked.
    ///
    /// @example
    /// ```ts
    /// const limits = { wallClockTimeoutMs: 1000, cpuTimeoutMs: 500 };
    /// const greeting = await sandbox.callHandler<string>('greet', { name: 'World' }, limits);
    /// ```
    #[napi(
        ts_generic_types = "T = any",
        ts_args_type = "name: string, event: any, options?: CallHandlerOptions",
        ts_return_type = "Promise<T>"
    )]
    pub fn call_handler<'env>(
        &self,
        env: &'env Env,
        name: Unknown,
        event: Unknown,
        options: Unknown,
    ) -> napi::Result<PromiseRaw<'env, Unknown<'static>>> {
        call_handler(env, self, "callHandler", (name, event, options), None, |_, delivery| delivery.value)
    }

    /// Like `callHandler()`, but resolves to the value that the handler returned and the cost of the call.
    ///
    /// @example
    /// ```ts
    /// const { value, stats } = await sandbox.callHandlerWithStats('greet', { name: 'World' });
    /// console.log(value, stats.cpuTimeMs);
    /// ```
    #[napi(
        ts_generic_types = "T = any",
        ts_args_type = "name: string, event: any, options?: CallHandlerOptions",
        ts_return_type = "Promise<CallResult<T>>"
    )]
    pub fn call_handler_with_stats<'env>(
        &self,
        env: &'env Env,
        name: Unknown,
        event: Unknown,
        options: Unknown,
    ) -> napi::Result<PromiseRaw<'env, Object<'static>>> {
        call_handler(env, self, "callHandlerWithStats", (name, event, options), None, with_stats)
    }

    /// Like `callHandler()`, but resolves to the value that the handler returned and a receipt: the cost of the call, its host
    /// calls by function, and its lines of the console, which go to a print function as well, but not to the process's output.
    /// The error of a call that has begun has the property `receipt`, too.
    ///
    /// @example
    /// ```ts
    /// const { value, receipt } = await sandbox.callHandlerWithReceipt('greet', { name: 'World' });
    /// console.log(value, receipt.peakHeapBytes, receipt.console);
    /// ```
    #[napi(
        ts_generic_types = "T = any",
        ts_args_type = "name: string, event: any, options?: CallHandlerWithReceiptOptions",
        ts_return_type = "Promise<RunResult<T>>"
    )]
    pub fn call_handler_with_receipt<'env>(
        &self,
        env: &'env Env,
        name: Unknown,
        event: Unknown,
        options: Unknown,
    ) -> napi::Result<PromiseRaw<'env, Object<'static>>> {
        let noted = Noted::default();
        let to_deliver = noted.clone();
        call_handler(env, self, "callHandlerWithReceipt", (name, event, options), Some(noted), move |env, delivery| {
            to_deliver.deliver(env, delivery, callback::name)
        })
    }

    /// Removes the handlers, the modules and all their state. Resolves to a `JSSandbox` to which others can be added.
    /// The host functions stay. Consumes this object, even if it fails; earlier operations are completed first.
    ///
    /// It works for a poisoned sandbox, too.
    ///
    /// Rejects with:
    /// - `ERR_CONSUMED`: `unload()` or `dispose()` has been called.
    /// - `ERR_REENTRANT`: it was called during a host function that the sandbox's own call waits for. In that case the
    ///   object is not consumed.
    /// - `ERR_POISONED`: the sandbox is unrecoverable.
    #[napi]
    pub fn unload<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, JSSandbox>> {
        let (status, calls, context) = (self.status.clone(), self.calls.clone(), self.context.clone());
        promise(
            env,
            || self.begin(env, "unload"),
            |_, pending: Pending<crate::JSSandbox>| {
                // If it is refused, the pending result is dropped; but `begin` has just seen that it is not.
                let pending = pending.after(self.context.source());
                let _ = self.queue.push_last("unload", move |sandbox| {
                    pending.settle_with(|| {
                        let unloaded = sandbox.unload().map_err(Error::from);
                        status.note(&unloaded);
                        unloaded
                    });
                });
            },
            |_, sandbox| Ok(JSSandbox::new(sandbox, calls, context)),
        )
    }

    /// Takes a snapshot of the state: handlers, modules and all their variables. Host functions and their state are
    /// outside the sandbox and not part of it.
    ///
    /// Rejects with:
    /// - `ERR_POISONED`: the sandbox is poisoned.
    /// - `ERR_CONSUMED`: `unload()` or `dispose()` has been called.
    /// - `ERR_REENTRANT`: it was called during a host function that the sandbox's own call waits for.
    #[napi]
    pub fn snapshot<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, Snapshot>> {
        promise(
            env,
            || self.begin(env, "snapshot"),
            |_, pending| {
                self.push(pending, |sandbox, status| {
                    status.check()?;
                    Ok(sandbox.snapshot()?)
                });
            },
            |_, snapshot| Ok(Snapshot::new(snapshot)),
        )
    }

    /// Returns the sandbox to the state of a snapshot. A poisoned sandbox is usable again afterwards.
    ///
    /// The snapshot may come from another sandbox with the same settings and the same host functions. It can be
    /// restored any number of times.
    ///
    /// Rejects with:
    /// - `ERR_INVALID_ARG`: the argument is not a `Snapshot`, or it comes from a sandbox with host functions that this
    ///   one lacks.
    /// - `ERR_CONSUMED`: `unload()` or `dispose()` has been called, or the snapshot was disposed of.
    /// - `ERR_REENTRANT`: it was called during a host function that the sandbox's own call waits for.
    /// - `ERR_POISONED`: the sandbox is unrecoverable.
    ///
    /// @example
    /// ```ts
    /// const snapshot = await sandbox.snapshot();
    /// await sandbox.callHandler('greet', { name: 'World' }).catch(console.error);
    /// await sandbox.restore(snapshot); // whatever the call has done is undone
    /// ```
    #[napi(ts_args_type = "snapshot: Snapshot", ts_return_type = "Promise<void>")]
    pub fn restore<'env>(&self, env: &'env Env, snapshot: Unknown) -> napi::Result<PromiseRaw<'env, ()>> {
        promise(
            env,
            || {
                self.begin(env, "restore")?;
                arguments::instance::<Snapshot>(env, "the snapshot", "a Snapshot", snapshot)?.state()
            },
            |snapshot, pending| {
                let last_call = self.last_call.clone();
                self.push(pending, move |sandbox, status| {
                    let restored = catch_panic(|| Ok(sandbox.restore(snapshot)?));
                    last_call.lock().unwrap_or_else(PoisonError::into_inner).heap = None;
                    if restored.is_ok() {
                        status.restored(status_of(sandbox));
                    } else if sandbox.poisoned() {
                        status.poison();
                    }
                    restored
                });
            },
            |_, ()| -> Result<()> { Ok(()) },
        )
    }

    /// A handle that stops a running call.
    #[napi(getter)]
    pub fn interrupt_handle(&self) -> InterruptHandle {
        InterruptHandle::new(self.calls.clone())
    }

    /// The cost of the most recent call, even if that failed; `null` before the first.
    #[napi(getter)]
    pub fn last_call_stats(&self) -> Either<CallStats, Null> {
        let last = self.last_call.lock().unwrap_or_else(PoisonError::into_inner);
        last.stats.as_ref().map_or(Either::B(Null), |stats| Either::A(stats.into()))
    }

    /// The memory that the guest's JavaScript uses, as the guest said at the end of the most recent call.
    ///
    /// @example
    /// ```ts
    /// const { usedBytes, heapSizeBytes } = sandbox.heapStatistics();
    /// console.log(usedBytes === null ? 'no call yet' : `${usedBytes} of ${heapSizeBytes} bytes`);
    /// ```
    #[napi]
    pub fn heap_statistics(&self) -> HeapStatistics {
        let last = self.last_call.lock().unwrap_or_else(PoisonError::into_inner);
        HeapStatistics::new(self.heap_size, last.heap)
    }

    /// Whether a call was stopped or failed in the middle, so that the state of the guest cannot be trusted. A poisoned
    /// sandbox rejects calls with `ERR_POISONED` until `restore()` or `unload()`.
    #[napi(getter)]
    pub fn poisoned(&self) -> bool {
        self.status.get() != Status::Ready
    }

    /// The state of the sandbox: `'ready'`; `'poisoned'` (see `poisoned`); `'unrecoverable'` if an operation has found
    /// that it cannot be used any more, in which case `poisoned` is `true`, too; or `'disposed'` after `dispose()`.
    #[napi(getter, ts_return_type = "SandboxStatus")]
    pub fn status(&self) -> &'static str {
        self.status.name(&self.queue.check())
    }

    /// Frees the sandbox's memory at once instead of when the object is garbage-collected. A running call is stopped
    /// and rejects with `ERR_CANCELLED`; waiting and later calls reject with `ERR_CONSUMED`. It does nothing if the
    /// object was consumed.
    #[napi]
    pub fn dispose(&self) {
        if self.queue.check().is_ok() {
            end(&self.queue, &self.calls, drop);
        }
    }

    /// `dispose()`, for `using`.
    #[napi(js_name = "[Symbol.dispose]")]
    pub fn dispose_at_end_of_scope(&self) {
        self.dispose();
    }

    /// `dispose()`, for `await using`. The promise is fulfilled when the memory has been freed.
    #[napi(js_name = "[Symbol.asyncDispose]", ts_return_type = "Promise<void>")]
    pub fn dispose_async<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        promise(
            env,
            || Ok(()),
            |(), pending| {
                if self.queue.check().is_err() {
                    return pending.settle_with(|| Ok(()));
                }
                end(&self.queue, &self.calls, move |sandbox| {
                    pending.settle_with(|| {
                        drop(sandbox);
                        Ok(())
                    });
                });
            },
            |_, ()| -> Result<()> { Ok(()) },
        )
    }

    /// Hands the sandbox itself over, when what was asked for before is done. Consumes this object.
    pub(super) fn give_up(
        &self,
        method: &'static str,
        then: impl FnOnce(crate::LoadedJSSandbox) + Send + 'static,
    ) -> Result<Arc<SandboxContext>> {
        self.queue.push_last(method, then)?;
        Ok(self.context.clone())
    }

    /// What every operation begins with, named by its method. Returns what a call has to know of its cause.
    fn begin(&self, env: &Env, method: &'static str) -> Result<Option<Arc<PendingHostCall>>> {
        self.queue.check()?;
        self.context.check(current(env)?, method)
    }

    /// Has an operation done when its turn comes.
    fn push<T: Send + 'static>(
        &self,
        pending: Pending<T>,
        work: impl FnOnce(&mut crate::LoadedJSSandbox, &SharedStatus) -> Result<T> + Send + 'static,
    ) {
        let (status, pending) = (self.status.clone(), pending.after(self.context.source()));
        self.queue.push(move |sandbox| {
            pending.settle_with(|| {
                let result = work(sandbox?, &status);
                status.note(&result);
                result
            });
        });
    }
}

impl Callee for LoadedJSSandbox {
    fn check_open(&self) -> Result<()> {
        self.queue.check()
    }

    fn check_caller(
        &self,
        caller: Option<Arc<PendingHostCall>>,
        method: &'static str,
    ) -> Result<Option<Arc<PendingHostCall>>> {
        self.context.check(caller, method)
    }

    fn calls(&self) -> &Arc<Calls> {
        &self.calls
    }

    fn may_have_host_functions(&self) -> bool {
        self.context.has_host_functions()
    }

    fn hand_over(&self, request: CallRequest, ticket: Ticket, call_promise: CallPromise<CallValue>) -> Option<u64> {
        let call = QueuedCall {
            request,
            ticket,
            call_promise,
            context: self.context.clone(),
            status: self.status.clone(),
            last_call: self.last_call.clone(),
        };
        self.queue.push_waiting(move |sandbox| match sandbox {
            Ok(sandbox) => Some(Box::pin(call.make(sandbox))),
            Err(error) => {
                call.refuse(error);
                None
            }
        });
        None
    }

    fn withdraw(&self, _: Arc<OnceLock<u64>>) -> impl Fn() + 'static {
        || ()
    }
}

fn status_of(sandbox: &crate::LoadedJSSandbox) -> Status {
    match sandbox.status() {
        crate::SandboxStatus::Ready => Status::Ready,
        crate::SandboxStatus::Poisoned => Status::Poisoned,
        _ => Status::Unrecoverable,
    }
}

/// Ends the use of a sandbox: refuses what waits, stops what runs, then hands the sandbox over. It returns at once.
fn end(
    queue: &Arc<Queue<crate::LoadedJSSandbox>>,
    calls: &Calls,
    then: impl FnOnce(crate::LoadedJSSandbox) + Send + 'static,
) {
    // If another method has consumed it, the last job is that method's.
    let _ = queue.push_last(DISPOSE, then);
    queue.refuse_waiting();
    calls.kill_all();
}
