//! One micro-VM and the calls into it.
//!
//! This is the trust boundary: what comes back from the guest is checked here, and nothing of it goes further unchecked.

mod calls;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use guest_abi::function::Signature;
use guest_abi::payload::Payload;
use hyperlight_common::func::{ParameterTuple, SupportedReturnType};
use hyperlight_host::hypervisor::InterruptHandle as VmInterruptHandle;
use hyperlight_host::sandbox::snapshot::Snapshot as State;
use hyperlight_host::{Sandbox, SandboxStatus};

use super::call_control::{CallControl, CallGuard};
use super::configuration::Configuration;
use super::dispatcher::Dispatcher;
use super::environment::Environment;
use super::error::{Error, Result};
use super::host_functions::HostFunctions;
use super::intake::{Intake, UnhandledRejections};
use super::interrupt::InterruptHandle;
use super::large_pages::LargePages;
use super::snapshot::{Digest, Snapshot};
use super::snapshot_origin::SnapshotOrigin;
use super::staged::Staged;
use super::tally::HostCallLimits;
use super::workers::{self, Placeholder};
use super::{fault, image, machine, shadow_paging, stock, stopper};

/// What a thread is wanted for that KVM takes when a VM is entered for the first time.
const FOR_A_SANDBOX: &str = "that the hypervisor needs for a sandbox";

/// What has become of a call when the guest has been left.
pub enum Step {
    /// It has ended; `None` stands for `undefined`.
    Ended(Option<Payload>),
    /// It waits for the host.
    Suspended,
}

/// A micro-VM with the runtime in it.
pub struct Vm {
    /// There is none, and the sandbox is poisoned, if a restore could not make a new one; the next restore tries again.
    sandbox: Option<Sandbox>,
    large_pages: LargePages,
    /// What stops the guest: that of the sandbox.
    vm: Arc<Mutex<Arc<dyn VmInterruptHandle>>>,
    control: Arc<CallControl>,
    host_functions: HostFunctions,
    dispatcher: Dispatcher,
    configuration: Configuration,
    /// Most values of a result.
    max_values: usize,
    unhandled_rejections: UnhandledRejections,
    /// Host functions that a snapshot needs may be missing.
    functions_come_with_calls: bool,
    host_call_limits: HostCallLimits,
    /// The next restore will make the hypervisor forget the page tables that it replaces; the guest runs only then.
    restore_is_prepared: bool,
    /// Since the last restore the guest was left in another way than the protocol has it. The virtual processor may be in the
    /// midst of an instruction then, which setting its registers does not take back: the next entry would complete it, whatever
    /// the guest is by then. So it is not put back to a snapshot: a new one takes its place.
    is_suspect: bool,
    /// The sandbox is poisoned, though hyperlight-host sees no reason for it: the guest answered with something that is no
    /// reply, or a call was stopped before it entered the guest. Whoever stops a call need not know how far it had come.
    poisoned: bool,
    /// The guest is in the middle of a call. If that is not resumed, the guest can do nothing else any more.
    is_suspended: bool,
    /// Whether the guest has been entered in this VM.
    was_entered: bool,
    /// In the place of what KVM had for the VM that was here before, until the guest is entered.
    placeholder: Option<Placeholder>,
    /// Whether nobody has asked anything of the guest since it was started, but for a warm-up while it was in stock.
    is_untouched: bool,
    /// The state in which the guest was started or to which it was reset last.
    base: Arc<State>,
    /// What the guest's state needs: it knows no other host functions than these.
    environment: Environment,
    origin: SnapshotOrigin,
    /// That of the snapshot in whose state the guest was started or to which it was restored last.
    digest: Option<Digest>,
}

impl Vm {
    /// A VM whose guest is in the state of a snapshot, or has just booted: one that is in stock, if there is one.
    pub fn new(
        configuration: Configuration,
        host_functions: HostFunctions,
        environment: Environment,
        intake: Intake,
        start: Option<&Snapshot>,
    ) -> Result<Self> {
        if let Some(snapshot) = start {
            let available = SnapshotOrigin::new(configuration.clone(), host_functions.names());
            available.check_fits(snapshot.origin(), intake.functions_come_with_calls)?;
        }
        let mut vm = match stock::take(&configuration, start) {
            Some(vm) => vm,
            None => Self::start(configuration.clone(), start)
                .or_else(|error| if stock::give_up() { Self::start(configuration, start) } else { Err(error) })?,
        };
        vm.dispatcher =
            Dispatcher::new(host_functions.clone(), &vm.configuration, intake.max_values).with_print(intake.print);
        vm.host_functions = host_functions;
        vm.environment = environment;
        vm.max_values = intake.max_values;
        vm.unhandled_rejections = intake.unhandled_rejections;
        vm.functions_come_with_calls = intake.functions_come_with_calls;
        vm.host_call_limits = intake.host_calls;
        Ok(vm)
    }

    /// A VM that is nobody's yet: without host functions, and with the default settings for what is no part of the guest's state.
    pub fn start(configuration: Configuration, start: Option<&Snapshot>) -> Result<Self> {
        // Nothing may run that cannot be stopped.
        stopper::ensure()?;
        let (base, origin) = match start {
            Some(snapshot) => (snapshot.state().clone(), snapshot.origin().loaded()),
            None => (image::booted(&configuration)?.state, SnapshotOrigin::of_booted(configuration.clone())),
        };
        let intake = Intake::default();
        let dispatcher = Dispatcher::new(HostFunctions::default(), &configuration, intake.max_values);
        let (sandbox, large_pages) = Self::machine(&configuration, base.clone())?;
        let vm = Arc::new(Mutex::new(sandbox.interrupt_handle()));
        let to_interrupt = vm.clone();
        let control = CallControl::new(move || {
            let vm = locked(&to_interrupt).clone();
            vm.kill()
        });
        Ok(Self {
            sandbox: Some(sandbox),
            large_pages,
            vm,
            control,
            host_functions: HostFunctions::default(),
            dispatcher,
            configuration,
            max_values: intake.max_values,
            unhandled_rejections: intake.unhandled_rejections,
            functions_come_with_calls: intake.functions_come_with_calls,
            host_call_limits: intake.host_calls,
            restore_is_prepared: false,
            is_suspect: false,
            poisoned: false,
            is_suspended: false,
            was_entered: false,
            placeholder: None,
            is_untouched: true,
            base,
            environment: Environment::default(),
            origin,
            digest: start.map(|snapshot| snapshot.digest().clone()),
        })
    }

    fn machine(configuration: &Configuration, state: Arc<State>) -> Result<(Sandbox, LargePages)> {
        let mut sandbox = machine::start(state)?;
        let large_pages = LargePages::from_first_snapshot(&mut sandbox, configuration.geometry().first_free());
        Ok((sandbox, large_pages))
    }

    /// Limits how often a call that begins may call the host: as it was asked for, or as the sandbox's other calls.
    pub fn limit_host_calls(&self, running: &CallGuard, asked: Option<HostCallLimits>) {
        running.tally().limit(asked.unwrap_or(self.host_call_limits));
    }

    /// Something begins that others can stop from now on, until the guard is dropped: one call into the guest or several.
    pub fn begin(&self) -> CallGuard {
        self.control.begin()
    }

    fn call<Output: SupportedReturnType>(
        &mut self,
        running: &CallGuard,
        signature: &Signature,
        arguments: impl ParameterTuple,
    ) -> Result<Output> {
        if self.poisoned || self.is_suspended {
            return Err(Error::Poisoned);
        }
        if running.stopped_by().is_some() {
            self.poisoned = true;
            return Err(Error::Cancelled);
        }
        if !self.was_entered {
            // On x86-64 KVM may want a task of the process for a VM that is entered for the first time. If none can be had,
            // hyperlight-host tries again and again, at full speed, until one can or the call is stopped.
            if let Some(placeholder) = self.placeholder.take() {
                placeholder.end();
            } else if cfg!(target_arch = "x86_64") {
                workers::probe(FOR_A_SANDBOX)?;
            }
            self.was_entered = true;
        }
        if !self.restore_is_prepared {
            shadow_paging::prepare_restore(self.sandbox.as_mut().ok_or(Error::Poisoned)?)?;
            self.restore_is_prepared = true;
        }
        self.is_untouched = false;
        running.tally().entry();
        self.enter(|sandbox| sandbox.call::<Output>(signature.name, arguments))?.map_err(|error| {
            #[cfg(feature = "crashdump")]
            self.dump_after(&error);
            match fault::of_guest(error) {
                Ok(message) => self.protocol_broken(&message),
                Err(error) => error,
            }
        })
    }

    /// Has the guest entered, and notes in which way it was left.
    ///
    /// # Errors
    /// Serving it panicked.
    fn enter<T>(
        &mut self,
        run: impl FnOnce(&mut Sandbox) -> hyperlight_host::Result<T>,
    ) -> Result<hyperlight_host::Result<T>> {
        let sandbox = self.sandbox.as_mut().ok_or(Error::Poisoned)?;
        // hyperlight-host prints what a guest's kernel writes to its debug port, and panics where that fails.
        let ended = catch_unwind(AssertUnwindSafe(|| run(sandbox)));
        self.is_suspect |= !matches!(ended, Ok(Ok(_)));
        ended.map_err(|_| self.protocol_broken("serving it panicked"))
    }

    fn protocol_broken(&mut self, what: &str) -> Error {
        self.poisoned = true;
        self.is_suspect = true;
        Error::GuestAbort(what.to_string())
    }

    /// Takes a snapshot of the guest.
    pub fn snapshot(&mut self) -> Result<Arc<Snapshot>> {
        if self.poisoned || self.is_suspended {
            return Err(Error::Poisoned);
        }
        let state = self.enter(Sandbox::snapshot)??;
        Ok(Snapshot::new(state, self.origin.clone()))
    }

    /// A snapshot of the guest as it was started or reset; if its handlers are not loaded yet, with those that are going to be.
    pub fn base_snapshot(&self, staged: Option<Staged>) -> Result<Arc<Snapshot>> {
        match self.status() {
            SandboxStatus::Unrecoverable => Err(Error::Unrecoverable),
            SandboxStatus::Poisoned => Err(Error::Poisoned),
            _ => {
                let origin = if staged.is_some() { self.available() } else { self.origin.clone() };
                Ok(Snapshot::new(self.base.clone(), SnapshotOrigin { staged, ..origin }))
            }
        }
    }

    fn available(&self) -> SnapshotOrigin {
        SnapshotOrigin::new(self.configuration.clone(), self.host_functions.names())
    }

    /// Puts the guest back to a snapshot that was taken of a sandbox like this one.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        self.available().check_fits(snapshot.origin(), self.functions_come_with_calls)?;
        snapshot.check_loaded()?;
        self.restore_unchecked(snapshot.state().clone())?;
        self.origin = snapshot.origin().clone();
        self.digest = Some(snapshot.digest().clone());
        Ok(())
    }

    fn restore_unchecked(&mut self, state: Arc<State>) -> Result<()> {
        match &mut self.sandbox {
            Some(sandbox) if !self.is_suspect || sandbox.status().is_unrecoverable() => {
                let restored = sandbox.restore(state);
                self.is_suspect = restored.is_err();
                restored?;
            }
            sandbox => {
                // The old one goes first: the new one needs as many of the process's files and as much of its memory.
                self.poisoned = true;
                if self.was_entered && cfg!(target_arch = "x86_64") {
                    // Otherwise a thread of ours could take the place that this leaves, and keep it.
                    self.placeholder = Placeholder::instead_of(|| *sandbox = None, FOR_A_SANDBOX).ok();
                }
                *sandbox = None;
                let start = || Self::machine(&self.configuration, state.clone());
                let (new, large_pages) =
                    start().or_else(|error| if stock::give_up() { start() } else { Err(error) })?;
                *locked(&self.vm) = new.interrupt_handle();
                *sandbox = Some(new);
                self.large_pages = large_pages;
                self.was_entered = false;
            }
        }
        // A call that was given up has not ended.
        self.end_call();
        self.restore_is_prepared = false;
        self.is_suspect = false;
        self.poisoned = false;
        self.is_suspended = false;
        Ok(())
    }

    /// Puts the guest back to where it was when it had just booted.
    pub fn reset(&mut self) -> Result<()> {
        let booted = image::booted(&self.configuration)?.state;
        self.restore_unchecked(booted.clone())?;
        self.base = booted;
        self.origin = SnapshotOrigin::of_booted(self.configuration.clone());
        self.digest = None;
        Ok(())
    }

    /// Bytes that JavaScript may have in use.
    #[cfg_attr(not(feature = "node"), allow(dead_code, reason = "only the addon has use for it"))]
    pub fn heap_size(&self) -> u64 {
        self.configuration.heap_size
    }

    /// Has the guest's memory come in large pages, beyond what a small guest uses. The guest was just put back to this snapshot, and
    /// is again afterwards. Without such pages it is as good.
    ///
    /// # Errors
    /// It could not be put back.
    pub fn allow_large_pages(&mut self, snapshot: &Snapshot) -> Result<()> {
        if self.large_pages.are_allowed() {
            return Ok(());
        }
        // The guest must have been entered for hyperlight-host to take another snapshot than the one that it has.
        let taken = self.warm_up().and_then(|()| self.snapshot());
        if let Err(error) = taken {
            tracing::debug!("no large pages for a sandbox: {error}");
        }
        self.restore(snapshot)
    }

    #[cfg(test)]
    pub fn has_large_pages(&self) -> bool {
        self.large_pages.are_allowed()
    }

    /// Digest of the snapshot in whose state the guest was started or to which it was restored last, if it is known.
    pub fn snapshot_digest(&self) -> Option<&str> {
        self.digest.as_ref().and_then(|digest| digest.get()).map(String::as_str)
    }

    #[cfg(test)]
    pub fn is_untouched(&self) -> bool {
        self.is_untouched
    }

    #[cfg(test)]
    pub fn was_entered(&self) -> bool {
        self.was_entered
    }

    pub fn interrupt_handle(&self) -> InterruptHandle {
        InterruptHandle::new(self.control.clone())
    }

    pub fn status(&self) -> SandboxStatus {
        match self.sandbox.as_ref().map(Sandbox::status) {
            None => SandboxStatus::Poisoned,
            Some(SandboxStatus::Ready) if self.poisoned || self.is_suspended => SandboxStatus::Poisoned,
            Some(status) => status,
        }
    }

    #[cfg(feature = "crashdump")]
    pub fn generate_crashdump(&mut self) -> Result<()> {
        Ok(self.sandbox.as_mut().ok_or(Error::Poisoned)?.generate_crashdump()?)
    }

    /// Leaves a core dump of a guest that has aborted. hyperlight-host does so for what it takes for a crash, and an abort is
    /// none.
    #[cfg(feature = "crashdump")]
    fn dump_after(&mut self, error: &hyperlight_host::HyperlightError) {
        if !matches!(error, hyperlight_host::HyperlightError::GuestAborted(..)) {
            return;
        }
        if let Some(Err(error)) = self.sandbox.as_mut().map(Sandbox::generate_crashdump) {
            tracing::error!("there is no core dump of the guest that has aborted: {error}");
        }
    }
}

impl std::fmt::Debug for Vm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vm").field("configuration", &self.configuration).field("status", &self.status()).finish()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code runs under the lock that could leave the value half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
