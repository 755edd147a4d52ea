//! Programs that did not exist a moment ago, each of which is run once.

use guest_abi::payload::Payload;
use tracing::Span;
use tracing::field::Empty;

use super::host_function_module::HostFunctionModule;
use super::host_functions::HostFunctions;
use super::script::Language;
use super::trace::operation;

/// What a run is called where a handler's name is.
pub(super) const RUN: &str = "run";

/// A program, its input, and what it may use. [`LoadedJSSandbox::run`](crate::LoadedJSSandbox::run) runs it.
///
/// What the source is, the guest finds out by compiling it:
///
/// 1. CommonJS, if it uses `module.exports` or `exports`: the program's value is the handler that it exports, or else all that it
///    exports;
/// 2. or else an expression, with or without semicolons at its end: its value is the program's;
/// 3. or else the body of an async function, in strict mode: the program's value is what it returns, or else its function `handler`;
/// 4. or else an ES module: the program's value is its default export, or else its function `handler`, or what it exports by that
///    name.
///
/// If the value is a function, it is called with the input, unless a `return` has given it; a promise is awaited. The input is
/// the global `input` as well. Host functions are found as globals, by module and name, and in `host:MODULE`.
///
/// ```
/// use hyperlight_js::{Program, SandboxBuilder};
///
/// # fn main() -> hyperlight_js::Result<()> {
/// let mut sandbox = SandboxBuilder::new().build()?.load_runtime()?.get_loaded_sandbox()?;
/// let mut program = Program::new("const row = await db.find(input.id); return row.name;")
///     .with_input(r#"{"id":7}"#);
/// program.host_module("db").register_async("find", |id: u32| async move {
///     serde_json::json!({ "name": format!("row {id}") })
/// })?;
/// assert_eq!(sandbox.run(program, None)?, r#""row 7""#);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Program {
    pub(super) source: String,
    language: Language,
    input: Option<Payload>,
    modules: Vec<(String, String)>,
    functions: HostFunctions,
    pub(super) memory_limit: Option<u64>,
    is_preparation: bool,
}

impl Program {
    /// A program of this source, without an input.
    pub fn new(source: impl Into<String>) -> Self {
        Self { source: source.into(), ..Self::default() }
    }

    /// One that imports modules, so that programs that are run after it find them compiled and evaluated.
    pub(crate) fn preparation(modules: Vec<(String, String)>) -> Self {
        let imports = modules.iter().map(|(specifier, _)| format!("import {};", serde_json::Value::from(&**specifier)));
        Self { source: imports.collect(), modules, is_preparation: true, ..Self::default() }
    }

    /// Says in which language the source is. Of a module the ending of its specifier does: `.ts`, `.mts`, `.jsx` or `.tsx`.
    #[must_use]
    pub fn with_language(self, language: Language) -> Self {
        Self { language, ..self }
    }

    /// Gives it an input: JSON text. Without one the input is `undefined`.
    #[must_use]
    pub fn with_input(self, json: impl Into<String>) -> Self {
        self.with_input_payload(Payload::from_json(json.into()))
    }

    pub(crate) fn with_input_payload(self, input: Payload) -> Self {
        Self { input: Some(input), ..self }
    }

    /// Gives it a module, which it can import by this specifier.
    #[must_use]
    pub fn with_module(mut self, specifier: impl Into<String>, source: impl Into<String>) -> Self {
        self.modules.push((specifier.into(), source.into()));
        self
    }

    /// Lets it use at most so many bytes, with those that the sandbox has in use before: code that needs more gets an exception, as
    /// where the heap is used up. A limit above the size of the heap changes nothing.
    #[must_use]
    pub fn with_memory_limit(self, bytes: u64) -> Self {
        Self { memory_limit: Some(bytes), ..self }
    }

    /// A module of host functions that this program can call, and no other.
    pub fn host_module(&mut self, name: impl Into<String>) -> &mut HostFunctionModule {
        self.functions.module(name)
    }

    /// Host functions that this program can call, and no other.
    #[cfg_attr(not(feature = "node"), allow(dead_code, reason = "only the addon has use for it"))]
    pub(crate) fn functions(&mut self) -> &mut HostFunctions {
        &mut self.functions
    }

    pub(super) fn span(&self) -> Span {
        let event_size = self.input.as_ref().map_or(0, Payload::size);
        operation!(
            INFO,
            "run",
            "source.size" = self.source.len(),
            "event.size" = event_size,
            "result.size" = Empty,
            monitor = Empty
        )
    }

    /// What the guest is told, and what stays here.
    pub(super) fn into_parts(self) -> (guest_abi::program::ProgramMessage, HostFunctions) {
        let Self { source, language, input, modules, functions, memory_limit: _, is_preparation } = self;
        (
            guest_abi::program::ProgramMessage { source, language: language.into(), input, modules, is_preparation },
            functions,
        )
    }
}
