//! Programs that are run once.
//!
//! What shape a source has is found out by compiling it:
//!
//! 1. CommonJS is what uses `module.exports` or `exports`, as [`module`] tells it: the program's value is what a handler would be,
//!    or else all that it exports.
//! 2. An expression is what compiles within parentheses: its value is the program's.
//! 3. Statements are what compiles as the body of an async function: the program's value is what they return, or their function
//!    `handler`.
//! 4. All else is an ES module: the program's value is its default export, or its function `handler`, or what it
//!    exports by that name.
//!
//! A value that is a function is called with the input.

use alloc::format;
use alloc::string::String;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use guest_abi::message::{Exception, HostFunctionNames, Place, Reply};
use guest_abi::program::ProgramMessage;
use guest_abi::source::Language;
use rquickjs::{Ctx, Error, Function, Object, Persistent, Promise, Value};

use super::module::{self, EXPORT};
use super::wrapper::Wrapper;
use super::{call_functions, exception, payload, source_maps, typescript};
use crate::global::Global;

/// What the source is called in places and stacks.
const NAME: &str = "run";
const INPUT: &str = "input";

static FUNCTIONS: Global<Functions> = Global::new();
/// Whether a program has been run: what it leaves behind is not for another one.
static HAS_RUN: AtomicBool = AtomicBool::new(false);

/// Functions of the script that goes with this file.
struct Functions(Persistent<Object<'static>>);

/// Makes what runs programs.
pub fn install(ctx: &Ctx<'_>) -> rquickjs::Result<()> {
    let script: Function = ctx.eval(include_str!("program.js"))?;
    let functions: Object = script.call((ctx.globals(),))?;
    FUNCTIONS.set(Functions(Persistent::save(ctx, functions)));
    Ok(())
}

/// Begins to run a program that can call these functions: that has ended when the promise is settled, whose value is the program's.
///
/// # Errors
/// The reply, if it cannot be run.
pub fn begin<'js>(
    ctx: &Ctx<'js>,
    program: ProgramMessage,
    functions: &HostFunctionNames,
) -> Result<Promise<'js>, Reply> {
    let ProgramMessage { source, language, input, modules, is_preparation } = program;
    if HAS_RUN.load(Relaxed) {
        let message = "the sandbox has run a program already: restore it to run another";
        return Err(Reply::Refused(String::from(message)));
    }
    check_names(&modules, functions)?;
    let input = match &input {
        None => Value::new_undefined(ctx.clone()),
        Some(input) => payload::decode(ctx, input).map_err(|error| match exception::describe(ctx, &error) {
            exception if exception.name == "SyntaxError" => Reply::InvalidEvent(exception.message),
            exception => Reply::Exception(exception),
        })?,
    };
    call_functions::begin(ctx, functions)?;
    HAS_RUN.store(!is_preparation, Relaxed);

    let set_input = function(ctx, "setInput").and_then(|set_input| set_input.call::<_, ()>((input.clone(),)));
    set_input.map_err(|error| Reply::Exception(exception::describe(ctx, &error)))?;
    for (specifier, source) in modules {
        let language = Language::of_name(&specifier);
        module::add(specifier, source, language);
    }
    source_maps::keep(NAME, &source);
    let source = typescript::of_program(NAME, source, language)
        .map_err(|(exception, place)| Reply::Compile(exception, place))?;
    compile(ctx, &source, input)
}

/// Refuses names that would hide something of the guest's or of the program's.
fn check_names(modules: &[(String, String)], functions: &HostFunctionNames) -> Result<(), Reply> {
    for (i, (specifier, _)) in modules.iter().enumerate() {
        if specifier == NAME || module::is_taken(specifier) || modules[..i].iter().any(|(other, _)| other == specifier)
        {
            let message = format!("a module cannot be named {specifier:?}: guest code means something else by it");
            return Err(Reply::Refused(message));
        }
    }
    match functions.0.iter().find(|name| name.module == INPUT) {
        Some(_) => Err(call_functions::refused(INPUT)),
        None => Ok(()),
    }
}

/// Compiles a source and begins to run it.
///
/// # Errors
/// The reply, if it cannot be compiled.
pub fn compile<'js>(ctx: &Ctx<'js>, source: &str, input: Value<'js>) -> Result<Promise<'js>, Reply> {
    let thrown = |error: Error| Reply::Exception(exception::describe(ctx, &error));
    // Assignments to `module.exports` are expressions as well.
    match module::program_in_commonjs(ctx, NAME, source) {
        Some(Ok(run)) => {
            return function(ctx, "runExpression").and_then(|run_it| run_it.call((run, input))).map_err(thrown);
        }
        // It may be right as something else, and if not, that says why.
        Some(Err(_)) => drop(ctx.catch()),
        None => {}
    }
    let expression = source.trim_end_matches(|c: char| c.is_whitespace() || c == ';');
    let wrapped = |begin: &str, source: &str, end: &str| {
        let wrapper = Wrapper { file: NAME, is_strict: true, begin, end };
        wrapper.wrap(ctx, source).map_err(|error| exception::describe(ctx, &error))
    };
    if let Ok(expression) = wrapped("async () => (\n\n", expression, "\n)") {
        return function(ctx, "runExpression").and_then(|run| run.call((expression, input))).map_err(thrown);
    }
    let (head, end) = (
        format!("async ({EXPORT}) => {{'use strict';\n\n"),
        format!("\n;{EXPORT}(typeof handler === 'function' ? handler : undefined)}}"),
    );
    let mut wrong = match wrapped(&head, source, &end) {
        Ok(body) => return function(ctx, "runBody").and_then(|run| run.call((body, input))).map_err(thrown),
        Err(exception) => exception,
    };
    let of_body = (module::place_of(&mut wrong, NAME, source), wrong);
    if source.contains('\0') {
        // It is no module either, but the engine does not say where.
        let (place, exception) = of_body;
        return Err(Reply::Compile(exception, place));
    }
    let module = match module::declare_program(ctx, NAME, source) {
        Ok(module) => module,
        Err((exception, place)) => return Err(further(of_body, (place, exception))),
    };
    let begun = module.eval().and_then(|(module, evaluation)| Ok((module.namespace()?, evaluation)));
    let (namespace, evaluation) = begun.map_err(|error| {
        let mut exception = exception::describe(ctx, &error);
        let place = module::place_of(&mut exception, NAME, source);
        Reply::Compile(exception, place)
    })?;
    let run = function(ctx, "runModule").and_then(|run| run.call((evaluation, namespace, EXPORT, input)));
    run.map_err(thrown)
}

/// A source is read in two ways, and in both something is wrong with it: what comes later in it is the mistake, since until there
/// the source was understood.
fn further(a: (Place, Exception), b: (Place, Exception)) -> Reply {
    let position = |(place, _): &(Place, Exception)| (place.line, place.column);
    // What is wrong in another file, or at a place that is not known, was found after this one had been read.
    let is_first = b.0.file == NAME && b.0.line > 0 && position(&a) > position(&b);
    let (place, exception) = if is_first { a } else { b };
    Reply::Compile(exception, place)
}

fn function<'js>(ctx: &Ctx<'js>, name: &str) -> rquickjs::Result<Function<'js>> {
    FUNCTIONS.with(|functions| functions.0.clone()).restore(ctx)?.get(name)
}
