//! A sandbox that handles events.

use std::sync::Arc;

use guest_abi::payload::Payload;
use hyperlight_host::SandboxStatus;
use tracing::Span;
use tracing::field::Empty;

use super::error::Result;
use super::interrupt::{CallGuard, InterruptHandle};
use super::js::JSSandbox;
use super::metrics::{self, Active};
use super::monitor::{MonitorSet, watched};
use super::snapshot::Snapshot;
use super::stats::{ExecutionStats, GuestCounters, Stopwatch};
use super::trace::{self, operation, traced};
use super::vm::Vm;

/// How a handler is to be called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallOptions {
    /// Whether to collect garbage afterwards if there may be much.
    pub gc: bool,
    /// Whether the result may hold byte arrays; if not, it is plain JSON.
    pub bytes: bool,
}

/// A sandbox with its handlers loaded.
///
/// State that a handler keeps at module level lives from call to call, until a snapshot is restored.
#[derive(Debug)]
pub struct LoadedJSSandbox {
    vm: Vm,
    last_call_stats: Option<ExecutionStats>,
    _active: Active,
}

impl LoadedJSSandbox {
    pub(super) fn new(vm: Vm) -> Self {
        Self { vm, last_call_stats: None, _active: Active::loaded() }
    }

    /// Forgets the handlers, the modules and all state, and gives back the sandbox as it was when its runtime had just been
    /// loaded. Its host functions stay. This works for a poisoned sandbox as well.
    ///
    /// # Errors
    /// [`Error::Unrecoverable`](crate::Error::Unrecoverable),
    /// [`Error::Internal`](crate::Error::Internal).
    pub fn unload(mut self) -> Result<JSSandbox> {
        traced(&operation!(DEBUG, "unload"), || self.vm.reset())?;
        metrics::unloaded();
        Ok(JSSandbox::new(self.vm))
    }

    /// Calls a handler and gives back what it returned, as JSON text.
    ///
    /// - `func_name`: the name under which the handler was added.
    /// - `event`: the handler's argument, JSON text of at most
    ///   [`DEFAULT_INPUT_SIZE`](super::builder::SandboxBuilder::DEFAULT_INPUT_SIZE) bytes.
    /// - `gc`: whether to collect garbage after the call, if the guest's memory has grown by more than 64 KiB since it last
    ///   was; `None` means yes. Only cycles need it: all else is freed at once.
    ///
    /// If the handler returns a promise, its value is awaited. `undefined` is given back as `null`, and a `Uint8Array` as
    /// `JSON.stringify` has it, an object with a property for each byte.
    ///
    /// # Errors
    /// The sandbox stays usable after: [`Error::InvalidArgument`](crate::Error::InvalidArgument) (the name is
    /// empty or too long), [`Error::HandlerNotFound`](crate::Error::HandlerNotFound),
    /// [`Error::InvalidEvent`](crate::Error::InvalidEvent),
    /// [`Error::PayloadTooLarge`](crate::Error::PayloadTooLarge) (event or result),
    /// [`Error::Guest`](crate::Error::Guest) (the handler threw).
    ///
    /// It is poisoned after: [`Error::Cancelled`](crate::Error::Cancelled),
    /// [`Error::GuestAbort`](crate::Error::GuestAbort).
    pub fn handle_event(&mut self, func_name: impl Into<String>, event: String, gc: Option<bool>) -> Result<String> {
        let options = CallOptions { gc: gc.unwrap_or(true), bytes: false };
        Ok(json(self.call_handler(&self.begin(), &func_name.into(), Payload::from_json(event), options)?))
    }

    /// As [`handle_event`](Self::handle_event), under limits: the first monitor to fire stops the handler. See
    /// [`monitor`](super::monitor).
    ///
    /// # Errors
    /// Those of [`handle_event`](Self::handle_event). [`Error::Cancelled`](crate::Error::Cancelled) if a monitor fired: the
    /// sandbox is poisoned, and [`last_call_stats`](Self::last_call_stats) names the monitor.
    /// [`Error::Monitor`](crate::Error::Monitor) if a monitor could not start: the handler was not run, and the sandbox stays
    /// usable.
    pub fn handle_event_with_monitor<M: MonitorSet>(
        &mut self,
        func_name: impl Into<String>,
        event: String,
        monitor: &M,
        gc: Option<bool>,
    ) -> Result<String> {
        let options = CallOptions { gc: gc.unwrap_or(true), bytes: false };
        Ok(json(self.call_handler_with_monitor(
            &self.begin(),
            &func_name.into(),
            Payload::from_json(event),
            monitor,
            options,
        )?))
    }

    /// A call begins: others can stop it from now on, until the guard is dropped.
    pub(crate) fn begin(&self) -> CallGuard {
        self.vm.begin()
    }

    /// As [`handle_event`](Self::handle_event), but for a call that has begun, with byte arrays, and gives `None` for
    /// `undefined`.
    pub(crate) fn call_handler(
        &mut self,
        running: &CallGuard,
        name: &str,
        event: Payload,
        options: CallOptions,
    ) -> Result<Option<Payload>> {
        traced_call(name, event.size(), options, |_| {
            let stopwatch = Stopwatch::start();
            let result = self.vm.call_handler(running, name, event, options);
            self.ended(name, &result, stopwatch.stop(None));
            result
        })
    }

    /// As [`call_handler`](Self::call_handler), under limits.
    pub(crate) fn call_handler_with_monitor<M: MonitorSet>(
        &mut self,
        running: &CallGuard,
        name: &str,
        event: Payload,
        monitor: &M,
        options: CallOptions,
    ) -> Result<Option<Payload>> {
        traced_call(name, event.size(), options, |span| {
            let stopwatch = Stopwatch::start();
            let interrupt = self.vm.interrupt_handle();
            let call = || self.vm.call_handler(running, name, event, options);
            let (result, winner) = watched(monitor, &interrupt, running, call)?;
            span.record("monitor", winner);
            self.ended(name, &result, stopwatch.stop(winner));
            result
        })
    }

    fn ended(&mut self, name: &str, result: &Result<Option<Payload>>, stats: ExecutionStats) {
        metrics::handler_called(name, result, &stats);
        self.last_call_stats = Some(stats);
    }

    /// Has the guest touch the memory that a call needs, without calling a handler: after a restore that takes most of the
    /// time of the first call.
    ///
    /// # Errors
    /// [`Error::Poisoned`](crate::Error::Poisoned).
    pub fn warm_up(&mut self) -> Result<()> {
        self.vm.warm_up()
    }

    /// Enters the guest and comes back without calling a handler. What it takes is the hypervisor's share of every call, which
    /// others can be compared with.
    ///
    /// # Errors
    /// [`Error::Poisoned`](crate::Error::Poisoned).
    pub fn round_trip(&mut self) -> Result<()> {
        self.vm.round_trip()
    }

    /// Why the first call after a start or a restore is slow; see [`GuestCounters`]. To ask is a call of its own.
    ///
    /// # Errors
    /// [`Error::Poisoned`](crate::Error::Poisoned).
    pub fn guest_counters(&mut self) -> Result<GuestCounters> {
        self.vm.counters()
    }

    /// Statistics of the most recent call, also if it failed; `None` before the first.
    pub fn last_call_stats(&self) -> Option<&ExecutionStats> {
        self.last_call_stats.as_ref()
    }

    /// Has no statistics until the next call ends: a call that is refused leaves those of the one before.
    #[cfg_attr(not(feature = "node"), allow(dead_code, reason = "only the addon has use for it"))]
    pub(crate) fn forget_call_stats(&mut self) {
        self.last_call_stats = None;
    }

    /// Takes a snapshot of the sandbox's state.
    ///
    /// # Errors
    /// [`Error::Poisoned`](crate::Error::Poisoned).
    pub fn snapshot(&mut self) -> Result<Arc<Snapshot>> {
        traced(&operation!(DEBUG, "snapshot"), || self.vm.snapshot())
    }

    /// Puts the sandbox back into the state of a snapshot. A poisoned sandbox is usable again afterwards.
    ///
    /// The snapshot may have been taken of another sandbox, if that was built with the same settings and this one has all
    /// of its host functions.
    ///
    /// # Errors
    /// [`Error::SnapshotMismatch`](crate::Error::SnapshotMismatch), which changes nothing;
    /// [`Error::Unrecoverable`](crate::Error::Unrecoverable),
    /// [`Error::Internal`](crate::Error::Internal) if the snapshot does not fit this sandbox.
    pub fn restore(&mut self, snapshot: Arc<Snapshot>) -> Result<()> {
        traced(&operation!(DEBUG, "restore"), || self.vm.restore(&snapshot))
    }

    /// A handle with which another thread can stop a running call.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.vm.interrupt_handle()
    }

    /// Whether a call did not run to its end, so that the guest's state cannot be trusted.
    ///
    /// A poisoned sandbox refuses calls with [`Error::Poisoned`](crate::Error::Poisoned) until a snapshot is restored.
    pub fn poisoned(&self) -> bool {
        self.status().is_poisoned()
    }

    /// Whether the sandbox can be used, must be restored first, or is beyond repair.
    pub fn status(&self) -> SandboxStatus {
        self.vm.status()
    }

    /// Writes the state of the VM, its registers and memory, into an ELF core dump, which gdb can read. A guest that faults
    /// leaves one as well.
    ///
    /// The file goes into the folder that the environment variable `HYPERLIGHT_CORE_DUMP_DIR` names, or else into the
    /// system's folder for temporary files. It holds all of the guest's memory, secrets included.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::Error::Internal) if it cannot be written.
    #[cfg(feature = "crashdump")]
    pub fn generate_crashdump(&mut self) -> Result<()> {
        self.vm.generate_crashdump()
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

fn traced_call(
    name: &str,
    event_size: usize,
    options: CallOptions,
    call: impl FnOnce(&Span) -> Result<Option<Payload>>,
) -> Result<Option<Payload>> {
    let span = operation!(
        INFO,
        "handle_event",
        handler = trace::name(name),
        "event.size" = event_size,
        gc = options.gc,
        "result.size" = Empty,
        monitor = Empty
    );
    let result = traced(&span, || call(&span));
    if let Ok(Some(result)) = &result {
        span.record("result.size", result.size());
    }
    result
}

fn json(result: Option<Payload>) -> String {
    result.map_or_else(|| "null".to_string(), Payload::into_json)
}
