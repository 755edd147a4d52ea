//! A sandbox that handles events.

use std::sync::Arc;

use guest_abi::payload::Payload;
use hyperlight_host::SandboxStatus;
use tracing::field::Empty;

use super::call::{Call, CallProgress, block_on};
use super::call_control::CallGuard;
use super::call_settings::CallSettings;
use super::entry::EntryFuture;
use super::error::{Error, Result};
use super::handler_call::HandlerCall;
use super::interrupt::InterruptHandle;
use super::js::JSSandbox;
use super::metrics::{self, Active};
use super::monitor::{MonitorSet, Watching, watch};
use super::program::{Program, RUN};
use super::snapshot::Snapshot;
use super::stats::{ExecutionStats, GuestCounters};
use super::trace::{self, operation, traced};
use super::vm::Vm;

/// A sandbox with its handlers loaded.
///
/// State that a handler keeps at module level lives from call to call, until a snapshot is restored.
#[derive(Debug)]
pub struct LoadedJSSandbox {
    /// Absent while an entry into the guest is made on another thread, and for good if that was lost.
    vm: Option<Vm>,
    interrupt: InterruptHandle,
    last_call_stats: Option<ExecutionStats>,
    _active: Active,
}

impl LoadedJSSandbox {
    pub(super) fn new(vm: Vm) -> Self {
        let interrupt = vm.interrupt_handle();
        Self { vm: Some(vm), interrupt, last_call_stats: None, _active: Active::loaded() }
    }

    /// Forgets the handlers, the modules and all state, and gives back the sandbox as it was when its runtime had just been
    /// loaded. Its host functions stay. This works for a poisoned sandbox as well.
    ///
    /// # Errors
    /// [`Error::Unrecoverable`],
    /// [`Error::Internal`].
    pub fn unload(mut self) -> Result<JSSandbox> {
        let mut vm = self.vm.take().ok_or(Error::Unrecoverable)?;
        traced(&operation!(DEBUG, "unload"), || vm.reset())?;
        metrics::unloaded();
        Ok(JSSandbox::new(vm))
    }

    /// Calls a handler and returns what it returned, as JSON text.
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
    /// The sandbox stays usable after: [`Error::InvalidArgument`] (the name is
    /// empty or too long), [`Error::HandlerNotFound`],
    /// [`Error::InvalidEvent`],
    /// [`Error::PayloadTooLarge`] (event or result),
    /// [`Error::Guest`] (the handler threw).
    ///
    /// It is poisoned after: [`Error::Cancelled`],
    /// [`Error::GuestAbort`].
    pub fn handle_event(&mut self, func_name: impl Into<String>, event: String, gc: Option<bool>) -> Result<String> {
        let running = self.begin();
        self.call_blocking(running, None, HandlerCall::new(func_name, event), gc)
    }

    /// As [`handle_event`](Self::handle_event), under limits: the first monitor to fire stops the handler. See
    /// [`monitor`](super::monitor).
    ///
    /// # Errors
    /// Those of [`handle_event`](Self::handle_event). [`Error::Cancelled`] if a monitor fired: the
    /// sandbox is poisoned, and [`last_call_stats`](Self::last_call_stats) names the monitor.
    /// [`Error::Monitor`] if a monitor could not start: the handler was not run, and the sandbox stays
    /// usable.
    pub fn handle_event_with_monitor<M: MonitorSet>(
        &mut self,
        func_name: impl Into<String>,
        event: String,
        monitor: &M,
        gc: Option<bool>,
    ) -> Result<String> {
        let running = self.begin();
        let watching = self.watch(&running, monitor)?;
        self.call_blocking(running, Some(watching), HandlerCall::new(func_name, event), gc)
    }

    /// A call begins: others can stop it from now on, until the guard is dropped.
    pub(crate) fn begin(&self) -> CallGuard {
        self.interrupt.begin()
    }

    /// As [`handle_event`](Self::handle_event), as a future that can be polled on any executor. No thread is held while the
    /// handler waits for asynchronous host functions or timers; the guest runs on threads of this library.
    ///
    /// Dropping the future stops the call and waits for the guest to be left, which takes no longer than
    /// [`InterruptHandle::kill`] does; the sandbox is poisoned then.
    ///
    /// ```
    /// use hyperlight_js::{SandboxBuilder, Script};
    ///
    /// # fn main() -> hyperlight_js::Result<()> {
    /// let mut sandbox = SandboxBuilder::new().build()?.load_runtime()?;
    /// sandbox.add_handler("wait", Script::from_content("
    ///     async function handler(milliseconds) {
    ///         await new Promise((resolve) => setTimeout(resolve, milliseconds));
    ///         return 'waited';
    ///     }
    /// "))?;
    /// let mut loaded = sandbox.get_loaded_sandbox()?;
    /// let executor = tokio::runtime::Runtime::new().expect("threads");
    /// let result = executor.block_on(loaded.handle_event_async("wait", "5".to_string(), None))?;
    /// assert_eq!(result, r#""waited""#);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`handle_event`](Self::handle_event). [`Error::NoThread`] if there is no thread for the guest: if none could be
    /// had at the beginning, the handler was not run, and the sandbox stays usable.
    pub async fn handle_event_async(
        &mut self,
        func_name: impl Into<String>,
        event: String,
        gc: Option<bool>,
    ) -> Result<String> {
        let running = self.begin();
        self.drive(running, None, HandlerCall::new(func_name, event), gc).await
    }

    /// As [`handle_event_async`](Self::handle_event_async), under limits, as
    /// [`handle_event_with_monitor`](Self::handle_event_with_monitor). Of monitors of your own
    /// [`get_monitor`](crate::ExecutionMonitor::get_monitor) is called on the thread that first polls the future.
    ///
    /// # Errors
    /// Those of both.
    pub async fn handle_event_async_with_monitor<M: MonitorSet>(
        &mut self,
        func_name: impl Into<String>,
        event: String,
        monitor: &M,
        gc: Option<bool>,
    ) -> Result<String> {
        let running = self.begin();
        let watching = self.watch(&running, monitor)?;
        self.drive(running, Some(watching), HandlerCall::new(func_name, event), gc).await
    }

    /// As [`handle_event`](Self::handle_event), with host functions of the call.
    ///
    /// # Errors
    /// Those of [`handle_event`](Self::handle_event), and [`Error::InvalidArgument`] if the guest
    /// has a global of the name of a module, or knows a function as asynchronous that is not, or the other way round: then the
    /// handler was not called.
    pub fn call(&mut self, call: HandlerCall, gc: Option<bool>) -> Result<String> {
        self.call_blocking(self.begin(), None, call, gc)
    }

    /// As [`call`](Self::call), under limits, as [`handle_event_with_monitor`](Self::handle_event_with_monitor).
    ///
    /// # Errors
    /// Those of both.
    pub fn call_with_monitor<M: MonitorSet>(
        &mut self,
        call: HandlerCall,
        monitor: &M,
        gc: Option<bool>,
    ) -> Result<String> {
        let running = self.begin();
        let watching = self.watch(&running, monitor)?;
        self.call_blocking(running, Some(watching), call, gc)
    }

    /// As [`handle_event_async`](Self::handle_event_async), with host functions of the call.
    ///
    /// # Errors
    /// Those of [`handle_event_async`](Self::handle_event_async) and of [`call`](Self::call).
    pub async fn call_async(&mut self, call: HandlerCall, gc: Option<bool>) -> Result<String> {
        let running = self.begin();
        self.drive(running, None, call, gc).await
    }

    /// As [`call_async`](Self::call_async), under limits, as
    /// [`handle_event_async_with_monitor`](Self::handle_event_async_with_monitor).
    ///
    /// # Errors
    /// Those of both.
    pub async fn call_async_with_monitor<M: MonitorSet>(
        &mut self,
        call: HandlerCall,
        monitor: &M,
        gc: Option<bool>,
    ) -> Result<String> {
        let running = self.begin();
        let watching = self.watch(&running, monitor)?;
        self.drive(running, Some(watching), call, gc).await
    }

    fn call_blocking(
        &mut self,
        running: CallGuard,
        watching: Option<Watching>,
        call: HandlerCall,
        gc: Option<bool>,
    ) -> Result<String> {
        let options = CallSettings::for_json(gc, call.memory_limit);
        Ok(json(block_on(self.call_handler(running, watching, call, options))?))
    }

    /// Runs a program and returns its value, as JSON text. A sandbox runs one program; then it must be restored to run
    /// another. See [`Program`].
    ///
    /// # Errors
    /// Those of [`handle_event`](Self::handle_event), and [`Error::Compile`]. [`Error::InvalidArgument`] if a name is taken, or a
    /// program was run before: then nothing of it was run.
    pub fn run(&mut self, program: Program, gc: Option<bool>) -> Result<String> {
        self.run_blocking(self.begin(), None, program, gc)
    }

    /// Imports modules, by their specifiers and sources, so that programs that are run find them compiled and evaluated. A snapshot
    /// that is taken afterwards has them.
    ///
    /// ```
    /// use hyperlight_js::{Program, SandboxBuilder};
    ///
    /// # fn main() -> hyperlight_js::Result<()> {
    /// let mut sandbox = SandboxBuilder::new().build()?.load_runtime()?.get_loaded_sandbox()?;
    /// sandbox.prepare([("tools", "export const twice = (n) => 2 * n;")])?;
    /// let clean = sandbox.snapshot()?;
    /// for _ in 0..2 {
    ///     sandbox.restore(clean.clone())?;
    ///     let program = Program::new("import { twice } from 'tools'; export default twice(21);");
    ///     assert_eq!(sandbox.run(program, None)?, "42");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`run`](Self::run). The modules may be there then, or some of them: restore the sandbox.
    pub fn prepare<Specifier: Into<String>, Source: Into<String>>(
        &mut self,
        modules: impl IntoIterator<Item = (Specifier, Source)>,
    ) -> Result<()> {
        let modules = modules.into_iter().map(|(specifier, source)| (specifier.into(), source.into()));
        self.run(Program::preparation(modules.collect()), None).map(drop)
    }

    /// As [`run`](Self::run), under limits, as [`handle_event_with_monitor`](Self::handle_event_with_monitor).
    ///
    /// # Errors
    /// Those of both.
    pub fn run_with_monitor<M: MonitorSet>(
        &mut self,
        program: Program,
        monitor: &M,
        gc: Option<bool>,
    ) -> Result<String> {
        let running = self.begin();
        let watching = self.watch(&running, monitor)?;
        self.run_blocking(running, Some(watching), program, gc)
    }

    fn run_blocking(
        &mut self,
        running: CallGuard,
        watching: Option<Watching>,
        program: Program,
        gc: Option<bool>,
    ) -> Result<String> {
        let options = CallSettings::for_json(gc, program.memory_limit);
        Ok(json(block_on(self.run_program(running, watching, program, options))?))
    }

    async fn drive(
        &mut self,
        running: CallGuard,
        watching: Option<Watching>,
        call: HandlerCall,
        gc: Option<bool>,
    ) -> Result<String> {
        let options = CallSettings::for_json(gc, call.memory_limit);
        let HandlerCall { name, event, functions, .. } = call;
        let results_limit = self.results_limit()?;
        running.leave_thread();
        let call = new_call(running, watching, name, &event, options);
        let id = call.id();
        let begin = move |vm: &mut Vm| {
            call.enter_thread();
            call.begin(vm, event, functions)
        };
        let mut progress = EntryFuture::start(&mut self.vm, &self.interrupt, id, begin)?.await?;
        loop {
            match progress {
                CallProgress::Ended(result, stats) => return Ok(json(self.end_call(result, *stats)?)),
                CallProgress::Suspended(mut call) => {
                    call.leave_thread();
                    let resumption = call.wait(results_limit).await;
                    let resume = move |vm: &mut Vm| {
                        call.enter_thread();
                        call.resume(vm, resumption)
                    };
                    progress = EntryFuture::start(&mut self.vm, &self.interrupt, id, resume)?.await?;
                }
            }
        }
    }

    /// As [`handle_event`](Self::handle_event), but for a call that has begun, with byte arrays, and returns `None` for
    /// `undefined`. The guest runs on the threads that poll the future; while the handler waits, it needs none.
    pub(crate) async fn call_handler(
        &mut self,
        running: CallGuard,
        watching: Option<Watching>,
        call: HandlerCall,
        options: CallSettings,
    ) -> Result<Option<Payload>> {
        let progress = self.begin_call(running, watching, call, options)?;
        self.finish(progress).await
    }

    /// Runs a program as a call that has begun, as [`call_handler`](Self::call_handler) calls a handler.
    pub(crate) async fn run_program(
        &mut self,
        running: CallGuard,
        watching: Option<Watching>,
        program: Program,
        options: CallSettings,
    ) -> Result<Option<Payload>> {
        let call = Call::new(running, watching, RUN.to_string(), options, program.span());
        let progress = call.begin_program(self.vm()?, program);
        self.finish(progress).await
    }

    async fn finish(&mut self, mut progress: CallProgress) -> Result<Option<Payload>> {
        loop {
            match progress {
                CallProgress::Ended(result, stats) => return self.end_call(result, *stats),
                CallProgress::Suspended(mut call) => {
                    let results_limit = self.results_limit()?;
                    call.leave_thread();
                    let resumption = call.wait(results_limit).await;
                    call.enter_thread();
                    progress = call.resume(self.vm()?, resumption);
                }
            }
        }
    }

    /// Has a call that has begun watched.
    pub(crate) fn watch<M: MonitorSet>(&self, running: &CallGuard, monitor: &M) -> Result<Watching> {
        watch(monitor, &self.interrupt, running)
    }

    /// Begins a call of a handler.
    pub(crate) fn begin_call(
        &mut self,
        running: CallGuard,
        watching: Option<Watching>,
        HandlerCall { name, event, functions, .. }: HandlerCall,
        options: CallSettings,
    ) -> Result<CallProgress> {
        let call = new_call(running, watching, name, &event, options);
        Ok(call.begin(self.vm()?, event, functions))
    }

    /// Most bytes that a suspended call can go on with at a time.
    pub(crate) fn results_limit(&mut self) -> Result<usize> {
        Ok(self.vm()?.results_limit())
    }

    fn vm(&mut self) -> Result<&mut Vm> {
        self.vm.as_mut().ok_or(Error::Unrecoverable)
    }

    /// A call has ended.
    pub(crate) fn end_call(
        &mut self,
        result: Result<Option<Payload>>,
        stats: ExecutionStats,
    ) -> Result<Option<Payload>> {
        self.last_call_stats = Some(stats);
        result
    }

    /// Has the guest touch the memory that a call needs, without calling a handler: after a restore that takes most of the
    /// time of the first call.
    pub(crate) fn warm_up(&mut self) -> Result<()> {
        self.vm()?.warm_up()
    }

    /// Has memory come in large pages, beyond what a small guest uses. The sandbox was just put back to this snapshot.
    pub(crate) fn allow_large_pages(&mut self, snapshot: &Snapshot) -> Result<()> {
        self.vm()?.allow_large_pages(snapshot)
    }

    #[cfg(test)]
    pub(crate) fn has_large_pages(&mut self) -> Result<bool> {
        Ok(self.vm()?.has_large_pages())
    }

    /// A snapshot will be taken, to be restored before each program.
    pub(crate) fn expect_programs(&mut self) -> Result<()> {
        self.vm()?.expect_programs()
    }

    pub(crate) fn round_trip(&mut self) -> Result<()> {
        self.vm()?.round_trip()
    }

    pub(crate) fn guest_counters(&mut self) -> Result<GuestCounters> {
        self.vm()?.counters()
    }

    /// Statistics of the most recent call, even if it failed; `None` before the first.
    pub fn last_call_stats(&self) -> Option<&ExecutionStats> {
        self.last_call_stats.as_ref()
    }

    /// Bytes that JavaScript may have in use, as the builder was told.
    #[cfg_attr(not(feature = "node"), allow(dead_code, reason = "only the addon has use for it"))]
    pub(crate) fn heap_size(&self) -> Option<u64> {
        self.vm.as_ref().map(Vm::heap_size)
    }

    /// Has no statistics until the next call ends: a call that is refused leaves those of the one before.
    #[cfg_attr(not(feature = "node"), allow(dead_code, reason = "only the addon has use for it"))]
    pub(crate) fn forget_call_stats(&mut self) {
        self.last_call_stats = None;
    }

    /// Digest of the snapshot from which the sandbox has started or to which it was restored last, as
    /// [`Snapshot::save`] returns it; `None` if there is none, or if it has been neither saved to a folder nor loaded from one.
    pub fn snapshot_digest(&self) -> Option<&str> {
        self.vm.as_ref().and_then(Vm::snapshot_digest)
    }

    /// Takes a snapshot of the sandbox's state.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn snapshot(&mut self) -> Result<Arc<Snapshot>> {
        traced(&operation!(DEBUG, "snapshot"), || self.vm()?.snapshot())
    }

    /// Puts the sandbox back into the state of a snapshot. A poisoned sandbox is usable again afterwards.
    ///
    /// The snapshot may have been taken of another sandbox, if that was built with the same settings and this one has all
    /// of its host functions.
    ///
    /// # Errors
    /// [`Error::SnapshotMismatch`] if it needs what this sandbox does not have, or its handlers are not loaded, which changes nothing;
    /// [`Error::Unrecoverable`],
    /// [`Error::Internal`] if the snapshot does not fit this sandbox.
    pub fn restore(&mut self, snapshot: Arc<Snapshot>) -> Result<()> {
        traced(&operation!(DEBUG, "restore"), || self.vm()?.restore(&snapshot))?;
        metrics::restored();
        Ok(())
    }

    /// A handle with which another thread can stop a running call.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.interrupt.clone()
    }

    /// Whether a call did not run to its end, so that the guest's state cannot be trusted.
    ///
    /// A poisoned sandbox refuses calls with [`Error::Poisoned`] until a snapshot is restored.
    pub fn poisoned(&self) -> bool {
        self.status().is_poisoned()
    }

    /// Whether the sandbox can be used, must be restored first, or is unrecoverable.
    pub fn status(&self) -> SandboxStatus {
        self.vm.as_ref().map_or(SandboxStatus::Unrecoverable, Vm::status)
    }

    /// Writes the state of the VM, its registers and memory, into an ELF core dump, which gdb can read. A guest that faults
    /// leaves one as well.
    ///
    /// The file goes into the folder that the environment variable `HYPERLIGHT_CORE_DUMP_DIR` names, or else into the
    /// system's folder for temporary files. It holds all of the guest's memory, secrets included.
    ///
    /// # Errors
    /// [`Error::Internal`] if it cannot be written.
    #[cfg(feature = "crashdump")]
    pub fn generate_crashdump(&mut self) -> Result<()> {
        self.vm()?.generate_crashdump()
    }

    /// Makes the test guest commit a fault.
    ///
    /// # Errors
    /// What the fault led to.
    #[cfg(feature = "test-guest")]
    #[doc(hidden)]
    pub fn commit_fault(&mut self, fault: guest_abi::function::Fault) -> Result<i32> {
        self.vm()?.commit_fault(fault)
    }
}

fn new_call(
    running: CallGuard,
    watching: Option<Watching>,
    name: String,
    event: &Payload,
    options: CallSettings,
) -> Box<Call> {
    let span = operation!(
        INFO,
        "handle_event",
        handler = trace::name(&name),
        "event.size" = event.size(),
        gc = options.gc,
        "result.size" = Empty,
        monitor = Empty
    );
    Call::new(running, watching, name, options, span)
}

fn json(result: Option<Payload>) -> String {
    result.map_or_else(|| "null".to_string(), Payload::into_json)
}
