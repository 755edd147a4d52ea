//! Work on other threads, and the promises for its results.

use std::ptr;
use std::sync::Arc;

use napi::bindgen_prelude::{PromiseRaw, ToNapiValue};
use napi::{Env, sys};

use super::inbox::{self, Inbox};
use super::node_api::check;
use super::stack::CallSite;
use crate::node::error::{Error, Result};
use crate::node::panic::catch_panic;
use crate::node::scheduling::jobs::Source;
use crate::node::scheduling::worker_threads;

/// Starts some work and returns the promise for its result.
///
/// Without a thread for the work none is begun: the promise is rejected with `ERR_NO_THREAD`.
///
/// - `prepare` runs now and returns what the work needs. Its error rejects the promise.
/// - `begin` runs now and hands the work, with the [`Pending`] result, to another thread.
/// - `finish` runs on the JavaScript thread when the work is done, and makes the promise's value of its result.
///
/// The promise is also rejected if any of this panics. If the JavaScript environment ends before the work does,
/// `finish` never runs.
pub fn promise<'env, I, T, V>(
    env: &'env Env,
    prepare: impl FnOnce() -> Result<I>,
    begin: impl FnOnce(I, Pending<T>),
    finish: impl FnOnce(&Env, T) -> Result<V> + Send + 'static,
) -> napi::Result<PromiseRaw<'env, V>>
where
    T: Send + 'static,
    V: ToNapiValue + 'static,
{
    let begun = catch_panic(|| {
        worker_threads::ensure_one()?;
        let input = prepare()?;
        let inbox = inbox::of(env)?;
        let (deferred, promise) = Deferred::new(env)?;
        inbox.expect_job(env)?;
        begin(input, Pending::new(inbox.clone(), deferred, finish));
        Ok(promise)
    });
    match begun {
        Ok(promise) => Ok(PromiseRaw::new(env.raw(), promise)),
        Err(error) => PromiseRaw::reject(env, error.into_js(env)),
    }
}

/// A promise that waits for the result of some work. Dropped without one, it is rejected.
pub struct Pending<T> {
    source: Source,
    settle: Option<Box<Settle<T>>>,
}

type Settle<T> = dyn FnOnce(Source, Result<T>) + Send;

impl<T: Send + 'static> Pending<T> {
    fn new<V: ToNapiValue + 'static>(
        inbox: Arc<Inbox>,
        deferred: Deferred,
        finish: impl FnOnce(&Env, T) -> Result<V> + Send + 'static,
    ) -> Self {
        let settle = move |source: Source, result: Result<T>| {
            // If the thread has ended, nobody waits for the promise any more.
            let _ = inbox.clone().post(source, move |env| {
                inbox.expected_job_came(env);
                deferred.settle(env, catch_panic(|| result.and_then(|value| finish(env, value))));
            });
        };
        Self { source: Source::HOST, settle: Some(Box::new(settle)) }
    }

    /// Has it settled after all that a source has caused on the JavaScript thread until its result is there.
    pub fn after(mut self, source: Source) -> Self {
        self.source = source;
        self
    }
}

/// What settles a promise, and where it was asked for.
struct Deferred(sys::napi_deferred, CallSite);

// SAFETY: it is used on the JavaScript thread only.
unsafe impl Send for Deferred {}

impl Deferred {
    fn new(env: &Env) -> napi::Result<(Self, sys::napi_value)> {
        let (mut deferred, mut promise) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the environment is that of the running call.
        check(unsafe { sys::napi_create_promise(env.raw(), &raw mut deferred, &raw mut promise) })?;
        Ok((Self(deferred, CallSite::new(env)?), promise))
    }

    fn settle<V: ToNapiValue>(self, env: &Env, result: Result<V>) {
        let Self(deferred, site) = self;
        // SAFETY: the environment is that of the running job, and so of the promise, which is settled once.
        unsafe {
            let value = result.map_err(|error| error.into_js(env)).and_then(|value| V::to_napi_value(env.raw(), value));
            // If even this fails, the environment is ending.
            let _ = match value {
                Ok(value) => sys::napi_resolve_deferred(env.raw(), deferred, value),
                Err(error) => match napi::Error::to_napi_value(env.raw(), error) {
                    Ok(error) => {
                        site.add_to(env, error);
                        sys::napi_reject_deferred(env.raw(), deferred, error)
                    }
                    Err(_) => return,
                },
            };
        }
        site.forget(env);
    }
}

impl<T> Pending<T> {
    /// Does the work on this thread and settles the promise with its result.
    pub fn settle_with(mut self, work: impl FnOnce() -> Result<T>) {
        self.settle(catch_panic(work));
    }

    fn settle(&mut self, result: Result<T>) {
        if let Some(settle) = self.settle.take() {
            settle(self.source, result);
        }
    }
}

impl<T> Drop for Pending<T> {
    fn drop(&mut self) {
        self.settle(Err(Error::Internal("the work was given up".to_string())));
    }
}
