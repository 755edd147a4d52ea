//! Work on other threads, and the promises for its results.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Arc, LazyLock};

use napi::bindgen_prelude::{PromiseRaw, ToNapiValue};
use napi::{Env, sys};

use super::environment;
use super::error::{Error, Result};
use super::guest_error::CallSite;
use super::inbox::{Inbox, check};
use super::jobs::Source;
use crate::sandbox::threads::{self, Workers};

/// Starts some work and gives the promise for its result.
///
/// Without a thread for the work none is begun: the promise is rejected with `ERR_NO_THREAD`.
///
/// - `prepare` runs now and gives what the work needs. Its error rejects the promise.
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
    let begun = guard(|| {
        WORKERS.ensure_one()?;
        let input = prepare()?;
        let inbox = environment::of(env)?.waiting.inbox();
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
                deferred.settle(env, guard(|| result.and_then(|value| finish(env, value))));
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
        self.settle(guard(work));
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

/// Threads for work that blocks. They outlive every JavaScript environment, so that objects collected while one is torn down
/// still find them, which is why `environment::begin` keeps the addon's code loaded.
static WORKERS: Workers = Workers::new("hyperlight-js", || *MOST);
static MOST: LazyLock<usize> = LazyLock::new(threads::most_for_blocking);

/// Runs something on a thread of its own that may block, when there is one. Where none could ever be had it is dropped; but
/// then [`promise`] has refused what would have led here.
pub fn blocking(work: impl FnOnce() + Send + 'static) {
    let _ = guard(|| {
        drop(WORKERS.run(Box::new(work)));
        Ok(())
    });
}

/// Lets the JavaScript thread go on, which may have been woken on this processor. For threads that have settled a promise and
/// have more to do, which it need not wait for.
pub fn let_javascript_go_on() {
    std::thread::yield_now();
}

/// Runs something and makes an error of a panic: nothing may unwind into Node.js.
pub fn guard<T>(run: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| Err(Error::Internal(panic_message(&*payload))))
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("panic").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(result: Result<()>) -> String {
        result.expect_err("it panics").to_string()
    }

    #[test]
    fn a_panic_becomes_an_error_with_its_message() {
        assert_eq!(failure(guard(|| panic!("static"))), "internal error: static");
        assert_eq!(failure(guard(|| panic!("formatted {}", 1))), "internal error: formatted 1");
        assert_eq!(failure(guard(|| std::panic::panic_any(1))), "internal error: panic");
    }
}
