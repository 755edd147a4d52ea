//! Exceptions that JavaScript code throws while native code calls it.

use std::ptr;

use napi::{Env, JsValue, Unknown, sys};

const NOT_SHOWN: &str = "an exception that cannot be shown";

/// Takes the exception that JavaScript code has thrown and nobody has caught.
pub fn take(env: &Env) -> Option<Unknown<'static>> {
    let mut is_pending = false;
    let mut exception = ptr::null_mut();
    // SAFETY: the environment is that of the running call, on its own thread; the value is only read if Node-API has
    // set it.
    unsafe {
        let asked = sys::napi_is_exception_pending(env.raw(), &raw mut is_pending);
        if asked != sys::Status::napi_ok || !is_pending {
            return None;
        }
        let taken = sys::napi_get_and_clear_last_exception(env.raw(), &raw mut exception);
        (taken == sys::Status::napi_ok).then(|| Unknown::from_raw_unchecked(env.raw(), exception))
    }
}

/// As [`take`], but as text.
pub fn take_text(env: &Env) -> Option<String> {
    take(env).map(|thrown| text(env, thrown))
}

/// What was thrown, as text.
pub fn text(env: &Env, thrown: Unknown<'_>) -> String {
    thrown.coerce_to_string().and_then(|text| text.into_utf8()?.into_owned()).unwrap_or_else(|_| {
        // The conversion runs code of the exception's own, which may throw as well.
        take(env);
        NOT_SHOWN.to_string()
    })
}
