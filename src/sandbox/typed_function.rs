//! Host functions with Rust types.

use std::future::Future;
use std::pin::Pin;

use guest_abi::payload::Payload;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::bytes::{Arrays, to_payload};
use super::host_function::HostFunctionError;

/// A function that guest code can call: a closure of up to eight arguments that `serde` can read, which returns what `serde`
/// can write, or a [`Result`] of that with a [`HostFunctionError`].
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
    fn call(&self, arguments: Payload) -> Result<Option<Payload>, HostFunctionError>;
}

/// Marks functions that give a value.
#[derive(Debug)]
pub enum Infallible {}

/// Marks functions that give a [`Result`].
#[derive(Debug)]
pub enum Fallible {}

/// The future result of an asynchronous host function.
#[doc(hidden)]
pub type HostFunctionFuture =
    Pin<Box<dyn Future<Output = Result<Option<Payload>, HostFunctionError>> + Send + 'static>>;

/// A function that guest code calls without waiting: as a [`HostFunction`], but it returns a future of its result.
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
            fn call(&self, arguments: Payload) -> Result<Option<Payload>, HostFunctionError> {
                let mut arguments = Arguments::parse(&arguments)?;
                $(let $argument = arguments.next()?;)*
                to_reply(&self($($argument),*))
            }
        }

        impl<Function, Output, $($argument),*> HostFunction<($($argument,)*), Fallible> for Function
        where
            Function: Fn($($argument),*) -> Result<Output, HostFunctionError> + Send + Sync + 'static,
            Output: Serialize,
            $($argument: DeserializeOwned,)*
        {
            #[allow(non_snake_case, unused_mut, unused_variables, reason = "there may be no arguments")]
            fn call(&self, arguments: Payload) -> Result<Option<Payload>, HostFunctionError> {
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
            ResultFuture: Future<Output = Result<Output, HostFunctionError>> + Send + 'static,
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
    fn parse(payload: &Payload) -> Result<Self, HostFunctionError> {
        let values: Vec<Value> = serde_json::from_str(payload.json()).map_err(|error| type_error(error.to_string()))?;
        Ok(Self { values: values.into_iter(), arrays: Arrays::of(payload), read: 0 })
    }

    fn next<T: DeserializeOwned>(&mut self) -> Result<T, HostFunctionError> {
        self.read += 1;
        let value = self.values.next().unwrap_or_default();
        self.arrays.read(value).map_err(|error| type_error(format!("argument {}: {error}", self.read)))
    }
}

fn to_reply(output: &impl Serialize) -> Result<Option<Payload>, HostFunctionError> {
    to_payload(output).map(Some).map_err(|error| type_error(error.to_string()))
}

fn type_error(message: String) -> HostFunctionError {
    HostFunctionError { name: "TypeError".to_string(), message, ..Default::default() }
}
