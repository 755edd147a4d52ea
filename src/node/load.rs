//! Loading the addon into a JavaScript environment.

use napi::bindgen_prelude::Object;
use napi::{Env, Unknown};
use napi_derive::napi;

use super::bridge::arguments;
use super::bridge::async_context::Contexts;
use super::bridge::environment::Environment;
use super::bridge::fetch_grant::{self, FetchGrants};
use super::bridge::host_calls::HostCalls;
use super::bridge::host_error::Describer;
use super::bridge::host_function::{self, Server};
use super::bridge::inbox::Inbox;
use super::bridge::json::Json;
use super::bridge::object_lists::ObjectLists;
use super::bridge::observer::{self, NextObserver};
use super::bridge::receipt::Receipts;
use super::bridge::stack::{self, OwnWay};
use super::bridge::thenable::PromiseThen;
use super::bridge::warning::emit_warning;
use super::classes::{builder, disposal};
use super::console::log;
use super::metrics;
use super::panic::catch_panic;

/// Called when the addon is loaded into an environment.
#[napi(module_exports)]
#[cfg_attr(test, allow(dead_code, reason = "a test program is no addon"))]
pub fn load(exports: Object, env: Env) -> napi::Result<()> {
    metrics::begin();
    // Threads of the addon may outlive the last environment that has loaded it.
    napi::bindgen_prelude::retain_current_module_for_unload_safety();
    disposal::define_symbols(&env, &exports)?;
    builder::define_guest_image(&env, &exports)?;
    environment(&env)?.begin(&env)?;
    if let Some(complaint) = log::begin() {
        // A process without a log does its work all the same.
        let _ = catch_panic(|| emit_warning(&env, complaint));
    }
    Ok(())
}

/// What is kept for an environment that begins. Functions of JavaScript's own are those from now: later changes to the global
/// object do not reach them.
fn environment(env: &Env) -> napi::Result<Environment> {
    let inbox = Inbox::new(env)?;
    let host_calls = HostCalls::new(inbox.clone());
    let environment = Environment::default()
        .keep(Json::of_environment(env)?)
        .keep(Describer::of_environment(env)?)
        .keep(PromiseThen::of_environment(env)?)
        .keep(Receipts::of_environment(env)?)
        .keep(ObjectLists::of_environment(env)?)
        .keep(Contexts::default())
        .keep(Server::default())
        .keep(FetchGrants::default())
        .keep(NextObserver::default())
        .keep(OwnWay::default())
        .keep(inbox)
        .keep(host_calls.clone());
    // Before all else that ends with it: nobody may wait for a thread that has ended.
    environment.on_teardown(|| true, move || host_calls.end());
    Ok(environment)
}

/// Gives the addon the module `node:async_hooks`, which addons cannot load in every Node.js, and a function that returns what
/// traces host calls, if anything does at the time. The package's entry calls it.
#[napi(skip_typescript)]
#[cfg_attr(test, allow(dead_code, reason = "a test program is no addon"))]
pub fn use_async_hooks(env: &Env, async_hooks: Unknown, host_call_tracer: Unknown) -> napi::Result<()> {
    catch_panic(|| host_function::begin(env, async_hooks, host_call_tracer)).map_err(|error| error.into_js(env))
}

/// Has a function of the package make the host functions behind a guest's `fetch`. The package's entry calls it.
#[napi(skip_typescript)]
#[cfg_attr(test, allow(dead_code, reason = "a test program is no addon"))]
pub fn use_fetch(env: &Env, grant: Unknown) -> napi::Result<()> {
    catch_panic(|| fetch_grant::make_by(env, arguments::function(env, "what grants fetch", grant)?))
        .map_err(|error| error.into_js(env))
}

/// Has a function of the package note where calls are made: `bridge::stack` says how. The package's entry calls it.
#[napi(skip_typescript)]
#[cfg_attr(test, allow(dead_code, reason = "a test program is no addon"))]
pub fn note_places_by(env: &Env, function: Unknown) -> napi::Result<()> {
    catch_panic(|| stack::note_places_by(env, arguments::function(env, "what notes places", function)?))
        .map_err(|error| error.into_js(env))
}

/// Has a function watch the call that is asked for next: `bridge::observer` says how. The package's entry calls it.
#[napi(skip_typescript)]
#[cfg_attr(test, allow(dead_code, reason = "a test program is no addon"))]
pub fn observe_next_call(env: &Env, observer: Unknown) -> napi::Result<()> {
    catch_panic(|| observer::watch_next_call(env, observer)).map_err(|error| error.into_js(env))
}
