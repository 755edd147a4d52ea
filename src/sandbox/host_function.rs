//! Functions of the host that guest code can call.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;

use guest_abi::message::{HostFunctionName, HostFunctionNames, HostReply, ModuleReply};
use guest_abi::payload::Payload;
use guest_abi::suspension::StartedCall;
use serde::Serialize;
use serde_json::{Map, Value};

use super::builder::{Configuration, HostPrint};
use super::error::{ErrorDetails, Result, ThrownError};
use super::interrupt::{CallControl, InHost};
use super::reply::Asked;
use super::script::Script;
use super::suspended::shorten;
use super::{trace, values};

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
    control: Arc<CallControl>,
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

/// What a host function gives: a value, or `None` for `undefined`.
type Answer<T> = std::result::Result<Option<T>, HostFunctionError>;

/// A host function: it takes the array of its arguments.
type AnyHostFunction = dyn Fn(&HostCall, Payload) -> Answer<Payload> + Send + Sync;

/// A host function that guest code gets a promise of: it gives its result as a future.
type AnyAsyncFunction = dyn Fn(Payload) -> Pin<Box<dyn Future<Output = Answer<Payload>> + Send>> + Send + Sync;

#[derive(Clone)]
enum Function {
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
        function: impl Fn(&HostCall, String) -> Answer<String> + Send + Sync + 'static,
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
        function: impl Fn(&HostCall, Payload) -> Answer<Payload> + Send + Sync + 'static,
    ) -> Result<()> {
        self.insert(module, name, Function::Blocking(Arc::new(function)))
    }

    /// Registers an asynchronous function that takes and gives plain JSON.
    pub fn register_async_json<Result: Future<Output = Answer<String>> + Send + 'static>(
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
    pub fn register_async<Result: Future<Output = Answer<Payload>> + Send + 'static>(
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

    fn load_module(&self, specifier: &str, importer: &str) -> ModuleReply {
        let Some(loader) = &self.module_loader else { return ModuleReply::Unknown };
        // A panic of the user's code ends neither the call nor the process.
        match catch_unwind(AssertUnwindSafe(|| loader(specifier, importer))) {
            Ok(Some(script)) => ModuleReply::Source(script.into_content()),
            Ok(None) => ModuleReply::Unknown,
            Err(_) => ModuleReply::Failed("the module loader panicked".to_string()),
        }
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

/// What the arguments are called in an error.
const ARGUMENTS: &str = "array of the host function's arguments";
const NO_SUCH_FUNCTION: &str = "there is no such host function";

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

/// Does what a guest asks its host for.
#[derive(Default)]
pub(super) struct Dispatcher {
    functions: HostFunctions,
    /// What takes the lines of the guest's console.
    print: Option<Arc<HostPrint>>,
    /// Largest result in bytes.
    result_limit: usize,
    /// Largest arguments in bytes.
    arguments_limit: usize,
    /// Most values of them.
    max_values: usize,
    /// Functions of the call that runs. They come before those of the sandbox.
    of_call: HostFunctions,
}

impl Dispatcher {
    pub fn new(functions: HostFunctions, configuration: &Configuration, max_values: usize) -> Self {
        Self {
            functions,
            print: None,
            of_call: HostFunctions::default(),
            result_limit: configuration.input_size,
            arguments_limit: configuration.output_size,
            max_values,
        }
    }

    /// With something else than the log for the lines of the guest's console.
    pub fn with_print(self, print: Option<Arc<HostPrint>>) -> Self {
        Self { print, ..self }
    }

    /// Has a call find these functions, until others are set.
    pub fn set_functions_of_call(&mut self, functions: HostFunctions) {
        self.of_call = functions;
    }

    fn find(&self, module: String, name: String) -> Option<&Function> {
        let key = (module, name);
        self.of_call.functions.get(&key).or_else(|| self.functions.functions.get(&key))
    }

    /// Does what the guest asks for in the midst of a call, and gives the answer. A call that is stopped meanwhile is not
    /// interrupted: whoever enters the guest looks for that.
    pub fn serve(&self, asked: Asked, control: &Arc<CallControl>) -> Vec<u8> {
        let _in_host = InHost::enter(control.clone());
        match asked {
            Asked::Function { module, function, arguments } => {
                let host_call = HostCall { control: control.clone() };
                let mut reply = call(self.find(module, function), &host_call, arguments, self.max_values);
                fit(&mut reply, self.result_limit);
                shorten(&mut reply, self.result_limit);
                reply.into_bytes()
            }
            Asked::Module { specifier, importer } => self.load_module(&specifier, &importer).into_bytes(),
            Asked::ConsoleLine(level, line) => {
                match &self.print {
                    // A panic ends neither the call nor the process.
                    Some(print) => drop(catch_unwind(AssertUnwindSafe(|| print(level, &line)))),
                    None => trace::console_line(level, &line),
                }
                Vec::new()
            }
        }
    }

    fn load_module(&self, specifier: &str, importer: &str) -> ModuleReply {
        match self.functions.load_module(specifier, importer) {
            ModuleReply::Source(source) if source.len() > self.result_limit => {
                let (size, limit) = (source.len(), self.result_limit);
                ModuleReply::Failed(format!("its source is {size} bytes long, but at most {limit} bytes fit"))
            }
            reply => reply,
        }
    }

    /// Calls an asynchronous host function.
    pub fn start(&self, call: StartedCall) -> impl Future<Output = HostReply> + Send + 'static {
        let StartedCall { module, function, arguments, .. } = call;
        let function = match self.find(module, function) {
            Some(Function::Async(function)) => Ok(function.clone()),
            _ => Err(ThrownError::new("Error", NO_SUCH_FUNCTION)),
        };
        let checked = function.and_then(|function| {
            values::check(ARGUMENTS, &arguments, self.max_values)
                .map(|()| function)
                .map_err(|error| ThrownError::new("RangeError", error.to_string()))
        });
        let limit = self.result_limit;
        async move {
            match checked {
                // Called only now: should it panic, that is caught where the future is polled.
                Ok(function) => {
                    let mut reply = reply_of(function(arguments).await);
                    fit(&mut reply, limit);
                    reply
                }
                Err(error) => HostReply::Failed(error),
            }
        }
    }

    /// Largest arguments of a call in bytes.
    pub fn arguments_limit(&self) -> usize {
        self.arguments_limit
    }
}

fn call(function: Option<&Function>, call: &HostCall, arguments: Payload, max_values: usize) -> HostReply {
    let failed = |message: &str| HostReply::Failed(ThrownError::new("Error", message));
    let Some(Function::Blocking(function)) = function else {
        return failed(NO_SUCH_FUNCTION);
    };
    if let Err(error) = values::check(ARGUMENTS, &arguments, max_values) {
        return HostReply::Failed(ThrownError::new("RangeError", error.to_string()));
    }
    // A panic of the user's code ends neither the call nor the process.
    let result = catch_unwind(AssertUnwindSafe(|| function(call, arguments)));
    match result {
        Ok(result) => reply_of(result),
        Err(_) => failed("the host function panicked"),
    }
}

fn reply_of(result: Answer<Payload>) -> HostReply {
    match result {
        Ok(Some(value)) => HostReply::Value(value),
        Ok(None) => HostReply::Undefined,
        Err(error) => HostReply::Failed(error.into()),
    }
}

/// If the reply is too large, it says so instead.
fn fit(reply: &mut HostReply, limit: usize) {
    match reply {
        HostReply::Value(value) if value.size() > limit => {
            let size = value.size();
            let text = format!("the result of the host function is {size} bytes long, but at most {limit} bytes fit");
            *reply = HostReply::Failed(ThrownError::new("RangeError", text));
        }
        HostReply::Failed(error) => error.fit(),
        _ => {}
    }
}
