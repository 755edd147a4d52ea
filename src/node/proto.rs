//! `ProtoJSSandbox` for JavaScript.

use napi::Env;
use napi::bindgen_prelude::PromiseRaw;
use napi_derive::napi;

use super::js::JSSandbox;
use super::promise::{blocking, promise};
use super::slot::Slot;

/// A sandbox without its runtime yet. `SandboxBuilder.build()` makes it.
#[napi(js_name = "ProtoJSSandbox")]
pub struct ProtoJSSandbox {
    slot: Slot<crate::ProtoJSSandbox>,
}

#[napi]
impl ProtoJSSandbox {
    pub(super) fn new(proto: crate::ProtoJSSandbox) -> Self {
        Self { slot: Slot::new("ProtoJSSandbox", proto) }
    }

    /// Starts the micro-VM with the JavaScript runtime in it. Consumes this object, also when it fails.
    ///
    /// The first sandbox of a process boots the guest; the others start from a snapshot of it.
    ///
    /// Rejects with:
    /// - `ERR_CONSUMED`: it was called already.
    /// - `ERR_GUEST_ABORT`: the guest does not boot.
    /// - `ERR_INTERNAL`: the memory or the file descriptors for the VM cannot be had.
    #[napi]
    pub fn load_runtime<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, JSSandbox>> {
        promise(
            env,
            || self.slot.take("loadRuntime"),
            |proto, pending| blocking(move || pending.settle_with(|| Ok(proto.load_runtime()?))),
            |_, sandbox| Ok(JSSandbox::new(sandbox)),
        )
    }
}
