//! Warnings of the process.

use napi::bindgen_prelude::{JsObjectValue, Object};
use napi::{Env, JsValue, Unknown, ValueType};

use super::{function, value};
use crate::node::error::Result;

/// Gives a warning to the process with `process.emitWarning()`.
pub fn emit_warning(env: &Env, text: String) -> Result<()> {
    let process: Object = env.get_global()?.get_named_property("process")?;
    let emit: Unknown = process.get_named_property_unchecked("emitWarning")?;
    if emit.get_type()? == ValueType::Function {
        let _ = function::call(env, &function::keep(env, emit)?, process.to_unknown(), &[value::value(env, text)?])?;
    }
    Ok(())
}
