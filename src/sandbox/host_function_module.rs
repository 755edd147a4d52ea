//! Modules of host functions.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;

use super::error::Result;
use super::host_function::{Function, HostCall, HostFunctionError};
use super::name;
use super::typed_function::{AsyncHostFunction, HostFunction};

/// A module of host functions, which guest code imports from `host:NAME`.
///
/// [`ProtoJSSandbox::host_module`](crate::ProtoJSSandbox::host_module) has those of a sandbox, and
/// [`HandlerCall::host_module`](crate::HandlerCall::host_module) and [`Program::host_module`](crate::Program::host_module) those
/// of one call. One that belongs to none of them can be given to
/// [several builders](crate::SandboxBuilder::with_host_function_module). The sandboxes share its functions, and so what these have
/// captured: what one guest can store through them others can read.
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
#[derive(Clone)]
pub struct HostFunctionModule {
    name: String,
    functions: BTreeMap<String, Function>,
}

impl HostFunctionModule {
    /// A module without functions. Its name is checked when the first is registered.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), functions: BTreeMap::new() }
    }

    /// The module's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Registers a function with Rust types for its arguments and its result; see [`HostFunction`]. A function that was
    /// registered under the same name is replaced. Returns the module, for more.
    ///
    /// ```
    /// use hyperlight_js::{HostFunctionError, SandboxBuilder, Script};
    ///
    /// # fn main() -> hyperlight_js::Result<()> {
    /// let mut proto = SandboxBuilder::new().build()?;
    /// proto
    ///     .host_module("math")
    ///     .register("add", |a: f64, b: f64| a + b)?
    ///     .register("root", |x: f64| match x {
    ///         0.0.. => Ok(x.sqrt()),
    ///         _ => Err(HostFunctionError::new("it is negative")),
    ///     })?;
    /// let mut sandbox = proto.load_runtime()?;
    /// sandbox.add_handler("handler", Script::from_content("
    ///     import { add, root } from 'host:math';
    ///     function handler([a, b]) { return root(add(a, b)); }
    /// "))?;
    /// let mut loaded = sandbox.get_loaded_sandbox()?;
    /// assert_eq!(loaded.handle_event("handler", "[1, 8]".to_string(), None)?, "3");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument) if a name is malformed: it must be 1 to 256 bytes
    /// without control characters, not all of them white space. A module's must not begin with `hyperlight:`.
    pub fn register<Arguments, Kind>(
        &mut self,
        name: impl AsRef<str>,
        function: impl HostFunction<Arguments, Kind>,
    ) -> Result<&mut Self> {
        self.insert(name.as_ref(), Function::blocking(move |_, arguments| function.call(arguments)))?;
        Ok(self)
    }

    /// As [`ProtoJSSandbox::register_raw`](crate::ProtoJSSandbox::register_raw), for this module. Returns the module.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub fn register_raw(
        &mut self,
        name: impl AsRef<str>,
        function: impl Fn(&HostCall, String) -> std::result::Result<Option<String>, HostFunctionError>
        + Send
        + Sync
        + 'static,
    ) -> Result<&mut Self> {
        self.insert(name.as_ref(), Function::blocking_json(function))?;
        Ok(self)
    }

    /// Registers an asynchronous function: guest code gets a promise at once and goes on; several calls are at work at the
    /// same time. See [`AsyncHostFunction`]. Returns the module, for more.
    ///
    /// The function is called, and its future polled, by whoever waits for the guest's call: by the thread that made it, in
    /// [`handle_event`](crate::LoadedJSSandbox::handle_event). A future that needs an executor brings its own: let it wait for
    /// a task that was spawned there. When the guest's call ends, futures that are not ready are dropped.
    ///
    /// A call of a handler may have 1,000 of these calls in flight, and make 100,000 calls of host functions in all, unless the
    /// builder sets other limits ([`with_max_host_calls`](crate::SandboxBuilder::with_max_host_calls)). The arguments of those in
    /// flight may take 16 times the output buffer's size. What goes beyond is rejected with a `HostFunctionError` whose
    /// `hostName` is `RangeError`. Futures are polled only while the results that the guest has not taken fit a message, and one
    /// more.
    ///
    /// ```
    /// use std::time::Duration;
    /// use hyperlight_js::{SandboxBuilder, Script};
    ///
    /// # fn main() -> hyperlight_js::Result<()> {
    /// let executor = tokio::runtime::Runtime::new().expect("threads");
    /// let handle = executor.handle().clone();
    /// let mut proto = SandboxBuilder::new().build()?;
    /// proto.host_module("db").register_async("find", move |id: u32| {
    ///     let task = handle.spawn(async move {
    ///         tokio::time::sleep(Duration::from_millis(10)).await;
    ///         format!("row {id}")
    ///     });
    ///     async move { task.await.unwrap_or_default() }
    /// })?;
    /// let mut sandbox = proto.load_runtime()?;
    /// sandbox.add_handler("handler", Script::from_content("
    ///     import { find } from 'host:db';
    ///     async function handler(ids) { return await Promise.all(ids.map(find)); }
    /// "))?;
    /// let mut loaded = sandbox.get_loaded_sandbox()?;
    /// assert_eq!(loaded.handle_event("handler", "[1, 2]".to_string(), None)?, r#"["row 1","row 2"]"#);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument) if a name is malformed: it must be 1 to 256 bytes
    /// without control characters, not all of them white space. A module's must not begin with `hyperlight:`.
    pub fn register_async<Arguments, Kind>(
        &mut self,
        name: impl AsRef<str>,
        function: impl AsyncHostFunction<Arguments, Kind>,
    ) -> Result<&mut Self> {
        self.insert(name.as_ref(), Function::not_blocking(move |arguments| function.call(arguments)))?;
        Ok(self)
    }

    /// As [`register_async`](Self::register_async), with a JSON array for the arguments and JSON text for the result, or `None`
    /// for `undefined`.
    ///
    /// # Errors
    /// As [`register_async`](Self::register_async).
    pub fn register_async_raw<ResultFuture>(
        &mut self,
        name: impl AsRef<str>,
        function: impl Fn(String) -> ResultFuture + Send + Sync + 'static,
    ) -> Result<&mut Self>
    where
        ResultFuture: Future<Output = std::result::Result<Option<String>, HostFunctionError>> + Send + 'static,
    {
        self.insert(name.as_ref(), Function::not_blocking_json(function))?;
        Ok(self)
    }

    fn insert(&mut self, name: &str, function: Function) -> Result<()> {
        name::check_not_ours("module", &self.name)?;
        self.insert_any(name, function)
    }

    /// Adds a function, also to a module that is not the user's.
    pub(super) fn insert_any(&mut self, name: &str, function: Function) -> Result<()> {
        name::check("module", &self.name)?;
        name::check("function", name)?;
        self.functions.insert(name.to_string(), function);
        Ok(())
    }

    /// Adds the functions of another module; they replace those of the same names.
    pub(super) fn extend(&mut self, other: &Self) {
        self.functions.extend(other.functions.iter().map(|(name, function)| (name.clone(), function.clone())));
    }

    pub(super) fn find(&self, name: &str) -> Option<&Function> {
        self.functions.get(name)
    }

    /// By name.
    pub(super) fn functions(&self) -> impl ExactSizeIterator<Item = (&String, &Function)> {
        self.functions.iter()
    }
}

impl fmt::Debug for HostFunctionModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(&self.name).field(&self.functions.keys()).finish()
    }
}
