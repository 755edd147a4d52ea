//! Host functions with Rust types.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

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
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument) if a name is empty or too long.
    pub fn register<Arguments, Kind>(
        &mut self,
        name: impl AsRef<str>,
        function: impl HostFunction<Arguments, Kind>,
    ) -> Result<&mut Self> {
        self.register_raw(name, move |_, arguments| function.call(&arguments))
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
}

/// A function that guest code can call: a closure of up to eight arguments that `serde` can read, which gives what `serde`
/// can write, or a [`Result`](std::result::Result) of that with a [`HostFunctionError`].
///
/// An argument that the guest leaves out is `null`, so it may be an [`Option`]; arguments too many are ignored. One of
/// another type throws a `HostFunctionError` in the guest, whose `hostName` is `TypeError`. A result of `()` arrives as
/// `null`.
///
/// The type parameters tell the kinds of functions apart; the compiler infers them.
pub trait HostFunction<Arguments, Kind>: Send + Sync + 'static {
    /// Calls the function with a JSON array and gives its result as JSON text.
    ///
    /// # Errors
    /// What becomes an exception in the guest.
    fn call(&self, arguments: &str) -> std::result::Result<Option<String>, HostFunctionError>;
}

/// Marks functions that give a value.
#[derive(Debug)]
pub enum Infallible {}

/// Marks functions that give a [`Result`](std::result::Result).
#[derive(Debug)]
pub enum Fallible {}

macro_rules! impl_host_function {
    ($($argument:ident),*) => {
        impl<Function, Output, $($argument),*> HostFunction<($($argument,)*), Infallible> for Function
        where
            Function: Fn($($argument),*) -> Output + Send + Sync + 'static,
            Output: Serialize,
            $($argument: DeserializeOwned,)*
        {
            #[allow(non_snake_case, unused_mut, unused_variables, reason = "there may be no arguments")]
            fn call(&self, arguments: &str) -> std::result::Result<Option<String>, HostFunctionError> {
                let mut arguments = Arguments::parse(arguments)?;
                $(let $argument = arguments.next()?;)*
                to_json(&self($($argument),*))
            }
        }

        impl<Function, Output, $($argument),*> HostFunction<($($argument,)*), Fallible> for Function
        where
            Function: Fn($($argument),*) -> std::result::Result<Output, HostFunctionError> + Send + Sync + 'static,
            Output: Serialize,
            $($argument: DeserializeOwned,)*
        {
            #[allow(non_snake_case, unused_mut, unused_variables, reason = "there may be no arguments")]
            fn call(&self, arguments: &str) -> std::result::Result<Option<String>, HostFunctionError> {
                let mut arguments = Arguments::parse(arguments)?;
                $(let $argument = arguments.next()?;)*
                to_json(&self($($argument),*)?)
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
    read: usize,
}

impl Arguments {
    fn parse(json: &str) -> std::result::Result<Self, HostFunctionError> {
        let values: Vec<Value> = serde_json::from_str(json).map_err(|error| type_error(error.to_string()))?;
        Ok(Self { values: values.into_iter(), read: 0 })
    }

    fn next<T: DeserializeOwned>(&mut self) -> std::result::Result<T, HostFunctionError> {
        self.read += 1;
        let value = self.values.next().unwrap_or_default();
        serde_json::from_value(value).map_err(|error| type_error(format!("argument {}: {error}", self.read)))
    }
}

fn to_json(output: &impl Serialize) -> std::result::Result<Option<String>, HostFunctionError> {
    serde_json::to_string(output).map(Some).map_err(|error| type_error(error.to_string()))
}

fn type_error(message: String) -> HostFunctionError {
    HostFunctionError { name: "TypeError".to_string(), message, ..Default::default() }
}
