//! What a run is given beside its source: `types.d.ts` has the type of its options.

use guest_abi::payload::Payload;
use napi::{Env, Unknown};

use super::arguments::string;
use super::call_options::{
    CALL_OPTIONS, CallHandlerOptions, MAX_CONSOLE_BYTES, MAX_CONSOLE_BYTES_DEFAULT, ThreadOptions, console_size,
};
use super::given_functions::GivenFunctions;
use super::options::Options;
use super::source_options::{LANGUAGE, language};
use super::{json, object_lists};
use crate::Language;
use crate::node::error::Result;

const INPUT: &str = "input";
const MODULES: &str = "modules";

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
    let module = |[specifier, source]: [Unknown<'static>; 2]| {
        Ok((string(env, "a module's name", specifier)?, string(env, "a module", source)?))
    };
    object_lists::modules(env, given)?.into_iter().map(module).collect()
}
