//! What Node-API says of a call of its own.

use napi::sys;

/// The error that a status of Node-API stands for, if any.
pub fn check(status: sys::napi_status) -> napi::Result<()> {
    if status == sys::Status::napi_ok { Ok(()) } else { Err(napi::Error::from_status(status.into())) }
}
