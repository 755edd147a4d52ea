//! `HostFunctionModule` for JavaScript.

use napi::bindgen_prelude::{Object, This};
use napi::{Env, Unknown};
use napi_derive::napi;

use crate::node::bridge::arguments;
use crate::node::bridge::host_function::HostCallback;
use crate::node::error::{Error, Result};
use crate::node::panic::catch_panic;
use crate::node::scheduling::consumable::Consumable;
use crate::sandbox::name;

/// A module of host functions, which guest code imports from `host:NAME`.
///
/// `ProtoJSSandbox.hostModule()` returns a module of that sandbox: what is registered in it is registered in the sandbox. A
/// module that `new HostFunctionModule(name)` makes belongs to no sandbox: `SandboxBuilder.addHostFunctionModule()` gives a
/// builder the functions that it has at that time. The sandboxes share these, so data that a callback keeps for one guest must
/// not reach another.
#[napi]
pub struct HostFunctionModule {
    name: String,
    /// Those of all modules of a sandbox, or of this one alone.
    functions: Consumable<Vec<HostCallback>>,
}

#[napi]
impl HostFunctionModule {
    /// A module without functions, which belongs to no sandbox.
    ///
    /// - `name`: 1 to 256 bytes in UTF-8 without control characters, not all of them white space. It must not begin with
    ///   `hyperlight:`.
    ///
    /// Throws with `ERR_INVALID_ARG`: the name is not a string or is malformed.
    #[napi(constructor, ts_args_type = "name: string")]
    pub fn new(env: &Env, name: Unknown) -> napi::Result<Self> {
        let module = catch_panic(|| Self::among(env, name, Consumable::new("HostFunctionModule", Vec::new())));
        module.map_err(|error: Error| error.into_js(env))
    }

    /// The module of this name among the functions of a sandbox.
    pub(super) fn among(env: &Env, name: Unknown<'_>, functions: Consumable<Vec<HostCallback>>) -> Result<Self> {
        let name = arguments::string(env, "the module's name", name)?;
        name::check("module", &name).map_err(crate::Error::from)?;
        name::check_not_ours("module", &name).map_err(crate::Error::from)?;
        functions.with(|_| Ok(()))?;
        Ok(Self { name, functions })
    }

    /// The module's name.
    #[napi(getter)]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Registers a function in the module. Returns the module. A function that was registered under the same name is
    /// replaced.
    ///
    /// - `name`: the name by which guest code imports the function: 1 to 256 bytes in UTF-8 without control characters, not
    ///   all of them white space.
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
    /// - `ERR_INVALID_ARG`: the name is not a string or is malformed, or the callback is not a function.
    /// - `ERR_CONSUMED`: `loadRuntime()` of the module's sandbox has been called.
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
        let added = catch_panic(|| self.add(env, name, callback, false));
        added.map(|()| this.object).map_err(|error| error.into_js(env))
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
        let added = catch_panic(|| self.add(env, name, callback, true));
        added.map(|()| this.object).map_err(|error| error.into_js(env))
    }

    /// The functions as they are now.
    pub(super) fn functions(&self) -> Result<Vec<HostCallback>> {
        let is_ours = |function: &&HostCallback| function.name.module == self.name;
        self.functions.with(|functions| Ok(functions.iter().filter(is_ours).cloned().collect()))
    }

    pub(super) fn add(&self, env: &Env, name: Unknown<'_>, callback: Unknown<'_>, is_async: bool) -> Result<()> {
        let name = arguments::string(env, "the function's name", name)?;
        name::check("function", &name).map_err(crate::Error::from)?;
        let callback = arguments::function(env, "the callback", callback)?;
        let function = HostCallback::new(env, self.name.clone(), name, is_async, &callback)?;
        self.functions.with(|functions| {
            functions.retain(|known| known.name != function.name);
            functions.push(function);
            Ok(())
        })
    }
}
