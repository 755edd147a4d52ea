//! The host calls that guests wait for, and the JavaScript thread that settles them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::Env;

use super::environment;
use super::inbox::Inbox;
use crate::node::error::Result;
use crate::node::scheduling::host_call::PendingHostCall;
use crate::node::scheduling::jobs::Source;

/// The host calls that guests wait for an environment to settle.
pub struct HostCalls {
    inbox: Arc<Inbox>,
    calls: Mutex<Registry>,
}

/// Those of the environment of the running call.
pub fn of(env: &Env) -> Result<&'static Arc<HostCalls>> {
    environment::kept(env)
}

/// The one with this number, if its guest still waits for it.
pub fn waiting(env: &Env, number: f64) -> Option<Arc<PendingHostCall>> {
    let call = of(env).ok()?.lock().by_number.get(&(number as u64)).cloned()?;
    call.is_waiting().then_some(call)
}

#[derive(Default)]
struct Registry {
    last: u64,
    /// Numbers grow, so that JavaScript, which has them as numbers, cannot name a later call by an earlier one's.
    by_number: BTreeMap<u64, Arc<PendingHostCall>>,
}

/// Takes a host call off the list when it is dropped.
pub struct Registration {
    host_calls: Arc<HostCalls>,
    number: u64,
}

impl HostCalls {
    /// None yet. They are served through this inbox.
    pub fn new(inbox: Arc<Inbox>) -> Arc<Self> {
        Arc::new(Self { inbox, calls: Mutex::default() })
    }

    /// Has the JavaScript thread serve a host call, by its number, once its inbox is [woken](Inbox::wake). The call is given up when the
    /// environment ends. Called by other threads.
    pub fn post(
        self: &Arc<Self>,
        source: Source,
        call: Arc<PendingHostCall>,
        serve: impl FnOnce(&Env, f64) + Send + 'static,
    ) -> Result<Registration> {
        let mut calls = self.lock();
        calls.last += 1;
        let number = calls.last;
        calls.by_number.insert(number, call);
        drop(calls);
        let registration = Registration { host_calls: self.clone(), number };
        // Fails if the environment has ended. If it ends from now on, it finds the call on the list.
        self.inbox.post_brief(source, move |env| serve(env, number as f64))?;
        Ok(registration)
    }

    /// The way to the JavaScript thread.
    pub fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// The environment ends: nobody will settle a call any more.
    pub fn end(&self) {
        self.inbox.close();
        let calls = std::mem::take(&mut self.lock().by_number);
        for call in calls.values() {
            call.give_up();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Registry> {
        // No code runs under the lock that could leave the list half changed.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.host_calls.lock().by_number.remove(&self.number);
    }
}
