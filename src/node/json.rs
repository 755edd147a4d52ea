//! V8's own JSON, for what goes into a sandbox and what comes out.

use napi::bindgen_prelude::{FromNapiValue, Function, JsObjectValue, Object, ToNapiValue};
use napi::{Env, JsValue, Unknown, ValueType};

use super::environment;
use super::error::{Error, Result};
use super::exception;
use super::function::{self, AnyFunction, Outcome};

/// `JSON.stringify` and `JSON.parse` of one JavaScript environment as they were when the addon was loaded: later changes
/// to the global object do not reach them.
pub struct Json {
    stringify: AnyFunction,
    parse: AnyFunction,
}

impl Json {
    pub fn of_environment(env: &Env) -> napi::Result<Self> {
        let json: Object = env.get_global()?.get_named_property("JSON")?;
        Ok(Self {
            stringify: json.get_named_property::<Function<_, _>>("stringify")?.create_ref()?,
            parse: json.get_named_property::<Function<_, _>>("parse")?.create_ref()?,
        })
    }
}

/// An event as JSON text.
pub fn stringify(env: &Env, event: Unknown<'_>) -> Result<String> {
    match try_stringify(env, event)? {
        Ok(Some(text)) => Ok(text),
        Ok(None) => {
            let kind = event.get_type()?.to_string().to_lowercase();
            Err(Error::InvalidArgument(format!("the event cannot be expressed in JSON: its type is {kind}")))
        }
        Err(thrown) => {
            let reason = exception::text(env, thrown);
            Err(Error::InvalidArgument(format!("the event cannot be expressed in JSON: {reason}")))
        }
    }
}

/// Any value as JSON text, `None` if it is of a kind that JSON leaves out, or what `JSON.stringify` throws.
pub fn try_stringify(env: &Env, value: Unknown<'_>) -> Result<std::result::Result<Option<String>, Unknown<'static>>> {
    let text = match call(env, &environment::of(env)?.json.stringify, value)? {
        Ok(text) => text,
        Err(thrown) => return Ok(Err(thrown)),
    };
    match text.get_type()? {
        // SAFETY: the string belongs to this environment and to the scope of the running call. It holds no lone
        // surrogates, which JSON.stringify escapes, so nothing is lost in UTF-8.
        ValueType::String => Ok(Ok(Some(unsafe { String::from_napi_value(env.raw(), text.raw()) }?))),
        _ => Ok(Ok(None)),
    }
}

/// The value of a handler's result. The text comes from a guest: it may be anything.
pub fn parse(env: &Env, text: String) -> Result<Unknown<'static>> {
    try_parse(env, text)?.map_err(|thrown| {
        let reason = exception::text(env, thrown);
        Error::Sandbox(crate::Error::GuestAbort(format!("its result is not JSON: {reason}")))
    })
}

/// The value of a JSON text, or what `JSON.parse` throws.
pub fn try_parse(env: &Env, text: String) -> Result<Outcome> {
    // SAFETY: the environment is that of the running call, on its own thread.
    let text = unsafe { Unknown::from_raw_unchecked(env.raw(), String::to_napi_value(env.raw(), text)?) };
    call(env, &environment::of(env)?.json.parse, text)
}

/// `undefined`.
pub fn undefined(env: &Env) -> Result<Unknown<'static>> {
    // SAFETY: the environment is that of the running call, on its own thread.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), <()>::to_napi_value(env.raw(), ())?) })
}

fn call(env: &Env, function: &AnyFunction, argument: Unknown<'_>) -> Result<Outcome> {
    function::call(env, function, undefined(env)?, &[argument])
}
