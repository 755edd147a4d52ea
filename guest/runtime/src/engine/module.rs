//! Modules: what guest code can import, and how a handler's source becomes a function.
//!
//! | specifier | module |
//! |---|---|
//! | `host:NAME` | the host functions that were registered under this name; see [`host`](super::host) |
//! | `crypto`, `node:buffer` and others of Node.js, `hyperlight:context` | built in; see [`builtins`](super::builtins) |
//! | any other | a module that was added under it, or that the host's module loader gives |
//!
//! A specifier that begins with `./` or `../` is taken relative to the importer's name, within its namespace. That of a handler or
//! of a program is none, or else that of modules for which none is named.
//!
//! A module is an ES module, [CommonJS](commonjs), or [JSON](json). [`require`] gives what can be imported at once.
//!
//! A handler's module bears the handler's name and cannot be imported. Those of the first two rows bear names of another kind
//! than all others: what they may import is decided by these.

mod commonjs;
mod cycles;
mod handler;
mod json;
mod place;
mod require;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use guest_abi::message::{HostFunctionNames, ModuleReply, TEXT_SIZE_MAX};
use guest_abi::source::Language;
use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Error, Module, Object, Persistent, Value};

use super::{builtins, host, typescript};
use crate::global::Global;

pub use cycles::end_turn;
pub use handler::{EXPORT, Evaluation, declare_program, evaluate_handler, program_in_commonjs};
pub use place::{Frame, place_of};
pub use require::install;

/// Namespace of modules for which the host names none.
const DEFAULT_NAMESPACE: &str = "user";

static REGISTRY: Global<Registry> = Global::new();

#[derive(Default)]
struct Registry {
    /// Sources of modules by their names, those of host functions included.
    sources: BTreeMap<String, String>,
    /// Other names by which modules have been imported that the host's loader has found.
    aliases: BTreeMap<String, String>,
    /// Languages of modules that are not JavaScript as it is.
    languages: BTreeMap<String, Language>,
    /// Names of handlers.
    handlers: BTreeSet<String>,
    /// Modules with the host functions of the call, by the names that it knows them by.
    of_call: BTreeMap<String, ModuleOfCall>,
    /// Those of this and other calls that have been imported: the engine keeps them. By the list of their functions, encoded.
    imported: BTreeMap<Vec<u8>, String>,
    /// How many names such modules were given.
    last_of_call: u64,
    /// Modules in CommonJS that have been imported or required.
    commonjs: BTreeMap<String, commonjs::CommonJs>,
    /// Values of modules in JSON.
    json: BTreeMap<String, Persistent<Value<'static>>>,
    /// Namespaces of other modules that have been required.
    required: BTreeMap<String, Persistent<Object<'static>>>,
    /// How many names were given to modules that import what is required.
    importers: u64,
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
    cycles::init();
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

/// What a function makes of the source of a module that was added or loaded.
pub fn with_source<T>(name: &str, f: impl FnOnce(&str) -> T) -> Option<T> {
    REGISTRY.with(|registry| registry.sources.get(name).map(|source| f(source)))
}

/// Makes a module importable. It is compiled when it is first imported.
pub fn add(specifier: String, source: String, language: Language) {
    REGISTRY.with(|registry| {
        if language != Language::JavaScript {
            registry.languages.insert(specifier.clone(), language);
        }
        registry.sources.insert(specifier, source);
    });
}

/// Makes a module importable that the host's loader has found, by the name that was asked for and by the one that it goes by. If it
/// has been found before by another name, it is the same module. `false` if the name cannot be a module's.
fn add_loaded(asked: String, name: &str, source: String, language: Language) -> bool {
    if is_reserved(name) || REGISTRY.with(|registry| registry.handlers.contains(name)) {
        return false;
    }
    if !REGISTRY.with(|registry| registry.sources.contains_key(name)) {
        add(name.to_string(), source, language);
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
        attributes: Option<ImportAttributes<'js>>,
    ) -> rquickjs::Result<String> {
        // What is made for `require()` has the engine's names.
        if importer.starts_with(require::IMPORTER) {
            return Ok(specifier.to_string());
        }
        let not_found = || {
            if specifier.len() > TEXT_SIZE_MAX {
                return;
            }
            REGISTRY.with(|registry| registry.unresolved = Some((importer.to_string(), specifier.to_string())));
        };
        let is_json = json::is_asked_for(ctx, attributes.as_ref()).inspect_err(|_| not_found())?;
        let name = Self::find(ctx, importer, specifier).inspect_err(|_| not_found())?;
        if !is_reserved(&name) {
            cycles::imported(importer, &name);
        } else if is_json {
            not_found();
            return Err(rquickjs::Exception::throw_type(ctx, &format!("the module '{specifier}' is not JSON")));
        }
        Ok(name)
    }
}

impl Modules {
    /// The name of the module that an importer means by a specifier. It can be loaded.
    ///
    /// # Errors
    /// There is none.
    fn find(ctx: &Ctx<'_>, importer: &str, specifier: &str) -> rquickjs::Result<String> {
        // Of what is longer no copy is made: there may be no memory for one.
        if specifier.len() > TEXT_SIZE_MAX {
            let text = format!("cannot find a module by a specifier of more than {TEXT_SIZE_MAX} bytes");
            return Err(rquickjs::Exception::throw_reference(ctx, &text));
        }
        if let Some(name) = ours(importer, specifier) {
            return Ok(name);
        }
        let name = absolute(importer, specifier);
        if !is_reserved(&name)
            && let Some(known) = REGISTRY.with(|registry| registry.name_of(&name))
        {
            return Ok(known);
        }
        if let Some(name) = beside_handler(specifier, &name) {
            return Ok(name);
        }
        let found = if is_reserved(&name) || REGISTRY.with(|registry| registry.handlers.contains(&name)) {
            ModuleReply::Unknown
        } else {
            host::load_module(&name, importer)
        };
        let reason = match found {
            ModuleReply::Source { name: given, source, language } => {
                let given = if given.is_empty() { name.clone() } else { given };
                if add_loaded(name, &given, source, language) {
                    return Ok(given);
                }
                format!(": the host has it by the name '{given}', which cannot be a module's")
            }
            ModuleReply::Unknown => hint(importer, specifier, &name),
            ModuleReply::Failed(reason) => format!(": {reason}"),
        };
        Err(rquickjs::Exception::throw_reference(ctx, &format!("cannot find module '{specifier}'{reason}")))
    }

    /// The JavaScript of a module that was added.
    ///
    /// # Errors
    /// What is wrong with it.
    fn source_of(ctx: &Ctx<'_>, name: &str) -> rquickjs::Result<String> {
        let found = REGISTRY.with(|registry| {
            let source = registry.sources.get(name).cloned()?;
            Some((source, registry.languages.get(name).copied().unwrap_or_default()))
        });
        let (source, language) = found.ok_or_else(|| Error::new_loading(name))?;
        typescript::of_module(name, source, language).map_err(|mistake| typescript::throw(ctx, &mistake))
    }
}

/// The module that a handler or a program without a namespace means, which is not named as one without.
fn beside_handler(specifier: &str, name: &str) -> Option<String> {
    let is_relative = specifier.starts_with("./") || specifier.starts_with("../");
    if !is_relative || name.contains(':') {
        return None;
    }
    let name = format!("{DEFAULT_NAMESPACE}:{name}");
    REGISTRY.with(|registry| registry.sources.contains_key(&name)).then_some(name)
}

/// What to say beside that there is no module of this name.
fn hint(importer: &str, specifier: &str, name: &str) -> String {
    let meant = if specifier == name { String::new() } else { format!(": to '{importer}' it means '{name}'") };
    let last = name.rsplit(':').next().unwrap_or(name);
    let other = REGISTRY.with(|registry| {
        let mut names = registry.sources.keys().filter(|name| !is_reserved(name));
        names.find(|name| name.split_once(':').is_some_and(|(_, name)| name == last)).cloned()
    });
    let other = other.map(|other| format!("{} there is '{other}'", if meant.is_empty() { ":" } else { "," }));
    meant + &other.unwrap_or_default()
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
    let is_replaced = builtins::gives_way(specifier)
        && !importer.starts_with(builtins::SCHEME)
        && REGISTRY.with(|registry| registry.sources.contains_key(specifier));
    if is_replaced {
        return None;
    }
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
        attributes: Option<ImportAttributes<'js>>,
    ) -> rquickjs::Result<Module<'js, Declared>> {
        if let Some(module) = host::bridge(ctx, specifier).or_else(|| builtins::load(ctx, specifier)) {
            return module;
        }
        if let Some(module) = load_of_call(ctx, specifier) {
            return module;
        }
        if json::is_asked_for(ctx, attributes.as_ref())? {
            return Module::declare_def::<json::Json, _>(ctx.clone(), specifier);
        }
        let source = Self::source_of(ctx, specifier)?;
        builtins::prepare(ctx, &source);
        if commonjs::prepare(ctx, specifier, &source)? {
            return Module::declare_def::<commonjs::Imported, _>(ctx.clone(), specifier);
        }
        let has_meta = uses_meta(&source);
        let module = Module::declare(ctx.clone(), specifier, source).map_err(|error| {
            if !specifier.ends_with(json::SUFFIX) {
                return error;
            }
            ctx.catch();
            let text = format!("'{specifier}' is no JavaScript: to import JSON takes with {{ type: 'json' }}");
            rquickjs::Exception::throw_syntax(ctx, &text)
        })?;
        if has_meta {
            set_meta(&module, specifier)?;
        }
        Ok(module)
    }
}

/// Whether a source may ask for `import.meta`: most do not, and need no such object.
fn uses_meta(source: &str) -> bool {
    source.contains("meta")
}

/// Sets `import.meta.url`: the specifier by which a module is imported. What has no namespace gets the scheme `module:`.
fn set_meta<'js>(module: &Module<'js, Declared>, name: &str) -> rquickjs::Result<()> {
    let url = if name.contains(':') { name.to_string() } else { format!("module:{name}") };
    module.meta()?.set("url", url)
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

/// Whether guest code cannot import a module by this specifier: others go by it, or none can.
pub fn is_taken(specifier: &str) -> bool {
    specifier.starts_with("./")
        || specifier.starts_with("../")
        || is_reserved(specifier)
        || (builtins::resolve("", specifier).is_some() && !builtins::gives_way(specifier))
        || REGISTRY.with(|registry| registry.handlers.contains(specifier) || registry.sources.contains_key(specifier))
}
