//! Host functions that several sandboxes have.

use std::future::Future;

use super::error::Result;
use super::host_function::{HostCall, HostFunctionError, HostFunctions};
use super::host_module::{AsyncHostFunction, HostFunction, HostModule};

/// A module of host functions that can be given to several builders. Guest code imports it from `host:NAME`.
///
/// The sandboxes share the functions, and so what these have captured: what one guest can store through them others can read.
///
/// ```
/// use hyperlight_js::{HostFunctionModule, SandboxBuilder, Script};
///
/// # fn main() -> hyperlight_js::Result<()> {
/// let mut math = HostFunctionModule::new("math");
/// math.register("add", |a: f64, b: f64| a + b)?;
///
/// for expected in ["3", "3"] {
///     let proto = SandboxBuilder::new().with_host_function_module(&math).build()?;
///     let mut sandbox = proto.load_runtime()?;
///     sandbox.add_handler("sum", Script::from("
///         import { add } from 'host:math';
///         export const handler = ([a, b]) => add(a, b);
///     "))?;
///     assert_eq!(sandbox.get_loaded_sandbox()?.handle_event("sum", "[1, 2]".to_string(), None)?, expected);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct HostFunctionModule {
    name: String,
    functions: HostFunctions,
}

impl HostFunctionModule {
    /// A module without functions.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), functions: HostFunctions::default() }
    }

    /// The module's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// As [`HostModule::register`].
    ///
    /// # Errors
    /// As that.
    pub fn register<Arguments, Kind>(
        &mut self,
        name: impl AsRef<str>,
        function: impl HostFunction<Arguments, Kind>,
    ) -> Result<&mut Self> {
        self.module().register(name, function)?;
        Ok(self)
    }

    /// As [`HostModule::register_raw`].
    ///
    /// # Errors
    /// As that.
    pub fn register_raw(
        &mut self,
        name: impl AsRef<str>,
        function: impl Fn(&HostCall, String) -> std::result::Result<Option<String>, HostFunctionError>
        + Send
        + Sync
        + 'static,
    ) -> Result<&mut Self> {
        self.module().register_raw(name, function)?;
        Ok(self)
    }

    /// As [`HostModule::register_async`].
    ///
    /// # Errors
    /// As that.
    pub fn register_async<Arguments, Kind>(
        &mut self,
        name: impl AsRef<str>,
        function: impl AsyncHostFunction<Arguments, Kind>,
    ) -> Result<&mut Self> {
        self.module().register_async(name, function)?;
        Ok(self)
    }

    /// As [`HostModule::register_async_raw`].
    ///
    /// # Errors
    /// As that.
    pub fn register_async_raw<ResultFuture>(
        &mut self,
        name: impl AsRef<str>,
        function: impl Fn(String) -> ResultFuture + Send + Sync + 'static,
    ) -> Result<&mut Self>
    where
        ResultFuture: Future<Output = std::result::Result<Option<String>, HostFunctionError>> + Send + 'static,
    {
        self.module().register_async_raw(name, function)?;
        Ok(self)
    }

    pub(super) fn functions(&self) -> &HostFunctions {
        &self.functions
    }

    fn module(&mut self) -> HostModule<'_> {
        HostModule::new(&mut self.functions, self.name.clone())
    }
}
