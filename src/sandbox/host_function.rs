//! Functions of the host that guest code can call.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use guest_abi::payload::Payload;
use serde::Serialize;
use serde_json::{Map, Value};

use super::call_control::CallControl;
use super::error::{ErrorDetails, ThrownError};

/// Why a host function failed: becomes a `HostFunctionError` in the guest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostFunctionError {
    /// Name of the error, such as `TypeError`.
    pub name: String,
    /// The error's message.
    pub message: String,
    /// Properties, causes and errors. The guest gets these as well, as much of them as fits; see [`ThrownError`].
    pub details: ErrorDetails,
}

impl HostFunctionError {
    /// An error of the name `Error`.
    pub fn new(message: impl Into<String>) -> Self {
        Self { name: "Error".to_string(), message: message.into(), ..Self::default() }
    }

    /// Gives the error in the guest a property, such as a `code`, in place of one of the same name. Nothing happens if JSON
    /// cannot express it.
    pub fn with_property(mut self, name: &str, value: impl Serialize) -> Self {
        let mut properties: Map<String, Value> = serde_json::from_str(&self.details.properties).unwrap_or_default();
        if let Ok(value) = serde_json::to_value(value) {
            properties.insert(name.to_string(), value);
            self.details.properties = Value::Object(properties).to_string();
        }
        self
    }

    /// Gives the error in the guest a cause.
    pub fn with_cause(mut self, cause: Self) -> Self {
        self.details.cause = Some(Box::new(cause.into()));
        self
    }
}

impl From<HostFunctionError> for ThrownError {
    fn from(HostFunctionError { name, message, details }: HostFunctionError) -> Self {
        Self { name, message, stack: String::new(), details: Box::new(details) }
    }
}

/// The call that a host function serves.
#[derive(Clone)]
pub struct HostCall {
    pub(super) control: Arc<CallControl>,
}

impl HostCall {
    /// Says how to make the function give up waiting, should the guest's call be stopped meanwhile. It is called at most
    /// once, from another thread or at once; what the function returns then is dropped. It should not block: where threads are
    /// scarce, that which calls it stops other calls too. It may use the call's [`InterruptHandle`](crate::InterruptHandle); should it panic,
    /// the call is stopped all the same.
    pub fn on_cancel(&self, give_up: impl FnOnce() + Send + 'static) {
        self.control.on_cancel(give_up);
    }
}

impl std::fmt::Debug for HostCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostCall").finish_non_exhaustive()
    }
}

/// What a host function returns: a value, or `None` for `undefined`.
pub(crate) type FunctionResult<T> = std::result::Result<Option<T>, HostFunctionError>;

/// A host function: it takes the array of its arguments.
type AnyHostFunction = dyn Fn(&HostCall, Payload) -> FunctionResult<Payload> + Send + Sync;

/// A host function that guest code gets a promise of: it returns its result as a future.
type AnyAsyncFunction = dyn Fn(Payload) -> Pin<Box<dyn Future<Output = FunctionResult<Payload>> + Send>> + Send + Sync;

#[derive(Clone)]
pub(super) enum Function {
    /// The guest waits for its result.
    Blocking(Arc<AnyHostFunction>),
    /// The guest goes on meanwhile.
    Async(Arc<AnyAsyncFunction>),
}

impl Function {
    /// One that the guest waits for.
    pub fn blocking(function: impl Fn(&HostCall, Payload) -> FunctionResult<Payload> + Send + Sync + 'static) -> Self {
        Self::Blocking(Arc::new(function))
    }

    /// One that the guest waits for, which takes and returns plain JSON.
    pub fn blocking_json(
        function: impl Fn(&HostCall, String) -> FunctionResult<String> + Send + Sync + 'static,
    ) -> Self {
        Self::blocking(move |call, arguments| Ok(function(call, plain_json(arguments)?)?.map(Payload::from_json)))
    }

    /// One that the guest gets a promise of. It is called, and its future polled, by whoever waits for the guest's call.
    pub fn not_blocking<Result: Future<Output = FunctionResult<Payload>> + Send + 'static>(
        function: impl Fn(Payload) -> Result + Send + Sync + 'static,
    ) -> Self {
        Self::Async(Arc::new(move |arguments| Box::pin(function(arguments))))
    }

    /// As [`not_blocking`](Self::not_blocking), but it takes and returns plain JSON.
    pub fn not_blocking_json<Result: Future<Output = FunctionResult<String>> + Send + 'static>(
        function: impl Fn(String) -> Result + Send + Sync + 'static,
    ) -> Self {
        Self::not_blocking(move |arguments| {
            let result = plain_json(arguments).map(&function);
            async move { Ok(result?.await?.map(Payload::from_json)) }
        })
    }

    pub fn is_async(&self) -> bool {
        matches!(self, Self::Async(_))
    }
}

/// The arguments of a function that does not take byte arrays.
fn plain_json(arguments: Payload) -> std::result::Result<String, HostFunctionError> {
    if arguments.byte_arrays().len() == 0 {
        return Ok(arguments.into_json());
    }
    let message = "this host function takes JSON, but its arguments hold binary data".to_string();
    Err(HostFunctionError { name: "TypeError".to_string(), message, ..Default::default() })
}
