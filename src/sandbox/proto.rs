//! A sandbox without its runtime.

use super::builder::Configuration;
use super::error::Result;
use super::js::JSSandbox;
use super::vm::Vm;

/// A sandbox whose settings are known to work on this machine, without its runtime yet.
#[derive(Debug)]
pub struct ProtoJSSandbox {
    configuration: Configuration,
}

impl ProtoJSSandbox {
    pub(super) fn new(configuration: Configuration) -> Self {
        Self { configuration }
    }

    /// Starts the micro-VM with the JavaScript runtime in it.
    ///
    /// The first sandbox of a process with given settings boots the guest; the others start from its snapshot.
    ///
    /// # Errors
    /// [`Error::Internal`](super::error::Error::Internal) if the hypervisor or the memory for the VM cannot be had,
    /// [`Error::GuestAbort`](super::error::Error::GuestAbort) if the guest does not boot.
    pub fn load_runtime(self) -> Result<JSSandbox> {
        Ok(JSSandbox::new(Vm::new(self.configuration)?))
    }
}
