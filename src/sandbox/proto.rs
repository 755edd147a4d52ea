//! A sandbox without its runtime.

use std::fmt;
use std::sync::Arc;

use super::configuration::Configuration;
use super::environment::Environment;
use super::error::Result;
use super::host_function::{HostCall, HostFunctionError};
use super::host_function_module::HostFunctionModule;
use super::host_functions::HostFunctions;
use super::intake::Intake;
use super::js::JSSandbox;
use super::metrics::Active;
use super::script::Script;
use super::snapshot::Snapshot;
use super::trace::{operation, traced};
use super::typed_function::{AsyncHostFunction, HostFunction};
use super::vm::Vm;

/// A sandbox whose settings are known to work on this machine, without its runtime yet. It is given its host functions.
pub struct ProtoJSSandbox {
    configuration: Configuration,
    host_functions: HostFunctions,
    environment: Environment,
    intake: Intake,
    start: Option<Arc<Snapshot>>,
    _active: Active,
}

impl ProtoJSSandbox {
    pub(super) fn new(
        configuration: Configuration,
        host_functions: HostFunctions,
        environment: Environment,
        intake: Intake,
        start: Option<Arc<Snapshot>>,
    ) -> Self {
        Self { configuration, host_functions, environment, intake, start, _active: Active::proto() }
    }

    /// A module of host functions, which guest code imports from `host:NAME`. It exists once a function is registered in it.
    pub fn host_module(&mut self, name: impl Into<String>) -> &mut HostFunctionModule {
        self.host_functions.module(name)
    }

    /// Registers one host function: `host_module(module).register(name, function)`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`](super::error::Error::InvalidArgument) if a name is malformed: it must be 1 to 256 bytes
    /// without control characters, not all of them white space. A module's must not begin with `hyperlight:`.
    pub fn register<Arguments, Kind>(
        &mut self,
        module: impl Into<String>,
        name: impl AsRef<str>,
        function: impl HostFunction<Arguments, Kind>,
    ) -> Result<()> {
        self.host_module(module).register(name, function)?;
        Ok(())
    }

    /// Registers a function of the host in its raw form. A function that was registered under the same names is replaced.
    ///
    /// The function is given its arguments as a JSON array, and returns its result as JSON text, or `None` for `undefined`.
    /// It runs on the thread that made the guest's call, which waits for it. An error becomes a `HostFunctionError` in the
    /// guest, and so does a panic.
    ///
    /// ```
    /// use hyperlight_js::{SandboxBuilder, Script};
    ///
    /// # fn main() -> hyperlight_js::Result<()> {
    /// let mut proto = SandboxBuilder::new().build()?;
    /// proto.register_raw("text", "shout", |_call, arguments| Ok(Some(arguments.to_uppercase())))?;
    /// let mut sandbox = proto.load_runtime()?;
    /// sandbox.add_handler("handler", Script::from_content("
    ///     import { shout } from 'host:text';
    ///     function handler(event) { return shout(event)[0]; }
    /// "))?;
    /// let result = sandbox.get_loaded_sandbox()?.handle_event("handler", r#""hello""#.to_string(), None)?;
    /// assert_eq!(result, r#""HELLO""#);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidArgument`](super::error::Error::InvalidArgument) if a name is malformed: it must be 1 to 256 bytes
    /// without control characters, not all of them white space. A module's must not begin with `hyperlight:`.
    pub fn register_raw(
        &mut self,
        module: impl AsRef<str>,
        name: impl AsRef<str>,
        function: impl Fn(&HostCall, String) -> std::result::Result<Option<String>, HostFunctionError>
        + Send
        + Sync
        + 'static,
    ) -> Result<()> {
        self.host_module(module.as_ref()).register_raw(name, function)?;
        Ok(())
    }

    /// Registers one asynchronous host function: `host_module(module).register_async(name, function)`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`](super::error::Error::InvalidArgument) if a name is malformed: it must be 1 to 256 bytes
    /// without control characters, not all of them white space. A module's must not begin with `hyperlight:`.
    pub fn register_async<Arguments, Kind>(
        &mut self,
        module: impl Into<String>,
        name: impl AsRef<str>,
        function: impl AsyncHostFunction<Arguments, Kind>,
    ) -> Result<()> {
        self.host_module(module).register_async(name, function)?;
        Ok(())
    }

    /// The host functions of the sandbox.
    #[cfg_attr(not(feature = "node"), allow(dead_code, reason = "only the addon has use for it"))]
    pub(crate) fn functions(&mut self) -> &mut HostFunctions {
        &mut self.host_functions
    }

    /// Sets where modules come from that were not added: a function that is given the specifier of an import and the name of
    /// the module that imports, and returns a source, or `None` if there is no such module.
    ///
    /// It is asked when a module is first imported, at most once for each that it gives, on the thread that runs the guest,
    /// which waits. Specifiers that begin with `./` or `../` have been made absolute: `./b` in `user:lib/a` is `user:lib/b`. It
    /// is not asked for what begins with `host:` or `hyperlight:`, nor for the modules that are built in.
    ///
    /// Specifiers are what guest code makes of them: a loader that reads files must not let them lead out of its folder.
    ///
    /// ```
    /// use hyperlight_js::{SandboxBuilder, Script};
    ///
    /// # fn main() -> hyperlight_js::Result<()> {
    /// let mut proto = SandboxBuilder::new().build()?;
    /// proto.set_module_loader(|specifier, _importer| match specifier {
    ///     "lib:greeting" => Some(Script::from_content("export const greet = (name) => `Hello, ${name}!`;")),
    ///     _ => None,
    /// });
    /// let mut sandbox = proto.load_runtime()?;
    /// sandbox.add_handler("greet", Script::from_content("
    ///     import { greet } from 'lib:greeting';
    ///     function handler(name) { return greet(name); }
    /// "))?;
    /// let mut loaded = sandbox.get_loaded_sandbox()?;
    /// assert_eq!(loaded.handle_event("greet", "\"World\"".to_string(), None)?, "\"Hello, World!\"");
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_module_loader(&mut self, loader: impl Fn(&str, &str) -> Option<Script> + Send + Sync + 'static) {
        self.host_functions.set_module_loader(loader);
    }

    /// Starts the micro-VM with the JavaScript runtime in it.
    ///
    /// The first sandbox of a process with given settings boots the guest; the others start from its snapshot, or from that
    /// of [`SandboxBuilder::from_snapshot`](super::builder::SandboxBuilder::from_snapshot).
    ///
    /// # Errors
    /// [`Error::Internal`](super::error::Error::Internal) if the hypervisor or the memory for the VM cannot be had,
    /// [`Error::GuestAbort`](super::error::Error::GuestAbort) if the guest does not boot,
    /// [`Error::SnapshotMismatch`](super::error::Error::SnapshotMismatch) if a host function is missing that the snapshot to
    /// start from needs.
    pub fn load_runtime(self) -> Result<JSSandbox> {
        let start = self.start.as_deref();
        let vm = traced(&operation!(DEBUG, "load_runtime"), || {
            Vm::new(self.configuration, self.host_functions, self.environment, self.intake, start)
        })?;
        Ok(match start {
            Some(snapshot) => JSSandbox::from_snapshot(vm, snapshot),
            None => JSSandbox::new(vm),
        })
    }
}

impl fmt::Debug for ProtoJSSandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtoJSSandbox")
            .field("configuration", &self.configuration)
            .field("host_functions", &self.host_functions)
            .finish_non_exhaustive()
    }
}
