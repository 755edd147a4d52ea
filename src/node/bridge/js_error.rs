//! The one place where errors become JavaScript errors.

use guest_abi::payload::Payload;
use napi::bindgen_prelude::{Array, JsObjectValue, Object};
use napi::{Env, JsError, JsValue, Property, PropertyAttributes, Unknown, ValueType};

use super::json;
use super::stack::set_guest_frames;
use crate::node::error::Error;
use crate::{ErrorDetails, ThrownError};

impl Error {
    /// The JavaScript `Error` for this error, to be thrown or to reject a promise.
    pub fn into_js(self, env: &Env) -> napi::Error {
        match self {
            Self::Thrown(error) => error,
            error => error.into_unknown(env).map_or_else(|refused| refused, napi::Error::from),
        }
    }

    /// The JavaScript `Error` for this error.
    pub fn into_unknown(self, env: &Env) -> napi::Result<Unknown<'static>> {
        let message = self.to_string();
        let error = JsError::from(napi::Error::new(self.code(), message.clone())).into_unknown(*env);
        let mut object = Object::from_raw(env.raw(), error.raw());
        set_guest_frames(&mut object, &message, self.guest_stack())?;
        self.add_properties(env, &mut object)?;
        // SAFETY: the value belongs to this environment and to the scope of the running call.
        Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), error.raw()) })
    }

    /// The frames of the guest.
    fn guest_stack(&self) -> &str {
        match self {
            Self::Sandbox(crate::Error::Guest { stack, .. } | crate::Error::Compile { stack, .. }) => stack,
            _ => "",
        }
    }

    fn add_properties(self, env: &Env, object: &mut Object<'_>) -> napi::Result<()> {
        let Self::Sandbox(cause) = self else {
            return Ok(());
        };
        match cause {
            crate::Error::Compile { file, line, column, stack, details, .. } => {
                object.set_named_property("file", file)?;
                object.set_named_property("line", line)?;
                object.set_named_property("column", column)?;
                object.set_named_property("guestStack", stack)?;
                add_details(env, object, *details)
            }
            crate::Error::Guest { name, message, stack, details } => {
                object.set_named_property("guestName", name)?;
                object.set_named_property("guestMessage", message)?;
                object.set_named_property("guestStack", stack)?;
                add_details(env, object, *details)
            }
            crate::Error::PayloadTooLarge { size, limit, .. } => add_size(object, size, limit, "bytes"),
            crate::Error::TooManyValues { count, limit, .. } => add_size(object, count, limit, "values"),
            _ => Ok(()),
        }
    }
}

fn add_size(error: &mut Object<'_>, size: u64, limit: u64, unit: &str) -> napi::Result<()> {
    // As numbers: a size that a number cannot hold exactly does not fit into memory either.
    error.set_named_property("size", size as f64)?;
    error.set_named_property("limit", limit as f64)?;
    error.set_named_property("unit", unit)
}

/// Adds to an error what is known of what the guest has thrown.
fn add_details(env: &Env, error: &mut Object<'_>, details: ErrorDetails) -> napi::Result<()> {
    let ErrorDetails { properties, cause, errors } = details;
    let properties = parsed(env, properties)?;
    if let Some(code) = properties.get_named_property_unchecked::<Unknown>("code").ok().filter(is_text_or_number) {
        error.set_named_property("guestCode", code)?;
    }
    error.set_named_property("guestProperties", properties)?;
    let hidden = PropertyAttributes::Writable | PropertyAttributes::Configurable;
    if let Some(cause) = cause {
        let cause = nested(env, *cause)?;
        let property = Property::new().with_utf8_name("cause")?.with_value(&cause);
        error.define_properties(&[property.with_property_attributes(hidden)])?;
    }
    if !errors.is_empty() {
        let errors = errors.into_iter().map(|error| nested(env, error)).collect::<napi::Result<Vec<_>>>()?;
        let errors = Array::from_vec(env, errors)?;
        let property = Property::new().with_utf8_name("errors")?.with_value(&errors);
        error.define_properties(&[property.with_property_attributes(hidden)])?;
    }
    Ok(())
}

fn is_text_or_number(value: &Unknown<'_>) -> bool {
    matches!(value.get_type(), Ok(ValueType::String | ValueType::Number))
}

/// The error for a cause of an error, or for one of several. There are few, and they are not deep.
fn nested(env: &Env, thrown: ThrownError) -> napi::Result<Unknown<'static>> {
    let ThrownError { name, message, stack, details } = thrown;
    Error::Sandbox(crate::Error::Guest { name, message, stack, details }).into_unknown(env)
}

/// The guest's properties; an object without any if it has sent something else.
fn parsed(env: &Env, properties: String) -> napi::Result<Object<'static>> {
    if properties.starts_with('{')
        && let Ok(Ok(parsed)) = json::try_parse(env, Payload::from_json(properties))
    {
        return Ok(Object::from_raw(env.raw(), parsed.raw()));
    }
    Object::new(env).map(|object| Object::from_raw(env.raw(), object.raw()))
}
