//! Host functions of one call: globals, by module and name, and what `host:NAME` means to an import during the call. Those behind
//! `fetch` are behind that global and nothing else; a sandbox may have it for all calls.
//!
//! Guest code may keep such a function. It asks the host for a name, and what that name stands for is decided there, by what the
//! call that asks was given; so what is kept of one call gives nothing of it to the next.

use alloc::collections::BTreeMap;
use alloc::format;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use guest_abi::message::{HostFunctionName, HostFunctionNames, Reply};
use guest_abi::own_modules;
use rquickjs::function::Func;
use rquickjs::{Ctx, Function, Object, Persistent};

use super::{builtins, event_loop, exception, host, module};
use crate::global::Global;

static SCRIPT: Global<Script> = Global::new();
/// Whether the call has functions: most have none.
static ARE_SET: AtomicBool = AtomicBool::new(false);

/// Functions of the script that goes with this file.
struct Script(Persistent<Object<'static>>);

/// Makes what calls get their functions by.
pub fn install(ctx: &Ctx<'_>) -> rquickjs::Result<()> {
    let script: Function = ctx.eval(include_str!("call_functions.js"))?;
    let load = Func::from(builtins::load_lazy);
    let functions: Object = script.call((host::caller(ctx)?, event_loop::start(ctx)?, load, ctx.globals()))?;
    SCRIPT.set(Script(Persistent::save(ctx, functions)));
    Ok(())
}

/// Gives the call that begins its functions.
///
/// # Errors
/// The reply, if it cannot have them. Then it has none.
pub fn begin(ctx: &Ctx<'_>, functions: &HostFunctionNames) -> Result<(), Reply> {
    if functions.0.is_empty() {
        return Ok(());
    }
    let mut modules: BTreeMap<&str, HostFunctionNames> = BTreeMap::new();
    for name in functions.of_user() {
        modules.entry(&name.module).or_default().0.push(name.clone());
    }
    let thrown = |error: rquickjs::Error| Reply::Exception(exception::describe(ctx, &error));
    let is_global = function(ctx, "isGlobal").map_err(thrown)?;
    let has_fetch = functions.has_module(own_modules::FETCH);
    for module in modules.keys() {
        if is_global.call((*module,)).map_err(thrown)? || (has_fetch && *module == "fetch") {
            return Err(refused(module));
        }
    }
    ARE_SET.store(true, Relaxed);
    let set = || -> rquickjs::Result<()> {
        if has_fetch {
            function(ctx, "addFetch")?.call::<_, ()>((true,))?;
        }
        let (add_module, add_function) = (function(ctx, "addModule")?, function(ctx, "addFunction")?);
        for (module, names) in &modules {
            add_module.call::<_, ()>((*module,))?;
            for HostFunctionName { function, is_async, .. } in &names.0 {
                add_function.call::<_, ()>((*module, function.as_str(), *is_async))?;
            }
        }
        Ok(())
    };
    if let Err(error) = set() {
        let reply = thrown(error);
        end(ctx);
        return Err(reply);
    }
    module::set_functions_of_call(modules);
    Ok(())
}

/// Makes `fetch` a global of all calls, if there are functions behind it.
///
/// # Errors
/// There is no memory for it.
pub fn set_for_all(ctx: &Ctx<'_>, functions: &HostFunctionNames) -> rquickjs::Result<()> {
    if functions.has_module(own_modules::FETCH) {
        function(ctx, "addFetch")?.call::<_, ()>((false,))?;
    }
    Ok(())
}

/// The reply for a name of a module that means something else already.
pub fn refused(module: &str) -> Reply {
    Reply::Refused(format!("a module of host functions cannot be named {module:?}: there is such a global"))
}

/// Takes the functions from the call that has ended.
pub fn end(ctx: &Ctx<'_>) {
    if ARE_SET.swap(false, Relaxed) {
        module::set_functions_of_call(BTreeMap::new());
        if function(ctx, "clear").and_then(|clear| clear.call::<_, ()>(())).is_err() {
            // There was no memory for it. They are taken with those of the next call.
            ctx.catch();
        }
    }
}

fn function<'js>(ctx: &Ctx<'js>, name: &str) -> rquickjs::Result<Function<'js>> {
    SCRIPT.with(|script| script.0.clone()).restore(ctx)?.get(name)
}
