//! How a handler's source becomes a function.
//!
//! | source | handler, the first that there is |
//! |---|---|
//! | ES module | what it defines as `handler`, its export `handler`, its default export |
//! | CommonJS | `module.exports`, `exports.handler`, `exports.default`, what it defines as `handler` |

use alloc::format;
use alloc::string::{String, ToString};

use guest_abi::message::{Exception, Place};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Error, Function, Module, Object, Persistent, Promise, Value};

use super::commonjs::{self, Outcome};
use super::{REGISTRY, cycles, place_of, set_meta, uses_meta};
use crate::engine::{builtins, exception};

/// Name under which a handler's module exports its function for us. Its own exports stay as they are.
pub const EXPORT: &str = "$hyperlight_handler";

const HANDLER: &str = "handler";
const DEFAULT: &str = "default";
const NO_HANDLER: &str = "the source defines no function named 'handler', and nothing in it is a handler by another name: \
                          export { f as handler }, export default f, module.exports = f and exports.handler = f would be";

/// The evaluation of a handler's source, which has begun.
pub struct Evaluation {
    name: String,
    source: String,
    handler: Found,
}

/// Where the handler is.
enum Found {
    /// An export of a module, which has it once it is evaluated.
    Export(Persistent<Object<'static>>, &'static str),
    /// What CommonJS has come to.
    Value(Persistent<Value<'static>>),
}

impl Evaluation {
    /// The handler's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the source has as its handler, once it is evaluated.
    ///
    /// # Errors
    /// It has not given it a value.
    pub fn exported<'js>(&self, ctx: &Ctx<'js>) -> rquickjs::Result<Value<'js>> {
        match &self.handler {
            Found::Export(namespace, export) => namespace.clone().restore(ctx)?.get(*export),
            Found::Value(value) => value.clone().restore(ctx),
        }
    }

    /// What is said if that is no function.
    pub fn is_no_function(&self) -> &'static str {
        match self.handler {
            Found::Export(_, DEFAULT) => "the default export is not a function",
            Found::Export(..) => "'handler' is not a function",
            Found::Value(_) => NO_HANDLER,
        }
    }

    /// What has ended the evaluation, and where in a source that was.
    pub fn failed(&self, mut exception: Exception) -> (Exception, Place) {
        let place = place_of(&mut exception, &self.name, &self.source);
        (exception, place)
    }
}

/// Compiles a handler's source and begins to evaluate it: that has ended when the promise is settled.
///
/// # Errors
/// What went wrong, and where in the source.
pub fn evaluate_handler<'js>(
    ctx: &Ctx<'js>,
    name: String,
    source: String,
) -> Result<(Evaluation, Promise<'js>), (Exception, Place)> {
    let begun = begin_to_evaluate(ctx, &name, &source);
    cycles::end_turn();
    let (handler, promise) = begun.map_err(|mut exception| {
        let place = place_of(&mut exception, &name, &source);
        (exception, place)
    })?;
    Ok((Evaluation { name, source, handler }, promise))
}

fn begin_to_evaluate<'js>(ctx: &Ctx<'js>, name: &str, source: &str) -> Result<(Found, Promise<'js>), Exception> {
    let name_is_taken = REGISTRY.with(|registry| {
        registry.unresolved = None;
        registry.handlers.insert(name.to_string());
        registry.sources.contains_key(name)
    });
    let thrown = |error: Error| exception::describe(ctx, &error);
    let wrong = |message: &str| Exception::new("SyntaxError", message);
    if name_is_taken {
        return Err(wrong("there is a module of the same name as the handler"));
    }
    if name.starts_with(builtins::SCHEME) {
        return Err(wrong("the handler's name is one of the runtime's own"));
    }
    builtins::prepare(ctx, source);
    let not_commonjs = match commonjs::compile_handler(ctx, name, source) {
        Some(Ok(body)) => return run_commonjs(ctx, name, &body).map_err(thrown),
        Some(Err(error)) => Some(thrown(error)),
        None => None,
    };

    // The function need not be exported, so the module is made to export it. At the end the line numbers stay as they are.
    let exporting = format!("{source}\nexport {{ handler as {EXPORT} }};\n");
    let no_handler = "exported variable 'handler' does not exist";
    let (module, defines_handler) = match Module::declare(ctx.clone(), name, exporting) {
        Ok(module) => (module, true),
        Err(error) => {
            let exception = thrown(error);
            // What is wrong may be told with words of what was added. The source alone gives its own.
            let module = Module::declare(ctx.clone(), name, source).map_err(|error| {
                let of_module = thrown(error);
                // What closes the function around the source has no place.
                not_commonjs.filter(|exception| !exception.stack.is_empty()).unwrap_or(of_module)
            })?;
            if exception.message != no_handler {
                return Err(exception);
            }
            (module, false)
        }
    };
    // It may export what has another name within it, or none. Otherwise none of its code runs.
    if !defines_handler && !source.contains("export") {
        return Err(wrong(NO_HANDLER));
    }
    if uses_meta(source) {
        set_meta(&module, name).map_err(thrown)?;
    }
    cycles::begin_handler(name);
    let (module, promise) = module.eval().map_err(thrown)?;
    let namespace: Object = module.namespace().map_err(thrown)?;
    let exports = |name: &str| namespace.contains_key(name).map_err(thrown);
    let export = match defines_handler {
        true => EXPORT,
        false if exports(HANDLER)? => HANDLER,
        false if exports(DEFAULT)? => DEFAULT,
        false => return Err(wrong(NO_HANDLER)),
    };
    Ok((Found::Export(Persistent::save(ctx, namespace), export), promise))
}

fn run_commonjs<'js>(ctx: &Ctx<'js>, name: &str, body: &Function<'js>) -> rquickjs::Result<(Found, Promise<'js>)> {
    let outcome = commonjs::run_handler(ctx, name, body)?;
    let handler = handler_of(outcome)?;
    let (promise, resolve, _) = ctx.promise()?;
    resolve.call::<_, ()>(())?;
    Ok((Found::Value(Persistent::save(ctx, handler)), promise))
}

/// What is the handler of what CommonJS has come to; no function if none is.
fn handler_of<'js>(Outcome { exports, returned }: Outcome<'js>) -> rquickjs::Result<Value<'js>> {
    let Some(object) = exports.as_object() else { return Ok(returned) };
    if object.is_function() {
        return Ok(exports);
    }
    for name in [HANDLER, DEFAULT] {
        let value: Value = object.get(name)?;
        if value.is_function() {
            return Ok(value);
        }
    }
    Ok(returned)
}

/// A function that runs a program and gives its value, if it is CommonJS.
///
/// # Errors
/// What is wrong with it. It may still be right as something else.
pub fn program_in_commonjs<'js>(
    ctx: &Ctx<'js>,
    name: &'static str,
    source: &str,
) -> Option<rquickjs::Result<Function<'js>>> {
    let body = commonjs::compile_handler(ctx, name, source)?;
    REGISTRY.with(|registry| {
        registry.unresolved = None;
        registry.handlers.insert(name.to_string());
    });
    Some(body.and_then(|body| {
        let body = Persistent::save(ctx, body);
        Function::new(ctx.clone(), for_any(move |ctx| value_of_program(&ctx, name, &body.clone().restore(&ctx)?)))
    }))
}

fn for_any<F>(function: F) -> F
where
    F: for<'js> Fn(Ctx<'js>) -> rquickjs::Result<Value<'js>>,
{
    function
}

fn value_of_program<'js>(ctx: &Ctx<'js>, name: &str, body: &Function<'js>) -> rquickjs::Result<Value<'js>> {
    let outcome = commonjs::run_handler(ctx, name, body)?;
    let exports = outcome.exports.clone();
    let handler = handler_of(outcome)?;
    Ok(if handler.is_undefined() { exports } else { handler })
}

/// Compiles the module of a program, which nothing can import.
///
/// # Errors
/// What went wrong, and where in a source.
pub fn declare_program<'js>(
    ctx: &Ctx<'js>,
    name: &str,
    source: &str,
) -> Result<Module<'js, Declared>, (Exception, Place)> {
    REGISTRY.with(|registry| {
        registry.unresolved = None;
        registry.handlers.insert(name.to_string());
    });
    let exporting = format!("{source}\nexport {{ handler as {EXPORT} }};\n");
    let with_handler = if source.contains("handler") { Some(exporting) } else { None };
    let declared = match with_handler.map(|source| Module::declare(ctx.clone(), name, source)) {
        Some(Ok(module)) => Ok(module),
        Some(Err(_)) => {
            // As long as it is pending, whatever runs next seems to have thrown it.
            ctx.catch();
            Module::declare(ctx.clone(), name, source)
        }
        None => Module::declare(ctx.clone(), name, source),
    };
    let with_meta = declared.and_then(|module| {
        if uses_meta(source) {
            set_meta(&module, name)?;
        }
        cycles::begin_handler(name);
        Ok(module)
    });
    with_meta.map_err(|error| {
        let mut exception = exception::describe(ctx, &error);
        let place = place_of(&mut exception, name, source);
        (exception, place)
    })
}
