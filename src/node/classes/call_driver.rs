//! How calls of handlers and of programs, and preparations, are made, in a sandbox or in one of a pool.

use std::sync::{Arc, OnceLock};

use napi::bindgen_prelude::{PromiseRaw, ToNapiValue};
use napi::{Env, Unknown};

use super::handler_call::{CallRequest, CallValue, Work};
use crate::Program;
use crate::node::bridge::async_context::current;
use crate::node::bridge::call_end::{CallPromise, OnThread, output_size};
use crate::node::bridge::call_options::{CallHandlerOptions, LoadOptions, ThreadOptions};
use crate::node::bridge::delivery::Delivery;
use crate::node::bridge::given_functions::GivenFunctions;
use crate::node::bridge::observer::Observer;
use crate::node::bridge::program_parts::{self, RunOptions};
use crate::node::bridge::promise::promise;
use crate::node::bridge::receipt::Noted;
use crate::node::bridge::value::undefined;
use crate::node::bridge::{arguments, json};
use crate::node::error::Result;
use crate::node::scheduling::call_record::CallRecord;
use crate::node::scheduling::calls::{Calls, Ticket};
use crate::node::scheduling::host_call::{Cause, PendingHostCall};

/// What serves calls: a sandbox, or a pool of them.
pub trait Callee {
    /// Whether calls can be made.
    ///
    /// # Errors
    /// It has been consumed, or never takes such calls.
    fn check_open(&self) -> Result<()>;

    /// The host call during which a call is made by this method.
    ///
    /// # Errors
    /// The call would wait for itself.
    fn check_caller(
        &self,
        caller: Option<Arc<PendingHostCall>>,
        method: &'static str,
    ) -> Result<Option<Arc<PendingHostCall>>>;

    /// Its calls that have not ended.
    fn calls(&self) -> &Arc<Calls>;

    /// Whether host functions may be registered in it.
    fn may_have_host_functions(&self) -> bool;

    /// Has a request served when it is its turn. Returns its number if it waits and can be withdrawn.
    fn hand_over(&self, request: CallRequest, ticket: Ticket, call_promise: CallPromise<CallValue>) -> Option<u64>;

    /// What withdraws the request of a number, when that is known.
    fn withdraw(&self, number: Arc<OnceLock<u64>>) -> impl Fn() + 'static;
}

/// What a call is asked for with.
struct Asked {
    work: Work,
    options: CallHandlerOptions,
    functions: GivenFunctions,
    of_thread: ThreadOptions,
    record: Option<Arc<CallRecord>>,
}

/// Calls a handler; `noted` is where what a receipt needs is kept, if there is to be one.
pub fn call_handler<'env, V: ToNapiValue + 'static>(
    env: &'env Env,
    callee: &impl Callee,
    method: &'static str,
    (name, event, options): (Unknown, Unknown, Unknown),
    noted: Option<Noted>,
    give: impl FnOnce(&Env, Delivery) -> Result<V> + Send + 'static,
) -> napi::Result<PromiseRaw<'env, V>> {
    let observer = Observer::of_this_call(env, noted.as_ref());
    let has_lines = noted.is_some();
    let noted = noted.or_else(|| observer.as_ref().map(Observer::noted));
    let ask = |env: &Env| {
        let name = arguments::string(env, "the handler's name", name)?;
        let ((options, functions, of_thread), console_size) = if has_lines {
            let (options, console_size) = CallHandlerOptions::with_console_size(env, options)?;
            (options, Some(console_size))
        } else {
            (CallHandlerOptions::from_js(env, options)?, None)
        };
        let event = json::stringify(env, "event", event)?;
        let record = noted.map(|noted| {
            let record = Arc::new(CallRecord::new(console_size));
            noted.begin(record.clone(), event.size());
            record
        });
        Ok(Asked { work: Work::Handler(name, event), options, functions, of_thread, record })
    };
    make(env, callee, method, ask, observer, give)
}

/// Runs a program.
pub fn run<'env, V: ToNapiValue + 'static>(
    env: &'env Env,
    callee: &impl Callee,
    method: &'static str,
    (source, options): (Unknown, Unknown),
    noted: Noted,
    give: impl FnOnce(&Env, Delivery) -> Result<V> + Send + 'static,
) -> napi::Result<PromiseRaw<'env, V>> {
    let observer = Observer::of_this_call(env, Some(&noted));
    let ask = |env: &Env| {
        let source = arguments::string(env, "the source", source)?;
        let (options, of_thread) = RunOptions::from_js(env, options)?;
        let RunOptions { call: options, language, input, functions, modules, max_console_bytes } = options;
        let record = Arc::new(CallRecord::new(Some(max_console_bytes)));
        noted.begin(record.clone(), output_size(input.as_ref()));
        let mut program = Program::new(source).with_language(language);
        if let Some(input) = input {
            program = program.with_input_payload(input);
        }
        for (specifier, source) in modules {
            program = program.with_module(specifier, source);
        }
        Ok(Asked { work: Work::Program(program), options, functions, of_thread, record: Some(record) })
    };
    make(env, callee, method, ask, observer, give)
}

/// Imports modules into the state in which requests get the sandboxes of a pool.
pub fn prepare<'env>(
    env: &'env Env,
    callee: &impl Callee,
    method: &'static str,
    (modules, options): (Unknown, Unknown),
) -> napi::Result<PromiseRaw<'env, ()>> {
    let ask = |env: &Env| {
        let program = Program::preparation(program_parts::modules(env, modules)?);
        let (limits, of_thread) = LoadOptions::from_js(env, options)?;
        let options = CallHandlerOptions { limits, ..CallHandlerOptions::default() };
        Ok(Asked {
            work: Work::Program(program),
            options,
            functions: GivenFunctions::none(env)?,
            of_thread,
            record: None,
        })
    };
    make(env, callee, method, ask, None, |_, delivery| delivery.value.map(drop))
}

fn make<'env, V: ToNapiValue + 'static>(
    env: &'env Env,
    callee: &impl Callee,
    method: &'static str,
    ask: impl FnOnce(&Env) -> Result<Asked>,
    observer: Option<Observer>,
    give: impl FnOnce(&Env, Delivery) -> Result<V> + Send + 'static,
) -> napi::Result<PromiseRaw<'env, V>> {
    let on_thread = OnThread::default();
    let begins = on_thread.clone();
    let listener = observer.clone();
    promise(
        env,
        || {
            callee.check_open()?;
            let host_call = callee.check_caller(current(env)?, method)?;
            let Asked { work, options, functions, of_thread, record } = ask(env)?;
            if let (Some(listener), Some(record)) = (&listener, &record) {
                listener.listen(env, record)?;
            }
            // What was asked for may have getters and methods of its own, which have been called now.
            callee.check_open()?;
            let ThreadOptions { signal, context } = of_thread;
            let mut cause = Cause { host_call, origin: None };
            if !functions.is_empty() || callee.may_have_host_functions() {
                cause.origin = Some(begins.originate(env, context)?);
            }
            let (ticket, call_promise, number) = (callee.calls().add(), CallPromise::new(), Arc::new(OnceLock::new()));
            let withdraw = callee.withdraw(number.clone());
            begins.begin(env, signal, options.limits, (&ticket, Some(&call_promise)), withdraw)?;
            Ok((CallRequest { work, options, functions, record, cause }, ticket, call_promise, number))
        },
        |(request, ticket, call_promise, number), pending| {
            call_promise.put(pending);
            if let Some(waits) = callee.hand_over(request, ticket, call_promise) {
                // Nobody has set it before.
                let _ = number.set(waits);
            }
        },
        move |env, ended| {
            let stats = ended.stats.clone();
            let output_size = ended.result.as_ref().map_or(0, |(value, _)| output_size(value.as_ref()));
            let value = on_thread.end(env, ended).and_then(|((value, status), _)| match value {
                Some(value) => json::parse(env, value).inspect_err(|_| {
                    if let Some((status, era)) = status {
                        status.poison_in(era);
                    }
                }),
                None => undefined(env),
            });
            let delivery = Delivery { value, stats, output_size };
            if let Some(observer) = observer {
                observer.tell(env, &delivery);
            }
            give(env, delivery)
        },
    )
}
