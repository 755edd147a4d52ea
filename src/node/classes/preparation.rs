//! `SandboxPool.prepare()`: modules that programs find compiled and evaluated.

use napi::bindgen_prelude::PromiseRaw;
use napi::{Env, Unknown};
use napi_derive::napi;

use super::call_driver::Callee;
use super::handler_call::{Request, Work};
use super::pool::SandboxPool;
use crate::Program;
use crate::node::bridge::async_context::current;
use crate::node::bridge::call_end::{CallPromise, OnThread};
use crate::node::bridge::call_options::{CallHandlerOptions, LoadOptions, ThreadOptions};
use crate::node::bridge::given_functions::GivenFunctions;
use crate::node::bridge::program_parts::modules;
use crate::node::bridge::promise::promise;
use crate::node::error::{Error, Result};
use crate::node::scheduling::sandbox_context::Cause;

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
    /// - `ERR_PAYLOAD_TOO_LARGE`: the modules together are larger than the input buffer; prepare some of them first.
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
        let on_thread = OnThread::default();
        let begins = on_thread.clone();
        promise(
            env,
            || {
                self.check_open()?;
                let host_call = self.shared.id.check(current(env)?, "prepare")?;
                if !self.shared.can_prepare() {
                    let message = "a pool with the option prepare cannot prepare modules: its function can add them";
                    return Err(Error::InvalidArgument(message.to_string()));
                }
                let program = Program::preparation(self::modules(env, modules)?);
                let (limits, ThreadOptions { signal, context: _ }) = LoadOptions::from_js(env, options)?;
                // The arguments may have had getters, which have been called now.
                self.check_open()?;
                let (ticket, call_promise) = (self.shared.calls.add(), CallPromise::new());
                begins.begin(env, signal, limits, (&ticket, Some(&call_promise)), || ())?;
                let request = Request {
                    work: Work::Program(program),
                    options: CallHandlerOptions { limits, ..CallHandlerOptions::default() },
                    functions: GivenFunctions::none(env)?,
                    record: None,
                    cause: Cause { host_call, origin: None },
                };
                Ok((request, ticket, call_promise))
            },
            |(request, ticket, call_promise), pending| {
                call_promise.put(pending);
                let shared = self.shared.clone();
                // The queue takes work as long as there is a pool.
                self.shared.preparations.push_waiting(move |turn| {
                    turn.ok()?;
                    Some(Box::pin(shared.prepare(request, ticket, call_promise)))
                });
            },
            move |env, ended| -> Result<()> { on_thread.end(env, ended).map(|_| ()) },
        )
    }
}
