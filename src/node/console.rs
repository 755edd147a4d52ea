//! Lines that guest code writes to its console, on their way to the host.
//!
//! The guest never waits for the host's JavaScript. The thread that runs it adds its lines to a list and asks the
//! JavaScript thread, through its [`Inbox`], to deliver them; a call's promise is settled after the call's lines have been
//! delivered. What guests can have waiting there is limited, so that they cannot use up the host's memory.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::bindgen_prelude::{FunctionCallContext, JsObjectValue, Object, ToNapiValue};
use napi::{Env, JsValue, Unknown, ValueType};

use super::error::Result;
use super::function::{self, AnyFunction};
use super::inbox::Inbox;
use super::promise::guard;
use super::{environment, exception, json, log};
use crate::ConsoleLevel;
use crate::sandbox::trace;

/// Most bytes that the waiting lines may take.
const WAITING_SIZE_MAX: usize = 16 << 20;
/// What a line takes beside its text, at least.
const LINE_OVERHEAD: usize = 256;
/// Most lines that are delivered at one go, so that a guest that never stops writing does not hold up the event loop.
const BATCH: usize = 256;

/// Writes a line to the process's output: the default.
pub fn write_line(level: ConsoleLevel, text: &str) {
    let line = format!("{text}\n");
    // A line that nobody takes is lost.
    let _ = match level {
        ConsoleLevel::Debug | ConsoleLevel::Info => io::stdout().write_all(line.as_bytes()),
        // What stands there beside the log must be told from it.
        _ if log::is_on() => return trace::console_line(level, text),
        ConsoleLevel::Warn | ConsoleLevel::Error => io::stderr().write_all(line.as_bytes()),
    };
}

/// Takes a sandbox's lines to a JavaScript function.
pub struct Console {
    inbox: Arc<Inbox>,
    callback: AnyFunction,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<(ConsoleLevel, String)>,
    /// What the lines take.
    size: usize,
    /// Lines for which there was no room since the last that is in the list.
    lost: u64,
    /// Whether the JavaScript thread has been asked to deliver them.
    is_asked: bool,
    /// Whether a failure of the callback has been reported.
    is_failure_reported: bool,
}

impl Console {
    /// A console of the environment of the running call.
    pub fn new(inbox: Arc<Inbox>, callback: AnyFunction) -> Arc<Self> {
        Arc::new(Self { inbox, callback, waiting: Mutex::default() })
    }

    /// Adds a line and returns at once. Called by the thread that runs the guest.
    pub fn add(self: &Arc<Self>, level: ConsoleLevel, text: &str) {
        let ask = {
            let mut waiting = self.lock();
            waiting.add(level, text);
            !std::mem::replace(&mut waiting.is_asked, true)
        };
        if ask {
            self.ask();
        }
    }

    /// Delivers the lines that are there now. Called on the JavaScript thread.
    pub fn deliver_all(self: &Arc<Self>, env: &Env) {
        let count = {
            let waiting = self.lock();
            waiting.lines.len() + usize::from(waiting.lost > 0)
        };
        self.deliver(env, count);
    }

    fn ask(self: &Arc<Self>) {
        let console = self.clone();
        let posted = self.inbox.post(Box::new(move |env| {
            console.deliver(env, BATCH);
            let is_asked = {
                let mut waiting = console.lock();
                waiting.is_asked = !waiting.lines.is_empty();
                waiting.is_asked
            };
            if is_asked {
                console.ask();
            }
        }));
        if posted.is_err() {
            // The environment has ended, and nobody will take the lines.
            *self.lock() = Waiting::default();
        }
    }

    fn deliver(self: &Arc<Self>, env: &Env, at_most: usize) {
        for _ in 0..at_most {
            let Some((level, text)) = self.lock().take() else { return };
            // What fails here is a callback's concern, never a guest's.
            let _ = guard(|| self.call(env, level, text));
        }
    }

    fn call(self: &Arc<Self>, env: &Env, level: ConsoleLevel, text: String) -> Result<()> {
        let arguments = [string(env, name(level).to_string())?, string(env, text)?];
        match function::call(env, &self.callback, json::undefined(env)?, &arguments)? {
            Ok(value) if value.is_promise()? => {
                let console = self.clone();
                let rejected = move |context: FunctionCallContext<'_>| {
                    let _ = guard(|| console.report(context.env, context.get(0)?));
                    Ok(())
                };
                let rejected = env.create_function_from_closure::<(), (), _>("rejected", rejected)?;
                let handlers = [json::undefined(env)?, rejected.to_unknown()];
                let _ = function::call(env, &environment::of(env)?.promise_then, value, &handlers)?;
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

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // No code runs under the lock that could leave the list half changed.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn add(&mut self, level: ConsoleLevel, text: &str) {
        let size = text.len() + LINE_OVERHEAD;
        if self.size + size > WAITING_SIZE_MAX {
            self.lost += 1;
            return;
        }
        if self.lost > 0 {
            let notice = lost_notice(std::mem::take(&mut self.lost));
            self.size += notice.len() + LINE_OVERHEAD;
            self.lines.push_back((ConsoleLevel::Warn, notice));
        }
        self.size += size;
        self.lines.push_back((level, text.to_string()));
    }

    fn take(&mut self) -> Option<(ConsoleLevel, String)> {
        let Some((level, text)) = self.lines.pop_front() else {
            // Those that were lost last have no line after them to be noticed with.
            let lost = std::mem::take(&mut self.lost);
            return (lost > 0).then(|| (ConsoleLevel::Warn, lost_notice(lost)));
        };
        self.size -= text.len() + LINE_OVERHEAD;
        Some((level, text))
    }
}

fn lost_notice(lost: u64) -> String {
    format!("(lines lost here: {lost}; the guest wrote them faster than they were taken)")
}

fn name(level: ConsoleLevel) -> &'static str {
    match level {
        ConsoleLevel::Debug => "debug",
        ConsoleLevel::Info => "info",
        ConsoleLevel::Warn => "warn",
        ConsoleLevel::Error => "error",
    }
}

fn string(env: &Env, text: String) -> Result<Unknown<'static>> {
    // SAFETY: the environment is that of the running call, on its own thread.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), String::to_napi_value(env.raw(), text)?) })
}

/// Gives a warning to the process with `process.emitWarning()`.
pub fn emit_warning(env: &Env, text: String) -> Result<()> {
    let process: Object = env.get_global()?.get_named_property("process")?;
    let emit: Unknown = process.get_named_property_unchecked("emitWarning")?;
    if emit.get_type()? == ValueType::Function {
        let _ = function::call(env, &function::keep(env, emit)?, process.to_unknown(), &[string(env, text)?])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_without_room_are_counted_and_noticed_where_they_are_missing() {
        let mut waiting = Waiting::default();
        let text = "x".repeat(WAITING_SIZE_MAX - LINE_OVERHEAD);
        waiting.add(ConsoleLevel::Info, &text);
        waiting.add(ConsoleLevel::Info, "lost");
        waiting.add(ConsoleLevel::Error, "lost");
        assert_eq!(waiting.take(), Some((ConsoleLevel::Info, text)));
        waiting.add(ConsoleLevel::Info, "taken");
        let (level, notice) = waiting.take().expect("the notice");
        assert!(level == ConsoleLevel::Warn && notice.contains("lost here: 2;"), "{notice}");
        assert_eq!(waiting.take(), Some((ConsoleLevel::Info, "taken".to_string())));
        assert_eq!(waiting.take(), None);
        assert_eq!(waiting.size, 0);
    }

    #[test]
    fn lines_lost_at_the_end_are_noticed_after_the_others() {
        let mut waiting = Waiting::default();
        waiting.add(ConsoleLevel::Info, &"x".repeat(WAITING_SIZE_MAX - LINE_OVERHEAD));
        waiting.add(ConsoleLevel::Info, "lost");
        assert!(waiting.take().is_some());
        assert!(waiting.take().is_some_and(|(_, notice)| notice.contains("lost here: 1;")));
        assert_eq!(waiting.take(), None);
    }
}
