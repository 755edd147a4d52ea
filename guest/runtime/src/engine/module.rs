//! Modules: what guest code can import, and how a handler's source becomes a function.
//!
//! | specifier | module |
//! |---|---|
//! | `host:NAME` | the host functions that were registered under this name; see [`host`](super::host) |
//! | `crypto`, `node:crypto`, `url`, `node:url` | built in; see [`builtins`](super::builtins) |
//! | any other | a module that was added under it, or that the host's module loader gives |
//!
//! A specifier that begins with `./` or `../` is taken relative to the importer's name, within its namespace.
//!
//! A handler's module bears the handler's name and cannot be imported.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use guest_abi::message::{Exception, HostFunctionNames, ModuleReply, Place};
use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Error, Function, Module, Value};

use super::{builtins, exception, host, settled};
use crate::global::Global;

/// Name under which a handler's module exports its function for us. Its own exports stay as they are.
const EXPORT: &str = "$hyperlight_handler";

static REGISTRY: Global<Registry> = Global::new();

#[derive(Default)]
struct Registry {
    /// Sources of modules by their specifiers, those of host functions included.
    sources: BTreeMap<String, String>,
    /// The import that could not be resolved last: the importer and the specifier.
    unresolved: Option<(String, String)>,
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

/// Makes a module importable. It is compiled when it is first imported.
pub fn add(specifier: String, source: String) {
    REGISTRY.with(|registry| registry.sources.insert(specifier, source));
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
        let name = absolute(importer, specifier);
        if host::is_bridge(importer, &name)
            || builtins::is_importable(importer, &name)
            || REGISTRY.with(|registry| registry.sources.contains_key(&name))
        {
            return Ok(name);
        }
        let found = if is_reserved(&name) { ModuleReply::Unknown } else { host::load_module(&name, importer) };
        let reason = match found {
            ModuleReply::Source(source) => {
                add(name.clone(), source);
                return Ok(name);
            }
            ModuleReply::Unknown => String::new(),
            ModuleReply::Failed(reason) => format!(": {reason}"),
        };
        REGISTRY.with(|registry| registry.unresolved = Some((importer.to_string(), specifier.to_string())));
        Err(rquickjs::Exception::throw_reference(ctx, &format!("cannot find module '{specifier}'{reason}")))
    }
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
        match REGISTRY.with(|registry| registry.sources.get(specifier).cloned()) {
            Some(source) => Module::declare(ctx.clone(), specifier, source),
            None => Err(Error::new_loading(specifier)),
        }
    }
}

/// Compiles a handler's module, evaluates it, and gives its function `handler`.
///
/// # Errors
/// What went wrong, and where in the source.
pub fn load_handler<'js>(ctx: &Ctx<'js>, name: &str, source: &str) -> Result<Function<'js>, (Exception, Place)> {
    let name_is_taken = REGISTRY.with(|registry| {
        registry.unresolved = None;
        registry.sources.contains_key(name)
    });
    let failed = |exception: Exception| {
        let place = place_of(&exception, name, source);
        (exception, place)
    };
    let thrown = |error: Error| failed(exception::describe(ctx, &error));
    let wrong = |message: &str| failed(Exception::new("SyntaxError", message));
    if name_is_taken {
        return Err(wrong("there is a module of the same name as the handler"));
    }

    // The function need not be exported, so the module is made to export it. At the end the line numbers stay as they are.
    let exporting = format!("{source}\nexport {{ handler as {EXPORT} }};\n");
    let module = Module::declare(ctx.clone(), name, exporting).map_err(|error| {
        let exception = exception::describe(ctx, &error);
        if exception.message == "exported variable 'handler' does not exist" {
            wrong("the module defines no function named 'handler'")
        } else {
            failed(exception)
        }
    })?;
    let (module, evaluated) = module.eval().map_err(thrown)?;
    settled(ctx, &evaluated).map_err(failed)?;
    let handler: Value = module.get(EXPORT).map_err(thrown)?;
    handler.into_function().ok_or_else(|| wrong("'handler' is not a function"))
}

/// Where an exception comes from that ended the loading of a handler.
fn place_of(exception: &Exception, handler: &str, source: &str) -> Place {
    let unresolved = REGISTRY.with(|registry| {
        let (importer, specifier) = registry.unresolved.take()?;
        let source = registry.sources.get(&importer).map_or(source, String::as_str);
        let (line, column) = position_of_import(source, &specifier)?;
        Some(Place { file: importer, line, column })
    });
    unresolved.or_else(|| exception.stack.lines().find_map(place_in_frame)).unwrap_or_else(|| Place {
        file: handler.to_string(),
        line: 0,
        column: 0,
    })
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
