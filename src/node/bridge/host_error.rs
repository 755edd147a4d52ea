//! What host functions throw, as it goes to the guest.

use napi::bindgen_prelude::{Array, Function, JsObjectValue, Object};
use napi::{Env, JsValue, Unknown, ValueType};

use super::function::{self, AnyFunction};
use super::value::undefined;
use super::{environment, exception};
use crate::node::error::{Error, Result};
use crate::{ErrorDetails, HostFunctionError, ThrownError};

/// A function that describes what was thrown. All that it runs of the thrown value's own may throw again.
const DESCRIBE_SOURCE: &str = include_str!("describe.js");

/// The function of one environment.
pub struct Describer(AnyFunction);

impl Describer {
    pub fn of_environment(env: &Env) -> napi::Result<Self> {
        Ok(Self(env.run_script::<_, Function<_, _>>(DESCRIBE_SOURCE)?.create_ref()?))
    }
}

/// What the guest is told of what was thrown.
pub fn describe(env: &Env, thrown: Unknown<'_>) -> Result<HostFunctionError> {
    let Describer(describe) = environment::kept(env)?;
    let described = function::call(env, describe, undefined(env)?, &[thrown])?;
    // It throws only where the stack or the memory ends.
    let described = described.map_err(|error| Error::Internal(exception::text(env, error)))?;
    let ThrownError { name, message, details, .. } = thrown_error(env, described)?;
    Ok(HostFunctionError { name, message, details: *details })
}

/// The list of an error's name, message, properties, cause and errors.
fn thrown_error(env: &Env, list: Unknown<'_>) -> Result<ThrownError> {
    let list = Object::from_raw(env.raw(), list.raw());
    let text = |index| -> Result<String> {
        let text: Unknown = list.get_element(index)?;
        Ok(text.coerce_to_string()?.into_utf8()?.into_owned()?)
    };
    let mut details = ErrorDetails { properties: text(2)?, ..ErrorDetails::default() };
    let cause: Unknown = list.get_element(3)?;
    if cause.get_type()? == ValueType::Object {
        details.cause = Some(Box::new(thrown_error(env, cause)?));
    }
    let errors: Array = list.get_element(4)?;
    for i in 0..errors.len() {
        let error: Unknown = errors.get_element(i)?;
        details.errors.push(thrown_error(env, error)?);
    }
    Ok(ThrownError { details: Box::new(details), ..ThrownError::new(text(0)?, text(1)?) })
}
