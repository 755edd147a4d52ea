//! Bytecode of modules without their sources. Of what it compiles itself the engine keeps the sources, for `toString`: they would
//! take as much of the guest's memory as the code, and the collector would find its objects spread over it.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use rquickjs::context::intrinsic::{Eval, RegExp, RegExpCompiler};
use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::{Declared, ModuleDef, WriteOptions};
use rquickjs::{Context, Ctx, Module, Result, Runtime};

use crate::global::Global;

static MODULES: Global<BTreeMap<&'static str, Vec<u8>>> = Global::new();

/// Compiles modules, in a runtime of their own, which is gone with all that it took when this is done.
///
/// # Errors
/// A source is wrong, or there is no memory.
pub fn compile(sources: impl Iterator<Item = &'static (&'static str, &'static str)>) -> Result<()> {
    let runtime = Runtime::new()?;
    runtime.set_loader(Imported, Imported);
    let context = Context::custom::<(Eval, RegExpCompiler, RegExp)>(&runtime)?;
    let modules = context.with(|ctx| {
        let compiled = |&(name, source)| {
            let module = Module::declare(Ctx::clone(&ctx), name, source)?;
            Ok((name, module.write(WriteOptions { strip_source: true, ..WriteOptions::default() })?))
        };
        sources.map(compiled).collect::<Result<_>>()
    })?;
    MODULES.set(modules);
    Ok(())
}

/// Stands for all that modules import. What they find there is seen when they are linked.
struct Imported;

impl ModuleDef for Imported {}

impl Resolver for Imported {
    fn resolve<'js>(
        &mut self,
        _ctx: &Ctx<'js>,
        _importer: &str,
        specifier: &str,
        _attributes: Option<ImportAttributes<'js>>,
    ) -> Result<String> {
        Ok(String::from(specifier))
    }
}

impl Loader for Imported {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        specifier: &str,
        _attributes: Option<ImportAttributes<'js>>,
    ) -> Result<Module<'js, Declared>> {
        Module::declare_def::<Self, _>(ctx.clone(), specifier)
    }
}

/// The module of that name, if it was compiled.
pub fn load<'js>(ctx: &Ctx<'js>, name: &str) -> Option<Result<Module<'js, Declared>>> {
    let bytes = MODULES.with(|modules| modules.get(name).cloned())?;
    // SAFETY: this engine has written these bytes.
    Some(unsafe { Module::load(ctx.clone(), &bytes) })
}

/// Forgets the modules of these names, which are evaluated.
pub fn forget(sources: &[(&'static str, &'static str)]) {
    MODULES.with(|modules| {
        for (name, _) in sources {
            modules.remove(name);
        }
    });
}
