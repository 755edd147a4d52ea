//! Stacks of errors: where in a guest something was thrown, and where in JavaScript its call was made.

use std::cell::OnceCell;

use napi::bindgen_prelude::{JsObjectValue, Object, ToNapiValue};
use napi::{Env, JsValue, Unknown, ValueType, sys};

use super::function::{self, AnyFunction};
use super::node_api::check;
use super::value::undefined;
use super::{environment, exception};
use crate::node::error::Result;

/// The package's own way to note a place in JavaScript. Its methods may stand between those of the addon and their callers. Whoever
/// calls should not see them, and V8 would keep what they are methods of for as long as it keeps their frames.
#[derive(Default)]
pub struct OwnWay(OnceCell<AnyFunction>);

/// Has a function note places: it returns an object whose `stack` is that of the callers of the package.
pub fn note_places_by(env: &Env, function: AnyFunction) -> Result<()> {
    let OwnWay(place) = environment::kept(env)?;
    // It stays the same when an environment loads the addon once more.
    let _ = place.set(function);
    Ok(())
}

/// Where in JavaScript something was asked for that may fail later, when nothing of that is on the stack any more. It belongs
/// to the JavaScript thread.
pub struct CallSite(sys::napi_ref);

impl CallSite {
    /// The place that is running now.
    pub fn new(env: &Env) -> napi::Result<Self> {
        let mut reference = std::ptr::null_mut();
        let here = match noted_by_the_package(env) {
            Some(here) => here,
            None => error_made_here(env)?,
        };
        // SAFETY: the environment is that of the running call, and so is the object.
        check(unsafe { sys::napi_create_reference(env.raw(), here, 1, &raw mut reference) })?;
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
        let stack = format!("{}{}", stack_of(&error)?, frames(stack_of(&here)?.lines()));
        error.set_named_property("stack", stack).ok()
    }
}

/// What the package's own function has made of the place that is running now, if it can.
fn noted_by_the_package(env: &Env) -> Option<sys::napi_value> {
    let OwnWay(way) = environment::kept(env).ok()?;
    let here = function::call(env, way.get()?, undefined(env).ok()?, &[]).ok()?.ok()?;
    Some(here.raw())
}

/// An error: V8 notes the stack when it is made, and makes text of it when it is asked for.
fn error_made_here(env: &Env) -> napi::Result<sys::napi_value> {
    let mut error = std::ptr::null_mut();
    // SAFETY: the environment is that of the running call; what is read was set by a call that succeeded.
    unsafe {
        let empty = <&str>::to_napi_value(env.raw(), "")?;
        check(sys::napi_create_error(env.raw(), std::ptr::null_mut(), empty, &raw mut error))?;
    }
    Ok(error)
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
    match frames(guest_stack.lines()) {
        frames if frames.is_empty() => Ok(()),
        frames => error.set_named_property("stack", format!("Error: {message}{frames}")),
    }
}

/// Those lines of a stack that are frames, each behind a line break.
fn frames<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let frames = lines.filter(|line| line.trim_start().starts_with("at "));
    frames.flat_map(|line| ["\n    ", line.trim()]).collect()
}
