//! What goes into a sandbox and what comes out: V8's own JSON, with byte arrays beside it. See [`guest_abi::payload`].

use guest_abi::payload::{BINARY_SOURCE, Payload};
use napi::bindgen_prelude::{
    Array, ArrayBuffer, FromNapiValue, Function, JsObjectValue, Object, ToNapiValue, Uint8ArraySlice,
};
use napi::{Env, JsValue, Unknown, ValueType};

use super::function::{self, AnyFunction, Completion};
use super::value::undefined;
use super::{environment, exception};
use crate::node::error::{Error, Result};
use crate::node::invalid_value::InvalidValue;

/// Functions of one JavaScript environment as they were when the addon was loaded: later changes to the global object do
/// not reach them.
pub struct Json {
    /// `JSON.parse`.
    parse: AnyFunction,
    /// These are from [`BINARY_SOURCE`].
    stringify: AnyFunction,
    parse_with_bytes: AnyFunction,
}

impl Json {
    pub fn of_environment(env: &Env) -> napi::Result<Self> {
        let json: Object = env.get_global()?.get_named_property("JSON")?;
        let binary: Object = env.run_script(BINARY_SOURCE)?;
        let function = |object: &Object, name| object.get_named_property::<Function<_, _>>(name)?.create_ref();
        Ok(Self {
            parse: function(&json, "parse")?,
            stringify: function(&binary, "stringify")?,
            parse_with_bytes: function(&binary, "parse")?,
        })
    }
}

/// What a guest is given; `what` names it in the error, such as `event`.
pub fn stringify(env: &Env, what: &str, event: Unknown<'_>) -> Result<Payload> {
    match try_stringify(env, event)? {
        Ok(Some(payload)) => Ok(payload),
        Ok(None) => {
            let reason = format!("its type is {}", event.get_type()?.to_string().to_lowercase());
            Err(InvalidValue::NoJson { what: what.to_string(), reason }.into())
        }
        Err(thrown) => {
            let reason = exception::text(env, thrown);
            Err(InvalidValue::NoJson { what: what.to_string(), reason }.into())
        }
    }
}

/// Any value, `None` if it is of a kind that JSON leaves out, or what `JSON.stringify` throws.
pub fn try_stringify(env: &Env, value: Unknown<'_>) -> Result<std::result::Result<Option<Payload>, Unknown<'static>>> {
    let byte_arrays = Array::from_vec::<()>(env, Vec::new())?.to_unknown();
    let text = match call(env, &environment::kept::<Json>(env)?.stringify, &[value, byte_arrays])? {
        Ok(text) => text,
        Err(thrown) => return Ok(Err(thrown)),
    };
    if text.get_type()? != ValueType::String {
        return Ok(Ok(None));
    }
    // SAFETY: the string belongs to this environment and to the scope of the running call. It holds no lone surrogates,
    // which JSON.stringify escapes, so nothing is lost in UTF-8.
    let mut payload = Payload::from_json(unsafe { String::from_napi_value(env.raw(), text.raw()) }?);
    let byte_arrays = Object::from_raw(env.raw(), byte_arrays.raw());
    for i in 0..byte_arrays.get_array_length()? {
        push(env, &mut payload, byte_arrays.get_element(i)?)?;
    }
    Ok(Ok(Some(payload)))
}

/// Adds a `Uint8Array` or an `ArrayBuffer`.
fn push(env: &Env, payload: &mut Payload, bytes: Unknown<'_>) -> Result<()> {
    // SAFETY: the value belongs to this environment and to the scope of the running call. Its bytes are copied before any
    // JavaScript runs that could change or free them, and no other thread can: the script has seen to that.
    unsafe {
        if bytes.is_typedarray()? {
            payload.push(&Uint8ArraySlice::from_napi_value(env.raw(), bytes.raw())?);
        } else {
            payload.push(&ArrayBuffer::from_napi_value(env.raw(), bytes.raw())?);
        }
    }
    Ok(())
}

/// The value of a handler's result. It comes from a guest: it may be anything.
pub fn parse(env: &Env, payload: Payload) -> Result<Unknown<'static>> {
    try_parse(env, payload)?.map_err(|thrown| {
        let reason = exception::text(env, thrown);
        Error::Sandbox(crate::Error::GuestAbort(format!("its result is not JSON: {reason}")))
    })
}

/// The value that a payload stands for, or what `JSON.parse` throws.
pub fn try_parse(env: &Env, payload: Payload) -> Result<Completion> {
    let json: &Json = environment::kept(env)?;
    // SAFETY: the environment is that of the running call, on its own thread.
    let text = unsafe { Unknown::from_raw_unchecked(env.raw(), <&str>::to_napi_value(env.raw(), payload.json())?) };
    if payload.byte_arrays().len() == 0 {
        return call(env, &json.parse, &[text]);
    }
    let byte_arrays = payload.byte_arrays().map(|bytes| Uint8ArraySlice::copy_from(env, bytes));
    let byte_arrays = Array::from_vec(env, byte_arrays.collect::<napi::Result<_>>()?)?;
    call(env, &json.parse_with_bytes, &[text, byte_arrays.to_unknown()])
}

fn call(env: &Env, function: &AnyFunction, arguments: &[Unknown<'_>]) -> Result<Completion> {
    function::call(env, function, undefined(env)?, arguments)
}
