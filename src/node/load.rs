//! Loading the addon into a JavaScript environment.

use napi::Env;
use napi::bindgen_prelude::Object;
use napi_derive::napi;

use super::bridge::environment::Environment;
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
