//! `SandboxPool` for JavaScript.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use napi::bindgen_prelude::{Either, Null, Object, PromiseRaw};
use napi::{Env, Unknown};
use napi_derive::napi;

use super::call_driver::{Callee, call_handler};
use super::handler_call::{CallValue, Request, call};
use super::interrupt::InterruptHandle;
use super::pool_members::{MemberSource, PoolMember, PoolMembers};
use super::pool_options::{PoolOptions, PoolSource};
use crate::node::bridge::call_end::{CallPromise, Ended};
use crate::node::bridge::call_stats::CallStats;
use crate::node::bridge::delivery::with_stats;
use crate::node::bridge::environment;
use crate::node::bridge::host_calls;
use crate::node::bridge::promise::promise;
use crate::node::bridge::receipt::Noted;
use crate::node::console::callback::{self, Callback};
use crate::node::error::{Error, Result};
use crate::node::panic::catch_panic;
use crate::node::scheduling::calls::{Calls, Ticket};
use crate::node::scheduling::host_call::PendingHostCall;
use crate::node::scheduling::queue::Queue;
use crate::node::scheduling::reentrancy;
use crate::node::scheduling::worker_threads::{blocking, yield_to_js_thread};
use crate::node::scheduling::{jobs, tasks};
use crate::sandbox::pool::{InUse, PoolDriver};

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
    pub(super) driver: Arc<PoolDriver<PoolMembers>>,
    /// The preparations, one after the other: each adds to what those before it have left.
    pub(super) preparations: Arc<Queue<()>>,
    pub(super) calls: Arc<Calls>,
    last_call_stats: Mutex<Option<crate::ExecutionStats>>,
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
            driver: PoolDriver::new(size, max_queue, PoolMembers::new(source)),
            preparations: Queue::new("SandboxPool", ()),
            calls: Arc::default(),
            last_call_stats: Mutex::default(),
        });
        let (left, to_end) = (Arc::downgrade(&shared), Arc::downgrade(&shared));
        environment::of(env)?.on_teardown(
            move || left.strong_count() > 0,
            move || {
                if let Some(shared) = to_end.upgrade() {
                    // Nobody is left to hear of results.
                    shared.driver.leases.close();
                    shared.calls.kill_all();
                }
            },
        );
        shared.driver.refill();
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
        self.shared.driver.leases.size() as f64
    }

    /// Number of sandboxes that are ready for a request.
    #[napi(getter)]
    pub fn ready(&self) -> f64 {
        self.shared.driver.leases.ready() as f64
    }

    /// Number of requests that are waiting for a sandbox.
    #[napi(getter)]
    pub fn waiting(&self) -> f64 {
        self.shared.driver.leases.waiting() as f64
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
                    shared.driver.leases.close();
                    shared.driver.leases.at_end(move || pending.settle_with(|| Ok(())));
                });
            },
            |_, ()| -> Result<()> { Ok(()) },
        )
    }

    /// `close()`, for `using`. It does not wait until the pool is closed.
    #[napi(js_name = "[Symbol.dispose]")]
    pub fn dispose_at_end_of_scope(&self) {
        let shared = self.shared.clone();
        blocking(move || shared.driver.leases.close());
    }

    /// `close()`, for `await using`.
    #[napi(js_name = "[Symbol.asyncDispose]", ts_return_type = "Promise<void>")]
    pub fn dispose_async<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        self.close(env)
    }
}

impl Callee for SandboxPool {
    fn check_open(&self) -> Result<()> {
        if self.shared.driver.leases.is_closed() {
            return Err(Error::Consumed { class: "SandboxPool", method: "close" });
        }
        Ok(())
    }

    fn check_caller(
        &self,
        caller: Option<Arc<PendingHostCall>>,
        method: &'static str,
    ) -> Result<Option<Arc<PendingHostCall>>> {
        reentrancy::check(caller, method, |sandbox| sandbox.pool == Some(self.shared.driver.members.pool()))
    }

    fn calls(&self) -> &Arc<Calls> {
        &self.shared.calls
    }

    fn may_have_host_functions(&self) -> bool {
        self.shared.driver.members.may_have_host_functions()
    }

    fn hand_over(&self, request: Request, ticket: Ticket, call_promise: CallPromise<CallValue>) -> Option<u64> {
        self.shared.serve(request, ticket, call_promise)
    }

    fn withdraw(&self, number: Arc<OnceLock<u64>>) -> impl Fn() + 'static {
        let shared = self.shared.clone();
        move || number.get().into_iter().for_each(|number| shared.driver.leases.withdraw(*number))
    }
}

impl Shared {
    /// Has requests get sandboxes in this state from now on.
    fn set_prepared(self: &Arc<Self>, clean: Arc<crate::Snapshot>) {
        self.driver.members.set_prepared(clean);
        for member in self.driver.leases.take_ready() {
            let driver = self.driver.clone();
            blocking(move || driver.give(member));
        }
    }

    /// Has a sandbox's state, in which modules have been imported by a request, be that in which all requests get theirs.
    pub(super) async fn prepare(
        self: Arc<Self>,
        request: Request,
        ticket: Ticket,
        call_promise: CallPromise<CallValue>,
    ) {
        self.driver.refill();
        let (sender, receiver) = oneshot::channel();
        self.driver.take(move |in_use| drop(sender.send(in_use)));
        match receiver.await.unwrap_or(Err(crate::Error::PoolClosed)) {
            Err(error) => {
                let ended = Ended { result: Err(error.into()), stats: None, limits: request.options.limits };
                call_promise.settle_after(jobs::Source::HOST, Ok(ended));
            }
            Ok(in_use) => self.prepare_in(in_use, request, ticket, call_promise).await,
        }
    }

    /// Serves a request when a sandbox is ready for it. Returns its number if it has to wait.
    fn serve(self: &Arc<Self>, request: Request, ticket: Ticket, call_promise: CallPromise<CallValue>) -> Option<u64> {
        self.driver.refill();
        let shared = self.clone();
        self.driver.take(move |in_use| match in_use {
            Err(error) => {
                let ended = Ended { result: Err(error.into()), stats: None, limits: request.options.limits };
                call_promise.settle_after(jobs::Source::HOST, Ok(ended));
            }
            Ok(in_use) => tasks::spawn(async move { shared.serve_in(in_use, request, ticket, call_promise).await }),
        })
    }

    async fn serve_in(
        &self,
        mut in_use: InUse<PoolMembers>,
        request: Request,
        ticket: Ticket,
        call_promise: CallPromise<CallValue>,
    ) {
        let Ok(PoolMember { member, context }) = in_use.member() else { return };
        let limits = request.options.limits;
        let (result, stats) = call(&mut member.sandbox, context, &ticket, request).await;
        if let Some(stats) = &stats {
            *self.last_call_stats.lock().unwrap_or_else(PoisonError::into_inner) = Some(stats.clone());
        }
        drop(ticket);
        let result = result.map(|value| (value, None));
        call_promise.settle_after(context.source(), Ok(Ended { result, stats, limits }));
        yield_to_js_thread();
        in_use.renew();
    }

    /// As [`serve_in`](Self::serve_in), and takes a snapshot of the sandbox if that succeeds.
    async fn prepare_in(
        self: &Arc<Self>,
        mut in_use: InUse<PoolMembers>,
        request: Request,
        ticket: Ticket,
        call_promise: CallPromise<CallValue>,
    ) {
        let Ok(PoolMember { member, context }) = in_use.member() else { return };
        let limits = request.options.limits;
        let (result, stats) = call(&mut member.sandbox, context, &ticket, request).await;
        let result = result.and_then(|value| {
            let clean = catch_panic(|| Ok(member.sandbox.snapshot()?))?;
            member.set_clean(clean.clone());
            self.set_prepared(clean);
            Ok((value, None))
        });
        drop(ticket);
        call_promise.settle_after(context.source(), Ok(Ended { result, stats, limits }));
        in_use.renew();
    }
}
