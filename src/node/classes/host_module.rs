//! `HostModule` for JavaScript.

use std::sync::Arc;

use napi::bindgen_prelude::{Object, This};
use napi::{Env, Unknown};
use napi_derive::napi;

use crate::node::bridge::{arguments, environment, host_function};
use crate::node::error::Result;
use crate::node::panic::catch_panic;
use crate::node::scheduling::sandbox_context::SandboxContext;
use crate::node::scheduling::slot::Slot;

/// A module of host functions, which guest code imports from `host:NAME`. `ProtoJSSandbox.hostModule()` makes it.
#[napi]
pub struct HostModule {
    proto: Slot<crate::ProtoJSSandbox>,
    context: Arc<SandboxContext>,
    name: String,
}

#[napi]
impl HostModule {
    pub(super) fn new(proto: Slot<crate::ProtoJSSandbox>, context: Arc<SandboxContext>, name: String) -> Self {
        Self { proto, context, name }
    }

    /// Registers a function in the module and gives the module back, for more. A function that was registered under the
    /// same name is replaced.
    ///
    /// - `name`: what guest code imports it by.
    /// - `callback`: is called with the guest's arguments, on the thread that registered it. What it returns goes to the
    ///   guest as `JSON.stringify` has it: what that leaves out, such as a function or `undefined`, arrives as `undefined`. A
    ///   `Uint8Array`, a `Buffer` or an `ArrayBuffer` arrives as a `Uint8Array`, in the arguments as well.
    ///   A promise or another thenable is awaited; the guest waits meanwhile, the event loop does not.
    ///
    /// If the callback throws, rejects, or gives what `JSON.stringify` refuses (a cyclic object, a BigInt), the guest's
    /// call throws a `HostFunctionError` with the same message, and with the error's name as `hostName`; `code`, other own
    /// enumerable properties that JSON can express, `cause` and `errors` come along, the stack does not. What is no error
    /// is turned into text for the message; its `hostName` is empty.
    ///
    /// The guest waits for as long as the promise takes. To limit that, use a timeout of `callHandler()`, or `kill()`; a
    /// result that comes later is dropped.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: the name is no string or empty, or the callback is no function.
    /// - `ERR_CONSUMED`: `loadRuntime()` was called already.
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

    /// Registers an asynchronous function: as `register()`, but guest code gets a promise at once and goes on. So several calls
    /// are at work at the same time, and a sandbox that waits for them occupies no thread.
    ///
    /// The guest's promise is fulfilled with what the callback returns, awaited if it is a promise or another thenable, and
    /// rejected with a `HostFunctionError` where `register()` would have it thrown. When the guest's call ends before the callback
    /// does, its result is dropped.
    ///
    /// A call of a handler, or the evaluation of its module, may have 1,000 calls of asynchronous functions in flight, and make 100,000 of them; the arguments of
    /// those in flight may take 16 times the output buffer's size. What goes beyond is rejected with a `HostFunctionError` whose
    /// `hostName` is `RangeError`.
    ///
    /// Throws as `register()` does.
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
        let name = arguments::name(env, "the function's name", name)?;
        let callback = arguments::function(env, "the callback", callback)?;
        let host_calls = environment::of(env)?.host_calls.clone();
        let function = host_function::async_bridge(host_calls, self.context.clone(), callback);
        self.proto.with(|proto| Ok(proto.register_async_with_bytes(&self.name, &name, function)?))
    }

    pub(super) fn add(&self, env: &Env, name: Unknown<'_>, callback: Unknown<'_>) -> Result<()> {
        let name = arguments::name(env, "the function's name", name)?;
        let callback = arguments::function(env, "the callback", callback)?;
        let host_calls = environment::of(env)?.host_calls.clone();
        let function = host_function::bridge(host_calls, self.context.clone(), callback);
        self.proto.with(|proto| Ok(proto.register_with_bytes(&self.name, &name, function)?))
    }
}
