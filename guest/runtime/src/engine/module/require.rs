//! `require()`: what can be imported, at once.
//!
//! Of a module of ours it gives the default export, as Node.js does, of CommonJS `module.exports`, of JSON the value, of an ES module
//! the namespace; if that waits for something at its top level, a promise for the namespace.

use alloc::format;
use alloc::string::String;

use guest_abi::message::TEXT_SIZE_MAX;
use rquickjs::function::{Opt, This};
use rquickjs::object::Property;
use rquickjs::promise::PromiseState;
use rquickjs::{Ctx, Error, Exception, Function, Module, Object, Persistent, Promise, Result, Value};

use super::{Modules, REGISTRY, commonjs, cycles, json};
use crate::engine::{builtins, exception, host, rejections};

/// What the names of modules begin with that import one for `require()`. They may import any, by the engine's name of it.
pub const IMPORTER: &str = "hyperlight:require:";
const DEFAULT: &str = "default";
const NAMESPACE: &str = "namespace";
/// How many callers are looked at for code of a handler.
const CALLERS_MAX: u32 = 32;

/// Makes the global function. It takes names as the code that calls it does.
pub fn install(ctx: &Ctx<'_>) -> Result<()> {
    let require = Function::new(ctx.clone(), require)?.with_name("require")?;
    ctx.globals().prop("require", Property::from(require).configurable().writable())
}

fn require<'js>(ctx: Ctx<'js>, specifier: Opt<Value<'js>>) -> Result<Value<'js>> {
    let importer = file_of_caller(&ctx, 0)?.unwrap_or_default();
    give(&ctx, &importer, specifier)
}

/// The function of a CommonJS module.
pub fn function_of<'js>(ctx: &Ctx<'js>, importer: String) -> Result<Function<'js>> {
    Function::new(ctx.clone(), for_any(move |ctx, specifier| give(&ctx, &importer, specifier)))?.with_name("require")
}

fn for_any<F>(function: F) -> F
where
    F: for<'js> Fn(Ctx<'js>, Opt<Value<'js>>) -> Result<Value<'js>>,
{
    function
}

fn give<'js>(ctx: &Ctx<'js>, importer: &str, specifier: Opt<Value<'js>>) -> Result<Value<'js>> {
    let specifier = specifier.0.filter(Value::is_string);
    let specifier = specifier.ok_or_else(|| Exception::throw_type(ctx, "require() takes the name of a module"))?;
    // Of what is too long no more is taken than tells that it is.
    let text = |bytes: &[u8]| exception::lossy_text(&bytes[..bytes.len().min(TEXT_SIZE_MAX + 1)]);
    let specifier = exception::with_text(ctx, &specifier, text).ok_or(Error::Exception)?;
    let name = Modules::find(ctx, importer, &specifier)?;
    if let Some(namespace) = REGISTRY.with(|registry| registry.required.get(&name).cloned()) {
        return of_namespace(&name, namespace.restore(ctx)?);
    }
    if !name.starts_with(builtins::SCHEME) {
        if name.ends_with(json::SUFFIX) {
            return json::value(ctx, &name);
        }
        let source = Modules::source_of(ctx, &name)?;
        if commonjs::prepare(ctx, &name, &source)? {
            return commonjs::exports(ctx, &name);
        }
        note_running_handler(ctx)?;
    }
    cycles::begin(&name);
    let evaluated = evaluate(ctx, &name);
    cycles::end();
    let (promise, holder) = evaluated?;
    match promise.state() {
        PromiseState::Pending => {
            let later: Function = ctx.eval("(holder) => () => holder.namespace")?;
            promise.then()?.call((This(promise.clone()), later.call::<_, Function>((holder,))?))
        }
        PromiseState::Rejected => {
            rejections::handled(ctx, &promise);
            promise.result().unwrap_or(Err(Error::WouldBlock))
        }
        PromiseState::Resolved => {
            let namespace: Object = holder.get(NAMESPACE)?;
            let saved = Persistent::save(ctx, namespace.clone());
            REGISTRY.with(|registry| registry.required.insert(name.clone(), saved));
            of_namespace(&name, namespace)
        }
    }
}

/// What is given for a module with this namespace.
fn of_namespace<'js>(name: &str, namespace: Object<'js>) -> Result<Value<'js>> {
    let is_builtin = name.starts_with(builtins::SCHEME) && !host::is_module(name);
    if is_builtin && namespace.contains_key(DEFAULT)? { namespace.get(DEFAULT) } else { Ok(namespace.into_value()) }
}

/// Evaluates a module by way of another that has its namespace.
fn evaluate<'js>(ctx: &Ctx<'js>, name: &str) -> Result<(Promise<'js>, Object<'js>)> {
    let number = REGISTRY.with(|registry| {
        registry.importers += 1;
        registry.importers
    });
    let source = format!("import * as {NAMESPACE} from {}; export {{ {NAMESPACE} }}", host::quoted(name));
    let module = Module::declare(ctx.clone(), format!("{IMPORTER}{number}"), source)?;
    // What it imports is known now.
    if cycles::is_in_cycle(name) {
        let text = format!("'{name}' cannot be required yet: it is being evaluated, or imports what is");
        return Err(Exception::throw_message(ctx, &text));
    }
    let (module, promise) = module.eval()?;
    Ok((promise, module.namespace()?))
}

/// If code of the handler runs that is evaluated, all that this imports has been.
fn note_running_handler(ctx: &Ctx<'_>) -> Result<()> {
    let Some(handler) = cycles::handler() else { return Ok(()) };
    for level in 0..CALLERS_MAX {
        if file_of_caller(ctx, level)?.is_some_and(|file| file == handler) {
            cycles::handler_runs();
            break;
        }
    }
    Ok(())
}

/// The file of the code that is so many calls above this function, which the engine does not count; none for a native function.
fn file_of_caller(ctx: &Ctx<'_>, level: u32) -> Result<Option<String>> {
    ctx.script_or_module_name(level as _).map(|name| name.to_string()).transpose()
}
