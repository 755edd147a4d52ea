//! What a run is given beside its source: `types.d.ts` has the type of its options.

use guest_abi::payload::Payload;
use napi::bindgen_prelude::{Function, JsObjectValue, Object};
use napi::{Env, JsValue, Unknown};

use super::arguments::string;
use super::call_options::{
    CALL_OPTIONS, CallHandlerOptions, MAX_CONSOLE_BYTES, MAX_CONSOLE_BYTES_DEFAULT, ThreadOptions, console_size,
};
use super::function::{self, AnyFunction};
use super::given_functions::GivenFunctions;
use super::options::Options;
use super::source_options::{LANGUAGE, language};
use super::value::undefined;
use super::{environment, exception, json};
use crate::Language;
use crate::node::error::{Error, Result};

const SOURCE: &str = include_str!("program_parts.js");
const INPUT: &str = "input";
const MODULES: &str = "modules";

/// Functions that make flat lists of what is given.
pub struct Readers {
    pub functions: AnyFunction,
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
    pub language: Language,
    pub input: Option<Payload>,
    pub functions: GivenFunctions,
    /// Specifiers and sources.
    pub modules: Vec<(String, String)>,
    pub max_console_bytes: usize,
}

impl RunOptions {
    pub fn from_js(env: &Env, value: Unknown<'_>) -> Result<(Self, ThreadOptions)> {
        let names = [CALL_OPTIONS.as_slice(), &[LANGUAGE, INPUT, MODULES, MAX_CONSOLE_BYTES]].concat();
        let mut run = Self {
            call: CallHandlerOptions::default(),
            language: Language::default(),
            input: None,
            functions: GivenFunctions::none(env)?,
            modules: Vec::new(),
            max_console_bytes: MAX_CONSOLE_BYTES_DEFAULT,
        };
        let Some(options) = Options::from_js(env, value, &names)? else { return Ok((run, ThreadOptions::default())) };
        let (call, functions, of_thread) = CallHandlerOptions::read(env, &options)?;
        (run.call, run.functions) = (call, functions);
        run.language = language(&options)?.unwrap_or_default();
        run.max_console_bytes = console_size(&options)?;
        if let Some(given) = options.given(MODULES)? {
            run.modules = modules(env, given)?;
        }
        if let Some(given) = options.given(INPUT)? {
            run.input = Some(json::stringify(env, "input", given)?);
        }
        Ok((run, of_thread))
    }
}

/// Specifiers and sources of modules.
pub fn modules(env: &Env, given: Unknown<'_>) -> Result<Vec<(String, String)>> {
    let list = list(env, &environment::of(env)?.program_parts.modules, given)?;
    let module = |[specifier, source]: &[Unknown<'static>; 2]| {
        Ok((string(env, "a module's name", *specifier)?, string(env, "a module", *source)?))
    };
    list.as_chunks().0.iter().map(module).collect()
}

/// What a reader makes of an object.
pub(super) fn list(env: &Env, reader: &AnyFunction, given: Unknown<'_>) -> Result<Vec<Unknown<'static>>> {
    let list = function::call(env, reader, undefined(env)?, &[given])?
        .map_err(|thrown| Error::InvalidArgument(exception::text(env, thrown)))?;
    let list = Object::from_raw(env.raw(), list.raw());
    (0..list.get_array_length()?).map(|i| Ok(list.get_element(i)?)).collect()
}
