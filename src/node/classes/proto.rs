//! `ProtoJSSandbox` for JavaScript.

use std::sync::Arc;

use napi::bindgen_prelude::PromiseRaw;
use napi::{Env, Unknown};
use napi_derive::napi;

use super::disposal;
use super::host_function_module::HostFunctionModule;
use super::js::JSSandbox;
use crate::node::bridge::host_calls;
use crate::node::bridge::host_function::HostCallback;
use crate::node::bridge::promise::promise;
use crate::node::error::Error;
use crate::node::panic::catch_panic;
use crate::node::scheduling::calls::Calls;
use crate::node::scheduling::consumable::Consumable;
use crate::node::scheduling::sandbox_context::SandboxContext;
use crate::node::scheduling::worker_threads::blocking;

const CLASS: &str = "ProtoJSSandbox";
const LOAD_RUNTIME: &str = "loadRuntime";

/// A sandbox that has no runtime yet, in which host functions are registered. `SandboxBuilder.build()` returns it.
#[napi(js_name = "ProtoJSSandbox")]
pub struct ProtoJSSandbox {
    held: Consumable<crate::ProtoJSSandbox>,
    /// Host functions, which are registered when the runtime is loaded. They are consumed with the sandbox.
    functions: Consumable<Vec<HostCallback>>,
    context: Arc<SandboxContext>,
}

#[napi]
impl ProtoJSSandbox {
    pub(super) fn new(
        proto: crate::ProtoJSSandbox,
        functions: Vec<HostCallback>,
        context: Arc<SandboxContext>,
    ) -> Self {
        let functions = Consumable::new(CLASS, functions);
        Self { held: Consumable::new(CLASS, proto), functions, context }
    }

    /// Returns a module of host functions, which guest code imports from `host:NAME`. The module exists as soon as a
    /// function is registered in it. Several objects with the same name refer to the same module.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: the name is not a string or is malformed.
    /// - `ERR_CONSUMED`: `loadRuntime()` has been called.
    #[napi(ts_args_type = "name: string")]
    pub fn host_module(&self, env: &Env, name: Unknown) -> napi::Result<HostFunctionModule> {
        let module = catch_panic(|| HostFunctionModule::among(env, name, self.functions.clone()));
        module.map_err(|error: Error| error.into_js(env))
    }

    /// Registers one host function: `hostModule(moduleName).register(functionName, callback)`.
    ///
    /// Throws the same errors.
    #[napi(ts_args_type = "moduleName: string, functionName: string, callback: (...args: any[]) => any")]
    pub fn register(
        &self,
        env: &Env,
        module_name: Unknown,
        function_name: Unknown,
        callback: Unknown,
    ) -> napi::Result<HostFunctionModule> {
        let module = self.host_module(env, module_name)?;
        match catch_panic(|| module.add(env, function_name, callback, false)) {
            Ok(()) => Ok(module),
            Err(error) => Err(error.into_js(env)),
        }
    }

    /// Registers one asynchronous host function: `hostModule(moduleName).registerAsync(functionName, callback)`.
    ///
    /// Throws the same errors.
    #[napi(ts_args_type = "moduleName: string, functionName: string, callback: (...args: any[]) => any")]
    pub fn register_async(
        &self,
        env: &Env,
        module_name: Unknown,
        function_name: Unknown,
        callback: Unknown,
    ) -> napi::Result<HostFunctionModule> {
        let module = self.host_module(env, module_name)?;
        match catch_panic(|| module.add(env, function_name, callback, true)) {
            Ok(()) => Ok(module),
            Err(error) => Err(error.into_js(env)),
        }
    }

    /// Starts the micro-VM with the JavaScript runtime in it. Consumes this object, even if it fails.
    ///
    /// The first sandbox of a process boots the guest; the others start from a snapshot of it.
    ///
    /// Rejects with:
    /// - `ERR_CONSUMED`: it has been called before.
    /// - `ERR_INVALID_ARG`: a host function is missing that the snapshot needs.
    /// - `ERR_GUEST_ABORT`: the guest does not boot.
    /// - `ERR_INTERNAL`: there is not enough memory, or there are not enough file descriptors, for the VM.
    #[napi]
    pub fn load_runtime<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, JSSandbox>> {
        let context = self.context.clone();
        promise(
            env,
            || {
                let mut proto = self.held.take(LOAD_RUNTIME)?;
                let host_calls = host_calls::of(env)?;
                for function in self.functions.take(LOAD_RUNTIME)? {
                    self.context.add_host_function();
                    function.register(proto.functions(), host_calls, &self.context)?;
                }
                Ok(proto)
            },
            |proto, pending| blocking(move || pending.settle_with(|| Ok(proto.load_runtime()?))),
            |_, sandbox| Ok(JSSandbox::new(sandbox, Arc::new(Calls::default()), context)),
        )
    }

    /// Frees the sandbox and what it holds at once instead of when the object is garbage-collected. From then on its
    /// methods fail with `ERR_CONSUMED`. It does nothing if the object was consumed.
    #[napi]
    pub fn dispose(&self) {
        self.functions.dispose();
        disposal::dispose(&self.held);
    }

    /// `dispose()`, for `using`.
    #[napi(js_name = "[Symbol.dispose]")]
    pub fn dispose_at_end_of_scope(&self) {
        self.dispose();
    }

    /// `dispose()`, for `await using`. The promise is fulfilled when everything has been freed.
    #[napi(js_name = "[Symbol.asyncDispose]", ts_return_type = "Promise<void>")]
    pub fn dispose_async<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        self.functions.dispose();
        disposal::dispose_async(env, &self.held)
    }
}
