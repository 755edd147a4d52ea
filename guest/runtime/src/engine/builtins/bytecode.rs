//! Bytecode of modules without their sources. Of what it compiles itself the engine keeps the sources, for `toString`: they would
//! take as much of the guest's memory as the code, and the collector would find its objects spread over it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use rquickjs::context::intrinsic::{Eval, RegExp, RegExpCompiler};
use rquickjs::module::{Declared, WriteOptions};
use rquickjs::{Context, Ctx, Module, Result, Runtime};

use crate::global::Global;

static MODULES: Global<BTreeMap<&'static str, Vec<u8>>> = Global::new();

/// Compiles modules, in a runtime of their own, which is gone with all that it took when this is done.
///
/// # Errors
/// A source is wrong, or there is no memory.
pub fn compile(sources: &[(&'static str, &'static str)]) -> Result<()> {
    let runtime = Runtime::new()?;
    let context = Context::custom::<(Eval, RegExpCompiler, RegExp)>(&runtime)?;
    let modules = context.with(|ctx| {
        let compiled = |&(name, source)| {
            let module = Module::declare(Ctx::clone(&ctx), name, source)?;
            Ok((name, module.write(WriteOptions { strip_source: true, ..WriteOptions::default() })?))
        };
        sources.iter().map(compiled).collect::<Result<_>>()
    })?;
    MODULES.set(modules);
    Ok(())
}

/// The module of that name, the first time, if it was compiled.
pub fn take<'js>(ctx: &Ctx<'js>, name: &str) -> Option<Result<Module<'js, Declared>>> {
    let bytes = MODULES.with(|modules| modules.remove(name))?;
    // SAFETY: this engine has written these bytes.
    Some(unsafe { Module::load(ctx.clone(), &bytes) })
}
