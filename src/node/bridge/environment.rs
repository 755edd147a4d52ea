//! What the addon keeps for each JavaScript environment: the main thread of a process and each of its workers has one.
//!
//! What is kept is of types that this file does not know. Each is kept under its type by `load`, and found by the file that
//! defines the type.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::Env;

use crate::node::error::{Error, Result};

/// One JavaScript environment.
#[derive(Default)]
pub struct Environment {
    /// At most one value of a type. There are few, so that looking at each is quicker than a table.
    kept: Vec<Box<dyn Any>>,
    teardown: Arc<TeardownHooks>,
}

/// The environment of the running call.
pub fn of(env: &Env) -> Result<&'static Environment> {
    match env.get_instance_data::<Environment>()? {
        Some(environment) => Ok(environment),
        None => Err(uninitialised()),
    }
}

/// What is kept under a type for the environment of the running call.
pub fn kept<T: 'static>(env: &Env) -> Result<&'static T> {
    of(env)?.kept.iter().find_map(|value| value.downcast_ref()).ok_or_else(uninitialised)
}

fn uninitialised() -> Error {
    Error::Internal("the addon has not been initialised".to_string())
}

impl Environment {
    /// Keeps a value under its type.
    #[must_use]
    pub fn keep(mut self, value: impl Any) -> Self {
        self.kept.push(Box::new(value));
        self
    }

    /// Makes this what is kept for the environment of the running call.
    pub fn begin(self, env: &Env) -> napi::Result<()> {
        let teardown = self.teardown.clone();
        env.set_instance_data(self, (), |_| ())?;
        env.add_env_cleanup_hook(teardown, |teardown| teardown.run())?;
        Ok(())
    }

    /// Has something done when the environment ends, after what was asked for before. It must not wait. To be called with a
    /// test of whether it is still needed.
    pub fn on_teardown(&self, is_needed: impl Fn() -> bool + Send + 'static, end: impl FnOnce() + Send + 'static) {
        let mut all = self.teardown.lock();
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
        let all = std::mem::take(&mut self.lock().list);
        for hook in all {
            (hook.end)();
        }
    }

    fn lock(&self) -> MutexGuard<'_, TeardownHookList> {
        // No code runs under the lock that could leave the list half changed.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
