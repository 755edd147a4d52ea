//! Arguments from JavaScript, checked.

use std::ops::RangeInclusive;
use std::sync::Arc;

use napi::bindgen_prelude::{ClassInstance, FromNapiValue, JsObjectValue, MaybeTypeTag, Object};
use napi::{Env, JsValue, KeyCollectionMode, KeyConversion, KeyFilter, Unknown, ValueType};

use super::error::{Error, Result};
use super::exception;
use super::function::{self, AnyFunction};
use super::signal::Signal;
use super::snapshot::Snapshot;

/// Limits of what guest code may use; `types.d.ts` has the type of `getLoadedSandbox()`'s options, which are these and a signal.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoadOptions {
    pub wall_clock_timeout_ms: Option<f64>,
    pub cpu_timeout_ms: Option<f64>,
}

/// Options of a pool; `types.d.ts` has the type.
pub struct Pool {
    pub size: usize,
    pub source: PoolSource,
    pub max_queue: usize,
    pub host_print_fn: Option<AnyFunction>,
    pub max_output_values: Option<usize>,
}

/// Where the sandboxes of a pool come from.
pub enum PoolSource {
    Snapshot(Arc<crate::Snapshot>),
    Prepare(AnyFunction),
}

impl Pool {
    pub fn from_js(env: &Env, value: Unknown<'_>) -> Result<Self> {
        const NAMES: [&str; 6] = ["size", "snapshot", "prepare", "maxQueue", HOST_PRINT_FN, MAX_OUTPUT_VALUES];
        let invalid = |message: &str| Error::InvalidArgument(message.to_string());
        let options =
            Options::from_js(env, value, &NAMES)?.ok_or_else(|| invalid("the options of the pool are missing"))?;
        let source = match (options.given("snapshot")?, options.given("prepare")?) {
            (Some(snapshot), None) => {
                let snapshot = instance::<Snapshot>(env, "the option snapshot", "a Snapshot", snapshot)?;
                PoolSource::Snapshot(snapshot.state()?)
            }
            (None, Some(prepare)) => PoolSource::Prepare(function(env, "the option prepare", prepare)?),
            _ => return Err(invalid("either the option snapshot or the option prepare must be given")),
        };
        let host_print_fn = options.given(HOST_PRINT_FN)?;
        let host_print_fn = host_print_fn.map(|given| function(env, "the option hostPrintFn", given)).transpose()?;
        let max_output_values = options.count(MAX_OUTPUT_VALUES, &crate::SandboxBuilder::MAX_OUTPUT_VALUES_RANGE)?;
        if matches!(source, PoolSource::Prepare(_)) && (host_print_fn.is_some() || max_output_values.is_some()) {
            return Err(invalid("the options hostPrintFn and maxOutputValues are for a pool of a snapshot"));
        }
        let size = options.count("size", &crate::SandboxPool::SIZE_RANGE)?;
        let size = size.ok_or_else(|| invalid("the option size is missing"))?;
        let max_queue = options.count("maxQueue", &(0..=1_000_000))?.unwrap_or(1_000);
        Ok(Self { size, source, max_queue, host_print_fn, max_output_values })
    }
}

/// Options of `callHandler()`, without the signal; `types.d.ts` has the type.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallHandlerOptions {
    pub gc: Option<bool>,
    pub limits: LoadOptions,
}

const HOST_PRINT_FN: &str = "hostPrintFn";
const MAX_OUTPUT_VALUES: &str = "maxOutputValues";
const GC: &str = "gc";
const WALL_CLOCK: &str = "wallClockTimeoutMs";
const CPU: &str = "cpuTimeoutMs";
const SIGNAL: &str = "signal";

impl LoadOptions {
    pub fn from_js(env: &Env, value: Unknown<'_>) -> Result<(Self, Option<Signal>)> {
        let names = [WALL_CLOCK, CPU, SIGNAL];
        let Some(options) = Options::from_js(env, value, &names)? else { return Ok((Self::default(), None)) };
        Ok((Self::read(&options)?, options.signal(SIGNAL)?))
    }

    fn read(options: &Options) -> Result<Self> {
        Ok(Self { wall_clock_timeout_ms: options.timeout(WALL_CLOCK)?, cpu_timeout_ms: options.timeout(CPU)? })
    }
}

impl CallHandlerOptions {
    pub fn from_js(env: &Env, value: Unknown<'_>) -> Result<(Self, Option<Signal>)> {
        let names = [GC, WALL_CLOCK, CPU, SIGNAL];
        let Some(options) = Options::from_js(env, value, &names)? else { return Ok((Self::default(), None)) };
        let call = Self { gc: options.boolean(GC)?, limits: LoadOptions::read(&options)? };
        Ok((call, options.signal(SIGNAL)?))
    }
}

/// The signal among the options of `Snapshot.load()`; `types.d.ts` has the type.
pub fn snapshot_signal(env: &Env, value: Unknown<'_>) -> Result<Option<Signal>> {
    let Some(options) = Options::from_js(env, value, &[SIGNAL])? else { return Ok(None) };
    options.signal(SIGNAL)
}

/// An object with options.
struct Options<'env> {
    env: &'env Env,
    object: Object<'env>,
}

impl<'env> Options<'env> {
    /// Those that were given, if any. All but the named ones are refused: one that sets a limit must never be ignored for its
    /// spelling.
    fn from_js(env: &'env Env, value: Unknown<'_>, names: &[&str]) -> Result<Option<Self>> {
        match value.get_type()? {
            ValueType::Undefined => return Ok(None),
            ValueType::Object => {}
            other => return Err(wrong_type("the options", "an object", other)),
        }
        let options = Self { env, object: Object::from_raw(env.raw(), value.raw()) };
        let (collection, conversion) = (KeyCollectionMode::OwnOnly, KeyConversion::NumbersToStrings);
        let given = options.object.get_all_property_names(collection, KeyFilter::SkipSymbols, conversion);
        let given = given.map_err(|_| options.refused())?;
        for i in 0..given.get_array_length()? {
            let name: String = given.get_element(i)?;
            if !names.contains(&name.as_str()) {
                return Err(Error::InvalidArgument(format!("there is no option {name:?}")));
            }
        }
        Ok(Some(options))
    }

    fn read(&self, name: &str) -> Result<Unknown<'_>> {
        self.object.get_named_property_unchecked(name).map_err(|_| self.refused())
    }

    fn refused(&self) -> Error {
        let reason = exception::take_text(self.env).unwrap_or_default();
        Error::InvalidArgument(format!("the options cannot be read: {reason}"))
    }

    fn given(&self, name: &str) -> Result<Option<Unknown<'_>>> {
        let value = self.read(name)?;
        Ok(if value.get_type()? == ValueType::Undefined { None } else { Some(value) })
    }

    fn signal(&self, name: &str) -> Result<Option<Signal>> {
        self.given(name)?.map(|value| Signal::from_js(self.env, value)).transpose()
    }

    fn count(&self, name: &str, range: &RangeInclusive<usize>) -> Result<Option<usize>> {
        let Some(value) = self.given(name)? else { return Ok(None) };
        count(self.env, &format!("the option {name}"), range, value).map(Some)
    }

    fn boolean(&self, name: &str) -> Result<Option<bool>> {
        let value = self.read(name)?;
        match value.get_type()? {
            ValueType::Undefined => Ok(None),
            ValueType::Boolean => Ok(Some(from_js(self.env, value)?)),
            other => Err(wrong_type(&format!("the option {name}"), "a boolean", other)),
        }
    }

    fn timeout(&self, name: &str) -> Result<Option<f64>> {
        let value = self.read(name)?;
        match value.get_type()? {
            ValueType::Undefined => Ok(None),
            ValueType::Number => match from_js(self.env, value)? {
                milliseconds if TIMEOUTS.contains(&milliseconds) => Ok(Some(milliseconds)),
                milliseconds => Err(Error::InvalidArgument(format!(
                    "the option {name} must be from {} to {}, but it is {milliseconds}",
                    TIMEOUTS.start(),
                    TIMEOUTS.end()
                ))),
            },
            other => Err(wrong_type(&format!("the option {name}"), "a number", other)),
        }
    }
}

/// Range of timeouts in milliseconds.
const TIMEOUTS: RangeInclusive<f64> = 1.0..=3_600_000.0;

/// A number of bytes within a range; `what` names it in the error.
pub fn size(env: &Env, what: &str, range: &RangeInclusive<u64>, value: Unknown<'_>) -> Result<u64> {
    let expected = format!("a whole number of bytes from {} to {}", range.start(), range.end());
    whole_number(env, what, &expected, range, value)
}

/// A number within a range; `what` names it in the error.
pub fn count(env: &Env, what: &str, range: &RangeInclusive<usize>, value: Unknown<'_>) -> Result<usize> {
    let range = *range.start() as u64..=*range.end() as u64;
    let expected = format!("a whole number from {} to {}", range.start(), range.end());
    Ok(whole_number(env, what, &expected, &range, value)? as usize)
}

fn whole_number(env: &Env, what: &str, expected: &str, range: &RangeInclusive<u64>, value: Unknown<'_>) -> Result<u64> {
    match value.get_type()? {
        ValueType::Number => {
            let number: f64 = from_js(env, value)?;
            if number.fract() == 0.0 && (*range.start() as f64..=*range.end() as f64).contains(&number) {
                return Ok(number as u64);
            }
            Err(Error::InvalidArgument(format!("{what} must be {expected}, but it is {number}")))
        }
        other => Err(wrong_type(what, expected, other)),
    }
}

/// A string argument; `what` names it in the error.
pub fn string(env: &Env, what: &str, value: Unknown<'_>) -> Result<String> {
    match value.get_type()? {
        ValueType::String => from_js(env, value),
        other => Err(wrong_type(what, "a string", other)),
    }
}

/// A string argument that must not be empty.
pub fn name(env: &Env, what: &str, value: Unknown<'_>) -> Result<String> {
    let name = string(env, what, value)?;
    if name.is_empty() {
        return Err(Error::InvalidArgument(format!("{what} must not be empty")));
    }
    Ok(name)
}

/// A string argument that may be left out.
pub fn optional_string(env: &Env, what: &str, value: Unknown<'_>) -> Result<Option<String>> {
    match value.get_type()? {
        ValueType::Undefined => Ok(None),
        _ => string(env, what, value).map(Some),
    }
}

/// A function argument.
pub fn function(env: &Env, what: &str, value: Unknown<'_>) -> Result<AnyFunction> {
    match value.get_type()? {
        ValueType::Function => function::keep(env, value),
        other => Err(wrong_type(what, "a function", other)),
    }
}

/// An argument that is an object of one of our classes.
pub fn instance<'env, T: MaybeTypeTag>(
    env: &'env Env,
    what: &str,
    expected: &str,
    value: Unknown<'env>,
) -> Result<ClassInstance<'env, T>> {
    match value.get_type()? {
        ValueType::Object => {
            from_js(env, value).map_err(|_| Error::InvalidArgument(format!("{what} must be {expected}")))
        }
        other => Err(wrong_type(what, expected, other)),
    }
}

fn from_js<T: FromNapiValue>(env: &Env, value: Unknown<'_>) -> Result<T> {
    // SAFETY: the value belongs to this environment and to the scope of the running call.
    Ok(unsafe { T::from_napi_value(env.raw(), value.raw()) }?)
}

fn wrong_type(what: &str, expected: &str, actual: ValueType) -> Error {
    let actual = actual.to_string().to_lowercase();
    Error::InvalidArgument(format!("{what} must be {expected}, but the type is {actual}"))
}
