//! `Snapshot` for JavaScript.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::PromiseRaw;
use napi::{Env, Unknown};
use napi_derive::napi;

use super::disposal;
use crate::node::bridge::call_end::explained;
use crate::node::bridge::call_options::{LoadOptions, snapshot_signal};
use crate::node::bridge::promise::promise;
use crate::node::bridge::signal::Listener;
use crate::node::bridge::{arguments, environment};
use crate::node::error::{Error, Result};
use crate::node::panic::catch_panic;
use crate::node::scheduling::consumable::Consumable;
use crate::node::scheduling::worker_threads::blocking;

/// The state of a sandbox at a point in time: handlers, modules and all their variables. `LoadedJSSandbox.snapshot()`,
/// `JSSandbox.snapshot()` and `Snapshot.load()` return it.
#[napi]
pub struct Snapshot {
    held: Consumable<Arc<crate::Snapshot>>,
}

#[napi]
impl Snapshot {
    pub(super) fn new(snapshot: Arc<crate::Snapshot>) -> Self {
        Self { held: Consumable::new("Snapshot", snapshot) }
    }

    /// The state, to be restored into a sandbox.
    pub(super) fn state(&self) -> Result<Arc<crate::Snapshot>> {
        self.held.with(|snapshot| Ok(snapshot.clone()))
    }

    /// What a sandbox must have to start from the snapshot or to restore it. A sandbox that lacks any of it is refused with
    /// `ERR_INVALID_ARG`, and the message names what is missing.
    ///
    /// Throws with `ERR_CONSUMED`: the snapshot has been disposed.
    #[napi(getter)]
    pub fn requirements(&self, env: &Env) -> napi::Result<SnapshotRequirements> {
        let requirements = catch_panic(|| Ok(self.state()?.requirements().into()));
        requirements.map_err(|error: Error| error.into_js(env))
    }

    /// Whether the snapshot's handlers are loaded. It is `false` for a snapshot that `JSSandbox.snapshot()` took: handlers can
    /// be added to a sandbox that starts from it, but it cannot be restored.
    ///
    /// Throws with `ERR_CONSUMED`: the snapshot has been disposed.
    #[napi(getter)]
    pub fn is_loaded(&self, env: &Env) -> napi::Result<bool> {
        catch_panic(|| Ok(self.state()?.is_loaded())).map_err(|error: Error| error.into_js(env))
    }

    /// Writes the snapshot to a folder, an OCI image layout, from which `Snapshot.load()` reads it. Resolves to its
    /// digest.
    ///
    /// It contains all of the guest's memory, including secrets. Handlers and modules that are not loaded yet
    /// must take less than 2 MiB together, as JSON.
    ///
    /// - `path`: the folder. It is created if it does not exist; its parent must. It can hold any number of snapshots.
    ///   Two processes must not save to it at the same time: the tag of one of them may be lost.
    /// - `tag`: the snapshot's name in the folder, 1 to 128 ASCII letters, digits, `_`, `.` and `-`, and not beginning
    ///   with `.` or `-`. Default: `latest`. If another snapshot in the folder has the tag, the tag moves to this one;
    ///   the other can still be loaded by its digest, and its files stay.
    ///
    /// Rejects with:
    /// - `ERR_INVALID_ARG`: the path is not a string or is empty, or the tag is malformed.
    /// - `ERR_SNAPSHOT`: the folder cannot be written.
    /// - `ERR_CONSUMED`: the snapshot was disposed of.
    ///
    /// @example
    /// ```ts
    /// const digest = await (await sandbox.snapshot()).save('greeter');
    /// ```
    #[napi(ts_args_type = "path: string, tag?: string", ts_return_type = "Promise<string>")]
    pub fn save<'env>(&self, env: &'env Env, path: Unknown, tag: Unknown) -> napi::Result<PromiseRaw<'env, String>> {
        promise(
            env,
            || {
                let path = arguments::name(env, "the path", path)?;
                Ok((self.state()?, path, arguments::optional_string(env, "the tag", tag)?))
            },
            |(snapshot, path, tag), pending| {
                blocking(move || pending.settle_with(|| Ok(snapshot.save(path, tag.as_deref())?)));
            },
            |_, digest| Ok(digest),
        )
    }

    /// Reads a snapshot from a folder that `save()` wrote.
    ///
    /// Before it is used, the following is checked: the files are complete and match the hashes in the folder; the
    /// snapshot was taken by this version of this package, on the same hypervisor and kind of processor; its settings
    /// are within their ranges; a VM can start from it. This does not show who made the snapshot: whoever can write to
    /// the folder can replace it. To be sure, keep the digest in another place and load by it.
    ///
    /// The files are copied to a private, unnamed file in the folder for temporary files (`TMPDIR`), and the copy is
    /// checked and used. Later changes to the folder have no effect. The disk space is freed with the snapshot and the
    /// last sandbox that was made from it.
    ///
    /// - `path`: the folder.
    /// - `tagOrDigest`: the snapshot's tag, or the digest that `save()` returned. Default: the tag `latest`.
    /// - `options.signal`: stops loading when it is aborted. A large snapshot takes seconds to copy and to check.
    ///
    /// Rejects with:
    /// - `ERR_INVALID_ARG`: an argument is of a wrong type, or the path is empty.
    /// - `ERR_CANCELLED`: the signal was aborted.
    /// - `ERR_NO_HYPERVISOR`: no virtual machine can be created here.
    /// - `ERR_SNAPSHOT`: the snapshot cannot be read or copied, or a check failed; the message says why.
    #[napi(
        ts_args_type = "path: string, tagOrDigest?: string, options?: LoadSnapshotOptions",
        ts_return_type = "Promise<Snapshot>"
    )]
    pub fn load<'env>(
        env: &'env Env,
        path: Unknown,
        reference: Unknown,
        options: Unknown,
    ) -> napi::Result<PromiseRaw<'env, Snapshot>> {
        let listening = Arc::new(Mutex::new(None));
        let listens = listening.clone();
        promise(
            env,
            || {
                let path = arguments::name(env, "the path", path)?;
                let reference = arguments::optional_string(env, "the tag or digest", reference)?;
                let signal = snapshot_signal(env, options)?;
                let stop = Arc::new(AtomicBool::new(false));
                if let Some(signal) = signal {
                    if let Some(reason) = signal.reason(env)? {
                        return Err(cancelled(env, Some(reason)));
                    }
                    let stop = stop.clone();
                    let listener = signal.listen(env, move || stop.store(true, Ordering::Relaxed))?;
                    *listens.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
                }
                // Nobody waits for it any more when the environment has ended.
                let (is_needed, end) = (Arc::downgrade(&stop), stop.clone());
                environment::of(env)?
                    .on_teardown(move || is_needed.strong_count() > 1, move || end.store(true, Ordering::Relaxed));
                Ok((path, reference, stop))
            },
            |(path, reference, stop), pending| {
                blocking(move || {
                    pending.settle_with(|| Ok(crate::Snapshot::load_unless_stopped(path, reference.as_deref(), &stop)));
                });
            },
            move |env, loaded| {
                let listener = listening.lock().unwrap_or_else(PoisonError::into_inner).take();
                // A signal that fails now has done what it was for.
                let reason = listener.and_then(|listener: Listener| listener.end(env).ok().flatten());
                let loaded = loaded.map(|snapshot| Snapshot::new(Arc::new(snapshot)));
                match (loaded, reason) {
                    (Ok(snapshot), None) => Ok(snapshot),
                    (Ok(_) | Err(crate::Error::Cancelled), reason) => Err(cancelled(env, reason)),
                    (Err(error), _) => Err(error.into()),
                }
            },
        )
    }

    /// Frees the memory at once instead of when the object is garbage-collected. From then on, `restore()` with this
    /// snapshot rejects with `ERR_CONSUMED`. Sandboxes in this state are not affected.
    #[napi]
    pub fn dispose(&self) {
        disposal::dispose(&self.held);
    }

    /// `dispose()`, for `using`.
    #[napi(js_name = "[Symbol.dispose]")]
    pub fn dispose_at_end_of_scope(&self) {
        self.dispose();
    }

    /// `dispose()`, for `await using`. The promise is fulfilled when the memory has been freed.
    #[napi(js_name = "[Symbol.asyncDispose]", ts_return_type = "Promise<void>")]
    pub fn dispose_async<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        disposal::dispose_async(env, &self.held)
    }
}

/// Loading was stopped, by a signal if there is a reason.
fn cancelled(env: &Env, reason: Option<Unknown<'_>>) -> Error {
    explained(env, crate::Error::Cancelled.into(), None, LoadOptions::default(), reason)
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        // Unmapping takes too long for the JavaScript thread.
        if let Some(snapshot) = self.held.dispose() {
            blocking(move || drop(snapshot));
        }
    }
}

/// What a snapshot needs.
#[napi(object, object_from_js = false)]
pub struct SnapshotRequirements {
    /// Host functions that the snapshot's sandbox had, whether or not its code imports them, by module.
    pub host_functions: Vec<RequiredHostModule>,
}

/// Host functions of one module that a snapshot needs.
#[napi(object, object_from_js = false)]
pub struct RequiredHostModule {
    /// The module's name, as `hostModule()` takes it.
    pub module: String,
    /// Names of the functions that `register()` registered.
    pub functions: Vec<String>,
    /// Names of the functions that `registerAsync()` registered.
    pub async_functions: Vec<String>,
}

impl From<crate::Requirements> for SnapshotRequirements {
    fn from(requirements: crate::Requirements) -> Self {
        let mut host_functions: Vec<RequiredHostModule> = Vec::new();
        for crate::RequiredFunction { module, name, is_async, .. } in requirements.host_functions {
            // They come by module.
            if host_functions.last().is_none_or(|last| last.module != module) {
                host_functions.push(RequiredHostModule { module, functions: Vec::new(), async_functions: Vec::new() });
            }
            if let Some(last) = host_functions.last_mut() {
                if is_async { last.async_functions.push(name) } else { last.functions.push(name) }
            }
        }
        Self { host_functions }
    }
}
