//! Values of JavaScript's that native code makes.

use napi::bindgen_prelude::ToNapiValue;
use napi::{Env, Unknown};

use crate::node::error::Result;

/// `undefined`.
pub fn undefined(env: &Env) -> Result<Unknown<'static>> {
    // SAFETY: the environment is that of the running call, on its own thread.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), <()>::to_napi_value(env.raw(), ())?) })
}

/// A text.
pub fn text(env: &Env, text: String) -> Result<Unknown<'static>> {
    // SAFETY: the environment is that of the running call, on its own thread.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), String::to_napi_value(env.raw(), text)?) })
}
