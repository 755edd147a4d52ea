//! `Snapshot` for JavaScript.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::PromiseRaw;
use napi_derive::napi;

use super::disposal;
use super::error::Result;
use super::promise::blocking;
use super::slot::Slot;

/// The state of a sandbox at one point in time: handlers, modules and all their variables. `LoadedJSSandbox.snapshot()`
/// makes it.
#[napi]
pub struct Snapshot {
    slot: Slot<Arc<crate::Snapshot>>,
}

#[napi]
impl Snapshot {
    pub(super) fn new(snapshot: Arc<crate::Snapshot>) -> Self {
        Self { slot: Slot::new("Snapshot", snapshot) }
    }

    /// The state, to be restored into a sandbox.
    pub(super) fn state(&self) -> Result<Arc<crate::Snapshot>> {
        self.slot.with(|snapshot| Ok(snapshot.clone()))
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
