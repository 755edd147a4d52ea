//! What a run is given beside its source: `types.d.ts` has the type of its options.

use std::ops::RangeInclusive;

use guest_abi::payload::Payload;
use napi::bindgen_prelude::{Function, JsObjectValue, Object};
use napi::{Env, JsValue, Unknown};

use super::arguments::{from_js, function, string};
use super::call_options::{CALL_OPTIONS, CallHandlerOptions, ThreadOptions};
use super::function::{self as functions, AnyFunction};
use super::options::Options;
use super::value::undefined;
use super::{environment, exception, json};
use crate::node::error::{Error, Result};

const SOURCE: &str = include_str!("program_parts.js");
const INPUT: &str = "input";
const FUNCTIONS: &str = "functions";
const MODULES: &str = "modules";
const MAX_CONSOLE_BYTES: &str = "maxConsoleBytes";
const MAX_CONSOLE_BYTES_RANGE: RangeInclusive<usize> = 0..=16 << 20;
const MAX_CONSOLE_BYTES_DEFAULT: usize = 64 << 10;

/// Functions that make flat lists of what is given.
pub struct Readers {
    functions: AnyFunction,
    modules: AnyFunction,
}

impl Readers {
    pub fn of_environment(env: &Env) -> napi::Result<Self> {
        let readers: Object = env.run_script(SOURCE)?;
        let reader = |name| readers.get_named_property::<Function<_, _>>(name)?.create_ref();
        Ok(Self { functions: reader("functions")?, modules: reader("modules")? })
    }
}

/// Options of a run.
pub struct RunOptions {
    pub call: CallHandlerOptions,
    pub input: Option<Payload>,
    pub functions: Vec<GivenFunction>,
    /// Specifiers and sources.
    pub modules: Vec<(String, String)>,
    pub max_console_bytes: usize,
}

/// A host function of one run.
pub struct GivenFunction {
    pub module: String,
    pub name: String,
    pub is_sync: bool,
    pub callback: AnyFunction,
}

impl RunOptions {
    pub fn from_js(env: &Env, value: Unknown<'_>) -> Result<(Self, ThreadOptions)> {
        let names = [CALL_OPTIONS.as_slice(), &[INPUT, FUNCTIONS, MODULES, MAX_CONSOLE_BYTES]].concat();
        let mut run = Self {
            call: CallHandlerOptions::default(),
            input: None,
            functions: Vec::new(),
            modules: Vec::new(),
            max_console_bytes: MAX_CONSOLE_BYTES_DEFAULT,
        };
        let Some(options) = Options::from_js(env, value, &names)? else { return Ok((run, ThreadOptions::default())) };
        let (call, of_thread) = CallHandlerOptions::read(&options)?;
        run.call = call;
        if let Some(bytes) = options.count(MAX_CONSOLE_BYTES, &MAX_CONSOLE_BYTES_RANGE)? {
            run.max_console_bytes = bytes;
        }
        if let Some(given) = options.given(FUNCTIONS)? {
            let list = list(env, &environment::of(env)?.program_parts.functions, given)?;
            for [module, name, is_sync, callback] in list.as_chunks().0 {
                run.functions.push(GivenFunction {
                    module: string(env, "a module's name", *module)?,
                    name: string(env, "a function's name", *name)?,
                    is_sync: from_js(env, *is_sync)?,
                    callback: function(env, "a host function", *callback)?,
                });
            }
        }
        if let Some(given) = options.given(MODULES)? {
            let list = list(env, &environment::of(env)?.program_parts.modules, given)?;
            for [specifier, source] in list.as_chunks().0 {
                run.modules.push((string(env, "a module's name", *specifier)?, string(env, "a module", *source)?));
            }
        }
        if let Some(given) = options.given(INPUT)? {
            run.input = Some(json::stringify(env, "input", given)?);
        }
        Ok((run, of_thread))
    }
}

/// What a reader makes of an object.
fn list(env: &Env, reader: &AnyFunction, given: Unknown<'_>) -> Result<Vec<Unknown<'static>>> {
    let list = functions::call(env, reader, undefined(env)?, &[given])?
        .map_err(|thrown| Error::InvalidArgument(exception::text(env, thrown)))?;
    let list = Object::from_raw(env.raw(), list.raw());
    (0..list.get_array_length()?).map(|i| Ok(list.get_element(i)?)).collect()
}
