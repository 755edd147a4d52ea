//! What goes into a sandbox and what comes out: V8's own JSON, with byte arrays beside it. See [`guest_abi::payload`].

use guest_abi::payload::{BINARY_SOURCE, Payload};
use napi::bindgen_prelude::{Array, ArrayBuffer, FromNapiValue, Function, JsObjectValue, Object, Uint8ArraySlice};
use napi::{Env, JsValue, Unknown, ValueType};

use super::function::{self, AnyFunction, Completion};
use super::value::{undefined, value};
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
    match call(env, &environment::kept::<Json>(env)?.stringify, &[value, byte_arrays])? {
        Ok(text) => Ok(Ok(payload(env, text, byte_arrays)?)),
        Err(thrown) => Ok(Err(thrown)),
    }
}

/// What `stringify` of [`BINARY_SOURCE`] has made of a value: its text and its byte arrays, which may be `undefined` if there are none.
/// No JavaScript may have run since.
pub fn payload(env: &Env, text: Unknown<'_>, byte_arrays: Unknown<'_>) -> Result<Option<Payload>> {
    if text.get_type()? != ValueType::String {
        return Ok(None);
    }
    // SAFETY: the string belongs to this environment and to the scope of the running call. It holds no lone surrogates,
    // which JSON.stringify escapes, so nothing is lost in UTF-8.
    let mut payload = Payload::from_json(unsafe { String::from_napi_value(env.raw(), text.raw()) }?);
    if byte_arrays.get_type()? == ValueType::Object {
        let byte_arrays = Object::from_raw(env.raw(), byte_arrays.raw());
        for i in 0..byte_arrays.get_array_length()? {
            push(env, &mut payload, byte_arrays.get_element(i)?)?;
        }
    }
    Ok(Some(payload))
}

/// An object with the functions of [`BINARY_SOURCE`], for JavaScript that does without native code.
pub fn functions(env: &Env) -> Result<Object<'static>> {
    let json: &Json = environment::kept(env)?;
    let mut functions = Object::new(env)?;
    functions.set("stringify", function::kept(env, &json.stringify)?)?;
    functions.set("parse", function::kept(env, &json.parse_with_bytes)?)?;
    Ok(Object::from_raw(env.raw(), functions.raw()))
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
    match parts(env, payload)? {
        (text, None) => call(env, &json.parse, &[text]),
        (text, Some(byte_arrays)) => call(env, &json.parse_with_bytes, &[text, byte_arrays]),
    }
}

/// The text of a payload and, if it has some, its byte arrays.
pub fn parts(env: &Env, payload: Payload) -> Result<(Unknown<'static>, Option<Unknown<'static>>)> {
    let text = value(env, payload.json())?;
    if payload.byte_arrays().len() == 0 {
        return Ok((text, None));
    }
    let byte_arrays = payload.byte_arrays().map(|bytes| Uint8ArraySlice::copy_from(env, bytes));
    let byte_arrays = Array::from_vec(env, byte_arrays.collect::<napi::Result<_>>()?)?;
    Ok((text, Some(value(env, byte_arrays)?)))
}

fn call(env: &Env, function: &AnyFunction, arguments: &[Unknown<'_>]) -> Result<Completion> {
    function::call(env, function, undefined(env)?, arguments)
}
