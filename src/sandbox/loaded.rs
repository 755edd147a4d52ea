//! A sandbox that handles events.

use std::sync::Arc;

use hyperlight_host::sandbox::snapshot::Snapshot;

use super::error::Result;
use super::interrupt::InterruptHandle;
use super::js::JSSandbox;
use super::vm::Vm;

/// A sandbox with its handlers loaded.
///
/// State that a handler keeps at module level lives from call to call, until a snapshot is restored.
#[derive(Debug)]
pub struct LoadedJSSandbox {
    vm: Vm,
}

impl LoadedJSSandbox {
    pub(super) fn new(vm: Vm) -> Self {
        Self { vm }
    }

    /// Forgets the handlers, the modules and all state, and gives back the sandbox as it was when its runtime had just been
    /// loaded. Its host functions stay. This works for a poisoned sandbox as well.
    ///
    /// # Errors
    /// [`Error::Unrecoverable`](super::error::Error::Unrecoverable),
    /// [`Error::Internal`](super::error::Error::Internal).
    pub fn unload(mut self) -> Result<JSSandbox> {
        self.vm.reset()?;
        Ok(JSSandbox::new(self.vm))
    }

    /// Calls a handler and gives back what it returned, as JSON text.
    ///
    /// - `func_name`: the name under which the handler was added.
    /// - `event`: the handler's argument, JSON text of at most
    ///   [`DEFAULT_INPUT_SIZE`](super::builder::SandboxBuilder::DEFAULT_INPUT_SIZE) bytes.
    /// - `gc`: whether to collect garbage after the call; `None` means yes.
    ///
    /// If the handler returns a promise, its value is awaited. `undefined` is given back as `null`.
    ///
    /// # Errors
    /// The sandbox stays usable after: [`Error::InvalidArgument`](super::error::Error::InvalidArgument) (the name is
    /// empty or too long), [`Error::HandlerNotFound`](super::error::Error::HandlerNotFound),
    /// [`Error::InvalidEvent`](super::error::Error::InvalidEvent),
    /// [`Error::PayloadTooLarge`](super::error::Error::PayloadTooLarge) (event or result),
    /// [`Error::Guest`](super::error::Error::Guest) (the handler threw).
    ///
    /// It is poisoned after: [`Error::Cancelled`](super::error::Error::Cancelled),
    /// [`Error::GuestAbort`](super::error::Error::GuestAbort).
    pub fn handle_event(&mut self, func_name: impl Into<String>, event: String, gc: Option<bool>) -> Result<String> {
        let result = self.call_handler(&func_name.into(), event, gc.unwrap_or(true))?;
        Ok(result.unwrap_or_else(|| "null".to_string()))
    }

    /// As [`handle_event`](Self::handle_event), but gives `None` for `undefined`.
    pub(crate) fn call_handler(&mut self, name: &str, event: String, gc: bool) -> Result<Option<String>> {
        self.vm.call_handler(name, event, gc)
    }

    /// Takes a snapshot of the sandbox's state.
    ///
    /// # Errors
    /// [`Error::Poisoned`](super::error::Error::Poisoned).
    pub fn snapshot(&mut self) -> Result<Arc<Snapshot>> {
        self.vm.snapshot()
    }

    /// Puts the sandbox back into the state of a snapshot. A poisoned sandbox is usable again afterwards.
    ///
    /// # Errors
    /// [`Error::Unrecoverable`](super::error::Error::Unrecoverable),
    /// [`Error::Internal`](super::error::Error::Internal) if the snapshot does not fit this sandbox.
    pub fn restore(&mut self, snapshot: Arc<Snapshot>) -> Result<()> {
        self.vm.restore(snapshot)
    }

    /// A handle with which another thread can stop a running call.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.vm.interrupt_handle()
    }

    /// Whether a call did not run to its end, so that the guest's state cannot be trusted.
    ///
    /// A poisoned sandbox refuses calls with [`Error::Poisoned`](super::error::Error::Poisoned) until a snapshot is
    /// restored.
    pub fn poisoned(&self) -> bool {
        self.vm.poisoned()
    }

    /// Makes the test guest commit a fault.
    ///
    /// # Errors
    /// What the fault led to.
    #[cfg(feature = "test-guest")]
    #[doc(hidden)]
    pub fn commit_fault(&mut self, fault: guest_abi::function::Fault) -> Result<i32> {
        self.vm.commit_fault(fault)
    }
}
