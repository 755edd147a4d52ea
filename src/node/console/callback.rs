//! Lines that guest code writes to its console, on their way to a JavaScript function.
//!
//! The guest never waits for the host's JavaScript. The thread that runs it adds its lines to a list and asks the
//! JavaScript thread, through its [`Inbox`], to deliver them. Jobs of one source are done in their order, so what the sandbox
//! causes later, a call of a host function or the end of its call, comes after them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::bindgen_prelude::FunctionCallContext;
use napi::{Env, JsValue, Unknown};

use super::lines::Lines;
use super::log;
use super::output::Output;
use crate::ConsoleLevel;
use crate::node::bridge::exception;
use crate::node::bridge::function::{self, AnyFunction};
use crate::node::bridge::inbox::{self, Budget, Inbox, JobProgress};
use crate::node::bridge::thenable::promise_then;
use crate::node::bridge::value;
use crate::node::bridge::value::undefined;
use crate::node::bridge::warning::emit_warning;
use crate::node::error::Result;
use crate::node::panic::catch_panic;
use crate::node::scheduling::jobs::Source;
use crate::node::scheduling::sandbox_context::SandboxContext;

/// Most lines that are delivered before other sandboxes have their turn.
const LINES_AT_A_TIME: usize = 16;

/// A JavaScript function that takes the lines of sandboxes, and the way to its thread.
#[derive(Clone)]
pub struct Callback {
    function: Arc<AnyFunction>,
    inbox: Arc<Inbox>,
}

impl Callback {
    /// A function of the environment of the running call.
    pub fn new(env: &Env, function: AnyFunction) -> Result<Self> {
        Ok(Self { function: Arc::new(function), inbox: inbox::of(env)?.clone() })
    }
}

/// Takes a line.
pub type Print = dyn Fn(ConsoleLevel, &str) + Send + Sync;

/// What takes the lines of a sandbox whose jobs have this source: the callback or, without one, the process's output. It
/// never waits.
pub fn taking_lines(callback: Option<Callback>, source: Source) -> Box<Print> {
    match callback {
        Some(callback) => {
            let console = Arc::new(Console { callback, source, waiting: Mutex::default() });
            Box::new(move |level, text| console.add(level, text))
        }
        None => {
            let output = Output::new();
            Box::new(move |level, text| log::add_line(&output, level, text))
        }
    }
}

/// As [`taking_lines`], but the lines of programs that are run once are noted, and go nowhere else without a callback.
pub fn recording_lines(callback: Option<Callback>, context: &Arc<SandboxContext>) -> Box<Print> {
    let is_heard = callback.is_some();
    let print = taking_lines(callback, context.source());
    let context = context.clone();
    Box::new(move |level, text| {
        let record = context.record();
        if let Some(record) = &record {
            record.add_line(level, text);
        }
        if is_heard || !record.is_some_and(|record| record.takes_lines()) {
            print(level, text);
        }
    })
}

/// Takes a sandbox's lines to a JavaScript function.
struct Console {
    callback: Callback,
    source: Source,
    waiting: Mutex<ConsoleLines>,
}

#[derive(Default)]
struct ConsoleLines {
    lines: Lines,
    /// Whether the JavaScript thread has been asked to deliver them.
    is_asked: bool,
    /// Whether a failure of the callback has been reported.
    is_failure_reported: bool,
}

impl Console {
    /// Adds a line and returns at once. Called by the thread that runs the guest.
    fn add(self: &Arc<Self>, level: ConsoleLevel, text: &str) {
        // Nothing that takes long is done under the lock: the JavaScript thread waits for it.
        let text = text.to_string();
        let ask = {
            let mut waiting = self.lock();
            waiting.lines.add(level, text);
            !std::mem::replace(&mut waiting.is_asked, true)
        };
        if ask {
            let console = self.clone();
            let posted = self.callback.inbox.post_steps(self.source, move |env, budget| console.deliver(env, budget));
            if posted.is_err() {
                // The environment has ended, and nobody will take the lines.
                *self.lock() = ConsoleLines::default();
            }
        }
    }

    /// Delivers some of the lines.
    fn deliver(self: &Arc<Self>, env: &Env, budget: &Budget) -> JobProgress {
        for _ in 0..LINES_AT_A_TIME {
            let (level, text) = {
                let mut waiting = self.lock();
                match waiting.lines.take() {
                    Some(line) => line,
                    None => {
                        waiting.is_asked = false;
                        return JobProgress::Done;
                    }
                }
            };
            // What fails here is a callback's concern, never a guest's.
            let _ = catch_panic(|| self.call(env, level, text));
            if budget.is_used_up() {
                break;
            }
        }
        JobProgress::More
    }

    fn call(self: &Arc<Self>, env: &Env, level: ConsoleLevel, text: String) -> Result<()> {
        let arguments = [value::value(env, name(level).to_string())?, value::value(env, text)?];
        match function::call(env, &self.callback.function, undefined(env)?, &arguments)? {
            Ok(value) if value.is_promise()? => {
                let console = self.clone();
                let rejected = move |context: FunctionCallContext<'_>| {
                    let _ = catch_panic(|| console.report(context.env, context.get(0)?));
                    Ok(())
                };
                let rejected = env.create_function_from_closure::<(), (), _>("rejected", rejected)?;
                let handlers = [undefined(env)?, rejected.to_unknown()];
                let _ = function::call(env, promise_then(env)?, value, &handlers)?;
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(thrown) => self.report(env, thrown),
        }
    }

    /// Warns the process of what the callback threw, but only once: it may fail for each line.
    fn report(&self, env: &Env, thrown: Unknown<'_>) -> Result<()> {
        let is_reported = std::mem::replace(&mut self.lock().is_failure_reported, true);
        if is_reported {
            return Ok(());
        }
        emit_warning(env, format!("the callback of setHostPrintFn() failed: {}", exception::text(env, thrown)))
    }

    fn lock(&self) -> MutexGuard<'_, ConsoleLines> {
        // No code runs under the lock that could leave the list half changed.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What JavaScript calls a level.
pub fn name(level: ConsoleLevel) -> &'static str {
    match level {
        ConsoleLevel::Debug => "debug",
        ConsoleLevel::Info => "info",
        ConsoleLevel::Warn => "warn",
        ConsoleLevel::Error => "error",
    }
}
