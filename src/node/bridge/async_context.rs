//! The asynchronous context of JavaScript code, which Node.js carries along: in which one a guest's call was made, and during
//! which host call code runs.
//!
//! Host functions run in the context of the call that caused them, with their host call added. What `async_context.js` has does
//! the work; it is given the module `node:async_hooks`, which an addon cannot load in every Node.js.

use std::any::Any;
use std::cell::OnceCell;
use std::sync::Arc;

use napi::bindgen_prelude::{External, FnArgs, FromNapiValue, Function, JsObjectValue, Object};
use napi::{Env, JsValue, Unknown, ValueType};

use super::environment;
use super::function::{self, AnyFunction};
use super::value::{undefined, value};
use crate::node::error::{Error, Result};
use crate::node::scheduling::host_call::PendingHostCall;

const SOURCE: &str = include_str!("async_context.js");

/// Functions of `async_context.js`.
pub struct AsyncContexts {
    begin: AnyFunction,
    end: AnyFunction,
    serve: AnyFunction,
    current: AnyFunction,
    describe: AnyFunction,
}

/// The place for those of an environment, which has them as soon as the package's entry has been loaded.
#[derive(Default)]
pub struct Contexts(OnceCell<AsyncContexts>);

/// Those of the environment of the running call.
pub fn of(env: &Env) -> Result<&'static AsyncContexts> {
    let Contexts(place) = environment::kept(env)?;
    place.get().ok_or_else(|| Error::Internal("the addon was not loaded by its package".to_string()))
}

/// Makes those of the environment of the running call, with the module `node:async_hooks`, and with a function that returns what
/// traces host calls.
pub fn begin(env: &Env, async_hooks: Unknown<'_>, tracer: Unknown<'_>) -> Result<()> {
    let Contexts(place) = environment::kept(env)?;
    // An environment loads the addon more than once if its cache of modules is cleared. Those that are there go on.
    let _ = place.set(AsyncContexts::new(env, async_hooks, tracer)?);
    Ok(())
}

impl AsyncContexts {
    /// Those of an environment, made with the module `node:async_hooks`, and with a function that returns what traces host calls.
    fn new(env: &Env, async_hooks: Unknown<'_>, tracer: Unknown<'_>) -> Result<Self> {
        let functions: Function<FnArgs<(Unknown, Unknown)>, Object> = env.run_script(SOURCE)?;
        let functions = functions.call((async_hooks, tracer).into())?;
        let function = |name| functions.get_named_property::<Function<_, _>>(name)?.create_ref();
        Ok(Self {
            begin: function("begin")?,
            end: function("end")?,
            serve: function("serve")?,
            current: function("current")?,
            describe: function("describe")?,
        })
    }

    /// Has a function serve a host call, where the guest's call was made: `async_context.js` says what it is given.
    pub fn serve(
        &self,
        env: &Env,
        call: &Arc<PendingHostCall>,
        serve: &AnyFunction,
        values: [Unknown<'static>; 2],
    ) -> Result<()> {
        let origin = Origin::of(call)?.object(env)?;
        let host_call = External::new(call.clone()).into_unknown(env)?;
        let [first, second] = values;
        let arguments = [origin, host_call, function::kept(env, serve)?, first, second];
        match function::call(env, &self.serve, undefined(env)?, &arguments)? {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::Internal("the asynchronous context cannot be entered".to_string())),
        }
    }

    fn current(&self, env: &Env) -> Result<Option<Arc<PendingHostCall>>> {
        let Ok(store) = function::call(env, &self.current, undefined(env)?, &[])? else {
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

    fn of(call: &PendingHostCall) -> Result<&Self> {
        let origin = call.cause.origin.as_deref().and_then(|origin| (origin as &dyn Any).downcast_ref());
        origin.ok_or_else(|| Error::Internal("nobody has made the guest's call".to_string()))
    }

    fn object(&self, env: &Env) -> Result<Unknown<'static>> {
        Ok(Object::from_raw(env.raw(), self.0.borrow_back(env)?.raw()).to_unknown())
    }
}

/// During which host call the running code was called, if any.
pub fn current(env: &Env) -> Result<Option<Arc<PendingHostCall>>> {
    of(env)?.current(env)
}

/// What is known of that host call: `types.d.ts` has the type.
pub fn describe_current(env: &Env) -> Result<Unknown<'static>> {
    let Some(call) = current(env)? else { return undefined(env) };
    let describe = &of(env)?.describe;
    let [module, name] = [&call.function.module, &call.function.name];
    let (module, name) = (value(env, module.clone())?, value(env, name.clone())?);
    function::call(env, describe, undefined(env)?, &[Origin::of(&call)?.object(env)?, module, name])?
        .map_err(|_| Error::Internal("the host call cannot be described".to_string()))
}
