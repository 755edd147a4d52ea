//! `SandboxPool` for JavaScript.

use std::sync::{Arc, Mutex, PoisonError};

use guest_abi::payload::Payload;
use napi::bindgen_prelude::{Either, Null, PromiseRaw};
use napi::{Env, Unknown};
use napi_derive::napi;

use super::arguments::{self, CallHandlerOptions, Pool, PoolSource};
use super::calls::{Calls, Ticket};
use super::environment::{self, Waiting};
use super::error::{Error, Result};
use super::function::{self, AnyFunction, Outcome};
use super::host_call::{HostCall, Identity, PoolId};
use super::interrupt::InterruptHandle;
use super::loaded::{CallStats, LoadedJSSandbox, call};
use super::promise::{Pending, blocking, guard, let_javascript_go_on, promise};
use super::thenable::{is_thenable, when_settled};
use super::{exception, json};
use crate::sandbox::pool::{Member, Turns};

/// Several sandboxes that are alike, for clean state at every request. A request gets one in the state that it was prepared
/// in; afterwards it is put back into that state, off the request's path, poisoned ones as well. So no request sees what
/// another has left.
#[napi]
pub struct SandboxPool {
    shared: Arc<Shared>,
}

struct Shared {
    id: PoolId,
    source: Source,
    turns: Turns<PoolMember>,
    calls: Arc<Calls>,
    last_call_stats: Mutex<Option<crate::ExecutionStats>>,
}

enum Source {
    Snapshot(Arc<crate::Snapshot>),
    /// The function, and the way to its thread.
    Prepare(Arc<AnyFunction>, Arc<Waiting>),
}

struct PoolMember {
    member: Member,
    identity: Arc<Identity>,
}

/// What a request asks for.
struct Request {
    name: String,
    event: Payload,
    options: CallHandlerOptions,
    cause: Option<Arc<HostCall>>,
}

/// What a request has come to, and whose console is to be delivered before.
type Served = (Result<Option<Payload>>, Option<Arc<Identity>>);

#[napi]
impl SandboxPool {
    /// A pool. It begins to make its sandboxes at once; requests may be made at once as well and wait for them.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: there is something wrong with the options.
    /// - `ERR_CONSUMED`: the snapshot was disposed of.
    #[napi(constructor, ts_args_type = "options: PoolOptions")]
    pub fn new(env: &Env, options: Unknown) -> napi::Result<Self> {
        guard(|| Self::begin(env, options)).map_err(|error| error.into_js(env))
    }

    fn begin(env: &Env, options: Unknown<'_>) -> Result<Self> {
        let Pool { size, source, max_queue } = Pool::from_js(env, options)?;
        let environment = environment::of(env)?;
        let source = match source {
            PoolSource::Snapshot(snapshot) => Source::Snapshot(snapshot),
            PoolSource::Prepare(prepare) => Source::Prepare(Arc::new(prepare), environment.waiting.clone()),
        };
        let shared = Arc::new(Shared {
            id: PoolId::next(),
            source,
            turns: Turns::new(size, max_queue),
            calls: Arc::default(),
            last_call_stats: Mutex::default(),
        });
        let (left, to_end) = (Arc::downgrade(&shared), Arc::downgrade(&shared));
        environment.at_end(
            move || left.strong_count() > 0,
            move || {
                if let Some(shared) = to_end.upgrade() {
                    // Nobody is left to hear of results.
                    shared.turns.close();
                    shared.calls.kill_all();
                }
            },
        );
        shared.refill();
        Ok(Self { shared })
    }

    /// Calls a handler in a sandbox that no request has used before, as `LoadedJSSandbox.callHandler()` does, and gives what
    /// it returns. If no sandbox is ready, the request waits, behind those that were made before; timeouts do not count that
    /// time.
    ///
    /// Rejects as `LoadedJSSandbox.callHandler()` does, which harms neither the pool nor other requests, and with:
    /// - `ERR_POOL_FULL`: no sandbox is ready, and too many requests wait already.
    /// - `ERR_POOL_PREPARE`: the pool has no sandbox, and none could be made; the message says why. The next request tries
    ///   again.
    /// - `ERR_CONSUMED`: `close()` was called.
    /// - `ERR_REENTRANT`: it was called in the course of a host function that a call of this pool waits for.
    #[napi(ts_args_type = "name: string, event: any, options?: CallHandlerOptions", ts_return_type = "Promise<any>")]
    pub fn call_handler<'env>(
        &self,
        env: &'env Env,
        name: Unknown,
        event: Unknown,
        options: Unknown,
    ) -> napi::Result<PromiseRaw<'env, Unknown<'static>>> {
        promise(
            env,
            || {
                self.check_open()?;
                let cause = self.shared.id.check(env, "callHandler")?;
                let name = arguments::string(env, "the handler's name", name)?;
                let options = CallHandlerOptions::from_js(env, options)?;
                Ok(Request { name, event: json::stringify(env, event)?, options, cause })
            },
            |request, pending| self.shared.serve(request, pending),
            |env, (result, identity): Served| {
                if let Some(identity) = identity {
                    identity.deliver_console(env);
                }
                match result? {
                    Some(value) => json::parse(env, value),
                    None => json::undefined(env),
                }
            },
        )
    }

    /// Number of sandboxes that the pool is to have.
    #[napi(getter)]
    pub fn size(&self) -> f64 {
        self.shared.turns.size() as f64
    }

    /// Number of sandboxes that are ready for a request.
    #[napi(getter)]
    pub fn ready(&self) -> f64 {
        self.shared.turns.ready() as f64
    }

    /// Number of requests that wait for a sandbox.
    #[napi(getter)]
    pub fn waiting(&self) -> f64 {
        self.shared.turns.waiting() as f64
    }

    /// What the call that ended last has cost, also if it failed; `null` before the first.
    #[napi(getter)]
    pub fn last_call_stats(&self) -> Either<CallStats, Null> {
        let stats = self.shared.last_call_stats.lock().unwrap_or_else(PoisonError::into_inner);
        stats.as_ref().map_or(Either::B(Null), |stats| Either::A(stats.into()))
    }

    /// A handle that stops the oldest request that has not ended, also one that waits: then it rejects when its turn comes.
    #[napi(getter)]
    pub fn interrupt_handle(&self) -> InterruptHandle {
        InterruptHandle::new(self.shared.calls.clone())
    }

    /// Refuses requests from now on, those that wait included, with `ERR_CONSUMED`. Calls that run go on to their end. The
    /// promise is fulfilled when they have ended and the memory has been given back.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn close<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        promise(
            env,
            || Ok(()),
            |(), pending| {
                let shared = self.shared.clone();
                // Tearing down virtual machines takes too long for the JavaScript thread.
                blocking(move || {
                    shared.turns.close();
                    shared.turns.at_end(move || pending.settle_with(|| Ok(())));
                });
            },
            |_, ()| -> Result<()> { Ok(()) },
        )
    }

    /// `close()`, for `using`, without waiting for its end.
    #[napi(js_name = "[Symbol.dispose]")]
    pub fn dispose_at_end_of_scope(&self) {
        let shared = self.shared.clone();
        blocking(move || shared.turns.close());
    }

    /// `close()`, for `await using`.
    #[napi(js_name = "[Symbol.asyncDispose]", ts_return_type = "Promise<void>")]
    pub fn dispose_async<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        self.close(env)
    }

    fn check_open(&self) -> Result<()> {
        if self.shared.turns.is_closed() {
            return Err(Error::Consumed { class: "SandboxPool", method: "close" });
        }
        Ok(())
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Nobody holds the pool any more, not even a request. Tearing down virtual machines takes too long for the JavaScript
        // thread, which is where objects are collected.
        let ready = self.turns.take_ready();
        blocking(move || drop(ready));
    }
}

impl Shared {
    /// Begins to make the sandboxes that are missing.
    fn refill(self: &Arc<Self>) {
        for _ in 0..self.turns.expect_missing() {
            self.make();
        }
    }

    /// Makes a sandbox that is expected.
    fn make(self: &Arc<Self>) {
        let expected = Expected(Some(self.clone()));
        match &self.source {
            Source::Snapshot(snapshot) => {
                let snapshot = snapshot.clone();
                blocking(move || {
                    expected.fulfil(guard(|| Ok((Member::start(snapshot)?, Identity::new(std::sync::Weak::new())))));
                });
            }
            Source::Prepare(prepare, waiting) => {
                let prepare = prepare.clone();
                // If the thread has ended, nobody waits for the sandbox any more.
                let _ = waiting.inbox().post(Box::new(move |env| self::prepare(env, &prepare, expected)));
            }
        }
    }

    /// Serves a request when a sandbox is ready for it.
    fn serve(self: &Arc<Self>, request: Request, pending: Pending<Served>) {
        self.refill();
        let (shared, ticket) = (self.clone(), self.calls.add());
        self.turns.take(move |member| match member {
            Err(error) => pending.settle_with(|| Ok((Err(error.into()), None))),
            Ok(member) => {
                let in_use = InUse { shared, member: Some(member) };
                blocking(move || in_use.serve(request, ticket, pending));
            }
        });
    }
}

/// A sandbox that is expected. If this is dropped, it will not come.
struct Expected(Option<Arc<Shared>>);

impl Expected {
    fn fulfil(mut self, made: Result<(Member, Arc<Identity>)>) {
        let Some(shared) = self.0.take() else { return };
        match made {
            Ok((member, identity)) => {
                identity.join(shared.id);
                shared.turns.give(PoolMember { member, identity });
            }
            Err(error) => shared.turns.failed(&error.to_string()),
        }
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            shared.turns.failed("the work was given up");
        }
    }
}

/// A sandbox that serves a request. If this is dropped with it, it is gone.
struct InUse {
    shared: Arc<Shared>,
    member: Option<PoolMember>,
}

impl InUse {
    fn serve(mut self, request: Request, ticket: Ticket, pending: Pending<Served>) {
        let Some(PoolMember { member, identity }) = &mut self.member else { return };
        let Request { name, event, options, cause } = request;
        let result = identity.run(cause, || call(&mut member.sandbox, &ticket, &name, event, options));
        let stats = member.sandbox.last_call_stats().cloned();
        *self.shared.last_call_stats.lock().unwrap_or_else(PoisonError::into_inner) = stats;
        drop(ticket);
        let identity = identity.clone();
        pending.settle_with(|| Ok((result, Some(identity))));
        let_javascript_go_on();
        self.renew();
    }

    /// Makes the sandbox ready for the next request, off the path of this one.
    fn renew(mut self) {
        let Some(mut member) = self.member.take() else { return };
        let shared = self.shared.clone();
        if shared.turns.is_closed() {
            drop(member);
            shared.turns.gone();
        } else if guard(|| Ok(member.member.renew()?)).is_ok() {
            shared.turns.give(member);
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
            self.shared.turns.gone();
        }
    }
}

/// Has the function make a sandbox, on the JavaScript thread.
fn prepare(env: &Env, prepare: &AnyFunction, expected: Expected) {
    let expected = Mutex::new(Some(expected));
    let settle = move |env: &Env, outcome: Outcome| {
        let Some(expected) = expected.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        match guard(|| adopt(env, outcome)) {
            Ok(adopt) => adopt(expected),
            Err(error) => expected.fulfil(Err(error)),
        }
    };
    let begun = guard(|| {
        let outcome = function::call(env, prepare, json::undefined(env)?, &[])?;
        match outcome {
            Ok(value) if matches!(is_thenable(env, value)?, Ok(true)) => when_settled(env, value, settle),
            outcome => {
                settle(env, outcome);
                Ok(())
            }
        }
    });
    // What could not be begun has been dropped, and with it what was expected.
    drop(begun);
}

/// What hands over the sandbox that the function gave.
fn adopt(env: &Env, outcome: Outcome) -> Result<impl FnOnce(Expected) + use<>> {
    let value = outcome.map_err(|thrown| Error::InvalidArgument(exception::text(env, thrown)))?;
    let sandbox = arguments::instance::<LoadedJSSandbox>(env, "what prepare gives", "a LoadedJSSandbox", value)?;
    let (sender, receiver) = oneshot::channel::<crate::LoadedJSSandbox>();
    let identity = sandbox.give_up("SandboxPool", move |sandbox| drop(sender.send(sandbox)))?;
    Ok(move |expected: Expected| {
        blocking(move || {
            expected.fulfil(guard(|| {
                let given = receiver.recv().map_err(|_| Error::Internal("the sandbox was lost".to_string()));
                Ok((Member::new(given?)?, identity))
            }));
        });
    })
}
