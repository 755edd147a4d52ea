//! `SandboxPool` for JavaScript.

use std::sync::Arc;

use napi::bindgen_prelude::{Either, Null, Object, PromiseRaw};
use napi::{Env, Unknown};
use napi_derive::napi;

use super::call_driver::call_handler;
use super::interrupt::InterruptHandle;
use super::pool_members::MemberSource;
use super::pool_options::{PoolOptions, PoolSource};
use super::pool_requests::PoolRequests;
use crate::node::bridge::call_stats::CallStats;
use crate::node::bridge::delivery::with_stats;
use crate::node::bridge::environment;
use crate::node::bridge::host_calls;
use crate::node::bridge::promise::promise;
use crate::node::bridge::receipt::Noted;
use crate::node::console::callback::{self, Callback};
use crate::node::error::Result;
use crate::node::panic::catch_panic;
use crate::node::scheduling::worker_threads::blocking;

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
    pub(super) requests: Arc<PoolRequests>,
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
        let requests = PoolRequests::new(size, max_queue, source);
        let (left, to_end) = (Arc::downgrade(&requests), Arc::downgrade(&requests));
        environment::of(env)?.on_teardown(
            move || left.strong_count() > 0,
            move || {
                if let Some(requests) = to_end.upgrade() {
                    // Nobody is left to hear of results.
                    requests.driver.leases.close();
                    requests.calls.kill_all();
                }
            },
        );
        requests.driver.refill();
        Ok(Self { requests })
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
        self.requests.driver.leases.size() as f64
    }

    /// Number of sandboxes that are ready for a request.
    #[napi(getter)]
    pub fn ready(&self) -> f64 {
        self.requests.driver.leases.ready() as f64
    }

    /// Number of requests that are waiting for a sandbox.
    #[napi(getter)]
    pub fn waiting(&self) -> f64 {
        self.requests.driver.leases.waiting() as f64
    }

    /// The cost of the call that ended last, even if it failed; `null` before the first. If several calls are made at
    /// the same time, use `callHandlerWithStats()` for the cost of a particular one, or the `stats` of its error.
    #[napi(getter)]
    pub fn last_call_stats(&self) -> Either<CallStats, Null> {
        self.requests.last_call_stats().as_ref().map_or(Either::B(Null), |stats| Either::A(stats.into()))
    }

    /// A handle that stops the oldest request that has not ended, even if that is waiting: it rejects when its turn
    /// comes. To stop a particular request, pass it the option `signal`.
    #[napi(getter)]
    pub fn interrupt_handle(&self) -> InterruptHandle {
        InterruptHandle::new(self.requests.calls.clone())
    }

    /// Closes the pool. Waiting and later requests reject with `ERR_CONSUMED`. Running calls continue to their end. The
    /// promise is fulfilled when they have ended and the memory has been freed.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn close<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        promise(
            env,
            || Ok(()),
            |(), pending| {
                let requests = self.requests.clone();
                // Tearing down virtual machines takes too long for the JavaScript thread.
                blocking(move || {
                    requests.driver.leases.close();
                    requests.driver.leases.at_end(move || pending.settle_with(|| Ok(())));
                });
            },
            |_, ()| -> Result<()> { Ok(()) },
        )
    }

    /// `close()`, for `using`. It does not wait until the pool is closed.
    #[napi(js_name = "[Symbol.dispose]")]
    pub fn dispose_at_end_of_scope(&self) {
        let requests = self.requests.clone();
        blocking(move || requests.driver.leases.close());
    }

    /// `close()`, for `await using`.
    #[napi(js_name = "[Symbol.asyncDispose]", ts_return_type = "Promise<void>")]
    pub fn dispose_async<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        self.close(env)
    }
}
