//! Host functions: what guest code imports from `host:NAME`.
//!
//! Such a module is made of text, one function a name, each of which calls the bridge. Of that there are two functions: one
//! sends the arguments to the host and waits for the result; the other gives a promise for the result, see
//! [`event_loop`](super::event_loop). Only these modules can import the bridge.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};

use guest_abi::host_request::HostRequest;
use guest_abi::message::{
    Details, Exception, HostFunctionName, HostFunctionNames, HostReply, ModuleReply, TEXT_SIZE_MAX,
};
use guest_abi::payload::Payload;
use rquickjs::function::Constructor;
use rquickjs::module::{Declarations, Declared, Exports, ModuleDef};
use rquickjs::object::{Filter, Property};
use rquickjs::{Array, Atom, Ctx, Error, Function, Module, Object, Value};

use super::payload::{self, Encoded};
use super::{event_loop, exception};
use crate::transport::{DoesNotFit, TRANSPORT};

/// What the specifiers of modules with host functions begin with.
pub const SCHEME: &str = "host:";
/// What their names begin with: a handler may be named as a specifier.
const NAMES: &str = "hyperlight:host:";
/// What the names of those begin with that calls are given.
const NAMES_IN_CALLS: &str = "hyperlight:call:";
const BRIDGE: &str = "hyperlight:bridge";
const NO_ROOM: &str = "what is sent to the host does not fit the buffers";
const ERROR_CLASS: &str = "HostFunctionError";
/// What a `HostFunctionError` has anyway.
const OWN_PROPERTIES: [&str; 6] = ["name", "message", "stack", "hostName", "cause", "errors"];

/// Sources of the modules, by their names.
pub fn module_sources(names: &HostFunctionNames) -> BTreeMap<String, String> {
    let mut modules: BTreeMap<String, Vec<HostFunctionName>> = BTreeMap::new();
    for function in names.of_user() {
        modules.entry(name(&function.module)).or_default().push(function.clone());
    }
    modules.into_iter().map(|(name, functions)| (name, module_source(&functions))).collect()
}

/// Source of a module with these functions.
pub fn module_source(functions: &[HostFunctionName]) -> String {
    let mut source = format!("import {{ call, start }} from '{BRIDGE}';\n");
    for (i, HostFunctionName { module, function, is_async }) in functions.iter().enumerate() {
        let bridge = if *is_async { "start" } else { "call" };
        let (module, function) = (quoted(module), quoted(function));
        source.push_str(&format!(
            "const f{i} = (...args) => {bridge}({module}, {function}, args);\nexport {{ f{i} as {function} }};\n"
        ));
    }
    source
}

/// A JavaScript string literal.
pub fn quoted(text: &str) -> String {
    let mut literal = String::from("\"");
    for unit in text.encode_utf16() {
        literal.push_str(&format!("\\u{unit:04x}"));
    }
    literal.push('"');
    literal
}

/// Whether this is the bridge, asked for by a module that may have it.
pub fn is_bridge(importer: &str, specifier: &str) -> bool {
    specifier == BRIDGE && is_module(importer)
}

/// Whether this is the name of a module with host functions.
pub fn is_module(name: &str) -> bool {
    name.starts_with(NAMES) || name.starts_with(NAMES_IN_CALLS)
}

/// The name of the module with the host functions that were registered under a name.
pub fn name(module: &str) -> String {
    format!("{NAMES}{module}")
}

/// A name for a module with host functions of a call, of which this is the number.
pub fn name_in_call(module: &str, number: u64) -> String {
    format!("{NAMES_IN_CALLS}{number}:{module}")
}

/// The module that exports the bridge, if that is what the specifier names.
pub fn bridge<'js>(ctx: &Ctx<'js>, specifier: &str) -> Option<rquickjs::Result<Module<'js, Declared>>> {
    (specifier == BRIDGE).then(|| Module::declare_def::<Bridge, _>(ctx.clone(), specifier))
}

struct Bridge;

impl ModuleDef for Bridge {
    fn declare(declarations: &Declarations<'_>) -> rquickjs::Result<()> {
        declarations.declare("call")?;
        declarations.declare("start")?;
        Ok(())
    }

    fn evaluate<'js>(ctx: &Ctx<'js>, exports: &Exports<'js>) -> rquickjs::Result<()> {
        exports.export("call", caller(ctx)?)?;
        exports.export("start", event_loop::start(ctx)?)?;
        Ok(())
    }
}

/// Largest arguments of a call in bytes.
static ARGUMENTS_LIMIT: AtomicUsize = AtomicUsize::new(0);

/// Makes the global class of errors that host functions fail with, and sets the limit of their arguments.
pub fn install(ctx: &Ctx<'_>, arguments_limit: usize) -> rquickjs::Result<()> {
    ARGUMENTS_LIMIT.store(arguments_limit, Ordering::Relaxed);
    ctx.eval::<(), _>(
        "Object.defineProperty(globalThis, 'HostFunctionError', {
            value: class HostFunctionError extends Error {
                constructor(message, hostName) {
                    super(message);
                    Object.defineProperty(this, 'hostName', { value: hostName, configurable: true, writable: true });
                }
                get name() { return 'HostFunctionError'; }
            },
            configurable: true, writable: true,
        });",
    )
}

/// The function that calls a host function and waits for its result.
pub fn caller<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Function<'js>> {
    Function::new(ctx.clone(), call)
}

/// Calls a host function with an array of arguments.
fn call<'js>(ctx: Ctx<'js>, module: String, function: String, arguments: Value<'js>) -> rquickjs::Result<Value<'js>> {
    let arguments = encode_arguments(&ctx, arguments)?.into_bytes();
    let reply = TRANSPORT.with(|transport| transport.ask(HostRequest::Function { module, function, arguments }));
    let reply = match reply {
        Ok(bytes) => HostReply::from_bytes(bytes).expect("the host sends well-formed replies"),
        Err(DoesNotFit) => HostReply::Failed(Exception::new("Error", NO_ROOM)),
    };
    match reply {
        HostReply::Value(result) => payload::decode(&ctx, &result),
        HostReply::Undefined => Ok(Value::new_undefined(ctx)),
        HostReply::Failed(exception) => Err(failure(&ctx, exception)),
    }
}

/// The array of a host function's arguments as it is sent.
///
/// # Errors
/// What `JSON.stringify` throws; a `HostFunctionError` if they are too large.
pub fn encode_arguments<'js>(ctx: &Ctx<'js>, arguments: Value<'js>) -> rquickjs::Result<Payload> {
    let limit = ARGUMENTS_LIMIT.load(Ordering::Relaxed);
    match payload::encode(ctx, arguments, true, limit)? {
        Encoded::Payload(arguments) => Ok(arguments),
        Encoded::Undefined => Ok(Payload::default()),
        Encoded::TooLarge(size) => {
            let text =
                format!("the arguments of the host function are {size} bytes long, but at most {limit} bytes fit");
            Err(failure(ctx, Exception::new("RangeError", text)))
        }
    }
}

/// Asks the host for a module that was not added.
pub fn load_module(specifier: &str, importer: &str) -> ModuleReply {
    if specifier.len() > TEXT_SIZE_MAX {
        return ModuleReply::Failed(format!("its specifier is longer than {TEXT_SIZE_MAX} bytes"));
    }
    let call = HostRequest::Module { specifier: specifier.into(), importer: importer.into() };
    match TRANSPORT.with(|transport| transport.ask(call)) {
        Ok(bytes) => ModuleReply::from_bytes(bytes).expect("the host sends well-formed replies"),
        Err(DoesNotFit) => ModuleReply::Failed(NO_ROOM.into()),
    }
}

/// Throws a `HostFunctionError`.
pub fn failure(ctx: &Ctx<'_>, exception: Exception) -> Error {
    match error_of(ctx, exception) {
        Ok(error) => ctx.throw(error.into_value()),
        Err(error) => error,
    }
}

/// The `HostFunctionError` for an error of the host. Its causes and errors are some as well.
fn error_of<'js>(ctx: &Ctx<'js>, exception: Exception) -> rquickjs::Result<Object<'js>> {
    let Exception { name, message, details, .. } = exception;
    let Details { properties, cause, errors } = *details;
    let class: Constructor = ctx.globals().get(ERROR_CLASS)?;
    let error: Object = class.construct((message, name))?;
    if !properties.is_empty() {
        let properties = payload::decode(ctx, &Payload::from_json(properties))?;
        let properties = properties.into_object().map_or_else(|| Object::new(ctx.clone()), Ok)?;
        for name in properties.own_keys::<Atom>(Filter::default()) {
            let name = name?;
            let text = exception::text(ctx, &name.to_value()?).ok_or(Error::Exception)?;
            if !OWN_PROPERTIES.contains(&&*text) {
                let value: Value = properties.get(name.clone())?;
                error.prop(name, Property::from(value).configurable().enumerable().writable())?;
            }
        }
    }
    if let Some(cause) = cause {
        error.prop("cause", Property::from(error_of(ctx, *cause)?).configurable().writable())?;
    }
    if !errors.is_empty() {
        let list = Array::new(ctx.clone())?;
        for (i, nested) in errors.into_iter().enumerate() {
            list.as_object()
                .prop(i as u32, Property::from(error_of(ctx, nested)?).configurable().enumerable().writable())?;
        }
        error.prop("errors", Property::from(list).configurable().writable())?;
    }
    Ok(error)
}
