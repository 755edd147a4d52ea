//! What the addon keeps for each JavaScript environment: the main thread of a process and each of its workers has one.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::Env;
use napi::bindgen_prelude::{Function, JsObjectValue, Object};

use super::async_context::AsyncContexts;
use super::function::AnyFunction;
use super::host_error;
use super::inbox::Inbox;
use super::json::Json;
use super::program_parts::Readers;
use crate::node::error::{Error, Result};
use crate::node::scheduling::host_call::PendingHostCall;
use crate::node::scheduling::jobs::Source;

/// One JavaScript environment. Functions of JavaScript's own are those from when the addon was loaded.
pub struct Environment {
    pub json: Json,
    /// Describes what a host function throws.
    pub describe: AnyFunction,
    /// `Promise.prototype.then`.
    pub promise_then: AnyFunction,
    /// Read what a run is given.
    pub program_parts: Readers,
    async_contexts: OnceCell<AsyncContexts>,
    pub host_calls: Arc<HostCalls>,
    teardown: Arc<TeardownHooks>,
}

/// The environment of the running call.
pub fn of(env: &Env) -> Result<&'static Environment> {
    match env.get_instance_data::<Environment>()? {
        Some(environment) => Ok(environment),
        None => Err(Error::Internal("the addon has not been initialised".to_string())),
    }
}

impl Environment {
    /// What is kept for an environment that begins.
    pub fn new(env: &Env) -> napi::Result<Self> {
        let promise: Function<(), ()> = env.get_global()?.get_named_property("Promise")?;
        let prototype: Object = promise.get_named_property("prototype")?;
        let host_calls = Arc::new(HostCalls { inbox: Inbox::new(env)?, calls: Mutex::default() });
        Ok(Self {
            json: Json::of_environment(env)?,
            describe: host_error::describer(env)?,
            promise_then: prototype.get_named_property::<Function<_, _>>("then")?.create_ref()?,
            program_parts: Readers::of_environment(env)?,
            async_contexts: OnceCell::new(),
            host_calls,
            teardown: Arc::default(),
        })
    }

    /// Makes it that of the environment.
    pub fn begin(self, env: &Env) -> napi::Result<()> {
        let ends = (self.host_calls.clone(), self.teardown.clone());
        env.set_instance_data(self, (), |_| ())?;
        env.add_env_cleanup_hook(ends, |(host_calls, teardown)| {
            host_calls.end();
            teardown.run();
        })?;
        Ok(())
    }

    /// The asynchronous contexts.
    pub fn async_contexts(&self) -> Result<&AsyncContexts> {
        self.async_contexts.get().ok_or_else(|| Error::Internal("the addon was not loaded by its package".to_string()))
    }

    /// Sets them, when the addon is loaded.
    pub fn set_async_contexts(&self, contexts: AsyncContexts) {
        // An environment loads the addon more than once if its cache of modules is cleared. Those that are there go on.
        let _ = self.async_contexts.set(contexts);
    }

    /// Has something done when the environment ends. It must not wait. To be called with a test of whether it is still
    /// needed.
    pub fn on_teardown(&self, is_needed: impl Fn() -> bool + Send + 'static, end: impl FnOnce() + Send + 'static) {
        let mut all = lock(&self.teardown.all);
        if all.list.len() >= all.tidy_at {
            all.list.retain(|hook| (hook.is_needed)());
            all.tidy_at = 2 * all.list.len() + 16;
        }
        all.list.push(TeardownHook { is_needed: Box::new(is_needed), end: Box::new(end) });
    }
}

#[derive(Default)]
struct TeardownHooks {
    all: Mutex<TeardownHookList>,
}

#[derive(Default)]
struct TeardownHookList {
    list: Vec<TeardownHook>,
    /// Length at which those that are not needed any more are dropped.
    tidy_at: usize,
}

struct TeardownHook {
    is_needed: Box<dyn Fn() -> bool + Send>,
    end: Box<dyn FnOnce() + Send>,
}

impl TeardownHooks {
    fn run(&self) {
        let all = std::mem::take(&mut lock(&self.all).list);
        for hook in all {
            (hook.end)();
        }
    }
}

/// The host calls that guests wait for an environment to settle.
pub struct HostCalls {
    inbox: Arc<Inbox>,
    calls: Mutex<Registry>,
}

#[derive(Default)]
struct Registry {
    last: u64,
    by_number: HashMap<u64, Arc<PendingHostCall>>,
}

/// Takes a host call off the list when it is dropped.
pub struct Registration {
    host_calls: Arc<HostCalls>,
    number: u64,
}

impl HostCalls {
    /// Has the JavaScript thread serve a host call, which is given up when the environment ends. Called by other threads.
    pub fn post(
        self: &Arc<Self>,
        source: Source,
        call: Arc<PendingHostCall>,
        serve: impl FnOnce(&Env, &Arc<PendingHostCall>) + Send + 'static,
    ) -> Result<Registration> {
        let mut calls = lock(&self.calls);
        calls.last += 1;
        let number = calls.last;
        calls.by_number.insert(number, call.clone());
        drop(calls);
        let registration = Registration { host_calls: self.clone(), number };
        // Fails if the environment has ended. If it ends from now on, it finds the call on the list.
        self.inbox.post(source, move |env| serve(env, &call))?;
        Ok(registration)
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

impl Drop for Registration {
    fn drop(&mut self) {
        lock(&self.host_calls.calls).by_number.remove(&self.number);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code runs under these locks that could leave what they guard half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
