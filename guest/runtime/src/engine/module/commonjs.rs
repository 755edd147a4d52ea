//! Modules in CommonJS.
//!
//! Their code is the body of a function. It runs when the module is first imported or required, and its `module.exports` is what
//! `require()` gives, and the default export. Names that can be told from the source are exports as well.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use rquickjs::function::This;
use rquickjs::module::{Declarations, Exports, ModuleDef};
use rquickjs::object::Property;
use rquickjs::{Ctx, Exception, Function, IntoJs, Object, Persistent, Result, Value};

use super::{REGISTRY, cycles, require};
use crate::engine::wrapper::Wrapper;

const BEGIN: &str = "function (exports, require, module, __filename, __dirname) {\n\n";
const END: &str = "\n}";
/// Of a handler. One that exports nothing may define its function as an ES module does.
const END_OF_HANDLER: &str = "\n;return typeof handler === 'function' ? handler : undefined}";
const FIRST_LINE_OF_PROGRAM: &str = "#!";

/// A module that can be imported.
pub enum CommonJs {
    /// It has been compiled, and exports these names.
    Compiled(Persistent<Function<'static>>, BTreeSet<String>),
    /// Its code runs, or has run. This is its `module`.
    Instance(Persistent<Object<'static>>, BTreeSet<String>),
}

/// What the code of a handler comes to.
pub struct Outcome<'js> {
    pub exports: Value<'js>,
    pub returned: Value<'js>,
}

/// The code of a handler or of a program as a function, if it is CommonJS.
///
/// # Errors
/// What is wrong with it. It may still be right as an ES module.
pub fn compile_handler<'js>(ctx: &Ctx<'js>, name: &str, source: &str) -> Option<Result<Function<'js>>> {
    guest_commonjs::exported_names(source)?;
    Some(compile(ctx, name, source, END_OF_HANDLER))
}

fn compile<'js>(ctx: &Ctx<'js>, name: &str, source: &str, end: &str) -> Result<Function<'js>> {
    let wrapper = Wrapper { file: name, is_strict: false, begin: BEGIN, end };
    match source.strip_prefix(FIRST_LINE_OF_PROGRAM) {
        Some(rest) => wrapper.wrap(ctx, &alloc::format!("//{rest}")),
        None => wrapper.wrap(ctx, source),
    }
}

/// Compiles a module, if it is CommonJS.
///
/// # Errors
/// There is no memory for it.
pub fn prepare<'js>(ctx: &Ctx<'js>, name: &str, source: &str) -> Result<bool> {
    if REGISTRY.with(|registry| registry.commonjs.contains_key(name)) {
        return Ok(true);
    }
    let Some(names) = guest_commonjs::exported_names(source) else { return Ok(false) };
    let Ok(body) = compile(ctx, name, source, END) else {
        // As an ES module it may be right, and if not, that says why.
        ctx.catch();
        return Ok(false);
    };
    let body = Persistent::save(ctx, body);
    REGISTRY.with(|registry| registry.commonjs.insert(name.to_string(), CommonJs::Compiled(body, names)));
    Ok(true)
}

/// What a module of this name exports, that has been prepared. Its code runs if it has not yet.
///
/// # Errors
/// What the code throws: then the module is as it was before it was prepared.
pub fn exports<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Value<'js>> {
    let found = REGISTRY.with(|registry| match registry.commonjs.get(name) {
        Some(CommonJs::Compiled(body, names)) => Some(Ok((body.clone(), names.clone()))),
        Some(CommonJs::Instance(module, _)) => Some(Err(module.clone())),
        None => None,
    });
    let (body, names) = match found {
        Some(Ok(compiled)) => compiled,
        Some(Err(module)) => return module.restore(ctx)?.get("exports"),
        None => return Err(Exception::throw_reference(ctx, "the module has failed before")),
    };
    let module = new_module(ctx, name)?;
    let instance = CommonJs::Instance(Persistent::save(ctx, module.clone()), names);
    // What is replaced is dropped when the registry is not in use.
    drop(REGISTRY.with(|registry| registry.commonjs.insert(name.to_string(), instance)));
    if let Err(error) = run_body(ctx, name, &body.restore(ctx)?, &module) {
        drop(REGISTRY.with(|registry| registry.commonjs.remove(name)));
        return Err(error);
    }
    module.get("exports")
}

/// Runs the code of a handler or of a program.
///
/// # Errors
/// What it throws.
pub fn run_handler<'js>(ctx: &Ctx<'js>, name: &str, body: &Function<'js>) -> Result<Outcome<'js>> {
    let module = new_module(ctx, name)?;
    let returned = run_body(ctx, name, body, &module)?;
    Ok(Outcome { exports: module.get("exports")?, returned })
}

fn new_module<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Object<'js>> {
    let module = Object::new(ctx.clone())?;
    define(&module, "id", name)?;
    define(&module, "filename", name)?;
    define(&module, "exports", Object::new(ctx.clone())?)?;
    define(&module, "loaded", false)?;
    define(&module, "children", Vec::<String>::new())?;
    Ok(module)
}

/// Not by assignment, which guest code could turn into a call.
fn define<'js>(object: &Object<'js>, key: &str, value: impl IntoJs<'js>) -> Result<()> {
    object.prop(key, Property::from(value).configurable().enumerable().writable())
}

fn run_body<'js>(ctx: &Ctx<'js>, name: &str, body: &Function<'js>, module: &Object<'js>) -> Result<Value<'js>> {
    let exports: Value = module.get("exports")?;
    let folder = name.rsplit_once('/').map_or(".", |(folder, _)| folder);
    let require = require::function_of(ctx, name.to_string())?;
    define(module, "require", require.clone())?;
    let returned = body.call((This(exports.clone()), exports, require, module.clone(), name, folder))?;
    define(module, "loaded", true)?;
    Ok(returned)
}

/// The engine's side of a module that has been prepared.
pub struct Imported;

impl ModuleDef for Imported {
    fn declare(declarations: &Declarations<'_>) -> Result<()> {
        declarations.declare("default")?;
        for name in names_of(&declarations.module().name::<String>()?) {
            declarations.declare(name)?;
        }
        Ok(())
    }

    fn evaluate<'js>(ctx: &Ctx<'js>, exports: &Exports<'js>) -> Result<()> {
        let name: String = exports.module().name()?;
        let before = cycles::set_running(Some(name.clone()));
        let value = self::exports(ctx, &name);
        cycles::set_running(before);
        let value = value?;
        if let Some(object) = value.as_object() {
            for name in names_of(&name) {
                exports.export(name.as_str(), object.get::<_, Value>(name.as_str())?)?;
            }
        }
        exports.export("default", value)?;
        Ok(())
    }
}

fn names_of(module: &str) -> BTreeSet<String> {
    REGISTRY.with(|registry| match registry.commonjs.get(module) {
        Some(CommonJs::Compiled(_, names) | CommonJs::Instance(_, names)) => names.clone(),
        None => BTreeSet::new(),
    })
}
