//! Functions of the host that guest code can call.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;

use guest_abi::message::{HostFunctionName, HostFunctionNames, ModuleReply};
use guest_abi::payload::Payload;
use serde::Serialize;
use serde_json::{Map, Value};

use super::call_control::CallControl;
use super::error::{ErrorDetails, Result, ThrownError};
use super::script::Script;

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

/// A host function that guest code gets a promise of: it gives its result as a future.
type AnyAsyncFunction = dyn Fn(Payload) -> Pin<Box<dyn Future<Output = FunctionResult<Payload>> + Send>> + Send + Sync;

#[derive(Clone)]
pub(super) enum Function {
    /// The guest waits for its result.
    Blocking(Arc<AnyHostFunction>),
    /// The guest goes on meanwhile.
    Async(Arc<AnyAsyncFunction>),
}

/// The host functions of a sandbox, by module and name.
#[derive(Clone, Default)]
pub(crate) struct HostFunctions {
    functions: BTreeMap<(String, String), Function>,
    module_loader: Option<Arc<ModuleLoader>>,
}

/// Gives the source of a module: its specifier, then the name of the importer.
type ModuleLoader = dyn Fn(&str, &str) -> Option<Script> + Send + Sync;

impl HostFunctions {
    /// Registers a function that takes and gives plain JSON.
    pub fn register_json(
        &mut self,
        module: &str,
        name: &str,
        function: impl Fn(&HostCall, String) -> FunctionResult<String> + Send + Sync + 'static,
    ) -> Result<()> {
        self.register(module, name, move |call, arguments| {
            Ok(function(call, plain_json(arguments)?)?.map(Payload::from_json))
        })
    }

    /// Registers a function.
    pub fn register(
        &mut self,
        module: &str,
        name: &str,
        function: impl Fn(&HostCall, Payload) -> FunctionResult<Payload> + Send + Sync + 'static,
    ) -> Result<()> {
        self.insert(module, name, Function::Blocking(Arc::new(function)))
    }

    /// Registers an asynchronous function that takes and gives plain JSON.
    pub fn register_async_json<Result: Future<Output = FunctionResult<String>> + Send + 'static>(
        &mut self,
        module: &str,
        name: &str,
        function: impl Fn(String) -> Result + Send + Sync + 'static,
    ) -> super::error::Result<()> {
        self.register_async(module, name, move |arguments| {
            let result = plain_json(arguments).map(&function);
            async move { Ok(result?.await?.map(Payload::from_json)) }
        })
    }

    /// Registers an asynchronous function. It is called, and its future polled, by whoever waits for the guest's call.
    pub fn register_async<Result: Future<Output = FunctionResult<Payload>> + Send + 'static>(
        &mut self,
        module: &str,
        name: &str,
        function: impl Fn(Payload) -> Result + Send + Sync + 'static,
    ) -> super::error::Result<()> {
        self.insert(module, name, Function::Async(Arc::new(move |arguments| Box::pin(function(arguments)))))
    }

    fn insert(&mut self, module: &str, name: &str, function: Function) -> Result<()> {
        super::name::check("module", module)?;
        super::name::check("function", name)?;
        self.functions.insert((module.to_string(), name.to_string()), function);
        Ok(())
    }

    /// Adds the functions of others; they replace those of the same names.
    pub fn extend(&mut self, others: &Self) {
        self.functions.extend(others.functions.iter().map(|(name, function)| (name.clone(), function.clone())));
    }

    pub fn set_module_loader(&mut self, loader: impl Fn(&str, &str) -> Option<Script> + Send + Sync + 'static) {
        self.module_loader = Some(Arc::new(loader));
    }

    pub(super) fn load_module(&self, specifier: &str, importer: &str) -> ModuleReply {
        let Some(loader) = &self.module_loader else { return ModuleReply::Unknown };
        // A panic of the user's code ends neither the call nor the process.
        match catch_unwind(AssertUnwindSafe(|| loader(specifier, importer))) {
            Ok(Some(script)) if script.is_typescript(specifier) => ModuleReply::TypeScript(script.into_content()),
            Ok(Some(script)) => ModuleReply::Source(script.into_content()),
            Ok(None) => ModuleReply::Unknown,
            Err(_) => ModuleReply::Failed("the module loader panicked".to_string()),
        }
    }

    pub(super) fn find(&self, name: &(String, String)) -> Option<&Function> {
        self.functions.get(name)
    }

    pub fn names(&self) -> HostFunctionNames {
        let name = |((module, function), kind): (&(String, String), &Function)| HostFunctionName {
            module: module.clone(),
            function: function.clone(),
            is_async: matches!(kind, Function::Async(_)),
        };
        HostFunctionNames(self.functions.iter().map(name).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.functions.is_empty()
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

impl std::fmt::Debug for HostFunctions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.functions.keys()).finish()
    }
}
