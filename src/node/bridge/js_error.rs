//! The one place where errors become JavaScript errors.

use napi::bindgen_prelude::{JsObjectValue, Object};
use napi::{Env, JsError, JsValue, Unknown};

use super::guest_error;
use crate::node::error::Error;

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
        guest_error::set_guest_frames(&mut object, &message, self.guest_stack())?;
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
                guest_error::add_details(env, object, *details)
            }
            crate::Error::Guest { name, message, stack, details } => {
                object.set_named_property("guestName", name)?;
                object.set_named_property("guestMessage", message)?;
                object.set_named_property("guestStack", stack)?;
                guest_error::add_details(env, object, *details)
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
