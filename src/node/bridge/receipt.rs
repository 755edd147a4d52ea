//! What is told of a call.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use napi::bindgen_prelude::{Array, Either, Function, JsObjectValue, Null, Object};
use napi::{Env, JsError, JsValue, Unknown};

use super::delivery::Delivery;
use super::environment;
use super::function::{self, AnyFunction};
use super::value::{undefined, value};
use crate::ConsoleLevel;
use crate::node::error::{Error, Result};
use crate::node::scheduling::call_record::{CallRecord, HostCallTotal, Line};

const SOURCE: &str = include_str!("receipt.js");

/// What makes receipts in one environment: a function of `receipt.js`.
pub struct Receipts(AnyFunction);

impl Receipts {
    pub fn of_environment(env: &Env) -> napi::Result<Self> {
        let of_guest: Function<&str, Function<Unknown, Unknown>> = env.run_script(SOURCE)?;
        Ok(Self(of_guest.call(crate::SandboxBuilder::guest_image().hash)?.create_ref()?))
    }
}

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
        let end =
            end.map(|((record, input_size), stats)| (record, End { stats, input_size: *input_size, output_size }));
        match (value, end) {
            (Ok(value), Some((record, end))) => with_receipt(env, value, record, &end, Some(level_name)),
            (Err(error), Some((record, end))) => Err(add_to(env, error, receipt(env, record, &end, Some(level_name)))),
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
    Ok(with_receipt(env, undefined(env)?, record, end, level_name)?.get_named_property("receipt")?)
}

/// The same beside the value of the call.
fn with_receipt(
    env: &Env,
    result: Unknown<'static>,
    record: &CallRecord,
    end: &End<'_>,
    level_name: Option<fn(ConsoleLevel) -> &'static str>,
) -> Result<Object<'static>> {
    let End { stats, input_size, output_size } = end;
    let totals = record.host_calls().into_iter().flat_map(|(name, HostCallTotal { count, time })| {
        [value(env, name), value(env, count as f64), value(env, milliseconds(time))]
    });
    let (lines, dropped) = match level_name {
        Some(level_name) => {
            let (lines, dropped) = record.take_lines();
            let lines = lines.into_iter().flat_map(|Line { level, text, at }| {
                [value(env, level_name(level)), value(env, text), value(env, milliseconds(at))]
            });
            (list(env, lines)?, value(env, dropped as f64)?)
        }
        None => (value(env, Null)?, undefined(env)?),
    };
    let properties = [
        result,
        value(env, milliseconds(stats.wall_clock))?,
        value(env, stats.cpu_time.map_or(Either::B(Null), |time| Either::A(milliseconds(time))))?,
        value(env, stats.terminated_by.map_or(Either::B(Null), Either::A))?,
        value(env, milliseconds(stats.suspended))?,
        value(env, stats.entries as f64)?,
        value(env, stats.heap.map_or(Either::B(Null), |heap| Either::A(heap.peak as f64)))?,
        value(env, stats.heap.map_or(Either::B(Null), |heap| Either::A(heap.used as f64)))?,
        value(env, *input_size as f64)?,
        value(env, *output_size as f64)?,
        value(env, record.snapshot_digest().map_or(Either::B(Null), Either::A))?,
        list(env, totals)?,
        lines,
        dropped,
    ];
    let Receipts(with_receipt) = environment::kept(env)?;
    match function::call(env, with_receipt, undefined(env)?, &properties)? {
        Ok(object) => Ok(object.coerce_to_object()?),
        Err(_) => Err(Error::Internal("a receipt cannot be made".to_string())),
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Nothing if there are no elements.
fn list(env: &Env, elements: impl Iterator<Item = Result<Unknown<'static>>>) -> Result<Unknown<'static>> {
    match elements.collect::<Result<Vec<_>>>()? {
        elements if elements.is_empty() => undefined(env),
        elements => value(env, Array::from_vec(env, elements)?),
    }
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
