//! Arguments from JavaScript, checked.

use napi::bindgen_prelude::{FromNapiValue, JsObjectValue, Object};
use napi::{Env, JsValue, KeyCollectionMode, KeyConversion, KeyFilter, Unknown, ValueType};
use napi_derive::napi;

use super::error::{Error, Result};
use super::exception;

/// Options of `callHandler()`.
#[napi(object, object_to_js = false)]
#[derive(Clone, Copy, Debug)]
pub struct CallHandlerOptions {
    /// Whether the guest collects garbage after the call. Default: `true`.
    pub gc: Option<bool>,
}

impl CallHandlerOptions {
    /// Every option that there is. Others are refused: one that sets a limit must never be ignored for its spelling.
    const NAMES: [&str; 1] = ["gc"];

    pub fn from_js(env: &Env, value: Unknown<'_>) -> Result<Self> {
        match value.get_type()? {
            ValueType::Undefined => return Ok(Self { gc: None }),
            ValueType::Object => {}
            other => return Err(wrong_type("the options", "an object", other)),
        }
        let options = Object::from_raw(env.raw(), value.raw());
        let refused = |_| {
            let reason = exception::take(env).unwrap_or_default();
            Error::InvalidArgument(format!("the options cannot be read: {reason}"))
        };
        let names = options
            .get_all_property_names(KeyCollectionMode::OwnOnly, KeyFilter::SkipSymbols, KeyConversion::NumbersToStrings)
            .map_err(refused)?;
        for i in 0..names.get_array_length()? {
            let name: String = names.get_element(i)?;
            if !Self::NAMES.contains(&name.as_str()) {
                return Err(Error::InvalidArgument(format!("there is no option {name:?}")));
            }
        }
        let gc: Unknown = options.get_named_property_unchecked("gc").map_err(refused)?;
        match gc.get_type()? {
            ValueType::Undefined => Ok(Self { gc: None }),
            ValueType::Boolean => Ok(Self { gc: Some(from_js(env, gc)?) }),
            other => Err(wrong_type("the option gc", "a boolean", other)),
        }
    }
}

/// A string argument; `what` names it in the error.
pub fn string(env: &Env, what: &str, value: Unknown<'_>) -> Result<String> {
    match value.get_type()? {
        ValueType::String => from_js(env, value),
        other => Err(wrong_type(what, "a string", other)),
    }
}

fn from_js<T: FromNapiValue>(env: &Env, value: Unknown<'_>) -> Result<T> {
    // SAFETY: the value belongs to this environment and to the scope of the running call.
    Ok(unsafe { T::from_napi_value(env.raw(), value.raw()) }?)
}

fn wrong_type(what: &str, expected: &str, actual: ValueType) -> Error {
    let actual = actual.to_string().to_lowercase();
    Error::InvalidArgument(format!("{what} must be {expected}, but the type is {actual}"))
}
