//! `HostFunctionModule` for JavaScript.

use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::{Object, This};
use napi::{Env, Unknown};
use napi_derive::napi;

use crate::node::bridge::arguments;
use crate::node::bridge::function::AnyFunction;
use crate::node::error::{Error, Result};
use crate::node::panic::catch_panic;
use crate::sandbox::name;

/// A module of host functions that can be given to several builders (`SandboxBuilder.addHostFunctionModule()`). Guest code
/// imports it from `host:NAME`.
///
/// The sandboxes share the functions: data that a callback keeps for one guest must not reach another.
#[napi]
pub struct HostFunctionModule {
    name: String,
    functions: Mutex<Vec<ModuleFunction>>,
}

/// A function of a module, for any sandbox.
#[derive(Clone)]
pub(super) struct ModuleFunction {
    pub module: String,
    pub name: String,
    pub is_async: bool,
    pub callback: Arc<AnyFunction>,
}

#[napi]
impl HostFunctionModule {
    /// A module without functions.
    ///
    /// - `name`: 1 to 256 bytes in UTF-8 without control characters, not all of them white space.
    ///
    /// Throws with `ERR_INVALID_ARG`: the name is not a string or is malformed.
    #[napi(constructor, ts_args_type = "name: string")]
    pub fn new(env: &Env, name: Unknown) -> napi::Result<Self> {
        let module = catch_panic(|| {
            let name = arguments::string(env, "the module's name", name)?;
            name::check("module", &name).map_err(crate::Error::from)?;
            Ok(Self { name, functions: Mutex::default() })
        });
        module.map_err(|error: Error| error.into_js(env))
    }

    /// The module's name.
    #[napi(getter)]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Registers a function, as `HostModule.register()` does. Returns the module. Builders that the module was added to
    /// before do not get the function.
    ///
    /// Throws with `ERR_INVALID_ARG`: the name is not a string or is malformed, or the callback is not a function.
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

    /// Registers an asynchronous function, as `HostModule.registerAsync()` does. Returns the module. Builders that the
    /// module was added to before do not get the function.
    ///
    /// Throws as `register()` does.
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
    pub(super) fn functions(&self) -> Vec<ModuleFunction> {
        self.functions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, env: &Env, name: Unknown<'_>, callback: Unknown<'_>, is_async: bool) -> Result<()> {
        let name = arguments::string(env, "the function's name", name)?;
        name::check("function", &name).map_err(crate::Error::from)?;
        let callback = Arc::new(arguments::function(env, "the callback", callback)?);
        let mut functions = self.functions.lock().unwrap_or_else(PoisonError::into_inner);
        functions.retain(|known| known.name != name);
        functions.push(ModuleFunction { module: self.name.clone(), name, is_async, callback });
        Ok(())
    }
}
