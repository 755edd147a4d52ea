//! Host functions with Rust types.

use std::future::Future;
use std::pin::Pin;

use guest_abi::payload::Payload;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::bytes::{Arrays, to_payload};
use super::error::Result;
use super::host_function::{HostCall, HostFunctionError, HostFunctions};

/// A module of host functions, which guest code imports from `host:NAME`.
/// [`ProtoJSSandbox::host_module`](crate::ProtoJSSandbox::host_module) makes it.
#[derive(Debug)]
pub struct HostModule<'a> {
    functions: &'a mut HostFunctions,
    name: String,
}

impl<'a> HostModule<'a> {
    pub(super) fn new(functions: &'a mut HostFunctions, name: String) -> Self {
        Self { functions, name }
    }

    /// Registers a function with Rust types for its arguments and its result; see [`HostFunction`]. A function that was
    /// registered under the same name is replaced. Gives the module back, for more.
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
    /// without control characters, not all of them white space.
    pub fn register<Arguments, Kind>(
        &mut self,
        name: impl AsRef<str>,
        function: impl HostFunction<Arguments, Kind>,
    ) -> Result<&mut Self> {
        self.functions.register(&self.name, name.as_ref(), move |_, arguments| function.call(arguments))?;
        Ok(self)
    }

    /// As [`ProtoJSSandbox::register_raw`](crate::ProtoJSSandbox::register_raw), for this module. Gives the module back.
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
        self.functions.register_json(&self.name, name.as_ref(), function)?;
        Ok(self)
    }

    /// Registers an asynchronous function: guest code gets a promise at once and goes on; several calls are at work at the
    /// same time. See [`AsyncHostFunction`]. Gives the module back, for more.
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
    /// without control characters, not all of them white space.
    pub fn register_async<Arguments, Kind>(
        &mut self,
        name: impl AsRef<str>,
        function: impl AsyncHostFunction<Arguments, Kind>,
    ) -> Result<&mut Self> {
        self.functions.register_async(&self.name, name.as_ref(), move |arguments| function.call(arguments))?;
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
        self.functions.register_async_json(&self.name, name.as_ref(), function)?;
        Ok(self)
    }
}

/// A function that guest code can call: a closure of up to eight arguments that `serde` can read, which gives what `serde`
/// can write, or a [`Result`](std::result::Result) of that with a [`HostFunctionError`].
///
/// Arguments and results can be, or hold, [`Bytes`](crate::Bytes): a `Uint8Array` in the guest.
///
/// An argument that the guest leaves out is `null`, so it may be an [`Option`]; arguments too many are ignored. One of
/// another type throws a `HostFunctionError` in the guest, whose `hostName` is `TypeError`. A result of `()` arrives as
/// `null`.
///
/// The type parameters tell the kinds of functions apart; the compiler infers them.
pub trait HostFunction<Arguments, Kind>: Send + Sync + 'static {
    /// Calls the function with the array of its arguments.
    ///
    /// # Errors
    /// What becomes an exception in the guest.
    #[doc(hidden)]
    fn call(&self, arguments: Payload) -> std::result::Result<Option<Payload>, HostFunctionError>;
}

/// Marks functions that give a value.
#[derive(Debug)]
pub enum Infallible {}

/// Marks functions that give a [`Result`](std::result::Result).
#[derive(Debug)]
pub enum Fallible {}

/// The future result of an asynchronous host function.
#[doc(hidden)]
pub type HostFunctionFuture =
    Pin<Box<dyn Future<Output = std::result::Result<Option<Payload>, HostFunctionError>> + Send + 'static>>;

/// A function that guest code calls without waiting: as a [`HostFunction`], but it gives a future of its result.
pub trait AsyncHostFunction<Arguments, Kind>: Send + Sync + 'static {
    /// Calls the function with the array of its arguments. The future's errors become exceptions in the guest.
    #[doc(hidden)]
    fn call(&self, arguments: Payload) -> HostFunctionFuture;
}

macro_rules! impl_host_function {
    ($($argument:ident),*) => {
        impl<Function, Output, $($argument),*> HostFunction<($($argument,)*), Infallible> for Function
        where
            Function: Fn($($argument),*) -> Output + Send + Sync + 'static,
            Output: Serialize,
            $($argument: DeserializeOwned,)*
        {
            #[allow(non_snake_case, unused_mut, unused_variables, reason = "there may be no arguments")]
            fn call(&self, arguments: Payload) -> std::result::Result<Option<Payload>, HostFunctionError> {
                let mut arguments = Arguments::parse(&arguments)?;
                $(let $argument = arguments.next()?;)*
                to_reply(&self($($argument),*))
            }
        }

        impl<Function, Output, $($argument),*> HostFunction<($($argument,)*), Fallible> for Function
        where
            Function: Fn($($argument),*) -> std::result::Result<Output, HostFunctionError> + Send + Sync + 'static,
            Output: Serialize,
            $($argument: DeserializeOwned,)*
        {
            #[allow(non_snake_case, unused_mut, unused_variables, reason = "there may be no arguments")]
            fn call(&self, arguments: Payload) -> std::result::Result<Option<Payload>, HostFunctionError> {
                let mut arguments = Arguments::parse(&arguments)?;
                $(let $argument = arguments.next()?;)*
                to_reply(&self($($argument),*)?)
            }
        }

        impl<Function, ResultFuture, Output, $($argument),*> AsyncHostFunction<($($argument,)*), (Infallible, Output)> for Function
        where
            Function: Fn($($argument),*) -> ResultFuture + Send + Sync + 'static,
            ResultFuture: Future<Output = Output> + Send + 'static,
            Output: Serialize,
            $($argument: DeserializeOwned,)*
        {
            #[allow(non_snake_case, unused_mut, unused_variables, reason = "there may be no arguments")]
            fn call(&self, arguments: Payload) -> HostFunctionFuture {
                let future = Arguments::parse(&arguments).and_then(|mut arguments| {
                    $(let $argument = arguments.next()?;)*
                    Ok(self($($argument),*))
                });
                Box::pin(async move { to_reply(&future?.await) })
            }
        }

        impl<Function, ResultFuture, Output, $($argument),*> AsyncHostFunction<($($argument,)*), (Fallible, Output)> for Function
        where
            Function: Fn($($argument),*) -> ResultFuture + Send + Sync + 'static,
            ResultFuture: Future<Output = std::result::Result<Output, HostFunctionError>> + Send + 'static,
            Output: Serialize,
            $($argument: DeserializeOwned,)*
        {
            #[allow(non_snake_case, unused_mut, unused_variables, reason = "there may be no arguments")]
            fn call(&self, arguments: Payload) -> HostFunctionFuture {
                let future = Arguments::parse(&arguments).and_then(|mut arguments| {
                    $(let $argument = arguments.next()?;)*
                    Ok(self($($argument),*))
                });
                Box::pin(async move { to_reply(&future?.await?) })
            }
        }
    };
}

impl_host_function!();
impl_host_function!(A);
impl_host_function!(A, B);
impl_host_function!(A, B, C);
impl_host_function!(A, B, C, D);
impl_host_function!(A, B, C, D, E);
impl_host_function!(A, B, C, D, E, F);
impl_host_function!(A, B, C, D, E, F, G);
impl_host_function!(A, B, C, D, E, F, G, H);

/// The arguments of a call that have not been read.
struct Arguments {
    values: std::vec::IntoIter<Value>,
    arrays: Arrays,
    read: usize,
}

impl Arguments {
    fn parse(payload: &Payload) -> std::result::Result<Self, HostFunctionError> {
        let values: Vec<Value> = serde_json::from_str(payload.json()).map_err(|error| type_error(error.to_string()))?;
        Ok(Self { values: values.into_iter(), arrays: Arrays::of(payload), read: 0 })
    }

    fn next<T: DeserializeOwned>(&mut self) -> std::result::Result<T, HostFunctionError> {
        self.read += 1;
        let value = self.values.next().unwrap_or_default();
        self.arrays.read(value).map_err(|error| type_error(format!("argument {}: {error}", self.read)))
    }
}

fn to_reply(output: &impl Serialize) -> std::result::Result<Option<Payload>, HostFunctionError> {
    to_payload(output).map(Some).map_err(|error| type_error(error.to_string()))
}

fn type_error(message: String) -> HostFunctionError {
    HostFunctionError { name: "TypeError".to_string(), message, ..Default::default() }
}
