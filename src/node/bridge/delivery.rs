//! What JavaScript is given of a call that has ended.

use napi::bindgen_prelude::{Either, JsObjectValue, Null, Object};
use napi::{Env, JsValue, Unknown};

use super::call_stats::CallStats;
use crate::node::error::Result;

/// What JavaScript is given of a call that has ended.
pub struct Delivery {
    /// Its value, or its error with all that is known of it but a receipt.
    pub value: Result<Unknown<'static>>,
    /// Its cost, if it has begun.
    pub stats: Option<crate::ExecutionStats>,
    /// Size of its value in bytes.
    pub output_size: usize,
}

/// The value of a call together with what it has cost.
pub fn with_stats(env: &Env, Delivery { value, stats, .. }: Delivery) -> Result<Object<'static>> {
    let mut result = Object::new(env)?;
    result.set_named_property("value", value?)?;
    result.set_named_property(
        "stats",
        stats.as_ref().map_or(Either::B(Null), |stats| Either::A(CallStats::from(stats))),
    )?;
    Ok(Object::from_raw(env.raw(), result.raw()))
}
