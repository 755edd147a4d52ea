//! Jobs for a JavaScript thread, from other threads.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use napi::{Env, sys};

use super::error::{Error, Result};
use super::promise::guard;

/// What the JavaScript thread shall do. It is dropped undone if the thread ends before.
pub type Job = Box<dyn FnOnce(&Env) + Send>;

/// The way to one JavaScript thread. It keeps the thread from ending as long as jobs are expected, and only then.
///
/// Node-API may free its threadsafe function when the environment ends, whoever still holds it. So it is used under a
/// lock only, and [`close`](Self::close), to be called in a hook that runs before that, takes it away. All others share the
/// lock: the JavaScript thread, which a new job has woken, need not wait for the thread that has posted it.
pub struct Inbox {
    function: RwLock<Option<ThreadsafeFunction>>,
    /// Jobs that the thread must not end before.
    expected: AtomicUsize,
}

#[derive(Clone, Copy)]
struct ThreadsafeFunction(sys::napi_threadsafe_function);

// SAFETY: to be called from any thread is what it is for, and from several at once.
unsafe impl Send for ThreadsafeFunction {}
// SAFETY: as above.
unsafe impl Sync for ThreadsafeFunction {}

impl Inbox {
    /// The inbox of the JavaScript thread that this is called on.
    pub fn new(env: &Env) -> napi::Result<Arc<Self>> {
        let name = env.create_string("hyperlight")?;
        let mut function = ptr::null_mut();
        // SAFETY: the environment is that of the running call, on its own thread. A threadsafe function may have no
        // JavaScript function of its own; `run` takes the data as what `post` has made of it.
        unsafe {
            check(sys::napi_create_threadsafe_function(
                env.raw(),
                ptr::null_mut(),
                ptr::null_mut(),
                napi::JsValue::raw(&name),
                0,
                1,
                ptr::null_mut(),
                None,
                ptr::null_mut(),
                Some(run),
                &raw mut function,
            ))?;
            check(sys::napi_unref_threadsafe_function(env.raw(), function))?;
        }
        Ok(Arc::new(Self { function: RwLock::new(Some(ThreadsafeFunction(function))), expected: AtomicUsize::new(0) }))
    }

    /// Hands a job to the JavaScript thread and returns at once. Jobs are done in the order in which they came.
    pub fn post(&self, job: Job) -> Result<()> {
        let place = self.place();
        let Some(function) = &*place else {
            return Err(Error::Internal("the JavaScript thread has ended".to_string()));
        };
        let data = Box::into_raw(Box::new(job));
        // SAFETY: the function is there as long as it is in its place, which is locked.
        let status = unsafe {
            sys::napi_call_threadsafe_function(function.0, data.cast(), sys::ThreadsafeFunctionCallMode::nonblocking)
        };
        // What a job drops may post another.
        drop(place);
        if status != sys::Status::napi_ok {
            // SAFETY: a call that fails leaves the data to its caller.
            drop(unsafe { Box::from_raw(data) });
        }
        Ok(check(status)?)
    }

    /// Keeps the thread from ending until [`expected_job_came`](Self::expected_job_came). To be called on it.
    pub fn expect_job(&self, env: &Env) -> Result<()> {
        let Some(ThreadsafeFunction(function)) = *self.place() else {
            return Err(Error::Internal("the JavaScript thread has ended".to_string()));
        };
        if self.expected.load(Ordering::Relaxed) == 0 {
            // SAFETY: the function is there as long as it is in its place, which only this thread takes it from.
            check(unsafe { sys::napi_ref_threadsafe_function(env.raw(), function) })?;
        }
        self.expected.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// An expected job has come. To be called on the thread.
    pub fn expected_job_came(&self, env: &Env) {
        if self.expected.fetch_sub(1, Ordering::Relaxed) > 1 {
            return;
        }
        if let Some(ThreadsafeFunction(function)) = *self.place() {
            // SAFETY: as above. It cannot fail.
            unsafe { sys::napi_unref_threadsafe_function(env.raw(), function) };
        }
    }

    /// Takes no more jobs, and drops those that have not been done.
    pub fn close(&self) {
        if let Some(function) = self.function.write().unwrap_or_else(PoisonError::into_inner).take() {
            // SAFETY: it was in its place, so it is there, and nobody can use it from now on.
            unsafe {
                sys::napi_release_threadsafe_function(function.0, sys::ThreadsafeFunctionReleaseMode::abort);
            }
        }
    }

    fn place(&self) -> RwLockReadGuard<'_, Option<ThreadsafeFunction>> {
        // No code runs under the lock that could leave its place half changed.
        self.function.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Called by Node-API for each job: on the JavaScript thread, without an environment when that is ending.
unsafe extern "C" fn run(env: sys::napi_env, _function: sys::napi_value, _context: *mut c_void, data: *mut c_void) {
    // SAFETY: the data is what `post` has made, and it comes here once.
    let job = unsafe { Box::from_raw(data.cast::<Job>()) };
    let _ = guard(|| {
        if env.is_null() {
            drop(job);
        } else {
            job(&Env::from_raw(env));
        }
        Ok(())
    });
}

/// The error that a status of Node-API stands for, if any.
pub fn check(status: sys::napi_status) -> napi::Result<()> {
    if status == sys::Status::napi_ok { Ok(()) } else { Err(napi::Error::from_status(status.into())) }
}
