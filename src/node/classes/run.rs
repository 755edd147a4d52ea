//! `SandboxPool.run()`: programs that are run once.

use napi::bindgen_prelude::{Object, PromiseRaw};
use napi::{Env, Unknown};
use napi_derive::napi;

use super::call_driver;
use super::pool::SandboxPool;
use crate::node::bridge::receipt::Noted;
use crate::node::console::callback;

#[napi]
impl SandboxPool {
    /// Runs a program in a sandbox with clean state and resolves to its value and a receipt. If no sandbox is ready, the
    /// request waits behind earlier ones; that time does not count towards its timeouts.
    ///
    /// The source is, in this order:
    /// 1. CommonJS, if it uses `module.exports` or `exports`: the value is a handler that it exports, or else all of that;
    /// 2. an expression, with or without semicolons after it: its value is the program's;
    /// 3. the body of an async function, in strict mode: the value is what it returns, or else its function `handler`;
    /// 4. an ES module: the value is its default export, or else its function `handler`, or what it exports by that name.
    ///
    /// If the value is a function, it is called with the option `input`, unless a `return` statement has returned it. A
    /// promise is awaited. The input is also the global `input`.
    ///
    /// Rejects with the same errors as `callHandler()` and with:
    /// - `ERR_COMPILE`: the source has a syntax error or imports what does not exist. The error's `file` is `'run'`, or the
    ///   name of a module; its `line` and `column` are those of the source.
    /// - `ERR_INVALID_ARG`: an option is invalid, or a name of a module means something else in the guest; nothing was run.
    /// - `ERR_PAYLOAD_TOO_LARGE`: the source, the input and the modules together are larger than an eighth of the heap, 8 MiB,
    ///   and than the input buffer; or the names of the functions are larger than that.
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
        let noted = Noted::default();
        let to_deliver = noted.clone();
        call_driver::run(env, self, "run", (source, options), noted, move |env, delivery| {
            to_deliver.deliver(env, delivery, callback::name)
        })
    }
}
