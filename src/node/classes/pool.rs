//! `SandboxPool` for JavaScript.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use napi::bindgen_prelude::{Either, Null, Object, PromiseRaw};
use napi::{Env, Unknown};
use napi_derive::napi;

use super::call_driver::{Callee, call_handler};
use super::handler_call::{CallValue, Request, call};
use super::interrupt::InterruptHandle;
use super::loaded::LoadedJSSandbox;
use super::pool_options::{PoolOptions, PoolSource};
use crate::node::bridge::arguments;
use crate::node::bridge::call_end::{CallPromise, Ended};
use crate::node::bridge::call_stats::CallStats;
use crate::node::bridge::delivery::with_stats;
use crate::node::bridge::environment;
use crate::node::bridge::exception;
use crate::node::bridge::function::{self, AnyFunction, Completion};
use crate::node::bridge::host_calls::{self, HostCalls};
use crate::node::bridge::promise::promise;
use crate::node::bridge::receipt::Noted;
use crate::node::bridge::thenable::{is_thenable, when_settled};
use crate::node::bridge::value::undefined;
use crate::node::console::callback::{self, Callback, recording_lines};
use crate::node::error::{Error, Result};
use crate::node::invalid_argument::InvalidArgument;
use crate::node::panic::catch_panic;
use crate::node::scheduling::calls::{Calls, Ticket};
use crate::node::scheduling::host_call::PendingHostCall;
use crate::node::scheduling::pool_id::PoolId;
use crate::node::scheduling::queue::Queue;
use crate::node::scheduling::reentrancy;
use crate::node::scheduling::sandbox_context::SandboxContext;
use crate::node::scheduling::worker_threads::{blocking, yield_to_js_thread};
use crate::node::scheduling::{jobs, tasks};
use crate::sandbox::error::PoolFailure;
use crate::sandbox::pool::{LeaseQueue, Member};

/// Several equal sandboxes that provide clean state for every request. A request gets a sandbox in the state in which
/// it was prepared. Afterwards the sandbox is returned to that state in the background, even if it is poisoned. So no
/// request sees the state of another.
///
/// @example
/// ```ts
/// const pool = new SandboxPool({ size: 4, snapshot: await sandbox.snapshot() });
/// console.log(await pool.callHandler('greet', { name: 'World' }, { wallClockTimeoutMs: 1000 }));
/// await pool.close();
/// ```
#[napi]
pub struct SandboxPool {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) id: PoolId,
    source: MemberSource,
    /// The state in which requests get a sandbox since modules were prepared.
    prepared: Mutex<Option<Arc<crate::Snapshot>>>,
    /// The preparations, one after the other: each adds to what those before it have left.
    pub(super) preparations: Arc<Queue<()>>,
    pub(super) leases: LeaseQueue<PoolMember>,
    pub(super) calls: Arc<Calls>,
    last_call_stats: Mutex<Option<crate::ExecutionStats>>,
}

enum MemberSource {
    /// The runtime alone, once a sandbox has been in that state; and what a snapshot does not have.
    Runtime(Arc<OnceLock<Arc<crate::Snapshot>>>, Option<Callback>, usize),
    /// And what it does not have.
    Snapshot(Arc<crate::Snapshot>, Option<Callback>, usize),
    /// The function, and the way to its thread.
    Prepare(Arc<AnyFunction>, Arc<HostCalls>),
}

pub(super) struct PoolMember {
    member: Member,
    context: Arc<SandboxContext>,
}

#[napi]
impl SandboxPool {
    /// Creates a pool, which begins to create its sandboxes at once. Requests can be made immediately; they wait until
    /// a sandbox is ready.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: the options are invalid.
    /// - `ERR_CONSUMED`: the snapshot was disposed of.
    #[napi(constructor, ts_args_type = "options: PoolOptions")]
    pub fn new(env: &Env, options: Unknown) -> napi::Result<Self> {
        catch_panic(|| Self::begin(env, options)).map_err(|error| error.into_js(env))
    }

    fn begin(env: &Env, options: Unknown<'_>) -> Result<Self> {
        let PoolOptions { size, source, max_queue, host_print_fn, max_output_values } =
            PoolOptions::from_js(env, options)?;
        let callback = host_print_fn.map(|function| Callback::new(env, function)).transpose()?;
        let max_values = max_output_values.unwrap_or(crate::SandboxBuilder::DEFAULT_MAX_OUTPUT_VALUES);
        let source = match source {
            PoolSource::Runtime => MemberSource::Runtime(Arc::default(), callback, max_values),
            PoolSource::Snapshot(snapshot) => MemberSource::Snapshot(snapshot, callback, max_values),
            PoolSource::Prepare(prepare) => MemberSource::Prepare(Arc::new(prepare), host_calls::of(env)?.clone()),
        };
        let shared = Arc::new(Shared {
            id: PoolId::next(),
            source,
            prepared: Mutex::default(),
            preparations: Queue::new("SandboxPool", ()),
            leases: LeaseQueue::new(size, max_queue),
            calls: Arc::default(),
            last_call_stats: Mutex::default(),
        });
        let (left, to_end) = (Arc::downgrade(&shared), Arc::downgrade(&shared));
        environment::of(env)?.on_teardown(
            move || left.strong_count() > 0,
            move || {
                if let Some(shared) = to_end.upgrade() {
                    // Nobody is left to hear of results.
                    shared.leases.close();
                    shared.calls.kill_all();
                }
            },
        );
        shared.refill();
        Ok(Self { shared })
    }

    /// Calls a handler in a sandbox with clean state, like `LoadedJSSandbox.callHandler()`. If no sandbox is ready, the
    /// request waits behind earlier ones; that time does not count towards its timeouts.
    ///
    /// Rejects with the same errors as `LoadedJSSandbox.callHandler()`, which affect neither the pool nor other
    /// requests, and with:
    /// - `ERR_POOL_FULL`: no sandbox is ready, and the limit of waiting requests is reached.
    /// - `ERR_POOL_PREPARE`: the pool has no sandbox and could not create one; the message says why. The next request
    ///   tries again.
    /// - `ERR_CONSUMED`: `close()` has been called.
    /// - `ERR_REENTRANT`: it was called during a host function that a call of this pool waits for.
    ///
    /// The option `signal` stops this request and no other. A waiting request leaves the queue at once.
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

    /// Number of sandboxes that the pool maintains.
    #[napi(getter)]
    pub fn size(&self) -> f64 {
        self.shared.leases.size() as f64
    }

    /// Number of sandboxes that are ready for a request.
    #[napi(getter)]
    pub fn ready(&self) -> f64 {
        self.shared.leases.ready() as f64
    }

    /// Number of requests that are waiting for a sandbox.
    #[napi(getter)]
    pub fn waiting(&self) -> f64 {
        self.shared.leases.waiting() as f64
    }

    /// The cost of the call that ended last, even if it failed; `null` before the first. If several calls are made at
    /// the same time, use `callHandlerWithStats()` for the cost of a particular one, or the `stats` of its error.
    #[napi(getter)]
    pub fn last_call_stats(&self) -> Either<CallStats, Null> {
        let stats = self.shared.last_call_stats.lock().unwrap_or_else(PoisonError::into_inner);
        stats.as_ref().map_or(Either::B(Null), |stats| Either::A(stats.into()))
    }

    /// A handle that stops the oldest request that has not ended, even if that is waiting: it rejects when its turn
    /// comes. To stop a particular request, pass it the option `signal`.
    #[napi(getter)]
    pub fn interrupt_handle(&self) -> InterruptHandle {
        InterruptHandle::new(self.shared.calls.clone())
    }

    /// Closes the pool. Waiting and later requests reject with `ERR_CONSUMED`. Running calls continue to their end. The
    /// promise is fulfilled when they have ended and the memory has been freed.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn close<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        promise(
            env,
            || Ok(()),
            |(), pending| {
                let shared = self.shared.clone();
                // Tearing down virtual machines takes too long for the JavaScript thread.
                blocking(move || {
                    shared.leases.close();
                    shared.leases.at_end(move || pending.settle_with(|| Ok(())));
                });
            },
            |_, ()| -> Result<()> { Ok(()) },
        )
    }

    /// `close()`, for `using`. It does not wait until the pool is closed.
    #[napi(js_name = "[Symbol.dispose]")]
    pub fn dispose_at_end_of_scope(&self) {
        let shared = self.shared.clone();
        blocking(move || shared.leases.close());
    }

    /// `close()`, for `await using`.
    #[napi(js_name = "[Symbol.asyncDispose]", ts_return_type = "Promise<void>")]
    pub fn dispose_async<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        self.close(env)
    }
}

impl Callee for SandboxPool {
    fn check_open(&self) -> Result<()> {
        if self.shared.leases.is_closed() {
            return Err(Error::Consumed { class: "SandboxPool", method: "close" });
        }
        Ok(())
    }

    fn check_caller(
        &self,
        caller: Option<Arc<PendingHostCall>>,
        method: &'static str,
    ) -> Result<Option<Arc<PendingHostCall>>> {
        reentrancy::check(caller, method, |sandbox| sandbox.pool == Some(self.shared.id))
    }

    fn calls(&self) -> &Arc<Calls> {
        &self.shared.calls
    }

    fn may_have_host_functions(&self) -> bool {
        // Those of a snapshot have none.
        matches!(self.shared.source, MemberSource::Prepare(..))
    }

    fn hand_over(&self, request: Request, ticket: Ticket, call_promise: CallPromise<CallValue>) -> Option<u64> {
        self.shared.serve(request, ticket, call_promise)
    }

    fn withdraw(&self, number: Arc<OnceLock<u64>>) -> impl Fn() + 'static {
        let shared = self.shared.clone();
        move || number.get().into_iter().for_each(|number| shared.leases.withdraw(*number))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Nobody holds the pool any more, not even a request. Tearing down virtual machines takes too long for the JavaScript
        // thread, which is where objects are collected.
        let ready = self.leases.take_ready();
        blocking(move || drop(ready));
    }
}

impl Shared {
    /// Begins to make the sandboxes that are missing.
    fn refill(self: &Arc<Self>) {
        for _ in 0..self.leases.expect_missing() {
            self.make();
        }
    }

    /// Makes a sandbox that is expected.
    fn make(self: &Arc<Self>) {
        let expected = Expected(Some(self.clone()));
        match &self.source {
            MemberSource::Snapshot(snapshot, callback, max_values) => {
                let snapshot = self.lock_prepared().clone().unwrap_or_else(|| snapshot.clone());
                let (callback, max_values) = (callback.clone(), *max_values);
                blocking(move || {
                    expected.fulfil(catch_panic(|| {
                        let context = SandboxContext::new();
                        let print = recording_lines(callback, &context);
                        let member = Member::start(snapshot, |builder| {
                            builder.with_host_print_fn(print).with_max_output_values(max_values)
                        });
                        Ok((member?, context))
                    }));
                });
            }
            MemberSource::Runtime(clean, callback, max_values) => {
                let (clean, callback, max_values) = (clean.clone(), callback.clone(), *max_values);
                let prepared = self.lock_prepared().clone();
                blocking(move || {
                    expected.fulfil(catch_panic(|| {
                        let context = SandboxContext::new();
                        let print = recording_lines(callback, &context);
                        let builder = |builder: crate::SandboxBuilder| {
                            builder.with_host_print_fn(print).with_max_output_values(max_values)
                        };
                        let member = match prepared {
                            Some(prepared) => Member::start(prepared, builder),
                            None => Self::make_of_runtime(&clean, builder),
                        };
                        Ok((member?, context))
                    }));
                });
            }
            MemberSource::Prepare(prepare, waiting) => {
                let prepare = prepare.clone();
                // If the thread has ended, nobody waits for the sandbox any more.
                let _ = waiting.inbox().post(jobs::Source::HOST, move |env| self::prepare(env, &prepare, expected));
            }
        }
    }

    /// A sandbox with the runtime alone.
    fn make_of_runtime(
        clean: &OnceLock<Arc<crate::Snapshot>>,
        builder: impl FnOnce(crate::SandboxBuilder) -> crate::SandboxBuilder,
    ) -> crate::Result<Member> {
        if let Some(clean) = clean.get() {
            return Member::start(clean.clone(), builder);
        }
        let builder = builder(crate::SandboxBuilder::new());
        let member = Member::new(builder.build()?.load_runtime()?.get_loaded_sandbox()?)?;
        // Another may have been the first.
        let _ = clean.set(member.clean());
        Ok(member)
    }

    fn lock_prepared(&self) -> MutexGuard<'_, Option<Arc<crate::Snapshot>>> {
        // No code runs under the lock that could leave it half changed.
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the pool's sandboxes are its own, so that their state can be another one from now on.
    pub(super) fn can_prepare(&self) -> bool {
        !matches!(self.source, MemberSource::Prepare(..))
    }

    /// A member is ready, if it is in the state in which requests get it now; else it is put into that first.
    fn give(self: &Arc<Self>, mut member: PoolMember) {
        loop {
            let prepared = self.lock_prepared();
            match &*prepared {
                Some(newest) if !Arc::ptr_eq(newest, &member.member.clean()) => {
                    member.member.set_clean(newest.clone());
                    drop(prepared);
                    if catch_panic(|| Ok(member.member.renew()?)).is_err() {
                        drop(member);
                        return self.make();
                    }
                }
                // The lock is held until it is given: whoever sets another state looks for members afterwards.
                _ => return self.leases.give(member),
            }
        }
    }

    /// Has requests get sandboxes in this state from now on.
    fn set_prepared(self: &Arc<Self>, clean: Arc<crate::Snapshot>) {
        let old = self.lock_prepared().replace(clean);
        drop(old);
        for member in self.leases.take_ready() {
            let shared = self.clone();
            blocking(move || shared.give(member));
        }
    }

    /// Has a sandbox's state, in which modules have been imported by a request, be that in which all requests get theirs.
    pub(super) async fn prepare(
        self: Arc<Self>,
        request: Request,
        ticket: Ticket,
        call_promise: CallPromise<CallValue>,
    ) {
        self.refill();
        let (sender, receiver) = oneshot::channel();
        self.leases.take(move |member| drop(sender.send(member)));
        match receiver.await.unwrap_or(Err(crate::Error::PoolClosed)) {
            Err(error) => {
                let ended = Ended { result: Err(error.into()), stats: None, limits: request.options.limits };
                call_promise.settle_after(jobs::Source::HOST, Ok(ended));
            }
            Ok(member) => InUse { shared: self, member: Some(member) }.prepare(request, ticket, call_promise).await,
        }
    }

    /// Serves a request when a sandbox is ready for it. Returns its number if it has to wait.
    fn serve(self: &Arc<Self>, request: Request, ticket: Ticket, call_promise: CallPromise<CallValue>) -> Option<u64> {
        self.refill();
        let shared = self.clone();
        self.leases.take(move |member| match member {
            Err(error) => {
                let ended = Ended { result: Err(error.into()), stats: None, limits: request.options.limits };
                call_promise.settle_after(jobs::Source::HOST, Ok(ended));
            }
            Ok(member) => {
                let in_use = InUse { shared, member: Some(member) };
                tasks::spawn(in_use.serve(request, ticket, call_promise));
            }
        })
    }
}

/// A sandbox that is expected. If this is dropped, it will not come.
struct Expected(Option<Arc<Shared>>);

impl Expected {
    fn fulfil(mut self, made: Result<(Member, Arc<SandboxContext>)>) {
        let Some(shared) = self.0.take() else { return };
        match made {
            Ok((member, context)) => {
                context.join(shared.id);
                shared.give(PoolMember { member, context });
            }
            Err(error) => shared.leases.failed(failure(error)),
        }
    }
}

fn failure(error: Error) -> PoolFailure {
    match error {
        Error::Sandbox(error) => PoolFailure::Failed(Arc::new(error)),
        other => PoolFailure::Told(other.to_string()),
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            shared.leases.failed(PoolFailure::GivenUp);
        }
    }
}

/// A sandbox that serves a request. If this is dropped with it, it is gone.
struct InUse {
    shared: Arc<Shared>,
    member: Option<PoolMember>,
}

impl InUse {
    async fn serve(mut self, request: Request, ticket: Ticket, call_promise: CallPromise<CallValue>) {
        let Some(PoolMember { member, context }) = &mut self.member else { return };
        let limits = request.options.limits;
        let (result, stats) = call(&mut member.sandbox, context, &ticket, request).await;
        if let Some(stats) = &stats {
            *self.shared.last_call_stats.lock().unwrap_or_else(PoisonError::into_inner) = Some(stats.clone());
        }
        drop(ticket);
        let result = result.map(|value| (value, None));
        call_promise.settle_after(context.source(), Ok(Ended { result, stats, limits }));
        yield_to_js_thread();
        self.renew();
    }

    /// As [`serve`](Self::serve), and takes a snapshot of the sandbox if that succeeds.
    async fn prepare(mut self, request: Request, ticket: Ticket, call_promise: CallPromise<CallValue>) {
        let shared = self.shared.clone();
        let Some(PoolMember { member, context }) = &mut self.member else { return };
        let limits = request.options.limits;
        let (result, stats) = call(&mut member.sandbox, context, &ticket, request).await;
        let result = result.and_then(|value| {
            let clean = catch_panic(|| Ok(member.sandbox.snapshot()?))?;
            member.set_clean(clean.clone());
            shared.set_prepared(clean);
            Ok((value, None))
        });
        drop(ticket);
        call_promise.settle_after(context.source(), Ok(Ended { result, stats, limits }));
        self.renew();
    }

    /// Makes the sandbox ready for the next request, off the path of this one.
    fn renew(mut self) {
        let Some(mut member) = self.member.take() else { return };
        let shared = self.shared.clone();
        if shared.leases.is_closed() {
            drop(member);
            shared.leases.gone();
        } else if catch_panic(|| Ok(member.member.renew()?)).is_ok() {
            shared.give(member);
        } else {
            drop(member);
            shared.make();
        }
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        if let Some(member) = self.member.take() {
            drop(member);
            self.shared.leases.gone();
        }
    }
}

/// Has the function make a sandbox, on the JavaScript thread.
fn prepare(env: &Env, prepare: &AnyFunction, expected: Expected) {
    let expected = Mutex::new(Some(expected));
    let settle = move |env: &Env, completion: Completion| {
        let Some(expected) = expected.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        match catch_panic(|| adopt(env, completion)) {
            Ok(adopt) => adopt(expected),
            Err(error) => expected.fulfil(Err(error)),
        }
    };
    let begun = catch_panic(|| {
        let completion = function::call(env, prepare, undefined(env)?, &[])?;
        match completion {
            Ok(value) if matches!(is_thenable(env, value)?, Ok(true)) => when_settled(env, value, settle),
            completion => {
                settle(env, completion);
                Ok(())
            }
        }
    });
    // What could not be begun has been dropped, and with it what was expected.
    drop(begun);
}

/// What hands over the sandbox that the function gave.
fn adopt(env: &Env, completion: Completion) -> Result<impl FnOnce(Expected) + use<>> {
    let value = completion.map_err(|thrown| InvalidArgument::Thrown(exception::text(env, thrown)))?;
    let sandbox = arguments::instance::<LoadedJSSandbox>(env, "what prepare gives", "a LoadedJSSandbox", value)?;
    let (sender, receiver) = oneshot::channel::<crate::LoadedJSSandbox>();
    let context = sandbox.give_up("SandboxPool", move |sandbox| drop(sender.send(sandbox)))?;
    Ok(move |expected: Expected| {
        blocking(move || {
            expected.fulfil(catch_panic(|| {
                let given = receiver.recv().map_err(|_| Error::Internal("the sandbox was lost".to_string()));
                Ok((Member::new(given?)?, context))
            }));
        });
    })
}
