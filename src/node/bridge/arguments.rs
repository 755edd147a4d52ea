//! Arguments from JavaScript, checked.

use std::ops::RangeInclusive;

use napi::bindgen_prelude::{ClassInstance, FromNapiValue, MaybeTypeTag};
use napi::{Env, JsValue, Unknown, ValueType};

use super::function::{self, AnyFunction};
use crate::node::error::{Error, Result};
use crate::node::invalid_value::InvalidValue;

/// A number of bytes within a range; `what` names it in the error.
pub fn size(env: &Env, what: &str, range: &RangeInclusive<u64>, value: Unknown<'_>) -> Result<u64> {
    let expected = format!("a whole number of bytes from {} to {}", range.start(), range.end());
    whole_number(env, what, &expected, range, value)
}

/// A number within a range; `what` names it in the error.
pub fn count(env: &Env, what: &str, range: &RangeInclusive<usize>, value: Unknown<'_>) -> Result<usize> {
    let range = *range.start() as u64..=*range.end() as u64;
    let expected = format!("a whole number from {} to {}", range.start(), range.end());
    Ok(whole_number(env, what, &expected, &range, value)? as usize)
}

fn whole_number(env: &Env, what: &str, expected: &str, range: &RangeInclusive<u64>, value: Unknown<'_>) -> Result<u64> {
    match value.get_type()? {
        ValueType::Number => {
            let number: f64 = from_js(env, value)?;
            if number.fract() == 0.0 && (*range.start() as f64..=*range.end() as f64).contains(&number) {
                return Ok(number as u64);
            }
            let (what, expected) = (what.to_string(), expected.to_string());
            Err(InvalidValue::Number { what, expected, number }.into())
        }
        other => Err(wrong_type(what, expected, other)),
    }
}

/// A string argument; `what` names it in the error.
pub fn string(env: &Env, what: &str, value: Unknown<'_>) -> Result<String> {
    match value.get_type()? {
        ValueType::String => from_js(env, value),
        other => Err(wrong_type(what, "a string", other)),
    }
}

/// A string argument that must not be empty.
pub fn name(env: &Env, what: &str, value: Unknown<'_>) -> Result<String> {
    let name = string(env, what, value)?;
    if name.is_empty() {
        return Err(InvalidValue::Empty(what.to_string()).into());
    }
    Ok(name)
}

/// A string argument that may be left out.
pub fn optional_string(env: &Env, what: &str, value: Unknown<'_>) -> Result<Option<String>> {
    match value.get_type()? {
        ValueType::Undefined => Ok(None),
        _ => string(env, what, value).map(Some),
    }
}

/// A function argument.
pub fn function(env: &Env, what: &str, value: Unknown<'_>) -> Result<AnyFunction> {
    match value.get_type()? {
        ValueType::Function => function::keep(env, value),
        other => Err(wrong_type(what, "a function", other)),
    }
}

/// An argument that is an object of one of our classes.
pub fn instance<'env, T: MaybeTypeTag>(
    env: &'env Env,
    what: &str,
    expected: &str,
    value: Unknown<'env>,
) -> Result<ClassInstance<'env, T>> {
    match value.get_type()? {
        ValueType::Object => {
            let (what, expected) = (what.to_string(), expected.to_string());
            from_js(env, value).map_err(|_| InvalidValue::Class { what, expected }.into())
        }
        other => Err(wrong_type(what, expected, other)),
    }
}

pub(super) fn from_js<T: FromNapiValue>(env: &Env, value: Unknown<'_>) -> Result<T> {
    // SAFETY: the value belongs to this environment and to the scope of the running call.
    Ok(unsafe { T::from_napi_value(env.raw(), value.raw()) }?)
}

pub(super) fn wrong_type(what: &str, expected: &str, actual: ValueType) -> Error {
    let (what, expected) = (what.to_string(), expected.to_string());
    InvalidValue::Type { what, expected, actual: actual.to_string().to_lowercase() }.into()
}
