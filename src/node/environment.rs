//! What the addon keeps for each JavaScript environment: the main thread of a process and each of its workers has one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::Env;
use napi::bindgen_prelude::{Function, JsObjectValue, Object};
use napi_derive::napi;

use super::error::{Error, Result};
use super::function::AnyFunction;
use super::host_call::{AsyncStorage, HostCall};
use super::inbox::Inbox;
use super::jobs::Source;
use super::json::Json;
use super::promise::guard;
use super::{builder, console, disposal, host_error, log};

/// One JavaScript environment. Functions of JavaScript's own are those from when the addon was loaded.
pub struct Environment {
    pub json: Json,
    /// Describes what a host function throws.
    pub describe: AnyFunction,
    /// `Promise.prototype.then`.
    pub promise_then: AnyFunction,
    pub async_storage: Option<AsyncStorage>,
    pub waiting: Arc<Waiting>,
    endings: Arc<Endings>,
}

/// Called when the addon is loaded into an environment.
#[napi(module_exports)]
#[cfg_attr(test, allow(dead_code, reason = "a test program is no addon"))]
pub fn begin(exports: Object, env: Env) -> napi::Result<()> {
    // Threads of the addon may outlive the last environment that has loaded it.
    napi::bindgen_prelude::retain_current_module_for_unload_safety();
    disposal::define_symbols(&env, &exports)?;
    builder::define_guest_image(&env, &exports)?;
    let promise: Function<(), ()> = env.get_global()?.get_named_property("Promise")?;
    let prototype: Object = promise.get_named_property("prototype")?;
    let waiting = Arc::new(Waiting { inbox: Inbox::new(&env)?, calls: Mutex::default() });
    let endings = Arc::new(Endings::default());
    let environment = Environment {
        json: Json::of_environment(&env)?,
        describe: host_error::describer(&env)?,
        promise_then: prototype.get_named_property::<Function<_, _>>("then")?.create_ref()?,
        async_storage: AsyncStorage::of_environment(&env)?,
        waiting: waiting.clone(),
        endings: endings.clone(),
    };
    env.set_instance_data(environment, (), |_| ())?;
    if let Some(complaint) = log::begin() {
        // A process without a log does its work all the same.
        let _ = guard(|| console::emit_warning(&env, complaint));
    }
    env.add_env_cleanup_hook((waiting, endings), |(waiting, endings)| {
        waiting.end();
        endings.run();
    })?;
    Ok(())
}

/// The environment of the running call.
pub fn of(env: &Env) -> Result<&'static Environment> {
    match env.get_instance_data::<Environment>()? {
        Some(environment) => Ok(environment),
        None => Err(Error::Internal("the addon has not been initialised".to_string())),
    }
}

impl Environment {
    /// Has something done when the environment ends. It must not wait. To be called with a test of whether it is still
    /// needed.
    pub fn at_end(&self, is_needed: impl Fn() -> bool + Send + 'static, end: impl FnOnce() + Send + 'static) {
        let mut all = lock(&self.endings.all);
        if all.list.len() >= all.tidy_at {
            all.list.retain(|ending| (ending.is_needed)());
            all.tidy_at = 2 * all.list.len() + 16;
        }
        all.list.push(Ending { is_needed: Box::new(is_needed), end: Box::new(end) });
    }
}

#[derive(Default)]
struct Endings {
    all: Mutex<EndingList>,
}

#[derive(Default)]
struct EndingList {
    list: Vec<Ending>,
    /// Length at which those that are not needed any more are dropped.
    tidy_at: usize,
}

struct Ending {
    is_needed: Box<dyn Fn() -> bool + Send>,
    end: Box<dyn FnOnce() + Send>,
}

impl Endings {
    fn run(&self) {
        let all = std::mem::take(&mut lock(&self.all).list);
        for ending in all {
            (ending.end)();
        }
    }
}

/// The host calls that guests wait for an environment to settle.
pub struct Waiting {
    inbox: Arc<Inbox>,
    calls: Mutex<Calls>,
}

#[derive(Default)]
struct Calls {
    last: u64,
    by_number: HashMap<u64, Arc<HostCall>>,
}

/// Takes a host call off the list when it is dropped.
pub struct Entry {
    waiting: Arc<Waiting>,
    number: u64,
}

impl Waiting {
    /// Has the JavaScript thread serve a host call, which is given up when the environment ends. Called by other threads.
    pub fn post(
        self: &Arc<Self>,
        source: Source,
        call: Arc<HostCall>,
        serve: impl FnOnce(&Env, &Arc<HostCall>) + Send + 'static,
    ) -> Result<Entry> {
        let mut calls = lock(&self.calls);
        calls.last += 1;
        let number = calls.last;
        calls.by_number.insert(number, call.clone());
        drop(calls);
        let entry = Entry { waiting: self.clone(), number };
        // Fails if the environment has ended. If it ends from now on, it finds the call on the list.
        self.inbox.post(source, move |env| serve(env, &call))?;
        Ok(entry)
    }

    /// The way to the JavaScript thread.
    pub fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    fn end(&self) {
        self.inbox.close();
        let calls = std::mem::take(&mut lock(&self.calls).by_number);
        for call in calls.values() {
            call.give_up();
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        lock(&self.waiting.calls).by_number.remove(&self.number);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code runs under these locks that could leave what they guard half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
