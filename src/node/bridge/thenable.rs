//! Promises and other thenables of JavaScript's, and what they come to.

use std::ptr;
use std::rc::Rc;

use napi::bindgen_prelude::{Function, FunctionCallContext, JsObjectValue, Object};
use napi::{Env, JsValue, Unknown, ValueType, sys};

use super::function::{self, AnyFunction, Completion};
use super::node_api::check;
use super::{environment, exception};
use crate::node::error::{Error, Result};

/// `Promise.prototype.then` of one environment, as it was when the addon was loaded.
pub struct PromiseThen(AnyFunction);

impl PromiseThen {
    pub fn of_environment(env: &Env) -> napi::Result<Self> {
        let promise: Function<(), ()> = env.get_global()?.get_named_property("Promise")?;
        let prototype: Object = promise.get_named_property("prototype")?;
        Ok(Self(prototype.get_named_property::<Function<_, _>>("then")?.create_ref()?))
    }
}

/// That of the environment of the running call.
pub fn promise_then(env: &Env) -> Result<&'static AnyFunction> {
    let PromiseThen(then) = environment::kept(env)?;
    Ok(then)
}

/// Whether `await` would wait for it, or what asking that throws.
pub fn is_thenable(env: &Env, value: Unknown<'_>) -> Result<std::result::Result<bool, Unknown<'static>>> {
    if !matches!(value.get_type()?, ValueType::Object | ValueType::Function) {
        return Ok(Ok(false));
    }
    match Object::from_raw(env.raw(), value.raw()).get_named_property_unchecked::<Unknown>("then") {
        Ok(then) => Ok(Ok(then.get_type()? == ValueType::Function)),
        Err(error) => exception::take(env).map_or(Err(error.into()), |thrown| Ok(Err(thrown))),
    }
}

/// Calls a function with what a thenable comes to, as `await` would have it. Should nobody be left who could settle it, the
/// function is dropped without being called.
///
/// # Errors
/// The function may have been called already if this fails.
pub fn when_settled(env: &Env, thenable: Unknown<'_>, then: impl Fn(&Env, Completion) + 'static) -> Result<()> {
    let then = Rc::new(then);
    let callback = |name: &str, completion: fn(Unknown<'static>) -> Completion| {
        let then = then.clone();
        env.create_function_from_closure::<(), (), _>(name, move |context: FunctionCallContext| {
            then(&*context.env, completion(context.get(0)?));
            Ok(())
        })
    };
    let fulfilled = callback("fulfilled", Ok)?.to_unknown();
    let rejected = callback("rejected", Err)?.to_unknown();

    let mut deferred = ptr::null_mut();
    let mut promise = ptr::null_mut();
    // SAFETY: the environment is that of the running call, on its own thread; the results are only read if Node-API has
    // set them.
    let promise = unsafe {
        check(sys::napi_create_promise(env.raw(), &raw mut deferred, &raw mut promise))?;
        Unknown::from_raw_unchecked(env.raw(), promise)
    };
    // In this order: a promise that is rejected before anyone listens counts as unhandled.
    let attached = function::call(env, promise_then(env)?, promise, &[fulfilled, rejected])?;
    // SAFETY: as above; the deferred is used once.
    let resolved = check(unsafe { sys::napi_resolve_deferred(env.raw(), deferred, thenable.raw()) });
    match (attached, resolved) {
        (Ok(_), Ok(())) => Ok(()),
        (Err(thrown), _) => Err(Error::Internal(exception::text(env, thrown))),
        (_, Err(error)) => match exception::take(env) {
            // The thenable threw when it was asked for `then`.
            Some(thrown) => {
                then(env, Err(thrown));
                Ok(())
            }
            None => Err(error.into()),
        },
    }
}
