//! `HostModule` for JavaScript.

use std::sync::Arc;

use napi::bindgen_prelude::{Object, This};
use napi::{Env, Unknown};
use napi_derive::napi;

use super::host_function_module::ModuleFunction;
use crate::node::bridge::host_function::{self, HostFunction};
use crate::node::bridge::{arguments, environment};
use crate::node::error::Result;
use crate::node::panic::catch_panic;
use crate::node::scheduling::consumable::Consumable;
use crate::node::scheduling::host_call::FunctionName;
use crate::node::scheduling::sandbox_context::SandboxContext;

/// A module of host functions, which guest code imports from `host:NAME`. `ProtoJSSandbox.hostModule()` returns it.
#[napi]
pub struct HostModule {
    proto: Consumable<crate::ProtoJSSandbox>,
    context: Arc<SandboxContext>,
    name: String,
}

#[napi]
impl HostModule {
    pub(super) fn new(proto: Consumable<crate::ProtoJSSandbox>, context: Arc<SandboxContext>, name: String) -> Self {
        Self { proto, context, name }
    }

    /// Registers a function in the module. Returns the module. A function that was registered under the same name is
    /// replaced.
    ///
    /// - `name`: the name by which guest code imports the function.
    /// - `callback`: is called with the guest's arguments, on the thread that registered it. Its result is passed to
    ///   the guest as JSON. A value that `JSON.stringify` omits, such as a function or `undefined`, arrives as
    ///   `undefined`. A `Uint8Array`, a `Buffer` or an `ArrayBuffer` arrives as a `Uint8Array`; so it does in the
    ///   arguments. A promise or another thenable is awaited; the guest waits in the meantime, the event loop does not.
    ///
    /// If the callback throws, rejects, or returns a value that `JSON.stringify` rejects (a cyclic object, a BigInt),
    /// the guest's call throws a `HostFunctionError` with the same message and with the error's name as `hostName`.
    /// `code`, other own enumerable properties that JSON can represent, `cause` and `errors` are passed too; the stack
    /// is not. For a thrown value that is not an error, the message is the value as text, and `hostName` is empty.
    ///
    /// The guest waits until the promise is settled. To limit that time, use a timeout of `callHandler()`, or `kill()`;
    /// a result that arrives later is dropped.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: the name is not a string or is empty, or the callback is not a function.
    /// - `ERR_CONSUMED`: `loadRuntime()` has been called.
    ///
    /// @example
    /// ```ts
    /// protoSandbox.hostModule('users').register('find', async (id) => {
    ///   if (typeof id !== 'number') throw new TypeError('an id is a number'); // arguments may be anything
    ///   return { id, name: 'Ada' };
    /// });
    /// ```
    #[napi(ts_args_type = "name: string, callback: (...args: any[]) => any", ts_return_type = "this")]
    pub fn register<'env>(
        &self,
        env: &'env Env,
        this: This<'env, Object<'env>>,
        name: Unknown,
        callback: Unknown,
    ) -> napi::Result<Object<'env>> {
        let registered = catch_panic(|| self.add(env, name, callback));
        registered.map(|()| this.object).map_err(|error| error.into_js(env))
    }

    /// Registers an asynchronous function: like `register()`, but guest code gets a promise at once and continues. So
    /// several calls can be in progress at the same time, and a sandbox that waits for them occupies no thread.
    ///
    /// The guest's promise is fulfilled with the result of the callback, which is awaited if it is a promise or another
    /// thenable. It is rejected with a `HostFunctionError` where a function of `register()` would throw one. If the
    /// guest's call ends before the callback does, the result of the callback is dropped.
    ///
    /// A call of a handler, or `getLoadedSandbox()`, may have 1,000 calls of asynchronous functions in flight, and
    /// 100,000 calls of host functions in total, unless its options `maxHostCallsInFlight` and `maxHostCalls` say
    /// otherwise. The arguments of those in flight may take 16 times the size of the output buffer; the results that the
    /// guest has not taken yet, 64 MiB. Calls beyond these limits are rejected with a `HostFunctionError` whose
    /// `hostName` is `RangeError`.
    ///
    /// Throws the same errors as `register()`.
    ///
    /// @example
    /// ```ts
    /// protoSandbox.hostModule('web').registerAsync('get', async (path) => {
    ///   const response = await fetch(new URL(String(path), 'https://example.com'));
    ///   return response.text();
    /// });
    /// ```
    #[napi(ts_args_type = "name: string, callback: (...args: any[]) => any", ts_return_type = "this")]
    pub fn register_async<'env>(
        &self,
        env: &'env Env,
        this: This<'env, Object<'env>>,
        name: Unknown,
        callback: Unknown,
    ) -> napi::Result<Object<'env>> {
        let registered = catch_panic(|| self.add_async(env, name, callback));
        registered.map(|()| this.object).map_err(|error| error.into_js(env))
    }

    pub(super) fn add_async(&self, env: &Env, name: Unknown<'_>, callback: Unknown<'_>) -> Result<()> {
        self.add_function(env, name, callback, true)
    }

    pub(super) fn add(&self, env: &Env, name: Unknown<'_>, callback: Unknown<'_>) -> Result<()> {
        self.add_function(env, name, callback, false)
    }

    fn add_function(&self, env: &Env, name: Unknown<'_>, callback: Unknown<'_>, is_async: bool) -> Result<()> {
        let name = arguments::name(env, "the function's name", name)?;
        let callback = Arc::new(arguments::function(env, "the callback", callback)?);
        let function = ModuleFunction { module: self.name.clone(), name, is_async, callback };
        self.proto.with(|proto| add(proto, env, &self.context, function))
    }
}

/// Registers a function of JavaScript in a sandbox.
pub(super) fn add(
    proto: &mut crate::ProtoJSSandbox,
    env: &Env,
    context: &Arc<SandboxContext>,
    ModuleFunction { module, name, is_async, callback }: ModuleFunction,
) -> Result<()> {
    let host_calls = environment::of(env)?.host_calls.clone();
    context.add_host_function();
    let name = Arc::new(FunctionName { module, name });
    let function = Arc::new(HostFunction { name: name.clone(), callback });
    let FunctionName { module, name } = &*name;
    if is_async {
        let function = host_function::async_bridge(host_calls, context.clone(), function);
        return Ok(proto.register_async_with_bytes(module, name, function)?);
    }
    let function = host_function::bridge(host_calls, context.clone(), function);
    Ok(proto.register_with_bytes(module, name, function)?)
}
