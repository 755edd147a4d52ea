//! Calls of host functions that a guest waits for, and who may wait for what.
//!
//! A guest's call cannot end while its host function runs. A host function that waits for another operation on the same
//! sandbox would wait for ever, since that waits for the guest's call; and so it would by way of a second sandbox. The rule
//! that keeps this from happening: **what is done in the course of a host function may not use a sandbox whose call waits
//! for that function**, directly or through other sandboxes' calls.
//!
//! "In the course of" is what Node.js calls the asynchronous context: all that the callback does, and whatever follows from
//! it, until the result is settled. An `AsyncLocalStorage` of our own carries the [`HostCall`] along. So a call that
//! somebody else makes meanwhile is not affected: it waits its turn.
//!
//! A Node.js without `process.getBuiltinModule` (before 20.16 and 22.3) gives an addon no such storage. There the rule is
//! stricter: while a sandbox waits for a host function, nobody may use it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use guest_abi::payload::Payload;
use napi::bindgen_prelude::{External, FromNapiValue, Function, JsObjectValue, Object};
use napi::{Env, JsValue, Unknown, ValueType};

use super::error::{Error, Result};
use super::function::{self, AnyFunction, Outcome};
use super::jobs::Source;
use super::{environment, json};
use crate::HostFunctionError;

/// What a host function gives: a value, or nothing for `undefined`.
pub type Answer = std::result::Result<Option<Payload>, HostFunctionError>;

/// What stays the same of a sandbox while it goes from class to class.
pub struct Identity {
    /// Whose the jobs are that it causes on the JavaScript thread.
    source: Source,
    /// The pool that it belongs to, if any.
    pool: OnceLock<PoolId>,
    state: Mutex<State>,
}

/// Identifies a pool of sandboxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolId(u64);

impl PoolId {
    /// One that no other pool of this process has.
    pub fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }

    /// Refuses to use the pool in the course of a host function that one of its sandboxes waits for: it may be the last one.
    /// Gives what a call has to know of its cause.
    pub fn check(self, env: &Env, method: &'static str) -> Result<Option<Arc<HostCall>>> {
        let Some(storage) = &environment::of(env)?.async_storage else { return Ok(None) };
        let cause = storage.current(env)?.and_then(|call| call.first_waiting());
        let mut next = cause.as_ref();
        while let Some(call) = next {
            if call.sandbox.pool.get() == Some(&self) && call.is_waiting() {
                return Err(Error::Reentrant { method });
            }
            next = call.cause.as_ref();
        }
        Ok(cause)
    }
}

#[derive(Default)]
struct State {
    /// In the course of which host function the running call was made.
    cause: Option<Arc<HostCall>>,
    /// What the running call waits for.
    waits_for: Vec<Arc<HostCall>>,
}

impl Identity {
    /// A sandbox whose jobs have this source.
    pub fn new(source: Source) -> Arc<Self> {
        Arc::new(Self { source, pool: OnceLock::new(), state: Mutex::default() })
    }

    /// Whose the jobs are that the sandbox causes on the JavaScript thread.
    pub fn source(&self) -> Source {
        self.source
    }

    /// The sandbox belongs to a pool from now on.
    pub fn join(&self, pool: PoolId) {
        // It can join only once, since it is consumed.
        let _ = self.pool.set(pool);
    }

    /// Refuses to use the sandbox where that would never end. Gives what a call has to know of its cause.
    pub fn check(&self, env: &Env, method: &'static str) -> Result<Option<Arc<HostCall>>> {
        let Some(storage) = &environment::of(env)?.async_storage else {
            let waits = self.lock().waits_for.iter().any(|call| call.is_waiting());
            return if waits { Err(Error::Reentrant { method }) } else { Ok(None) };
        };
        let cause = storage.current(env)?.and_then(|call| call.first_waiting());
        let mut next = cause.as_ref();
        while let Some(call) = next {
            if std::ptr::eq(&raw const *call.sandbox, self) && call.is_waiting() {
                return Err(Error::Reentrant { method });
            }
            next = call.cause.as_ref();
        }
        Ok(cause)
    }

    /// Runs a call that was made in the course of a host function, or of none.
    pub fn run<T>(&self, cause: Option<Arc<HostCall>>, call: impl FnOnce() -> T) -> T {
        self.lock().cause = cause;
        let result = call();
        self.lock().cause = None;
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code runs under the lock that could leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One call of a host function.
pub struct HostCall {
    sandbox: Arc<Identity>,
    cause: Option<Arc<HostCall>>,
    answer: Mutex<Option<oneshot::Sender<Answer>>>,
}

impl HostCall {
    /// A call of a sandbox's host function, and where its answer will come.
    pub fn new(sandbox: &Arc<Identity>) -> (Arc<Self>, oneshot::Receiver<Answer>) {
        let (sender, receiver) = oneshot::channel();
        let mut state = sandbox.lock();
        let answer = Mutex::new(Some(sender));
        let call = Arc::new(Self { sandbox: sandbox.clone(), cause: state.cause.clone(), answer });
        state.waits_for.push(call.clone());
        (call, receiver)
    }

    /// Whether the guest still waits.
    pub fn is_waiting(&self) -> bool {
        self.lock().is_some()
    }

    /// Gives the guest its answer. An answer that comes too late, or a second one, is dropped.
    pub fn settle(&self, answer: Answer) {
        let sender = self.lock().take();
        if let Some(sender) = sender {
            // Nobody receives it if the thread that waits has gone.
            let _ = sender.send(answer);
        }
    }

    /// Lets the guest wait no longer: there will be no answer.
    pub fn give_up(&self) {
        let sender = self.lock().take();
        drop(sender);
        let mut state = self.sandbox.lock();
        let waited = state.waits_for.iter().position(|call| std::ptr::eq(&raw const **call, self));
        let waited = waited.map(|place| state.waits_for.swap_remove(place));
        drop(state);
        drop(waited);
    }

    /// This call or the first of those that it is in the course of that somebody still waits for. Those that nobody waits
    /// for are forgotten, so that chains of calls do not grow for ever.
    fn first_waiting(self: Arc<Self>) -> Option<Arc<Self>> {
        let mut call = self;
        while !call.is_waiting() {
            call = call.cause.clone()?;
        }
        Some(call)
    }

    fn lock(&self) -> MutexGuard<'_, Option<oneshot::Sender<Answer>>> {
        // As above.
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An `AsyncLocalStorage` for the host call in whose course JavaScript code runs.
///
/// Both functions are bound to the storage.
pub struct AsyncStorage {
    run: AnyFunction,
    get_store: AnyFunction,
}

impl AsyncStorage {
    /// A storage of this environment, if it can be had.
    pub fn of_environment(env: &Env) -> napi::Result<Option<Self>> {
        let process: Object = env.get_global()?.get_named_property("process")?;
        let load: Unknown = process.get_named_property_unchecked("getBuiltinModule")?;
        if load.get_type()? != ValueType::Function {
            return Ok(None);
        }
        let load: Function<&str, Object> = process.get_named_property("getBuiltinModule")?;
        let class: Function<(), Unknown> =
            load.apply(process, "node:async_hooks")?.get_named_property("AsyncLocalStorage")?;
        let storage = Object::from_raw(env.raw(), class.new_instance(())?.raw());
        let bound = |name| storage.get_named_property::<Function<_, _>>(name)?.bind(storage)?.create_ref();
        Ok(Some(Self { run: bound("run")?, get_store: bound("getStore")? }))
    }

    /// Calls a function in the course of a host call.
    pub fn run(
        &self,
        env: &Env,
        call: &Arc<HostCall>,
        callback: &AnyFunction,
        arguments: &[Unknown<'_>],
    ) -> Result<Outcome> {
        let callback = callback.borrow_back(env)?;
        let mut all = vec![External::new(call.clone()).into_unknown(env)?, callback.to_unknown()];
        all.extend_from_slice(arguments);
        function::call(env, &self.run, json::undefined(env)?, &all)
    }

    /// The host call in whose course the running code is.
    fn current(&self, env: &Env) -> Result<Option<Arc<HostCall>>> {
        let Ok(store) = function::call(env, &self.get_store, json::undefined(env)?, &[])? else {
            return Err(Error::Internal("the asynchronous context cannot be read".to_string()));
        };
        if store.get_type()? != ValueType::External {
            return Ok(None);
        }
        // SAFETY: the value belongs to this environment and to the scope of the running call; its type is checked.
        let call = unsafe { <&External<Arc<HostCall>>>::from_napi_value(env.raw(), store.raw()) }?;
        Ok(Some(Arc::clone(call)))
    }
}
