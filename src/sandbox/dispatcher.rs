//! Does what a guest asks its host for: calls of host functions, sources of modules, lines of its console.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use guest_abi::message::{HostReply, ModuleReply};
use guest_abi::payload::Payload;
use guest_abi::suspension::StartedCall;

use super::call_control::{CallControl, InHost};
use super::configuration::Configuration;
use super::error::ThrownError;
use super::host_function::{Function, FunctionResult, HostCall};
use super::host_functions::HostFunctions;
use super::host_reply::{fit, shorten};
use super::intake::HostPrint;
use super::reply::CheckedRequest;
use super::{trace, values};

/// What the arguments are called in an error.
const ARGUMENTS: &str = "array of the host function's arguments";
const NO_SUCH_FUNCTION: &str = "there is no such host function";

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
        self.of_call.find(&key).or_else(|| self.functions.find(&key))
    }

    /// Does what the guest asks for in the midst of a call, and returns the answer. A call that is stopped meanwhile is not
    /// interrupted: whoever enters the guest looks for that.
    pub fn serve(&self, request: CheckedRequest, control: &Arc<CallControl>) -> Vec<u8> {
        let _in_host = InHost::enter(control.clone());
        match request {
            CheckedRequest::Function { module, function, arguments } => {
                let host_call = HostCall { control: control.clone() };
                let mut reply = call(self.find(module, function), &host_call, arguments, self.max_values);
                fit(&mut reply, self.result_limit);
                shorten(&mut reply, self.result_limit);
                reply.into_bytes()
            }
            CheckedRequest::Module { specifier, importer } => self.load_module(&specifier, &importer).into_bytes(),
            CheckedRequest::ConsoleLine(level, line) => {
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
            ModuleReply::Source { name, source, .. } if name.len() + source.len() > self.result_limit => {
                let (size, limit) = (name.len() + source.len(), self.result_limit);
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

fn reply_of(result: FunctionResult<Payload>) -> HostReply {
    match result {
        Ok(Some(value)) => HostReply::Value(value),
        Ok(None) => HostReply::Undefined,
        Err(error) => HostReply::Failed(error.into()),
    }
}
