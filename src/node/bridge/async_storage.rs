//! During which host function JavaScript code runs: an `AsyncLocalStorage` of our own carries that along.

use std::sync::Arc;

use napi::bindgen_prelude::{External, FromNapiValue, Function, JsObjectValue, Object};
use napi::{Env, JsValue, Unknown, ValueType};

use super::environment;
use super::function::{self, AnyFunction, Outcome};
use super::value::undefined;
use crate::node::error::{Error, Result};
use crate::node::scheduling::host_call::PendingHostCall;
use crate::node::scheduling::sandbox_context::Caller;

/// An `AsyncLocalStorage` for the host call in whose course JavaScript code runs.
///
/// Both functions are bound to the storage.
pub struct AsyncStorage {
    run: AnyFunction,
    get_store: AnyFunction,
}

impl AsyncStorage {
    /// A storage of this environment, if it can be had.
    pub fn of_environment(env: &Env) -> napi::Result<Option<Self>> {
        let process: Object = env.get_global()?.get_named_property("process")?;
        let load: Unknown = process.get_named_property_unchecked("getBuiltinModule")?;
        if load.get_type()? != ValueType::Function {
            return Ok(None);
        }
        let load: Function<&str, Object> = process.get_named_property("getBuiltinModule")?;
        let class: Function<(), Unknown> =
            load.apply(process, "node:async_hooks")?.get_named_property("AsyncLocalStorage")?;
        let storage = Object::from_raw(env.raw(), class.new_instance(())?.raw());
        let bound = |name| storage.get_named_property::<Function<_, _>>(name)?.bind(storage)?.create_ref();
        Ok(Some(Self { run: bound("run")?, get_store: bound("getStore")? }))
    }

    /// Calls a function in the course of a host call.
    pub fn run(
        &self,
        env: &Env,
        call: &Arc<PendingHostCall>,
        callback: &AnyFunction,
        arguments: &[Unknown<'_>],
    ) -> Result<Outcome> {
        let callback = callback.borrow_back(env)?;
        let mut all = vec![External::new(call.clone()).into_unknown(env)?, callback.to_unknown()];
        all.extend_from_slice(arguments);
        function::call(env, &self.run, undefined(env)?, &all)
    }

    fn current(&self, env: &Env) -> Result<Option<Arc<PendingHostCall>>> {
        let Ok(store) = function::call(env, &self.get_store, undefined(env)?, &[])? else {
            return Err(Error::Internal("the asynchronous context cannot be read".to_string()));
        };
        if store.get_type()? != ValueType::External {
            return Ok(None);
        }
        // SAFETY: the value belongs to this environment and to the scope of the running call; its type is checked.
        let call = unsafe { <&External<Arc<PendingHostCall>>>::from_napi_value(env.raw(), store.raw()) }?;
        Ok(Some(Arc::clone(call)))
    }
}

/// During which host function the running code was called.
pub fn caller(env: &Env) -> Result<Caller> {
    match &environment::of(env)?.async_storage {
        Some(storage) => storage.current(env).map(Caller::Known),
        None => Ok(Caller::Unknown),
    }
}
