//! `SandboxBuilder` for JavaScript.

use napi::Env;
use napi::bindgen_prelude::PromiseRaw;
use napi_derive::napi;

use super::promise::{blocking, promise};
use super::proto::ProtoJSSandbox;
use super::slot::Slot;

/// Settings of a sandbox. Every setting has a default, so a builder left as it is is valid.
///
/// A sandbox is a micro-VM of its own. Its default settings: a heap of 16 MiB, events and results of at most 1 MiB of
/// JSON text each.
#[napi]
pub struct SandboxBuilder {
    slot: Slot<crate::SandboxBuilder>,
}

#[napi]
impl SandboxBuilder {
    /// A builder with the default settings.
    #[napi(constructor)]
    #[allow(clippy::new_without_default, reason = "only JavaScript makes one")]
    pub fn new() -> Self {
        Self { slot: Slot::new("SandboxBuilder", crate::SandboxBuilder::new()) }
    }

    /// Checks the settings and that there is a hypervisor. Consumes the builder, also when it fails.
    ///
    /// Rejects with:
    /// - `ERR_NO_HYPERVISOR`: no virtual machine can be made here; the message says why and what to do.
    /// - `ERR_CONSUMED`: the builder was used already.
    #[napi]
    pub fn build<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ProtoJSSandbox>> {
        promise(
            env,
            || self.slot.take("build"),
            |builder, pending| blocking(move || pending.settle_with(|| Ok(builder.build()?))),
            |_, proto| Ok(ProtoJSSandbox::new(proto)),
        )
    }
}
