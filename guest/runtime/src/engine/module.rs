//! Modules: what guest code can import, and how a handler's source becomes a function.
//!
//! | specifier | module |
//! |---|---|
//! | `host:NAME` | the host functions that were registered under this name; see [`host`](super::host) |
//! | `crypto`, `node:crypto`, `url`, `node:url`, `hyperlight:context` | built in; see [`builtins`](super::builtins) |
//! | any other | a module that was added under it, or that the host's module loader gives |
//!
//! A specifier that begins with `./` or `../` is taken relative to the importer's name, within its namespace.
//!
//! A handler's module bears the handler's name and cannot be imported. Those of the first two rows bear names of another kind
//! than all others: what they may import is decided by these.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use guest_abi::message::{Exception, HostFunctionNames, ModuleReply, Place, TEXT_SIZE_MAX};
use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Error, Module, Object, Persistent, Promise, Value};

use super::{builtins, exception, host, typescript};
use crate::global::Global;

/// Name under which a handler's module exports its function for us. Its own exports stay as they are.
pub const EXPORT: &str = "$hyperlight_handler";

/// Exports that are the handler of a module that does not define `handler`, the first that there is.
const HANDLER: &str = "handler";
const DEFAULT: &str = "default";
const NO_HANDLER: &str =
    "the module defines no function named 'handler', and exports nothing by that name and no default";

static REGISTRY: Global<Registry> = Global::new();

#[derive(Default)]
struct Registry {
    /// Sources of modules by their names, those of host functions included.
    sources: BTreeMap<String, String>,
    /// Other names by which modules have been imported that the host's loader has found.
    aliases: BTreeMap<String, String>,
    /// Names of modules that are TypeScript.
    typescript: BTreeSet<String>,
    /// Names of handlers.
    handlers: BTreeSet<String>,
    /// Modules with the host functions of the call, by the names that it knows them by.
    of_call: BTreeMap<String, ModuleOfCall>,
    /// Those of this and other calls that have been imported: the engine keeps them. By the list of their functions, encoded.
    imported: BTreeMap<Vec<u8>, String>,
    /// How many names such modules were given.
    last_of_call: u64,
    /// The import that could not be resolved last: the importer and the specifier.
    unresolved: Option<(String, String)>,
}

/// A module with host functions of a call.
struct ModuleOfCall {
    /// The name by which the engine knows it: the same for all that have the same functions.
    name: String,
    /// The list of its functions, encoded.
    list: Vec<u8>,
    source: String,
}

/// Prepares an empty registry.
pub fn init() {
    REGISTRY.set(Registry::default());
}

/// Makes host functions importable.
pub fn set_host_functions(names: &HostFunctionNames) {
    let sources = host::module_sources(names);
    REGISTRY.with(|registry| registry.sources.extend(sources));
}

/// Makes the host functions of a call importable, and those of the call before no more.
pub fn set_functions_of_call(modules: BTreeMap<&str, HostFunctionNames>) {
    REGISTRY.with(|registry| {
        registry.of_call.clear();
        for (module, names) in modules {
            let list = names.to_bytes();
            let name = registry.imported.get(&list).cloned().unwrap_or_else(|| {
                registry.last_of_call += 1;
                host::name_in_call(module, registry.last_of_call)
            });
            let source = host::module_source(&names.0);
            registry.of_call.insert(String::from(module), ModuleOfCall { name, list, source });
        }
    });
}

/// Makes a module importable. It is compiled when it is first imported.
pub fn add(specifier: String, source: String, is_typescript: bool) {
    REGISTRY.with(|registry| {
        if is_typescript {
            registry.typescript.insert(specifier.clone());
        }
        registry.sources.insert(specifier, source);
    });
}

/// Makes a module importable that the host's loader has found, by the name that was asked for and by the one that it goes by. If it
/// has been found before by another name, it is the same module. `false` if the name cannot be a module's.
fn add_loaded(asked: String, name: &str, source: String, is_typescript: bool) -> bool {
    if is_reserved(name) || REGISTRY.with(|registry| registry.handlers.contains(name)) {
        return false;
    }
    if !REGISTRY.with(|registry| registry.sources.contains_key(name)) {
        add(name.to_string(), source, is_typescript);
    }
    if asked != name {
        REGISTRY.with(|registry| registry.aliases.insert(asked, name.to_string()));
    }
    true
}

impl Registry {
    /// The name of the module that is imported by this one, if it is known.
    fn name_of(&self, asked: &str) -> Option<String> {
        if self.sources.contains_key(asked) {
            return Some(asked.to_string());
        }
        self.aliases.get(asked).cloned()
    }
}

/// Resolves and loads imports.
pub struct Modules;

impl Resolver for Modules {
    fn resolve<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        importer: &str,
        specifier: &str,
        _attributes: Option<ImportAttributes<'js>>,
    ) -> rquickjs::Result<String> {
        // Of what is longer no copy is made: there may be no memory for one.
        if specifier.len() > TEXT_SIZE_MAX {
            let text = format!("cannot find a module by a specifier of more than {TEXT_SIZE_MAX} bytes");
            return Err(rquickjs::Exception::throw_reference(ctx, &text));
        }
        if let Some(name) = ours(importer, specifier) {
            return Ok(name);
        }
        let name = absolute(importer, specifier);
        let found = if is_reserved(&name) || REGISTRY.with(|registry| registry.handlers.contains(&name)) {
            ModuleReply::Unknown
        } else if let Some(known) = REGISTRY.with(|registry| registry.name_of(&name)) {
            return Ok(known);
        } else {
            host::load_module(&name, importer)
        };
        let reason = match found {
            ModuleReply::Source { name: given, source, is_typescript } => {
                let given = if given.is_empty() { name.clone() } else { given };
                if add_loaded(name, &given, source, is_typescript) {
                    return Ok(given);
                }
                format!(": the host has it by the name '{given}', which cannot be a module's")
            }
            ModuleReply::Unknown => String::new(),
            ModuleReply::Failed(reason) => format!(": {reason}"),
        };
        REGISTRY.with(|registry| registry.unresolved = Some((importer.to_string(), specifier.to_string())));
        Err(rquickjs::Exception::throw_reference(ctx, &format!("cannot find module '{specifier}'{reason}")))
    }
}

/// The name of the module of ours that an importer means by a specifier, if it is one.
fn ours(importer: &str, specifier: &str) -> Option<String> {
    if host::is_bridge(importer, specifier) {
        return Some(specifier.to_string());
    }
    let with_host_functions = || {
        let module = specifier.strip_prefix(host::SCHEME)?;
        let registered = host::name(module);
        REGISTRY.with(|registry| {
            let of_call = registry.of_call.get(module).map(|module| module.name.clone());
            of_call.or_else(|| registry.sources.contains_key(&registered).then_some(registered))
        })
    };
    builtins::resolve(importer, specifier).map(String::from).or_else(with_host_functions)
}

/// Whether a module of this name can only come from the runtime itself.
fn is_reserved(name: &str) -> bool {
    name.starts_with(host::SCHEME) || name.starts_with(builtins::SCHEME)
}

/// The name of the module that an importer means by a specifier.
fn absolute(importer: &str, specifier: &str) -> String {
    if !specifier.starts_with("./") && !specifier.starts_with("../") {
        return specifier.to_string();
    }
    let (namespace, path) = match importer.split_once(':') {
        Some((namespace, path)) => (Some(namespace), path),
        None => (None, importer),
    };
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in specifier.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    namespace.map_or_else(|| path.clone(), |namespace| format!("{namespace}:{path}"))
}

impl Loader for Modules {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        specifier: &str,
        _attributes: Option<ImportAttributes<'js>>,
    ) -> rquickjs::Result<Module<'js, Declared>> {
        if let Some(module) = host::bridge(ctx, specifier).or_else(|| builtins::load(ctx, specifier)) {
            return module;
        }
        if let Some(module) = load_of_call(ctx, specifier) {
            return module;
        }
        match REGISTRY.with(|registry| registry.sources.get(specifier).cloned()) {
            Some(source) if REGISTRY.with(|registry| registry.typescript.contains(specifier)) => {
                let source =
                    typescript::of_module(specifier, &source).map_err(|mistake| typescript::throw(ctx, &mistake))?;
                Module::declare(ctx.clone(), specifier, source)
            }
            Some(source) => Module::declare(ctx.clone(), specifier, source),
            None => Err(Error::new_loading(specifier)),
        }
    }
}

/// The module of this name with host functions of the call, if there is one.
fn load_of_call<'js>(ctx: &Ctx<'js>, name: &str) -> Option<rquickjs::Result<Module<'js, Declared>>> {
    let (list, source) = REGISTRY.with(|registry| {
        let module = registry.of_call.values().find(|module| module.name == name)?;
        Some((module.list.clone(), module.source.clone()))
    })?;
    let declared = Module::declare(ctx.clone(), name, source);
    if declared.is_ok() {
        REGISTRY.with(|registry| registry.imported.insert(list, String::from(name)));
    }
    Some(declared)
}

/// The evaluation of a handler's module, which has begun.
pub struct Evaluation {
    name: String,
    source: String,
    namespace: Persistent<Object<'static>>,
    /// The export that is the handler.
    export: &'static str,
}

impl Evaluation {
    /// The handler's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the module has as its handler, once it is evaluated.
    ///
    /// # Errors
    /// It has not given it a value.
    pub fn exported<'js>(&self, ctx: &Ctx<'js>) -> rquickjs::Result<Value<'js>> {
        self.namespace.clone().restore(ctx)?.get(self.export)
    }

    /// What is said if that is no function.
    pub fn is_no_function(&self) -> &'static str {
        if self.export == DEFAULT { "the default export is not a function" } else { "'handler' is not a function" }
    }

    /// What has ended the evaluation, and where in a source that was.
    pub fn failed(&self, mut exception: Exception) -> (Exception, Place) {
        let place = place_of(&mut exception, &self.name, &self.source);
        (exception, place)
    }
}

/// Compiles a handler's module and begins to evaluate it: that has ended when the promise is settled.
///
/// # Errors
/// What went wrong, and where in the source.
pub fn evaluate_handler<'js>(
    ctx: &Ctx<'js>,
    name: String,
    source: String,
) -> Result<(Evaluation, Promise<'js>), (Exception, Place)> {
    let (namespace, export, promise) = begin_to_evaluate(ctx, &name, &source)?;
    Ok((Evaluation { name, source, namespace: Persistent::save(ctx, namespace), export }, promise))
}

fn begin_to_evaluate<'js>(
    ctx: &Ctx<'js>,
    name: &str,
    source: &str,
) -> Result<(Object<'js>, &'static str, Promise<'js>), (Exception, Place)> {
    let name_is_taken = REGISTRY.with(|registry| {
        registry.unresolved = None;
        registry.handlers.insert(name.to_string());
        registry.sources.contains_key(name)
    });
    let failed = |mut exception: Exception| {
        let place = place_of(&mut exception, name, source);
        (exception, place)
    };
    let thrown = |error: Error| failed(exception::describe(ctx, &error));
    let wrong = |message: &str| failed(Exception::new("SyntaxError", message));
    if name_is_taken {
        return Err(wrong("there is a module of the same name as the handler"));
    }
    if name.starts_with(builtins::SCHEME) {
        return Err(wrong("the handler's name is one of the runtime's own"));
    }

    // The function need not be exported, so the module is made to export it. At the end the line numbers stay as they are.
    let exporting = format!("{source}\nexport {{ handler as {EXPORT} }};\n");
    let no_handler = "exported variable 'handler' does not exist";
    let (module, defines_handler) = match Module::declare(ctx.clone(), name, exporting) {
        Ok(module) => (module, true),
        Err(error) => {
            let exception = exception::describe(ctx, &error);
            // What is wrong may be told with words of what was added. The source alone gives its own.
            let module = Module::declare(ctx.clone(), name, source).map_err(thrown)?;
            if exception.message != no_handler {
                return Err(failed(exception));
            }
            (module, false)
        }
    };
    // It may export what has another name within it, or none. Otherwise none of its code runs.
    if !defines_handler && !source.contains("export") {
        return Err(wrong(NO_HANDLER));
    }
    let (module, promise) = module.eval().map_err(thrown)?;
    let namespace: Object = module.namespace().map_err(thrown)?;
    let exports = |name: &str| namespace.contains_key(name).map_err(thrown);
    let export = match defines_handler {
        true => EXPORT,
        false if exports(HANDLER)? => HANDLER,
        false if exports(DEFAULT)? => DEFAULT,
        false => return Err(wrong(NO_HANDLER)),
    };
    Ok((namespace, export, promise))
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
    if let Some(Ok(module)) = with_handler.map(|source| Module::declare(ctx.clone(), name, source)) {
        return Ok(module);
    }
    Module::declare(ctx.clone(), name, source).map_err(|error| {
        let mut exception = exception::describe(ctx, &error);
        let place = place_of(&mut exception, name, source);
        (exception, place)
    })
}

/// Whether guest code cannot import a module by this specifier: others go by it, or none can.
pub fn is_taken(specifier: &str) -> bool {
    specifier.starts_with("./")
        || specifier.starts_with("../")
        || is_reserved(specifier)
        || builtins::resolve("", specifier).is_some()
        || REGISTRY.with(|registry| registry.handlers.contains(specifier) || registry.sources.contains_key(specifier))
}

/// Where an exception comes from that ended the loading of a handler. If it is said to come from the end of a source or from
/// behind it, it is made to say so.
pub fn place_of(exception: &mut Exception, handler: &str, source: &str) -> Place {
    let unresolved = REGISTRY.with(|registry| {
        let (importer, specifier) = registry.unresolved.take()?;
        let source = registry.sources.get(&importer).map_or(source, String::as_str);
        let (line, column) = position_of_import(source, &specifier)?;
        Some(Place { file: importer, line, column })
    });
    if let Some(place) = unresolved {
        return place;
    }
    let Some(mut place) = exception.stack.lines().find_map(place_in_frame) else {
        return Place { file: handler.to_string(), line: 0, column: 0 };
    };
    let end = REGISTRY.with(|registry| {
        let own = (place.file == handler).then_some(source);
        own.or_else(|| registry.sources.get(&place.file).map(String::as_str)).map(end_of)
    });
    if let Some(end) = end
        && exception.name == "SyntaxError"
        && (place.line, place.column) >= end
    {
        let told = format!("{}:{}:{}", place.file, place.line, place.column);
        (place.line, place.column) = end;
        exception.stack = exception.stack.replacen(&told, &format!("{}:{}:{}", place.file, end.0, end.1), 1);
        exception.message = String::from("unexpected end of source");
    }
    place
}

/// The line and the column behind the last character of a source that is no white space.
fn end_of(source: &str) -> (u32, u32) {
    let source = source.trim_end();
    let line = source.matches('\n').count() + 1;
    let column = source.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (line as u32, column as u32)
}

/// The place that one line of a stack trace names, as in `at f (file:3:5)` or `at file:3:5`.
fn place_in_frame(frame: &str) -> Option<Place> {
    let frame = frame.trim().strip_prefix("at ")?;
    let place = match frame.rsplit_once(" (") {
        Some((_, place)) => place.strip_suffix(')')?,
        None => frame,
    };
    let mut parts = place.rsplitn(3, ':');
    let (column, line, file) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Place { file: file.to_string(), line: line.parse().ok()?, column: column.parse().ok()? })
}

/// Where the specifier of an import stands. The engine does not tell, so it is looked for: a string behind `from` or
/// `import`.
fn position_of_import(source: &str, specifier: &str) -> Option<(u32, u32)> {
    let at = ['"', '\''].into_iter().find_map(|quote| {
        let literal = format!("{quote}{specifier}{quote}");
        source.match_indices(&literal).map(|(at, _)| at).find(|at| {
            let before = source[..*at].trim_end();
            before.ends_with("from") || before.ends_with("import")
        })
    })?;
    let before = &source[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |start| start.chars().count()) + 1;
    Some((line as u32, column as u32))
}
