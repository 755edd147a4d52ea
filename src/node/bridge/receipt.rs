//! What is told of a call.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use napi::bindgen_prelude::{Array, JsObjectValue, Null, Object};
use napi::{Env, JsError, JsValue};

use super::delivery::Delivery;
use crate::ConsoleLevel;
use crate::node::error::{Error, Result};
use crate::node::scheduling::call_record::CallRecord;

/// What is kept for the receipt of a call that is asked for: its record, and the size of what it is given.
#[derive(Clone, Default)]
pub struct Noted(Arc<OnceLock<(Arc<CallRecord>, usize)>>);

impl Noted {
    /// The call is asked for.
    pub fn begin(&self, record: Arc<CallRecord>, input_size: usize) {
        // A call is asked for once.
        let _ = self.0.set((record, input_size));
    }

    /// What is known of the call for those who watch it: all but its lines. `None` if it has not begun.
    pub fn facts(&self, env: &Env, delivery: &Delivery) -> Option<Result<Object<'static>>> {
        let (record, input_size) = self.0.get()?;
        let stats = delivery.stats.as_ref()?;
        Some(receipt(env, record, &End { stats, input_size: *input_size, output_size: delivery.output_size }, None))
    }

    /// The value of the call with its receipt, or its error with that, if it has begun.
    pub fn deliver(
        &self,
        env: &Env,
        Delivery { value, stats, output_size }: Delivery,
        level_name: fn(ConsoleLevel) -> &'static str,
    ) -> Result<Object<'static>> {
        let end = self.0.get().zip(stats.as_ref());
        let receipt = end.map(|((record, input_size), stats)| {
            receipt(env, record, &End { stats, input_size: *input_size, output_size }, Some(level_name))
        });
        match (value, receipt) {
            (Ok(value), Some(receipt)) => {
                let mut result = Object::new(env)?;
                result.set_named_property("value", value)?;
                result.set_named_property("receipt", receipt?)?;
                Ok(Object::from_raw(env.raw(), result.raw()))
            }
            (Err(error), Some(receipt)) => Err(add_to(env, error, receipt)),
            (Err(error), None) => Err(error),
            (Ok(_), None) => Err(Error::Internal("a call has no receipt".to_string())),
        }
    }
}

/// What of a receipt is known only at the end of a call.
struct End<'a> {
    stats: &'a crate::ExecutionStats,
    input_size: usize,
    output_size: usize,
}

/// The receipt of a call; `types.d.ts` has the type. Without names of levels it has no lines.
fn receipt(
    env: &Env,
    record: &CallRecord,
    end: &End<'_>,
    level_name: Option<fn(ConsoleLevel) -> &'static str>,
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
    match stats.heap {
        Some(heap) => {
            receipt.set_named_property("peakHeapBytes", heap.peak as f64)?;
            receipt.set_named_property("heapBytes", heap.used as f64)?;
        }
        None => {
            receipt.set_named_property("peakHeapBytes", Null)?;
            receipt.set_named_property("heapBytes", Null)?;
        }
    }
    let mut calls = Object::new(env)?;
    for (name, total) in record.host_calls() {
        let mut entry = Object::new(env)?;
        entry.set_named_property("count", total.count as f64)?;
        entry.set_named_property("totalMs", milliseconds(total.time))?;
        calls.set(name, entry)?;
    }
    receipt.set_named_property("hostCalls", calls)?;
    if let Some(level_name) = level_name {
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
    }
    receipt.set_named_property("inputBytes", *input_size as f64)?;
    receipt.set_named_property("outputBytes", *output_size as f64)?;
    receipt.set_named_property("guestImage", crate::SandboxBuilder::guest_image().hash)?;
    match record.snapshot_digest() {
        Some(digest) => receipt.set_named_property("snapshotDigest", digest)?,
        None => receipt.set_named_property("snapshotDigest", Null)?,
    }
    Ok(Object::from_raw(env.raw(), receipt.raw()))
}

/// Gives an error its receipt.
fn add_to(env: &Env, error: Error, receipt: Result<Object<'static>>) -> Error {
    let add = || -> Result<Error> {
        let error = JsError::from(error.into_js(env)).into_unknown(*env);
        Object::from_raw(env.raw(), error.raw()).set_named_property("receipt", receipt?)?;
        Ok(Error::Thrown(napi::Error::from(error)))
    };
    add().unwrap_or_else(|error| error)
}
