//! The bridge from a guest that calls a host function to the JavaScript function that serves it.
//!
//! 1. The guest's thread makes a [`PendingHostCall`] and says how to give it up, should the guest's call be stopped.
//! 2. It posts a job to the JavaScript thread that registered the function, and waits. For asynchronous functions, of which a guest may
//!    call many at once, that thread is woken when there is a job for each.
//! 3. The JavaScript thread parses the arguments, enters the asynchronous context in which the guest's call was made, and calls the
//!    function there.
//! 4. It turns what the function returns into a payload, at once or, if that is thenable, when it is fulfilled. Steps 3 and 4 are
//!    in `host_function.js` as far as they can be: each step from native code to JavaScript and back, and each value, function and
//!    promise that native code makes, costs several times as much as there.
//! 5. It settles the host call, and the guest's thread goes on.
//!
//! The wait also ends when the environment does, or when nobody is left who could settle the call. Whatever comes after
//! that is dropped.

use std::any::Any;
use std::cell::OnceCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use guest_abi::payload::Payload;
use napi::bindgen_prelude::{FnArgs, Function, Object};
use napi::{Env, JsValue, Unknown};

use super::async_context::{self, Origin};
use super::function::{self, AnyFunction};
use super::host_calls::{self, HostCalls};
use super::value::{undefined, value};
use super::{environment, host_error, inbox, json};
use crate::HostFunctionError;
use crate::node::error::{Error, Result};
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
    /// An object with the function and its names. Node-API can refer to any object in the way that it refers to a function.
    callee: Arc<AnyFunction>,
}

impl HostCallback {
    /// The function that guests know by these names. They wait for its result unless it is asynchronous.
    pub fn new(env: &Env, module: String, name: String, is_async: bool, callback: &AnyFunction) -> Result<Self> {
        let mut callee = Object::new(env)?;
        callee.set("module", module.as_str())?;
        callee.set("name", name.as_str())?;
        callee.set("callback", function::kept(env, callback)?)?;
        let callee = Arc::new(function::keep(env, callee.to_unknown())?);
        Ok(Self { name: Arc::new(FunctionName { module, name }), is_async, callee })
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
        let (call, reply) = sandbox.host_call();
        let _waiting = call.wait();
        let stopped = call.clone();
        guest_call.on_cancel(move || stopped.give_up());
        let callee = function.callee.clone();
        let posted = host_calls.post(sandbox.source(), call, move |env, number| serve(env, number, &callee, arguments));
        host_calls.inbox().wake();
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
        let (call, reply) = sandbox.host_call();
        let waiting = call.wait();
        let callee = function.callee.clone();
        let posted = host_calls.post(sandbox.source(), call, move |env, number| serve(env, number, &callee, arguments));
        let host_calls = host_calls.clone();
        Box::pin(async move {
            let (_noted, _waiting) = (noted, waiting);
            // The futures of all calls that were made at once are polled when all have been made.
            host_calls.inbox().wake();
            let reply = match posted {
                Ok(_entry) => {
                    let reply = reply.await.map_err(|_| NO_RESULT.to_string());
                    host_calls.inbox().hear_out();
                    reply
                }
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

/// The place for what serves host calls in one environment, a function of `host_function.js`, which is there as soon as the package's
/// entry has been loaded.
#[derive(Default)]
pub struct Server(OnceCell<AnyFunction>);

/// Serves host calls from now on: with the module `node:async_hooks`, and with a function that returns what traces them, if anything
/// does.
pub fn begin(env: &Env, async_hooks: Unknown<'_>, tracer: Unknown<'_>) -> Result<()> {
    let Server(place) = environment::kept(env)?;
    if place.get().is_some() {
        // An environment loads the addon more than once if its cache of modules is cleared. Those that are there go on.
        return Ok(());
    }
    let settle = env.create_function_from_closure::<(), (), _>("settle", |context| {
        if let Some(call) = host_calls::waiting(context.env, context.get(0)?) {
            settle(context.env, &call, context.get(1)?, [context.get(2)?, context.get(3)?]);
        }
        Ok(())
    })?;
    let refuse = env.create_function_from_closure::<(), (), _>("refuse", |context| {
        if let Some(call) = host_calls::waiting(context.env, context.get(0)?) {
            let are_too_many: bool = context.get(1)?;
            let refusal =
                if are_too_many { InvalidValue::TooManyArguments(ARGUMENTS_MAX) } else { InvalidValue::NoArray };
            settle_if_failed(&call, Err(refusal.into()));
        }
        Ok(())
    })?;
    let give_up = env.create_function_from_closure::<(), (), _>("giveUp", |context| {
        let numbers: Vec<f64> = context.get(0)?;
        numbers
            .into_iter()
            .filter_map(|number| host_calls::waiting(context.env, number))
            .for_each(|call| call.give_up());
        Ok(())
    })?;
    let mut addon = Object::new(env)?;
    addon.set("settle", settle)?;
    addon.set("refuse", refuse)?;
    addon.set("giveUp", give_up)?;
    addon.set("argumentsMax", ARGUMENTS_MAX)?;
    let mut context = Object::new(env)?;
    context.set("enter", async_context::begin(env, async_hooks)?)?;
    context.set("tracer", tracer)?;
    let make: Function<FnArgs<_>, Function<Unknown, Unknown>> = env.run_script(SOURCE)?;
    let server = make.call((addon, context, json::functions(env)?).into())?;
    let _ = place.set(server.create_ref()?);
    Ok(())
}

/// Calls the function, on the JavaScript thread, where the guest's call was made.
fn serve(env: &Env, number: f64, callee: &AnyFunction, arguments: Payload) {
    let Some(call) = host_calls::waiting(env, number) else { return };
    let served = catch_panic(|| {
        let Server(place) = environment::kept(env)?;
        let server =
            place.get().ok_or_else(|| Error::Internal("the addon was not loaded by its package".to_string()))?;
        let (text, byte_arrays) = json::parts(env, arguments)?;
        let byte_arrays = byte_arrays.map_or_else(|| undefined(env), Ok)?;
        let values =
            [origin_of(&call)?.object(env)?, value(env, number)?, function::kept(env, callee)?, text, byte_arrays];
        match function::call(env, server, undefined(env)?, &values)? {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::Internal("the asynchronous context cannot be entered".to_string())),
        }
    });
    settle_if_failed(&call, served);
}

/// Where the guest's call was made.
fn origin_of(call: &PendingHostCall) -> Result<&Origin> {
    let origin = call.cause.origin.as_deref().and_then(|origin| (origin as &dyn Any).downcast_ref());
    origin.ok_or_else(|| Error::Internal("nobody has made the guest's call".to_string()))
}

/// Settles a call with what its function has come to: a value's text and its byte arrays, or what was thrown.
fn settle(env: &Env, call: &PendingHostCall, is_fulfilled: bool, [what, byte_arrays]: [Unknown<'static>; 2]) {
    let served = catch_panic(|| {
        let reply = match is_fulfilled {
            true => Ok(json::payload(env, what, byte_arrays)?),
            false => Err(host_error::describe(env, what)?),
        };
        if let Some(send) = call.settle_later(reply) {
            inbox::of(env)?.tell(call.source(), send);
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
