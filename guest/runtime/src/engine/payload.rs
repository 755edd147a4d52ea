//! Values on their way between JavaScript and the host: JSON text with byte arrays beside it, see [`guest_abi::payload`].
//!
//! [`encode`](mod@super::encode) makes them and [`json`] reads them, both in native code, so that nothing which guest code does
//! to its built-in objects can make one value of another.

use guest_abi::payload::Payload;
use rquickjs::{Ctx, Result, Value};

pub use super::encode::{Encoded, encode};
use super::json;

/// The value that a payload stands for.
///
/// # Errors
/// What `JSON.parse` throws.
pub fn decode<'js>(ctx: &Ctx<'js>, payload: &Payload) -> Result<Value<'js>> {
    json::parse(ctx, payload)
}
