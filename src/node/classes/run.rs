//! `SandboxPool.run()`: programs that are run once.

use std::sync::{Arc, OnceLock};

use napi::bindgen_prelude::{Object, PromiseRaw};
use napi::{Env, Unknown};
use napi_derive::napi;

use super::handler_call::{Request, Work};
use super::pool::SandboxPool;
use crate::Program;
use crate::node::bridge::async_context::current;
use crate::node::bridge::call_end::{CallPromise, Delivery, OnThread, output_size};
use crate::node::bridge::call_options::ThreadOptions;
use crate::node::bridge::program_parts::RunOptions;
use crate::node::bridge::promise::promise;
use crate::node::bridge::receipt::Noted;
use crate::node::bridge::value::undefined;
use crate::node::bridge::{arguments, json};
use crate::node::console::callback;
use crate::node::scheduling::call_record::CallRecord;
use crate::node::scheduling::sandbox_context::Cause;

#[napi]
impl SandboxPool {
    /// Runs a program in a sandbox with clean state and resolves to its value and a receipt. If no sandbox is ready, the
    /// request waits behind earlier ones; that time does not count towards its timeouts.
    ///
    /// The source is, in this order:
    /// 1. an expression, with or without semicolons after it: its value is the program's;
    /// 2. the body of an async function, in strict mode: the value is what it returns, or else its function `handler`;
    /// 3. an ES module: the value is its default export, or else its function `handler`.
    ///
    /// If the value is a function, it is called with the option `input`, unless a `return` statement has returned it. A
    /// promise is awaited. The input is also the global `input`.
    ///
    /// Rejects with the same errors as `callHandler()` and with:
    /// - `ERR_COMPILE`: the source has a syntax error or imports what does not exist. The error's `file` is `'run'`, or the
    ///   name of a module; its `line` and `column` are those of the source.
    /// - `ERR_INVALID_ARG`: an option is invalid, or a name of a module means something else in the guest; nothing was run.
    /// - `ERR_PAYLOAD_TOO_LARGE`: the source, the input, the modules and the names of the functions together are larger than
    ///   the input buffer.
    ///
    /// The error of a run that has begun has a `receipt`.
    ///
    /// @example
    /// ```ts
    /// const pool = new SandboxPool({ size: 2 });
    /// const { value } = await pool.run('(await db.find(input)).name', {
    ///   input: 7,
    ///   functions: { db: { find: async (id) => ({ id, name: `row ${id}` }) } },
    ///   wallClockTimeoutMs: 1000,
    /// });
    /// console.log(value); // row 7
    /// ```
    #[napi(
        ts_generic_types = "T = any",
        ts_args_type = "source: string, options?: RunOptions",
        ts_return_type = "Promise<RunResult<T>>"
    )]
    pub fn run<'env>(
        &self,
        env: &'env Env,
        source: Unknown,
        options: Unknown,
    ) -> napi::Result<PromiseRaw<'env, Object<'static>>> {
        let on_thread = OnThread::default();
        let begins = on_thread.clone();
        let noted = Noted::default();
        let to_note = noted.clone();
        promise(
            env,
            || {
                self.check_open()?;
                let host_call = self.shared.id.check(current(env)?, "run")?;
                let source = arguments::string(env, "the source", source)?;
                let (options, ThreadOptions { signal, context }) = RunOptions::from_js(env, options)?;
                let RunOptions { call: options, language, input, functions, modules, max_console_bytes } = options;
                // The options may have had getters, which have been called now.
                self.check_open()?;
                let record = Arc::new(CallRecord::new(max_console_bytes));
                to_note.begin(record.clone(), output_size(input.as_ref()));
                let mut program = Program::new(source).with_language(language);
                if let Some(input) = input {
                    program = program.with_input_payload(input);
                }
                for (specifier, source) in modules {
                    program = program.with_module(specifier, source);
                }
                let mut cause = Cause { host_call, origin: None };
                if !functions.is_empty() || self.shared.may_have_host_functions() {
                    cause.origin = Some(begins.originate(env, context)?);
                }
                let (ticket, call_promise, turn) =
                    (self.shared.calls.add(), CallPromise::new(), Arc::new(OnceLock::new()));
                let withdraw = {
                    let (shared, turn) = (self.shared.clone(), turn.clone());
                    move || turn.get().into_iter().for_each(|turn| shared.leases.withdraw(*turn))
                };
                begins.begin(env, signal, options.limits, (&ticket, Some(&call_promise)), withdraw)?;
                let (work, record) = (Work::Program(program), Some(record));
                Ok((Request { work, options, functions, record, cause }, ticket, call_promise, turn))
            },
            |(request, ticket, call_promise, turn), pending| {
                call_promise.put(pending);
                if let Some(number) = self.shared.serve(request, ticket, call_promise) {
                    // Nobody has set it before.
                    let _ = turn.set(number);
                }
            },
            move |env, ended| {
                let stats = ended.stats.clone();
                let output_size = ended.result.as_ref().map_or(0, |value| output_size(value.as_ref()));
                let value = on_thread.end(env, ended).and_then(|(value, _)| match value {
                    Some(value) => json::parse(env, value),
                    None => undefined(env),
                });
                noted.deliver(env, Delivery { value, stats, output_size }, callback::name)
            },
        )
    }
}
