//! Calling JavaScript functions from native code.

use std::ptr;

use napi::bindgen_prelude::{FromNapiValue, FunctionRef};
use napi::{Env, JsValue, Unknown, sys};

use super::exception;
use crate::node::error::{Error, Result};

/// A function that is kept, whatever its arguments and its result. It can be dropped on any thread.
pub type AnyFunction = FunctionRef<Unknown<'static>, Unknown<'static>>;

/// What calling a function came to: what it returned or what it threw.
pub type Completion = std::result::Result<Unknown<'static>, Unknown<'static>>;

/// Keeps a function; the value must be one.
pub fn keep(env: &Env, function: Unknown<'_>) -> Result<AnyFunction> {
    // SAFETY: the value belongs to this environment and to the scope of the running call.
    Ok(unsafe { AnyFunction::from_napi_value(env.raw(), function.raw()) }?)
}

/// A function that is kept, as a value.
pub fn kept(env: &Env, function: &AnyFunction) -> Result<Unknown<'static>> {
    let function = function.borrow_back(env)?;
    // SAFETY: the value belongs to this environment and to the scope of the running call.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), function.raw()) })
}

/// Calls a function.
pub fn call(env: &Env, function: &AnyFunction, this: Unknown<'_>, arguments: &[Unknown<'_>]) -> Result<Completion> {
    let function = function.borrow_back(env)?;
    let arguments: Vec<sys::napi_value> = arguments.iter().map(JsValue::raw).collect();
    let mut value = ptr::null_mut();
    // SAFETY: all values belong to this environment and to the scope of the running call; the result is only read if
    // Node-API has set it.
    let status = unsafe {
        sys::napi_call_function(
            env.raw(),
            this.raw(),
            function.raw(),
            arguments.len(),
            arguments.as_ptr(),
            &raw mut value,
        )
    };
    if status == sys::Status::napi_ok {
        // SAFETY: as above.
        return Ok(Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), value) }));
    }
    match exception::take(env) {
        Some(thrown) => Ok(Err(thrown)),
        None => Err(Error::NodeApi(napi::Error::from_status(status.into()))),
    }
}
