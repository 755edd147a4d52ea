//! `Snapshot` for JavaScript.

use std::collections::BTreeSet;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::PromiseRaw;
use napi_derive::napi;

use super::disposal;
use super::error::{Error, Result};
use super::host_call::Identity;
use super::promise::blocking;
use super::slot::Slot;

/// The state of a sandbox at one point in time: handlers, modules and all their variables. `LoadedJSSandbox.snapshot()`
/// makes it.
#[napi]
pub struct Snapshot {
    slot: Slot<Arc<crate::Snapshot>>,
    /// Host functions of the sandbox that it was taken of.
    host_functions: BTreeSet<(String, String)>,
}

#[napi]
impl Snapshot {
    pub(super) fn new(snapshot: Arc<crate::Snapshot>, of: &Identity) -> Self {
        Self { slot: Slot::new("Snapshot", snapshot), host_functions: of.host_functions() }
    }

    /// The state, to be restored into a sandbox; an error if that does not have the host functions that it may call.
    pub(super) fn state_for(&self, sandbox: &Identity) -> Result<Arc<crate::Snapshot>> {
        let state = self.slot.with(|snapshot| Ok(snapshot.clone()))?;
        let available = sandbox.host_functions();
        let missing: Vec<String> =
            self.host_functions.difference(&available).map(|(module, name)| format!("host:{module} {name}")).collect();
        if missing.is_empty() {
            return Ok(state);
        }
        let missing = missing.join(", ");
        Err(Error::InvalidArgument(format!(
            "the snapshot does not fit: it was taken of a sandbox with host functions that this one lacks: {missing}"
        )))
    }

    /// Gives the memory back at once instead of when the object is collected. Restoring the snapshot gives `ERR_CONSUMED`
    /// from then on. Sandboxes that it was restored into are not affected.
    #[napi]
    pub fn dispose(&self) {
        disposal::dispose(&self.slot);
    }

    /// `dispose()`, for `using`.
    #[napi(js_name = "[Symbol.dispose]")]
    pub fn dispose_at_end_of_scope(&self) {
        self.dispose();
    }

    /// `dispose()`, for `await using`. The promise is fulfilled when the memory has been given back.
    #[napi(js_name = "[Symbol.asyncDispose]", ts_return_type = "Promise<void>")]
    pub fn dispose_async<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        disposal::dispose_async(env, &self.slot)
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        // Unmapping takes too long for the JavaScript thread.
        if let Some(snapshot) = self.slot.dispose() {
            blocking(move || drop(snapshot));
        }
    }
}
