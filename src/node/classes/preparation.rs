//! `SandboxPool.prepare()`: modules that programs find compiled and evaluated.

use std::sync::{Arc, OnceLock};

use napi::bindgen_prelude::PromiseRaw;
use napi::{Env, Unknown};
use napi_derive::napi;

use super::call_driver::{self, Callee};
use super::handler_call::{CallRequest, CallValue};
use super::pool::SandboxPool;
use crate::node::bridge::call_end::CallPromise;
use crate::node::error::Result;
use crate::node::invalid_value::InvalidValue;
use crate::node::scheduling::calls::{Calls, Ticket};
use crate::node::scheduling::host_call::PendingHostCall;

#[napi]
impl SandboxPool {
    /// Imports modules into the state in which requests get their sandboxes, so that programs find them compiled and
    /// evaluated: `modules` are their sources by the specifiers under which they are imported. Requests that are made after
    /// the promise is fulfilled have them; so have later preparations, which add to earlier ones. Requests are served
    /// meanwhile.
    ///
    /// Each request gets its own copy of what the modules keep in variables.
    ///
    /// If it rejects, the pool stays as it was:
    /// - `ERR_COMPILE`: a module has a syntax error or imports what does not exist. The error's `file` is its specifier.
    /// - `ERR_GUEST_ERROR`: the evaluation of a module threw.
    /// - `ERR_CANCELLED`: a timeout, or the signal, stopped it.
    /// - `ERR_INVALID_ARG`: an argument is invalid, a specifier means something else in the guest, or the pool has the option
    ///   `prepare`, whose function can add modules itself.
    /// - `ERR_PAYLOAD_TOO_LARGE`: the modules together are too large; prepare some of them first.
    /// - Others as with `run()`.
    ///
    /// @example
    /// ```ts
    /// const pool = new SandboxPool({ size: 2 });
    /// await pool.prepare({ tools: 'export const twice = (n) => 2 * n' });
    /// const { value } = await pool.run("import { twice } from 'tools'; export default twice(21)"); // 42
    /// ```
    #[napi(ts_args_type = "modules: Record<string, string>, options?: LoadOptions", ts_return_type = "Promise<void>")]
    pub fn prepare<'env>(
        &self,
        env: &'env Env,
        modules: Unknown,
        options: Unknown,
    ) -> napi::Result<PromiseRaw<'env, ()>> {
        call_driver::prepare(env, &Preparations(self), "prepare", (modules, options))
    }
}

/// What serves preparations: the pool's sandboxes, one preparation after another, since each adds to the one before.
struct Preparations<'a>(&'a SandboxPool);

impl Callee for Preparations<'_> {
    fn check_open(&self) -> Result<()> {
        self.0.check_open()?;
        if !self.0.requests.driver.members.can_prepare() {
            return Err(InvalidValue::PreparesItself.into());
        }
        Ok(())
    }

    fn check_caller(
        &self,
        caller: Option<Arc<PendingHostCall>>,
        method: &'static str,
    ) -> Result<Option<Arc<PendingHostCall>>> {
        self.0.check_caller(caller, method)
    }

    fn calls(&self) -> &Arc<Calls> {
        self.0.calls()
    }

    fn may_have_host_functions(&self) -> bool {
        self.0.may_have_host_functions()
    }

    fn hand_over(&self, request: CallRequest, ticket: Ticket, call_promise: CallPromise<CallValue>) -> Option<u64> {
        let requests = self.0.requests.clone();
        // The queue takes work as long as there is a pool.
        self.0.requests.preparations.push_waiting(move |turn| {
            turn.ok()?;
            Some(Box::pin(requests.prepare(request, ticket, call_promise)))
        });
        None
    }

    fn withdraw(&self, _: Arc<OnceLock<u64>>) -> impl Fn() + 'static {
        // One that is not to begin is passed over when it is its turn.
        || ()
    }
}
