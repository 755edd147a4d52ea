//! A sandbox that is given its handlers.

use std::sync::Arc;

use hyperlight_host::SandboxStatus;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::call::block_on;
use super::call_control::CallGuard;
use super::error::{Error, Result};
use super::intake::UnhandledRejections;
use super::interrupt::InterruptHandle;
use super::invalid_argument::InvalidArgument;
use super::loaded::LoadedJSSandbox;
use super::metrics::{self, Active};
use super::monitor::{MonitorSet, WallClockMonitor, watch, winner};
use super::script::Script;
use super::snapshot::Snapshot;
use super::staged::{self, Staged};
use super::suspended::Suspended;
use super::tally::HostCallLimits;
use super::trace::{operation, traced};
use super::vm::{Step, Vm};

/// A sandbox with the JavaScript runtime in it, to which handlers and modules are added.
#[derive(Debug)]
pub struct JSSandbox {
    vm: Vm,
    staged: Staged,
    /// What unhandled rejections of an evaluation do, if not what they do in the sandbox's calls.
    rejections: Option<UnhandledRejections>,
    /// How often an evaluation may call the host, if not as often as the sandbox's calls.
    host_calls: Option<HostCallLimits>,
    /// The guest is in the state of a snapshot: its handlers are loaded already.
    is_loaded: bool,
    _active: Active,
}

impl JSSandbox {
    /// Namespace of modules for which none is named.
    pub const DEFAULT_NAMESPACE: &str = staged::DEFAULT_NAMESPACE;

    pub(super) fn new(vm: Vm) -> Self {
        Self {
            vm,
            staged: Staged::default(),
            rejections: None,
            host_calls: None,
            is_loaded: false,
            _active: Active::js(),
        }
    }

    /// A sandbox that started from a snapshot.
    pub(super) fn from_snapshot(vm: Vm, snapshot: &Snapshot) -> Self {
        match snapshot.staged() {
            Some(staged) => Self { staged: staged.clone(), ..Self::new(vm) },
            None => Self { is_loaded: true, ..Self::new(vm) },
        }
    }

    /// Adds a handler. It is compiled by [`get_loaded_sandbox`](Self::get_loaded_sandbox).
    ///
    /// `name` is what [`LoadedJSSandbox::handle_event`] calls it by: 1 to 256 bytes without control characters, not all of them
    /// white space. The script is an ES module that defines `function handler(event)`; the function need not be exported and may
    /// be `async`. If it defines none, the handler is what it exports as `handler`, or else its default export. In CommonJS it is
    /// `module.exports`, or else `exports.handler`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if the name is malformed, taken or begins with `hyperlight:`, or if the sandbox started from
    /// a snapshot of loaded handlers.
    pub fn add_handler(&mut self, name: impl Into<String>, script: Script) -> Result<()> {
        self.check_not_loaded()?;
        Ok(self.staged.add_handler(name.into(), script)?)
    }

    /// Removes a handler.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if there is none of this name.
    pub fn remove_handler(&mut self, name: &str) -> Result<()> {
        Ok(self.staged.remove_handler(name)?)
    }

    /// Removes all handlers.
    pub fn clear_handlers(&mut self) {
        self.staged.handlers.clear();
    }

    /// Adds a module that handlers and other modules import as `NAMESPACE:NAME`: an ES module, CommonJS or JSON. It is compiled
    /// when it is first imported, so modules can be added in any order and may import each other.
    ///
    /// Names and namespaces are 1 to 256 bytes without control characters and colons, not all of them white space.
    /// `namespace` is [`DEFAULT_NAMESPACE`](Self::DEFAULT_NAMESPACE) if it is `None`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if the name or the namespace is malformed or has a colon in it, if the namespace is
    /// reserved (`host`, `hyperlight`), if there is such a module already, or if the sandbox started from a
    /// snapshot of loaded handlers.
    pub fn add_module(&mut self, name: &str, script: Script, namespace: Option<&str>) -> Result<()> {
        self.check_not_loaded()?;
        Ok(self.staged.add_module(name, script, namespace)?)
    }

    /// Removes a module.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if there is none of this name, or the names are not acceptable.
    pub fn remove_module(&mut self, name: &str, namespace: Option<&str>) -> Result<()> {
        Ok(self.staged.remove_module(name, namespace)?)
    }

    /// Removes all modules.
    pub fn clear_modules(&mut self) {
        self.staged.modules.clear();
    }

    /// Takes a snapshot of the sandbox with the handlers and modules that were added so far, none of them loaded. Handlers and
    /// modules can be added to a sandbox that [starts from it](crate::SandboxBuilder::from_snapshot).
    ///
    /// ```
    /// use hyperlight_js::{SandboxBuilder, Script};
    ///
    /// # fn main() -> hyperlight_js::Result<()> {
    /// let mut sandbox = SandboxBuilder::new().build()?.load_runtime()?;
    /// sandbox.add_module("text", Script::from("export const shout = (text) => text.toUpperCase();"), None)?;
    /// let template = sandbox.snapshot()?;
    ///
    /// let mut sandbox = SandboxBuilder::from_snapshot(template).build()?.load_runtime()?;
    /// sandbox.add_handler("shout", Script::from("
    ///     import { shout } from 'user:text';
    ///     export const handler = (event) => shout(event);
    /// "))?;
    /// let mut loaded = sandbox.get_loaded_sandbox()?;
    /// assert_eq!(loaded.handle_event("shout", "\"hello\"".to_string(), None)?, "\"HELLO\"");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Poisoned`] or [`Error::Unrecoverable`] if handlers could not be loaded and the sandbox could not be reset.
    pub fn snapshot(&self) -> Result<Arc<Snapshot>> {
        traced(&operation!(DEBUG, "snapshot"), || self.vm.base_snapshot((!self.is_loaded).then(|| self.staged.clone())))
    }

    /// Compiles the handlers and evaluates their modules.
    ///
    /// These may use top-level `await` over asynchronous host functions and timers; this thread waits for it. Timers, host calls
    /// and results that the evaluation of a handler's module leaves behind are dropped at its end.
    ///
    /// # Errors
    /// [`Error::Compile`] if a source has a syntax error, imports what does not exist, defines no function `handler`,
    /// throws when it is evaluated, or waits for what can never come. [`Error::PayloadTooLarge`] if a source is larger than an
    /// eighth of the heap and than the input buffer.
    /// [`Error::Cancelled`] and [`Error::GuestAbort`] if the evaluation does not run to its end.
    pub fn get_loaded_sandbox(mut self) -> Result<LoadedJSSandbox> {
        let running = self.begin();
        block_on(self.load(&running, None::<&WallClockMonitor>))?;
        Ok(self.into_loaded())
    }

    /// As [`get_loaded_sandbox`](Self::get_loaded_sandbox), under limits: the first monitor to fire stops the evaluation. See
    /// [`monitor`](super::monitor).
    ///
    /// # Errors
    /// Those of [`get_loaded_sandbox`](Self::get_loaded_sandbox). [`Error::Monitor`] if a monitor could not start: no guest
    /// code was run.
    pub fn get_loaded_sandbox_with_monitor<M: MonitorSet>(mut self, monitor: &M) -> Result<LoadedJSSandbox> {
        let running = self.begin();
        block_on(self.load(&running, Some(monitor)))?;
        Ok(self.into_loaded())
    }

    /// The evaluation begins: others can stop it from now on, until the guard is dropped.
    pub(crate) fn begin(&self) -> CallGuard {
        self.vm.begin()
    }

    /// As [`get_loaded_sandbox`](Self::get_loaded_sandbox), but keeps the sandbox with its handlers and modules when one
    /// cannot be loaded, and needs no thread while an evaluation waits. To be followed by [`into_loaded`](Self::into_loaded).
    pub(crate) async fn load<M: MonitorSet>(&mut self, running: &CallGuard, monitor: Option<&M>) -> Result<()> {
        let span = self.load_span();
        let loaded = async {
            let watching = monitor.map(|monitor| watch(monitor, &self.vm.interrupt_handle(), running)).transpose()?;
            let mut result = self.try_load(running).await;
            if result.is_err() {
                result = self.vm.reset().and(result);
            }
            drop(watching);
            span.record("monitor", winner(running, &result));
            result
        };
        let result = loaded.instrument(span.clone()).await;
        traced(&span, || result)
    }

    /// Sets what unhandled rejections do in the evaluations that follow, and how often these may call the host.
    #[cfg_attr(not(feature = "node"), allow(dead_code, reason = "only the addon has use for it"))]
    pub(crate) fn set_load_options(
        &mut self,
        rejections: Option<UnhandledRejections>,
        host_calls: Option<HostCallLimits>,
    ) {
        self.rejections = rejections;
        self.host_calls = host_calls;
    }

    fn load_span(&self) -> Span {
        let (handlers, modules) = (self.staged.handlers.len(), self.staged.modules.len());
        operation!(INFO, "get_loaded_sandbox", handlers, modules, monitor = Empty)
    }

    fn check_not_loaded(&self) -> Result<()> {
        if self.is_loaded {
            return Err(InvalidArgument::HandlersOfSnapshot.into());
        }
        Ok(())
    }

    async fn try_load(&mut self, running: &CallGuard) -> Result<()> {
        if self.is_loaded {
            return Ok(());
        }
        self.vm.limit_host_calls(running, self.host_calls);
        self.vm.announce_host_functions(running)?;
        self.vm.set_environment(running)?;
        for (specifier, script) in &self.staged.modules {
            self.vm.add_module(running, specifier, script)?;
        }
        for (name, script) in &self.staged.handlers {
            load_handler(&mut self.vm, running, (name, script), self.rejections).await?;
        }
        Ok(())
    }

    /// A handle with which another thread can stop [`get_loaded_sandbox`](Self::get_loaded_sandbox).
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.vm.interrupt_handle()
    }

    /// Whether the sandbox can be used.
    pub fn status(&self) -> SandboxStatus {
        self.vm.status()
    }

    pub(crate) fn into_loaded(self) -> LoadedJSSandbox {
        metrics::loaded();
        LoadedJSSandbox::new(self.vm)
    }
}

/// Compiles a handler and evaluates it.
async fn load_handler(
    vm: &mut Vm,
    running: &CallGuard,
    (name, script): (&str, &Script),
    rejections: Option<UnhandledRejections>,
) -> Result<()> {
    let mut suspended = Suspended::of(running);
    let mut step = vm.begin_load(running, name, script, rejections, &mut suspended)?;
    while let Step::Suspended = step {
        running.leave_thread();
        let results = running.wait_for(suspended.resumption(vm.results_limit())).await;
        running.enter_thread();
        let results = results.ok_or(Error::Cancelled)?;
        step = vm.resume_load(running, results, &mut suspended)?;
    }
    Ok(())
}
