//! One micro-VM and the calls into it.
//!
//! This is the trust boundary: what comes back from the guest is checked here, and nothing of it goes further unchecked.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use guest_abi::function::{self, Kind, Signature};
use guest_abi::message::{CallContext, Exception, Place, Reply};
use guest_abi::payload::Payload;
use guest_abi::suspension::{HostResults, Suspension};
use hyperlight_common::flatbuffer_wrappers::function_types::ParameterType;
use hyperlight_common::func::{ParameterTuple, ReturnType, SupportedReturnType};
use hyperlight_host::func::Registerable;
use hyperlight_host::hypervisor::InterruptHandle as VmInterruptHandle;
use hyperlight_host::sandbox::SandboxConfiguration;
use hyperlight_host::sandbox::snapshot::Snapshot as State;
use hyperlight_host::{HyperlightError, Sandbox, SandboxStatus};
use rand::Rng;

use super::builder::{Configuration, Intake, UnhandledRejections};
use super::error::{Error, Result};
use super::host_function::{Dispatcher, HostFunctions};
use super::interrupt::{CallControl, CallGuard, InterruptHandle};
use super::loaded::CallOptions;
use super::program::Program;
use super::reply::{self, Asked, Breach};
use super::snapshot::{Origin, Snapshot};
use super::staged::Staged;
use super::stats::GuestCounters;
use super::suspended::Suspended;
use super::{clock, fault, image, shadow_paging, stopper, threads, values};

pub type AddHandler = (Vec<u8>, String, String, bool);
pub type CallHandler = (Vec<u8>, String, Vec<u8>, bool, bool, bool);
type SetHostFunctions = Vec<u8>;
type AddModule = (String, String);
type Run = (Vec<u8>, Vec<u8>, bool, bool, bool);
type Resume = (Vec<u8>, Vec<u8>);
type Answer = Vec<u8>;

const _: () = {
    assert!(matches_signature::<AddHandler, Vec<u8>>(&function::ADD_HANDLER), "see guest_abi::function");
    assert!(matches_signature::<CallHandler, Vec<u8>>(&function::CALL_HANDLER), "see guest_abi::function");
    assert!(matches_signature::<Run, Vec<u8>>(&function::RUN), "see guest_abi::function");
    assert!(matches_signature::<Resume, Vec<u8>>(&function::RESUME), "see guest_abi::function");
    assert!(matches_signature::<(), ()>(&function::ROUND_TRIP), "see guest_abi::function");
    assert!(matches_signature::<(), ()>(&function::WARM_UP), "see guest_abi::function");
    assert!(matches_signature::<(), Vec<u8>>(&function::COUNTERS), "see guest_abi::function");
    assert!(matches_signature::<(), Vec<u8>>(&function::COPIED_PAGES), "see guest_abi::function");
    assert!(matches_signature::<(Vec<u8>, Vec<u8>), ()>(&function::SET_WORKING_SETS), "see guest_abi::function");
    assert!(matches_signature::<SetHostFunctions, ()>(&function::SET_HOST_FUNCTIONS), "see guest_abi::function");
    assert!(matches_signature::<AddModule, ()>(&function::ADD_MODULE), "see guest_abi::function");
    assert!(matches_signature::<Answer, Vec<u8>>(&function::ANSWER), "see guest_abi::function");
};

const fn matches_signature<Parameters: ParameterTuple, Output: SupportedReturnType>(signature: &Signature) -> bool {
    let parameters = Parameters::TYPE;
    if parameters.len() != signature.parameters.len() {
        return false;
    }
    let mut i = 0;
    while i < parameters.len() {
        match (&parameters[i], signature.parameters[i]) {
            (ParameterType::String, Kind::Text)
            | (ParameterType::VecBytes, Kind::Bytes)
            | (ParameterType::Bool, Kind::Bool)
            | (ParameterType::Int, Kind::Int) => {}
            _ => return false,
        }
        i += 1;
    }
    matches!(
        (Output::TYPE, signature.result),
        (ReturnType::String, Kind::Text)
            | (ReturnType::VecBytes, Kind::Bytes)
            | (ReturnType::Bool, Kind::Bool)
            | (ReturnType::Int, Kind::Int)
            | (ReturnType::Void, Kind::Void)
    )
}

/// What `hyperlight-host` calls when a guest's kernel has it do so: nothing. What our guest asks for comes as the reply of an
/// entry.
///
/// There is one function, since a guest that boots is given it, and with that all that come from it: in the place of the one that
/// writes to standard output.
pub fn host_functions() -> Result<hyperlight_host::HostFunctions> {
    let mut functions = hyperlight_host::HostFunctions::empty();
    functions.register_host_function("HostPrint", || Ok::<(), HyperlightError>(()))?;
    Ok(functions)
}

#[cfg(all(feature = "gdb", not(debug_assertions)))]
compile_error!("hyperlight-host lets gdb in only with debug assertions: build the feature `gdb` without --release");

/// Lets gdb in at the port that the environment names. The guest stops at its first call, until gdb has come.
///
/// # Errors
/// [`Error::InvalidArgument`] if it names no port.
#[cfg(all(feature = "gdb", debug_assertions))]
fn let_gdb_in(configuration: &mut SandboxConfiguration) -> Result<()> {
    use hyperlight_host::sandbox::config::DebugInfo;

    let Some(port) = std::env::var_os("HYPERLIGHT_JS_GDB") else { return Ok(()) };
    let number = port.to_str().and_then(|port| port.parse().ok()).filter(|port| *port != 0);
    let port =
        number.ok_or_else(|| Error::InvalidArgument(format!("HYPERLIGHT_JS_GDB={}: not a port", port.display())))?;
    configuration.set_guest_debug_info(DebugInfo { port });
    Ok(())
}

/// Time between two signals to a guest that is to be left. One signal is enough, but for one that comes right before the entry.
const INTERRUPT_RETRY_DELAY: Duration = Duration::from_micros(100);

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
    /// What stops the guest: that of the sandbox.
    vm: Arc<Mutex<Arc<dyn VmInterruptHandle>>>,
    control: Arc<CallControl>,
    host_functions: HostFunctions,
    dispatcher: Dispatcher,
    configuration: Configuration,
    /// Most values of a result.
    max_values: usize,
    unhandled_rejections: UnhandledRejections,
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
    /// The state in which the guest was started or to which it was reset last.
    base: Arc<State>,
    /// What the guest's state needs: it knows no other host functions than these.
    origin: Origin,
}

impl Vm {
    /// A VM whose guest is in the state of a snapshot, or has just booted.
    pub fn new(
        configuration: Configuration,
        host_functions: HostFunctions,
        intake: Intake,
        start: Option<&Snapshot>,
    ) -> Result<Self> {
        // Nothing may run that cannot be stopped.
        stopper::ensure()?;
        let available = Origin::new(configuration.clone(), host_functions.names());
        let (base, origin) = match start {
            Some(snapshot) => {
                available.check_fits(snapshot.origin())?;
                (snapshot.state().clone(), snapshot.origin().loaded())
            }
            None => (image::booted(&configuration)?, Origin::of_booted(configuration.clone())),
        };
        let dispatcher =
            Dispatcher::new(host_functions.clone(), &configuration, intake.max_values).with_print(intake.print);
        let sandbox = start_vm(base.clone())?;
        let vm = Arc::new(Mutex::new(sandbox.interrupt_handle()));
        let to_interrupt = vm.clone();
        let control = CallControl::new(move || {
            let vm = locked(&to_interrupt).clone();
            vm.kill()
        });
        Ok(Self {
            sandbox: Some(sandbox),
            vm,
            control,
            host_functions,
            dispatcher,
            configuration,
            max_values: intake.max_values,
            unhandled_rejections: intake.unhandled_rejections,
            restore_is_prepared: false,
            is_suspect: false,
            poisoned: false,
            is_suspended: false,
            was_entered: false,
            base,
            origin,
        })
    }

    /// Makes the host functions importable in the guest, which must have just booted.
    pub fn announce_host_functions(&mut self, running: &CallGuard) -> Result<()> {
        if self.host_functions.is_empty() {
            return Ok(());
        }
        let names: SetHostFunctions = self.host_functions.names().to_bytes();
        check_size("list of host functions", names.len(), self.configuration.input_size)?;
        self.call::<()>(running, &function::SET_HOST_FUNCTIONS, names)?;
        self.origin = self.available();
        Ok(())
    }

    /// Makes a module importable in the guest.
    pub fn add_module(&mut self, running: &CallGuard, specifier: &str, source: &str) -> Result<()> {
        check_size("source of a module", source.len(), self.configuration.input_size)?;
        let arguments: AddModule = (specifier.to_string(), source.to_string());
        self.call(running, &function::ADD_MODULE, arguments)
    }

    /// Compiles a handler, begins to evaluate it, and registers it when that has ended.
    pub fn begin_load(
        &mut self,
        running: &CallGuard,
        name: &str,
        source: &str,
        rejections: Option<UnhandledRejections>,
        suspended: &mut Suspended,
    ) -> Result<Step> {
        super::name::check("handler", name)?;
        check_size("source of a handler", source.len(), self.configuration.input_size)?;
        let rejections_fail = self.do_rejections_fail(rejections);
        let arguments: AddHandler =
            (context().to_bytes().to_vec(), name.to_string(), source.to_string(), rejections_fail);
        let reply = self.call_for_reply(running, &function::ADD_HANDLER, arguments)?;
        self.load_step(reply, suspended)
    }

    /// Goes on with the evaluation of a handler that is suspended.
    pub fn resume_load(
        &mut self,
        running: &CallGuard,
        results: HostResults,
        suspended: &mut Suspended,
    ) -> Result<Step> {
        let reply = self.resume(running, results)?;
        self.load_step(reply, suspended)
    }

    /// Whether unhandled rejections fail a call that may have said so.
    fn do_rejections_fail(&self, asked: Option<UnhandledRejections>) -> bool {
        asked.unwrap_or(self.unhandled_rejections) == UnhandledRejections::Error
    }

    fn load_step(&mut self, reply: Reply, suspended: &mut Suspended) -> Result<Step> {
        match reply {
            Reply::Undefined => Ok(Step::Ended(None)),
            Reply::Suspended(suspension) => self.suspend(suspension, suspended),
            Reply::Compile(exception, place) => Err(compile_error(exception, place)),
            _ => Err(self.protocol_broken("it answered a handler's registration with something else")),
        }
    }

    /// Begins a call of a handler with an event.
    pub fn begin_handler(
        &mut self,
        running: &CallGuard,
        name: &str,
        event: Payload,
        CallOptions { gc, bytes, rejections }: CallOptions,
        suspended: &mut Suspended,
    ) -> Result<Step> {
        super::name::check_size("handler", name)?;
        check_size("event", event.size(), self.configuration.input_size)?;
        let rejections_fail = self.do_rejections_fail(rejections);
        let arguments: CallHandler =
            (context().to_bytes().to_vec(), name.to_string(), event.into_bytes(), gc, bytes, rejections_fail);
        let reply = self.call_for_reply(running, &function::CALL_HANDLER, arguments)?;
        self.step(reply, name, bytes, suspended)
    }

    /// Begins to run a program. It can call its functions until another call begins.
    pub fn begin_program(
        &mut self,
        running: &CallGuard,
        name: &str,
        program: Program,
        CallOptions { gc, bytes, rejections }: CallOptions,
        suspended: &mut Suspended,
    ) -> Result<Step> {
        let limit = self.configuration.input_size;
        check_size("source", program.source.len(), limit)?;
        let (program, functions) = program.into_parts();
        let program = program.into_bytes();
        check_size("program with its input, modules and names of functions", program.len(), limit)?;
        let rejections_fail = self.do_rejections_fail(rejections);
        let arguments: Run = (context().to_bytes().to_vec(), program, gc, bytes, rejections_fail);
        self.dispatcher.set_functions_of_call(functions);
        match self.call_for_reply(running, &function::RUN, arguments)? {
            Reply::Compile(exception, place) => Err(compile_error(exception, place)),
            Reply::Refused(message) => Err(Error::InvalidArgument(message)),
            reply => self.step(reply, name, bytes, suspended),
        }
    }

    /// A program has ended: nothing can call its functions any more.
    pub fn end_program(&mut self) {
        self.dispatcher.set_functions_of_call(HostFunctions::default());
    }

    /// Goes on with a call of a handler that is suspended, of that name and with those options.
    pub fn resume_handler(
        &mut self,
        running: &CallGuard,
        name: &str,
        CallOptions { bytes, .. }: CallOptions,
        results: HostResults,
        suspended: &mut Suspended,
    ) -> Result<Step> {
        let reply = self.resume(running, results)?;
        self.step(reply, name, bytes, suspended)
    }

    fn resume(&mut self, running: &CallGuard, results: HostResults) -> Result<Reply> {
        let arguments: Resume = (context().to_bytes().to_vec(), results.into_bytes());
        self.is_suspended = false;
        self.call_for_reply(running, &function::RESUME, arguments)
    }

    fn suspend(&mut self, suspension: Suspension, suspended: &mut Suspended) -> Result<Step> {
        suspended.suspend(suspension, &self.dispatcher).map_err(|what| self.protocol_broken(what))?;
        self.is_suspended = true;
        Ok(Step::Suspended)
    }

    /// Most bytes that results of host calls may take in one message.
    pub fn results_limit(&self) -> usize {
        self.configuration.input_size
    }

    fn step(&mut self, reply: Reply, name: &str, bytes: bool, suspended: &mut Suspended) -> Result<Step> {
        match reply {
            Reply::Value(result) if !bytes && result.byte_arrays().len() > 0 => {
                Err(self.protocol_broken("it answered with bytes where it was asked for JSON"))
            }
            Reply::Value(result) => {
                values::check("result", &result, self.max_values)?;
                Ok(Step::Ended(Some(result)))
            }
            Reply::Undefined => Ok(Step::Ended(None)),
            Reply::Suspended(suspension) => self.suspend(suspension, suspended),
            Reply::Exception(exception) => Err(Error::Guest {
                name: exception.name,
                message: exception.message,
                stack: exception.stack,
                details: exception.details,
            }),
            Reply::HandlerNotFound => Err(Error::HandlerNotFound(name.to_string())),
            Reply::InvalidEvent(message) => Err(Error::InvalidEvent(message)),
            Reply::TooLarge(size, limit) => Err(Error::PayloadTooLarge { what: "result", size, limit }),
            // What it has asked for in its midst has been answered before this.
            Reply::Compile(..) | Reply::Refused(_) | Reply::HostCall(_) => {
                Err(self.protocol_broken("it answered an event with something else"))
            }
        }
    }

    /// Enters the guest and comes back.
    pub fn round_trip(&mut self) -> Result<()> {
        self.call(&self.begin(), &function::ROUND_TRIP, ())
    }

    /// Has the guest touch what a call of a handler needs.
    pub fn warm_up(&mut self) -> Result<()> {
        self.call(&self.begin(), &function::WARM_UP, ())
    }

    /// What the guest's kernel has counted.
    pub fn counters(&mut self) -> Result<GuestCounters> {
        let bytes: Vec<u8> = self.call(&self.begin(), &function::COUNTERS, ())?;
        GuestCounters::from_bytes(&bytes).ok_or_else(|| self.protocol_broken("it counts something else"))
    }

    /// Something begins that others can stop from now on, until the guard is dropped: one call into the guest or several.
    pub fn begin(&self) -> CallGuard {
        self.control.begin()
    }

    fn call_for_reply(
        &mut self,
        running: &CallGuard,
        signature: &Signature,
        arguments: impl ParameterTuple,
    ) -> Result<Reply> {
        let mut bytes: Vec<u8> = self.call(running, signature, arguments)?;
        loop {
            match self.checked(|output_size| reply::reply(bytes, output_size))? {
                Reply::HostCall(call) => {
                    let asked = self.checked(|output_size| reply::asked(call, output_size))?;
                    if matches!(asked, Asked::Function { .. }) {
                        running.tally().host_call();
                    }
                    let answer: Answer = self.dispatcher.serve(asked, &self.control);
                    // If the guest does not get its answer, it can do nothing else any more.
                    bytes = self.call(running, &function::ANSWER, answer).inspect_err(|_| self.poisoned = true)?;
                }
                reply => return Ok(reply),
            }
        }
    }

    /// What the guest says, if it may say that, given the most bytes of what it gives or sends.
    fn checked<T>(&mut self, check: impl FnOnce(usize) -> std::result::Result<T, Breach>) -> Result<T> {
        check(self.configuration.output_size).map_err(|Breach(what)| self.protocol_broken(&what))
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
            // KVM may want a task of the process for a VM that is entered for the first time. If none can be had, hyperlight-host
            // tries again and again, at full speed, until one can or the call is stopped.
            threads::probe("that the hypervisor needs for a sandbox")?;
            self.was_entered = true;
        }
        if !self.restore_is_prepared {
            shadow_paging::prepare_restore(self.sandbox.as_mut().ok_or(Error::Poisoned)?)?;
            self.restore_is_prepared = true;
        }
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
                Ok(Snapshot::new(self.base.clone(), Origin { staged, ..origin }))
            }
        }
    }

    fn available(&self) -> Origin {
        Origin::new(self.configuration.clone(), self.host_functions.names())
    }

    /// Puts the guest back to a snapshot that was taken of a sandbox like this one.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        self.available().check_fits(snapshot.origin())?;
        snapshot.check_loaded()?;
        self.restore_unchecked(snapshot.state().clone())?;
        self.origin = snapshot.origin().clone();
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
                *sandbox = None;
                let new = start_vm(state)?;
                *locked(&self.vm) = new.interrupt_handle();
                *sandbox = Some(new);
                self.was_entered = false;
            }
        }
        self.restore_is_prepared = false;
        self.is_suspect = false;
        self.poisoned = false;
        self.is_suspended = false;
        Ok(())
    }

    /// Puts the guest back to where it was when it had just booted.
    pub fn reset(&mut self) -> Result<()> {
        let booted = image::booted(&self.configuration)?;
        self.restore_unchecked(booted.clone())?;
        self.base = booted;
        self.origin = Origin::of_booted(self.configuration.clone());
        Ok(())
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
    fn dump_after(&mut self, error: &HyperlightError) {
        if !matches!(error, HyperlightError::GuestAborted(..)) {
            return;
        }
        if let Some(Err(error)) = self.sandbox.as_mut().map(Sandbox::generate_crashdump) {
            tracing::error!("there is no core dump of the guest that has aborted: {error}");
        }
    }

    #[cfg(feature = "test-guest")]
    pub fn commit_fault(&mut self, fault: function::Fault) -> Result<i32> {
        const _: () = assert!(matches_signature::<i32, Vec<u8>>(&function::COMMIT_FAULT), "see guest_abi::function");
        match self.call_for_reply(&self.begin(), &function::COMMIT_FAULT, fault as i32)? {
            Reply::Value(number) => number.json().parse().map_err(|_| self.protocol_broken("it gave no number")),
            _ => Err(self.protocol_broken("it answered a fault with something else")),
        }
    }
}

impl std::fmt::Debug for Vm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vm").field("configuration", &self.configuration).field("status", &self.status()).finish()
    }
}

/// A virtual machine whose guest is in this state.
fn start_vm(state: Arc<State>) -> Result<Sandbox> {
    let mut configuration = SandboxConfiguration::default();
    configuration.set_interrupt_retry_delay(INTERRUPT_RETRY_DELAY);
    #[cfg(all(feature = "gdb", debug_assertions))]
    let_gdb_in(&mut configuration)?;
    start_vm_as(configuration, state)
}

/// Whether a VM can start in a state that anyone may have made; if not, why. It does not run.
pub fn check_starts(state: &Arc<State>, configuration: &Configuration) -> Result<std::result::Result<(), String>> {
    let start = |state| start_vm_as(SandboxConfiguration::default(), state).map(drop);
    let Err(error) = start(state.clone()) else { return Ok(Ok(())) };
    // If one cannot start in a state of our own either, it is not the state that is to blame.
    start(image::booted(configuration)?)?;
    Ok(Err(reply::failure(&error)))
}

fn start_vm_as(configuration: SandboxConfiguration, state: Arc<State>) -> Result<Sandbox> {
    Ok(Sandbox::from_snapshot(state, host_functions()?, Some(configuration))?)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code runs under the lock that could leave the value half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a call is told about the time it is made at, and its share of randomness.
pub fn context() -> CallContext {
    let mut seed = [0; 32];
    rand::rng().fill_bytes(&mut seed);
    CallContext {
        epoch_nanos: clock::epoch_nanos(),
        monotonic_nanos: clock::monotonic_nanos(),
        tsc_hz: clock::tsc_hz(),
        seed,
    }
}

fn compile_error(exception: Exception, place: Place) -> Error {
    Error::Compile {
        name: exception.name,
        message: exception.message,
        file: place.file,
        line: place.line,
        column: place.column,
        stack: exception.stack,
        details: exception.details,
    }
}

fn check_size(what: &'static str, size: usize, limit: usize) -> Result<()> {
    if size <= limit { Ok(()) } else { Err(Error::PayloadTooLarge { what, size: size as u64, limit: limit as u64 }) }
}
