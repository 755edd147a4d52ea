//! The bridge from a guest that calls a host function to the JavaScript function that serves it.
//!
//! 1. The guest's thread makes a [`PendingHostCall`] and says how to give it up, should the guest's call be stopped.
//! 2. It posts a job to the JavaScript thread that registered the function, and waits.
//! 3. The JavaScript thread parses the arguments, enters the asynchronous context in which the guest's call was made, and calls the
//!    function there.
//! 4. It turns what the function returns into a payload, at once or, if that is thenable, when it is fulfilled. Steps 3 and 4 are
//!    in `host_function.js` as far as they can be: functions and promises that native code makes cost several times as much.
//! 5. It settles the host call, and the guest's thread goes on.
//!
//! The wait also ends when the environment does, or when nobody is left who could settle the call. Whatever comes after
//! that is dropped.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use guest_abi::payload::Payload;
use napi::bindgen_prelude::{External, FnArgs, FromNapiValue, Function, JsObjectValue, Object};
use napi::{Env, JsValue, Unknown};

use super::function::{self, AnyFunction, Completion};
use super::host_calls::HostCalls;
use super::{async_context, environment, host_error, inbox, json};
use crate::HostFunctionError;
use crate::node::error::Result;
use crate::node::invalid_value::InvalidValue;
use crate::node::panic::catch_panic;
use crate::node::scheduling::call_record::CallRecord;
use crate::node::scheduling::host_call::{FunctionName, PendingHostCall};
use crate::node::scheduling::sandbox_context::SandboxContext;
use crate::sandbox::host_function::FunctionResult;
use crate::sandbox::host_functions::HostFunctions;

/// Most arguments of one call, as the guest's engine has it. V8 would put any number of them on the stack.
const ARGUMENTS_MAX: u32 = 65_535;

const NO_RESULT: &str = "the host function will never give a result";

/// A host function of JavaScript's, for any sandbox.
#[derive(Clone)]
pub struct HostCallback {
    pub name: Arc<FunctionName>,
    is_async: bool,
    callback: Arc<AnyFunction>,
}

impl HostCallback {
    /// The function that guests know by these names. They wait for its result unless it is asynchronous.
    pub fn new(module: String, name: String, is_async: bool, callback: AnyFunction) -> Self {
        Self { name: Arc::new(FunctionName { module, name }), is_async, callback: Arc::new(callback) }
    }

    /// Registers it among the functions that a sandbox, or one of its calls, can call.
    pub fn register(
        self,
        functions: &mut HostFunctions,
        host_calls: &Arc<HostCalls>,
        sandbox: &Arc<SandboxContext>,
    ) -> crate::Result<()> {
        let (host_calls, sandbox, names) = (host_calls.clone(), sandbox.clone(), self.name.clone());
        let FunctionName { module, name } = &*names;
        if self.is_async {
            functions.register_async(module, name, async_bridge(host_calls, sandbox, self))
        } else {
            functions.register(module, name, bridge(host_calls, sandbox, self))
        }
    }
}

/// What the Rust API is given for a host function: runs on the thread that runs the guest.
fn bridge(
    host_calls: Arc<HostCalls>,
    sandbox: Arc<SandboxContext>,
    function: HostCallback,
) -> impl Fn(&crate::HostCall, Payload) -> FunctionResult<Payload> + Send + Sync + 'static {
    move |guest_call, arguments| {
        let _noted = NotedCall::begin(&function.name, &sandbox);
        let (call, reply) = sandbox.host_call(function.name.clone());
        let _waiting = call.wait();
        let stopped = call.clone();
        guest_call.on_cancel(move || stopped.give_up());
        let callback = function.callback.clone();
        let posted =
            host_calls.post(sandbox.source(), call.clone(), move |env, call| serve(env, call, &callback, arguments));
        let reply = match posted {
            Ok(_entry) => reply.recv().map_err(|_| NO_RESULT.to_string()),
            Err(error) => Err(error.to_string()),
        };
        reply.unwrap_or_else(|reason| Err(HostFunctionError::new(reason)))
    }
}

/// The same for an asynchronous host function: the guest's thread makes the call and goes on, and nobody waits but the future.
/// It is dropped when the guest's call ends; the host call is given up then.
fn async_bridge(
    host_calls: Arc<HostCalls>,
    sandbox: Arc<SandboxContext>,
    function: HostCallback,
) -> impl Fn(Payload) -> Pin<Box<dyn Future<Output = FunctionResult<Payload>> + Send>> + Send + Sync + 'static {
    move |arguments| {
        let noted = NotedCall::begin(&function.name, &sandbox);
        let (call, reply) = sandbox.host_call(function.name.clone());
        let waiting = call.wait();
        let callback = function.callback.clone();
        let posted = host_calls.post(sandbox.source(), call, move |env, call| serve(env, call, &callback, arguments));
        Box::pin(async move {
            let (_noted, _waiting) = (noted, waiting);
            let reply = match posted {
                Ok(_entry) => reply.await.map_err(|_| NO_RESULT.to_string()),
                Err(error) => Err(error.to_string()),
            };
            reply.unwrap_or_else(|reason| Err(HostFunctionError::new(reason)))
        })
    }
}

/// A call of a host function of which a receipt tells. It has ended when this is dropped.
struct NotedCall(Option<(Arc<CallRecord>, String, Instant)>);

impl NotedCall {
    fn begin(FunctionName { module, name }: &FunctionName, sandbox: &SandboxContext) -> Self {
        Self(sandbox.record().map(|record| {
            let full_name = format!("{module}.{name}");
            record.call_begins(&full_name);
            (record, full_name, Instant::now())
        }))
    }
}

impl Drop for NotedCall {
    fn drop(&mut self) {
        if let Some((record, full_name, began)) = &self.0 {
            record.call_ends(full_name, began.elapsed());
        }
    }
}

const SOURCE: &str = include_str!("host_function.js");

/// What serves host calls in one environment: a function of `host_function.js`.
pub struct Server(AnyFunction);

impl Server {
    pub fn of_environment(env: &Env) -> napi::Result<Self> {
        let settle = env.create_function_from_closure::<(), (), _>("settle", |context| {
            let call = of_external(context.env, context.get(0)?)?;
            settle(context.env, &call, context.get(1)?, context.get(2)?);
            Ok(())
        })?;
        let expect = env.create_function_from_closure::<(), _, _>("expect", |context| {
            Ok(External::new(LastChance(of_external(context.env, context.get(0)?)?)))
        })?;
        let name_of = env.create_function_from_closure::<(), _, _>("nameOf", |context| {
            let FunctionName { module, name } = &*of_external(context.env, context.get(0)?)?.function;
            Ok(vec![module.clone(), name.clone()])
        })?;
        let given = (settle.to_unknown(), expect.to_unknown(), name_of.to_unknown());
        let make: Function<FnArgs<_>, Function<Unknown, Unknown>> = env.run_script(SOURCE)?;
        Ok(Self(make.call(given.into())?.create_ref()?))
    }
}

/// Gives a call up when it is dropped: when the functions that could settle it have been collected.
struct LastChance(Arc<PendingHostCall>);

impl Drop for LastChance {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

/// The call that JavaScript has as a value.
fn of_external(env: &Env, value: Unknown<'_>) -> napi::Result<Arc<PendingHostCall>> {
    // SAFETY: the value belongs to this environment and to the scope of the running call. Its type is checked.
    unsafe {
        if let Ok(call) = <&External<Arc<PendingHostCall>>>::from_napi_value(env.raw(), value.raw()) {
            return Ok(Arc::clone(call));
        }
        let last_chance = <&External<LastChance>>::from_napi_value(env.raw(), value.raw())?;
        Ok(Arc::clone(&last_chance.0))
    }
}

/// Calls the function, on the JavaScript thread, where the guest's call was made.
fn serve(env: &Env, call: &Arc<PendingHostCall>, callback: &AnyFunction, arguments: Payload) {
    if !call.is_waiting() {
        return;
    }
    let served = catch_panic(|| {
        // The guest's runtime made this, so it is as little to be trusted as the guest.
        let arguments = match json::try_parse(env, arguments)? {
            Ok(array) if array.is_array()? => array,
            _ => return Err(InvalidValue::NoArray.into()),
        };
        if Object::from_raw(env.raw(), arguments.raw()).get_array_length()? > ARGUMENTS_MAX {
            return Err(InvalidValue::TooManyArguments(ARGUMENTS_MAX).into());
        }
        let Server(server) = environment::kept(env)?;
        async_context::of(env)?.serve(env, call, server, [function::kept(env, callback)?, arguments])
    });
    settle_if_failed(call, served);
}

/// Settles a call with what its function has come to.
fn settle(env: &Env, call: &PendingHostCall, is_fulfilled: bool, value: Unknown<'static>) {
    let served = catch_panic(|| {
        // What has been given up need not be turned into a payload.
        if call.is_waiting() {
            let reply = reply(env, if is_fulfilled { Ok(value) } else { Err(value) })?;
            if let Some(send) = call.settle_later(reply) {
                inbox::of(env)?.tell(call.source(), send);
            }
        }
        Ok(())
    });
    settle_if_failed(call, served);
}

fn settle_if_failed(call: &PendingHostCall, served: Result<()>) {
    if let Err(error) = served {
        call.settle(Err(HostFunctionError::new(error.to_string())));
    }
}

/// What the guest is given for what the function returned or threw.
fn reply(env: &Env, completion: Completion) -> Result<FunctionResult<Payload>> {
    let thrown = match completion {
        Ok(value) => match json::try_stringify(env, value)? {
            Ok(value) => return Ok(Ok(value)),
            Err(thrown) => thrown,
        },
        Err(thrown) => thrown,
    };
    Ok(Err(host_error::describe(env, thrown)?))
}
