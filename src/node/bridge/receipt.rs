//! What is told of a run.

use std::time::Duration;

use napi::bindgen_prelude::{Array, JsObjectValue, Null, Object};
use napi::{Env, JsError, JsValue};

use crate::ConsoleLevel;
use crate::node::error::{Error, Result};
use crate::node::scheduling::run_record::RunRecord;

/// What of a receipt is known only at the end of a run.
pub struct End<'a> {
    pub stats: &'a crate::ExecutionStats,
    pub input_size: usize,
    pub output_size: usize,
}

/// The receipt of a run; `types.d.ts` has the type.
pub fn receipt(
    env: &Env,
    record: &RunRecord,
    end: &End<'_>,
    level_name: fn(ConsoleLevel) -> &'static str,
) -> Result<Object<'static>> {
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    let End { stats, input_size, output_size } = end;
    let mut receipt = Object::new(env)?;
    receipt.set_named_property("wallClockMs", milliseconds(stats.wall_clock))?;
    match stats.cpu_time {
        Some(time) => receipt.set_named_property("cpuTimeMs", milliseconds(time))?,
        None => receipt.set_named_property("cpuTimeMs", Null)?,
    }
    match stats.terminated_by {
        Some(name) => receipt.set_named_property("terminatedBy", name)?,
        None => receipt.set_named_property("terminatedBy", Null)?,
    }
    receipt.set_named_property("suspendedMs", milliseconds(stats.suspended))?;
    receipt.set_named_property("entries", stats.entries as f64)?;
    let mut calls = Object::new(env)?;
    for (name, total) in record.host_calls() {
        let mut entry = Object::new(env)?;
        entry.set_named_property("count", total.count as f64)?;
        entry.set_named_property("totalMs", milliseconds(total.time))?;
        calls.set(name, entry)?;
    }
    receipt.set_named_property("hostCalls", calls)?;
    let (lines, dropped) = record.take_lines();
    let mut console = Vec::with_capacity(lines.len());
    for line in lines {
        let mut entry = Object::new(env)?;
        entry.set_named_property("level", level_name(line.level))?;
        entry.set_named_property("text", line.text)?;
        entry.set_named_property("atMs", milliseconds(line.at))?;
        console.push(entry);
    }
    receipt.set_named_property("console", Array::from_vec(env, console)?)?;
    receipt.set_named_property("droppedLines", dropped as f64)?;
    receipt.set_named_property("inputBytes", *input_size as f64)?;
    receipt.set_named_property("outputBytes", *output_size as f64)?;
    receipt.set_named_property("guestImage", crate::SandboxBuilder::guest_image().hash)?;
    Ok(Object::from_raw(env.raw(), receipt.raw()))
}

/// Gives an error its receipt.
pub fn add_to(env: &Env, error: Error, receipt: Result<Object<'static>>) -> Error {
    let add = || -> Result<Error> {
        let error = JsError::from(error.into_js(env)).into_unknown(*env);
        Object::from_raw(env.raw(), error.raw()).set_named_property("receipt", receipt?)?;
        Ok(Error::Thrown(napi::Error::from(error)))
    };
    add().unwrap_or_else(|error| error)
}
