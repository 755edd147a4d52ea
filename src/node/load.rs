//! Loading the addon into a JavaScript environment.

use napi::bindgen_prelude::Object;
use napi::{Env, Unknown};
use napi_derive::napi;

use super::bridge::async_context::AsyncContexts;
use super::bridge::environment::{self, Environment};
use super::bridge::warning::emit_warning;
use super::classes::{builder, disposal};
use super::console::log;
use super::panic::catch_panic;

/// Called when the addon is loaded into an environment.
#[napi(module_exports)]
#[cfg_attr(test, allow(dead_code, reason = "a test program is no addon"))]
pub fn load(exports: Object, env: Env) -> napi::Result<()> {
    // Threads of the addon may outlive the last environment that has loaded it.
    napi::bindgen_prelude::retain_current_module_for_unload_safety();
    disposal::define_symbols(&env, &exports)?;
    builder::define_guest_image(&env, &exports)?;
    Environment::new(&env)?.begin(&env)?;
    if let Some(complaint) = log::begin() {
        // A process without a log does its work all the same.
        let _ = catch_panic(|| emit_warning(&env, complaint));
    }
    Ok(())
}

/// Gives the addon the module `node:async_hooks`, which addons cannot load in every Node.js. The package's entry calls it.
#[napi(skip_typescript)]
#[cfg_attr(test, allow(dead_code, reason = "a test program is no addon"))]
pub fn use_async_hooks(env: &Env, async_hooks: Unknown) -> napi::Result<()> {
    let contexts = catch_panic(|| {
        let contexts = AsyncContexts::new(env, async_hooks)?;
        environment::of(env)?.set_async_contexts(contexts);
        Ok(())
    });
    contexts.map_err(|error| error.into_js(env))
}
