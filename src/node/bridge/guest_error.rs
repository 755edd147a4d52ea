//! What guest code throws, as JavaScript gets it; and where in JavaScript the call was made.

use guest_abi::payload::Payload;
use napi::bindgen_prelude::{Array, JsObjectValue, Object, ToNapiValue};
use napi::{Env, JsValue, Property, PropertyAttributes, Unknown, ValueType, sys};

use super::inbox::check;
use super::{exception, json};
use crate::node::error::Error;
use crate::{ErrorDetails, ThrownError};

/// Adds to an error what is known of what the guest has thrown.
pub fn add_details(env: &Env, error: &mut Object<'_>, details: ErrorDetails) -> napi::Result<()> {
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

/// Where in JavaScript something was asked for that may fail later, when nothing of that is on the stack any more. It belongs
/// to the JavaScript thread.
pub struct CallSite(sys::napi_ref);

impl CallSite {
    /// The place that is running now.
    pub fn new(env: &Env) -> napi::Result<Self> {
        // V8 notes the stack when an error is made, and makes text of it when it is asked for.
        let mut error = std::ptr::null_mut();
        let mut reference = std::ptr::null_mut();
        // SAFETY: the environment is that of the running call; what is read was set by a call that succeeded.
        unsafe {
            let empty = <&str>::to_napi_value(env.raw(), "")?;
            check(sys::napi_create_error(env.raw(), std::ptr::null_mut(), empty, &raw mut error))?;
            check(sys::napi_create_reference(env.raw(), error, 1, &raw mut reference))?;
        }
        Ok(Self(reference))
    }

    /// Forgets it. Without this it is kept until the environment ends.
    pub fn forget(self, env: &Env) {
        // SAFETY: the environment is that of the running call, in which the reference was made.
        unsafe { sys::napi_delete_reference(env.raw(), self.0) };
    }

    /// Puts the place behind what the stack of an error has.
    pub fn add_to(&self, env: &Env, error: sys::napi_value) {
        // Formatting a stack may run code of the program's. If that throws, the error stays as it is.
        if self.try_add_to(env, error).is_none() {
            exception::take(env);
        }
    }

    fn try_add_to(&self, env: &Env, error: sys::napi_value) -> Option<()> {
        let mut here = std::ptr::null_mut();
        // SAFETY: as above; the value is only used if it was set.
        unsafe { check(sys::napi_get_reference_value(env.raw(), self.0, &raw mut here)) }.ok()?;
        let here = (!here.is_null()).then(|| Object::from_raw(env.raw(), here))?;
        let mut error = Object::from_raw(env.raw(), error);
        let stack = format!("{}{}", stack_of(&error)?, frames(&stack_of(&here)?));
        error.set_named_property("stack", stack).ok()
    }
}

/// The stack of an error; `None` if that is no text, which a program may make of it, or cannot be had.
fn stack_of(error: &Object<'_>) -> Option<String> {
    let stack: Unknown = error.get_named_property_unchecked("stack").ok()?;
    if stack.get_type().ok()? != ValueType::String {
        return None;
    }
    stack.coerce_to_string().ok()?.into_utf8().ok()?.into_owned().ok()
}

/// Makes the stack of an error that of the guest, if there is one.
pub fn set_guest_frames(error: &mut Object<'_>, message: &str, guest_stack: &str) -> napi::Result<()> {
    match frames(guest_stack) {
        frames if frames.is_empty() => Ok(()),
        frames => error.set_named_property("stack", format!("Error: {message}{frames}")),
    }
}

/// The lines of a stack that are frames, each behind a line break.
fn frames(stack: &str) -> String {
    let frames = stack.lines().filter(|line| line.trim_start().starts_with("at "));
    frames.flat_map(|line| ["\n    ", line.trim()]).collect()
}
