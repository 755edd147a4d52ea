//! `JSSandbox` for JavaScript.

use std::sync::Arc;

use napi::bindgen_prelude::PromiseRaw;
use napi::{Env, Unknown};
use napi_derive::napi;

use super::disposal;
use super::interrupt::InterruptHandle;
use super::limits::limits;
use super::loaded::LoadedJSSandbox;
use super::snapshot::Snapshot;
use crate::node::bridge::async_context::current;
use crate::node::bridge::call_end::{CallPromise, Ended, OnThread};
use crate::node::bridge::call_options::{LoadOptions, ThreadOptions};
use crate::node::bridge::promise::promise;
use crate::node::bridge::source_options::SourceOptions;
use crate::node::bridge::{arguments, environment};
use crate::node::error::{Error, Result};
use crate::node::panic::{catch_panic, catch_panic_in};
use crate::node::scheduling::calls::Calls;
use crate::node::scheduling::consumable::Consumable;
use crate::node::scheduling::host_call::Cause;
use crate::node::scheduling::sandbox_context::SandboxContext;
use crate::node::scheduling::status::{SharedStatus, Status};
use crate::node::scheduling::tasks;
use crate::sandbox::call_control::StoppedBy;

/// A sandbox with the JavaScript runtime in it, to which handlers and modules are added. `ProtoJSSandbox.loadRuntime()`
/// and `LoadedJSSandbox.unload()` return it.
#[napi(js_name = "JSSandbox")]
pub struct JSSandbox {
    held: Consumable<crate::JSSandbox>,
    calls: Arc<Calls>,
    context: Arc<SandboxContext>,
    status: SharedStatus,
}

#[napi]
impl JSSandbox {
    pub(super) fn new(sandbox: crate::JSSandbox, calls: Arc<Calls>, context: Arc<SandboxContext>) -> Self {
        Self { held: Consumable::new("JSSandbox", sandbox), calls, context, status: SharedStatus::new(Status::Ready) }
    }

    /// Adds a handler. It is compiled by `getLoadedSandbox()`.
    ///
    /// - `name`: the name for `callHandler()`; 1 to 256 bytes in UTF-8 without control characters, not only white
    ///   space, and different from the name of every other handler.
    /// - `code`: the source of an ES module that defines `function handler(event)`; the function may be `async` and
    ///   need not be exported. If it defines none, the handler is what it exports as `handler`, or else its default
    ///   export. Or CommonJS: `module.exports = function`, or `exports.handler`. At most as many bytes in UTF-8 as an
    ///   eighth of the heap, 8 MiB, or the input buffer if that is larger.
    /// - `options`: the language, see `SourceOptions`. Unless this says it, the ending of the name does: `.ts`, `.mts`,
    ///   `.jsx`, `.tsx`.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: the name is malformed, already used, or begins with `hyperlight:`, an argument is invalid,
    ///   or the sandbox was started from a snapshot of loaded handlers.
    /// - `ERR_CONSUMED`: `getLoadedSandbox()` has been called.
    ///
    /// @example
    /// ```ts
    /// jsSandbox.addHandler('add', 'export function handler({ a, b }) { return a + b; }');
    /// ```
    #[napi(ts_args_type = "name: string, code: string, options?: SourceOptions")]
    pub fn add_handler(&self, env: &Env, name: Unknown, code: Unknown, options: Unknown) -> napi::Result<()> {
        // They may have getters, which may use the sandbox.
        let options = catch_panic(|| SourceOptions::from_js(env, options)).map_err(|error| error.into_js(env))?;
        self.change(env, |sandbox| {
            let name = arguments::string(env, "the handler's name", name)?;
            let code = arguments::string(env, "the handler's code", code)?;
            Ok(sandbox.add_handler(name, options.script(code))?)
        })
    }

    /// Removes a handler.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: there is no handler of this name, or the name is not a string.
    /// - `ERR_CONSUMED`: `getLoadedSandbox()` has been called.
    #[napi(ts_args_type = "name: string")]
    pub fn remove_handler(&self, env: &Env, name: Unknown) -> napi::Result<()> {
        self.change(env, |sandbox| {
            let name = arguments::string(env, "the handler's name", name)?;
            Ok(sandbox.remove_handler(&name)?)
        })
    }

    /// Removes all handlers.
    ///
    /// Throws with `ERR_CONSUMED`: `getLoadedSandbox()` has been called.
    #[napi]
    pub fn clear_handlers(&self, env: &Env) -> napi::Result<()> {
        self.change(env, |sandbox| {
            sandbox.clear_handlers();
            Ok(())
        })
    }

    /// Adds a module, which handlers and other modules import as `NAMESPACE:NAME`: an ES module, CommonJS or JSON. It is
    /// compiled when it is first imported, so modules can be added in any order and may import each other. All importers
    /// share one instance.
    ///
    /// - `name`: 1 to 256 bytes in UTF-8 without control characters and colons, and not only white space.
    /// - `source`: the source of the module, which may be as large as that of a handler.
    /// - `namespace`: under the same rules as the name. Default: `user`. `host` and `hyperlight` are reserved.
    /// - `options`: as of `addHandler()`.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: the name, the namespace or an option is invalid, there is such a module already, an argument
    ///   has the wrong type, or the sandbox was started from a snapshot of loaded handlers.
    /// - `ERR_CONSUMED`: `getLoadedSandbox()` has been called.
    ///
    /// @example
    /// ```ts
    /// jsSandbox.addModule('geometry', 'export const area = (radius) => Math.PI * radius ** 2;');
    /// jsSandbox.addHandler('area', `
    ///   import { area } from 'user:geometry';
    ///   export const handler = ({ radius }) => area(radius);
    /// `);
    /// ```
    #[napi(ts_args_type = "name: string, source: string, namespace?: string, options?: SourceOptions")]
    pub fn add_module(
        &self,
        env: &Env,
        name: Unknown,
        source: Unknown,
        namespace: Unknown,
        options: Unknown,
    ) -> napi::Result<()> {
        let options = catch_panic(|| SourceOptions::from_js(env, options)).map_err(|error| error.into_js(env))?;
        self.change(env, |sandbox| {
            let name = arguments::string(env, "the module's name", name)?;
            let source = arguments::string(env, "the module's source", source)?;
            let namespace = arguments::optional_string(env, "the namespace", namespace)?;
            Ok(sandbox.add_module(&name, options.script(source), namespace.as_deref())?)
        })
    }

    /// Removes a module.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: there is no module of this name in this namespace, or an argument is not a string.
    /// - `ERR_CONSUMED`: `getLoadedSandbox()` has been called.
    #[napi(ts_args_type = "name: string, namespace?: string")]
    pub fn remove_module(&self, env: &Env, name: Unknown, namespace: Unknown) -> napi::Result<()> {
        self.change(env, |sandbox| {
            let name = arguments::string(env, "the module's name", name)?;
            let namespace = arguments::optional_string(env, "the namespace", namespace)?;
            Ok(sandbox.remove_module(&name, namespace.as_deref())?)
        })
    }

    /// Removes all modules.
    ///
    /// Throws with `ERR_CONSUMED`: `getLoadedSandbox()` has been called.
    #[napi]
    pub fn clear_modules(&self, env: &Env) -> napi::Result<()> {
        self.change(env, |sandbox| {
            sandbox.clear_modules();
            Ok(())
        })
    }

    /// Takes a snapshot of the sandbox with the handlers and modules that were added so far; none of them is loaded. More
    /// can be added to a sandbox that starts from it (`SandboxBuilder.fromSnapshot()`). It cannot be restored and cannot
    /// be used for a pool.
    ///
    /// Rejects with:
    /// - `ERR_CONSUMED`: `getLoadedSandbox()` has been called.
    /// - `ERR_POISONED`: the sandbox is unrecoverable.
    #[napi(ts_return_type = "Promise<Snapshot>")]
    pub fn snapshot<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, Snapshot>> {
        promise(
            env,
            || self.held.with(|sandbox| Ok(sandbox.snapshot()?)),
            |snapshot, pending| pending.settle_with(|| Ok(snapshot)),
            |_, snapshot| Ok(Snapshot::new(snapshot)),
        )
    }

    /// Compiles and evaluates the handlers and the modules that they import. Consumes this object. If a handler cannot
    /// be loaded, the object is not consumed, and keeps its handlers and modules.
    ///
    /// Modules may use top-level `await` over asynchronous host functions and timers; the promise waits for them.
    /// Timers, host calls and results that are left over at the end of an evaluation are dropped.
    ///
    /// - `options`: limits for the evaluation of handlers and modules, see `LoadOptions`. Without limits, only
    ///   `interruptHandle` stops code that never ends.
    ///
    /// Rejects with:
    /// - `ERR_INVALID_ARG`: the options are invalid. Nothing has happened.
    /// - `ERR_COMPILE`: a source has a syntax error, imports something that does not exist, does not define a function
    ///   `handler`, throws when it is evaluated, or waits for something that can never happen. The error has the
    ///   properties `file` (name of the handler or module), `line` and `column` (both from 1; 0 if unknown) and
    ///   `guestStack`.
    /// - `ERR_PAYLOAD_TOO_LARGE`: a source is too large; `size` and `limit` are in bytes.
    /// - `ERR_CONSUMED`: it has been called before.
    /// - `ERR_CANCELLED`: the evaluation was stopped by a timeout, its signal or `kill()`. The error's `terminatedBy`
    ///   names the timeout or is `'signal'`; its `cause` is the signal's reason.
    /// - `ERR_GUEST_ABORT`: the guest ended the evaluation without finishing it.
    ///
    /// @example
    /// ```ts
    /// const sandbox = await jsSandbox.getLoadedSandbox({ wallClockTimeoutMs: 1000, cpuTimeoutMs: 500 });
    /// ```
    #[napi(ts_args_type = "options?: LoadOptions")]
    pub fn get_loaded_sandbox<'env>(
        &self,
        env: &'env Env,
        options: Unknown,
    ) -> napi::Result<PromiseRaw<'env, LoadedJSSandbox>> {
        let held = self.held.clone();
        let (calls, context) = (self.calls.clone(), self.context.clone());
        let status = self.status.clone();
        let on_thread = OnThread::default();
        let begins = on_thread.clone();
        promise(
            env,
            || {
                let host_call = self.context.check(current(env)?, "getLoadedSandbox")?;
                let (options, ThreadOptions { signal, context: given }) = LoadOptions::from_js(env, options)?;
                let limits = limits(options)?;
                self.stop_at_end(env)?;
                let (ticket, call_promise) = (self.calls.add(), CallPromise::new());
                // The object can be used again only when its sandbox is back, so the promise waits for that.
                self.held.with(|_| Ok(()))?;
                let mut cause = Cause { host_call, origin: None };
                if self.context.has_host_functions() {
                    cause.origin = Some(begins.originate(env, given)?);
                }
                begins.begin::<crate::LoadedJSSandbox>(env, signal, options, (&ticket, None), || ())?;
                Ok((self.held.take("getLoadedSandbox")?, (options, limits), ticket, call_promise, cause))
            },
            |(mut sandbox, (options, limits), ticket, call_promise, cause), pending| {
                call_promise.put(pending);
                sandbox.set_load_options(options.unhandled_rejections, options.host_calls);
                let running_in = self.context.clone();
                tasks::spawn(async move {
                    let source = running_in.source();
                    let ended = async {
                        let _running = running_in.run(cause);
                        let Some(running) = ticket.begin(sandbox.interrupt_handle(), || sandbox.begin()) else {
                            held.put_back(sandbox);
                            let result = Err(crate::Error::Cancelled.into());
                            return Ok(Ended { result, stats: None, limits: options });
                        };
                        let loaded = sandbox.load(&running, limits.as_ref()).await.map_err(Error::from);
                        let terminated_by = match running.stopped_by() {
                            Some(StoppedBy::Monitor(name)) if loaded.is_err() => Some(name),
                            _ => None,
                        };
                        let stats = Some(crate::ExecutionStats::of(&running, terminated_by));
                        drop((running, ticket));
                        status.note(&loaded);
                        let result = match loaded {
                            Ok(()) => Ok(sandbox.into_loaded()),
                            Err(error) => {
                                held.put_back(sandbox);
                                Err(error)
                            }
                        };
                        Ok(Ended { result, stats, limits: options })
                    };
                    call_promise.settle_after(source, catch_panic_in(ended).await);
                });
            },
            |env, ended| {
                let (loaded, _) = on_thread.end(env, ended)?;
                LoadedJSSandbox::new(env, loaded, calls, context)
            },
        )
    }

    /// A handle that stops `getLoadedSandbox()`, and later the calls of the sandbox that it returned.
    #[napi(getter)]
    pub fn interrupt_handle(&self) -> InterruptHandle {
        InterruptHandle::new(self.calls.clone())
    }

    /// Whether the sandbox is unrecoverable. Otherwise it is `false`: before `getLoadedSandbox()` and after `unload()`
    /// there is no guest state that could be poisoned.
    #[napi(getter)]
    pub fn poisoned(&self) -> bool {
        self.status.get() != Status::Ready
    }

    /// `'ready'`; or `'unrecoverable'` if `getLoadedSandbox()` has found that the sandbox cannot be used any more; or
    /// `'disposed'` after `dispose()`. It is never `'poisoned'`, see `poisoned`.
    #[napi(getter, ts_return_type = "SandboxStatus")]
    pub fn status(&self) -> &'static str {
        self.status.name(&self.held.with(|_| Ok(())))
    }

    /// Frees the sandbox's memory at once instead of when the object is garbage-collected. From then on its methods
    /// fail with `ERR_CONSUMED`. It does not affect a sandbox that `getLoadedSandbox()` has returned.
    #[napi]
    pub fn dispose(&self) {
        disposal::dispose(&self.held);
    }

    /// `dispose()`, for `using`.
    #[napi(js_name = "[Symbol.dispose]")]
    pub fn dispose_at_end_of_scope(&self) {
        self.dispose();
    }

    /// `dispose()`, for `await using`. The promise is fulfilled when the memory has been freed.
    #[napi(js_name = "[Symbol.asyncDispose]", ts_return_type = "Promise<void>")]
    pub fn dispose_async<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        disposal::dispose_async(env, &self.held)
    }

    /// When the environment ends, nobody is left to stop an evaluation or to hear of its result.
    fn stop_at_end(&self, env: &Env) -> Result<()> {
        if !self.calls.is_first_to_end() {
            return Ok(());
        }
        let (calls_left, calls_to_end) = (Arc::downgrade(&self.calls), Arc::downgrade(&self.calls));
        environment::of(env)?.on_teardown(
            move || calls_left.strong_count() > 0,
            move || {
                if let Some(calls) = calls_to_end.upgrade() {
                    calls.kill_all();
                }
            },
        );
        Ok(())
    }

    fn change(&self, env: &Env, change: impl FnOnce(&mut crate::JSSandbox) -> Result<()>) -> napi::Result<()> {
        catch_panic(|| self.held.with(change)).map_err(|error: Error| error.into_js(env))
    }
}

impl Drop for JSSandbox {
    fn drop(&mut self) {
        // Tearing down a virtual machine takes too long for the JavaScript thread, which is where objects are collected.
        disposal::dispose(&self.held);
    }
}
