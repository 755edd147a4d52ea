//! Values of JavaScript's that native code makes.

use napi::bindgen_prelude::ToNapiValue;
use napi::{Env, Unknown};

use crate::node::error::Result;

/// What JavaScript has for a value of Rust's.
pub fn value(env: &Env, value: impl ToNapiValue) -> Result<Unknown<'static>> {
    // SAFETY: the environment is that of the running call, on its own thread.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), ToNapiValue::to_napi_value(env.raw(), value)?) })
}

/// `undefined`.
pub fn undefined(env: &Env) -> Result<Unknown<'static>> {
    value(env, ())
}
