//! V8's own JSON, for what goes into a sandbox and what comes out.

use std::ptr;

use napi::bindgen_prelude::{FromNapiValue, Function, FunctionRef, JsObjectValue, Object, ToNapiValue};
use napi::{Env, JsValue, Unknown, ValueType, sys};
use napi_derive::napi;

use super::error::{Error, Result};
use super::exception;

type AnyFunction = FunctionRef<Unknown<'static>, Unknown<'static>>;

/// `JSON.stringify` and `JSON.parse` of one JavaScript environment as they were when the addon was loaded: later changes
/// to the global object do not reach them.
struct Json {
    stringify: AnyFunction,
    parse: AnyFunction,
}

#[napi(module_exports)]
#[cfg_attr(test, allow(dead_code, reason = "a test program is no addon"))]
pub fn keep_json(_exports: Object, env: Env) -> napi::Result<()> {
    let json: Object = env.get_global()?.get_named_property("JSON")?;
    let stringify = json.get_named_property::<Function<_, _>>("stringify")?.create_ref()?;
    let parse = json.get_named_property::<Function<_, _>>("parse")?.create_ref()?;
    env.set_instance_data(Json { stringify, parse }, (), |_| ())
}

/// An event as JSON text.
pub fn stringify(env: &Env, event: Unknown<'_>) -> Result<String> {
    let text = call(env, &functions(env)?.stringify, event.raw())?
        .map_err(|reason| Error::InvalidArgument(format!("the event cannot be expressed in JSON: {reason}")))?;
    match text.get_type()? {
        // SAFETY: the string belongs to this environment and to the scope of the running call. It holds no lone
        // surrogates, which JSON.stringify escapes, so nothing is lost in UTF-8.
        ValueType::String => Ok(unsafe { String::from_napi_value(env.raw(), text.raw()) }?),
        _ => {
            let kind = event.get_type()?.to_string().to_lowercase();
            Err(Error::InvalidArgument(format!("the event cannot be expressed in JSON: its type is {kind}")))
        }
    }
}

/// The value of a JSON text. The text comes from a guest: it may be anything.
pub fn parse(env: &Env, text: String) -> Result<Unknown<'static>> {
    // SAFETY: the environment is that of the running call, on its own thread.
    let text = unsafe { String::to_napi_value(env.raw(), text) }?;
    call(env, &functions(env)?.parse, text)?
        .map_err(|reason| Error::Sandbox(crate::Error::GuestAbort(format!("its result is not JSON: {reason}"))))
}

/// `undefined`.
pub fn undefined(env: &Env) -> Result<Unknown<'static>> {
    // SAFETY: the environment is that of the running call, on its own thread.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), <()>::to_napi_value(env.raw(), ())?) })
}

fn functions(env: &Env) -> Result<&'static Json> {
    match env.get_instance_data::<Json>()? {
        Some(json) => Ok(json),
        None => Err(Error::Internal("the addon has not been initialised".to_string())),
    }
}

/// Calls a function with one argument. What it throws is given back as text.
fn call(
    env: &Env,
    function: &AnyFunction,
    argument: sys::napi_value,
) -> Result<std::result::Result<Unknown<'static>, String>> {
    let function = function.borrow_back(env)?;
    let this = undefined(env)?;
    let mut value = ptr::null_mut();
    // SAFETY: all values belong to this environment and to the scope of the running call; the result is only read if
    // Node-API has set it.
    let status = unsafe {
        sys::napi_call_function(env.raw(), this.raw(), function.raw(), 1, &raw const argument, &raw mut value)
    };
    if status == sys::Status::napi_ok {
        // SAFETY: as above.
        return Ok(Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), value) }));
    }
    match exception::take(env) {
        Some(reason) => Ok(Err(reason)),
        None => Err(Error::NodeApi(napi::Error::from_status(status.into()))),
    }
}
