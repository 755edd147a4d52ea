//! The asynchronous context of JavaScript code, which Node.js carries along: in which one a guest's call was made, and during
//! which host call code runs.
//!
//! Host functions run in the context of the call that caused them, with their host call added. What `async_context.js` has does
//! the work; it is given the module `node:async_hooks`, which an addon cannot load in every Node.js.

use std::cell::OnceCell;
use std::sync::Arc;

use napi::bindgen_prelude::{FnArgs, Function, JsObjectValue, Object};
use napi::{Env, JsValue, Unknown, ValueType};

use super::arguments::from_js;
use super::function::{self, AnyFunction};
use super::value::undefined;
use super::{environment, host_calls};
use crate::node::error::{Error, Result};
use crate::node::scheduling::host_call::PendingHostCall;

const SOURCE: &str = include_str!("async_context.js");

/// Functions of `async_context.js`.
pub struct AsyncContexts {
    begin: AnyFunction,
    end: AnyFunction,
    enter: AnyFunction,
    current: AnyFunction,
    describe: AnyFunction,
}

/// The place for those of an environment, which has them as soon as the package's entry has been loaded.
#[derive(Default)]
pub struct Contexts(OnceCell<AsyncContexts>);

/// Those of the environment of the running call.
fn of(env: &Env) -> Result<&'static AsyncContexts> {
    let Contexts(place) = environment::kept(env)?;
    place.get().ok_or_else(|| Error::Internal("the addon was not loaded by its package".to_string()))
}

/// Makes those of the environment of the running call, with the module `node:async_hooks`. Returns the function `enter`.
pub fn begin(env: &Env, async_hooks: Unknown<'_>) -> Result<Unknown<'static>> {
    let Contexts(place) = environment::kept(env)?;
    // An environment loads the addon more than once if its cache of modules is cleared. Those that are there go on.
    if place.get().is_none() {
        let _ = place.set(AsyncContexts::new(env, async_hooks)?);
    }
    function::kept(env, &of(env)?.enter)
}

impl AsyncContexts {
    fn new(env: &Env, async_hooks: Unknown<'_>) -> Result<Self> {
        let is_waiting = env.create_function_from_closure::<(), _, _>("isWaiting", |context| {
            Ok(host_calls::waiting(context.env, context.get(0)?).is_some())
        })?;
        let functions: Function<FnArgs<(Unknown, Unknown)>, Object> = env.run_script(SOURCE)?;
        let functions = functions.call((async_hooks, is_waiting.to_unknown()).into())?;
        let function = |name| functions.get_named_property::<Function<_, _>>(name)?.create_ref();
        Ok(Self {
            begin: function("begin")?,
            end: function("end")?,
            enter: function("enter")?,
            current: function("current")?,
            describe: function("describe")?,
        })
    }
}

/// Where a call of a guest was made: an object of `async_context.js`. Node-API can refer to any object in the way that it refers
/// to a function.
pub struct Origin(AnyFunction);

impl Origin {
    /// A call is made here. Its host functions are given this value, if any.
    pub fn new(env: &Env, context: Option<Unknown<'_>>) -> Result<Arc<Self>> {
        let begin = &of(env)?.begin;
        let context = context.map_or_else(|| undefined(env), Ok)?;
        match function::call(env, begin, undefined(env)?, &[context])? {
            Ok(origin) => Ok(Arc::new(Self(function::keep(env, origin)?))),
            Err(_) => Err(Error::Internal("the asynchronous context cannot be kept".to_string())),
        }
    }

    /// The call has ended.
    pub fn end(&self, env: &Env) -> Result<()> {
        let end = &of(env)?.end;
        // What listens to the signal does not throw here.
        let _ = function::call(env, end, undefined(env)?, &[self.object(env)?])?;
        Ok(())
    }

    /// As a value.
    pub fn object(&self, env: &Env) -> Result<Unknown<'static>> {
        function::kept(env, &self.0)
    }
}

/// The host call that was being served where the running code was called, if a guest still waits for it, or for one that has
/// caused it.
pub fn current(env: &Env) -> Result<Option<Arc<PendingHostCall>>> {
    loop {
        let Ok(number) = function::call(env, &of(env)?.current, undefined(env)?, &[])? else {
            return Err(Error::Internal("the asynchronous context cannot be read".to_string()));
        };
        if number.get_type()? != ValueType::Number {
            return Ok(None);
        }
        // It may have ended just now. Then the one that has caused it is next.
        if let Some(call) = host_calls::waiting(env, from_js(env, number)?) {
            return Ok(Some(call));
        }
    }
}

/// What is known of the host call that the running code serves: `types.d.ts` has the type.
pub fn describe_current(env: &Env) -> Result<Unknown<'static>> {
    function::call(env, &of(env)?.describe, undefined(env)?, &[])?
        .map_err(|_| Error::Internal("the host call cannot be described".to_string()))
}
