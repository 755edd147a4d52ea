//! `LoadedJSSandbox` for JavaScript.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use napi::bindgen_prelude::PromiseRaw;
use napi::{Env, Unknown};
use napi_derive::napi;

use super::arguments::{self, CallHandlerOptions};
use super::error::{Error, Result};
use super::json;
use super::promise::{guard, promise};
use super::queue::Queue;

/// A sandbox with its handlers loaded. `JSSandbox.getLoadedSandbox()` makes it.
///
/// State that a handler keeps at module level lives from call to call.
#[napi(js_name = "LoadedJSSandbox")]
pub struct LoadedJSSandbox {
    queue: Arc<Queue<crate::LoadedJSSandbox>>,
    poisoned: Arc<AtomicBool>,
}

#[napi]
impl LoadedJSSandbox {
    pub(super) fn new(sandbox: crate::LoadedJSSandbox) -> Self {
        let poisoned = Arc::new(AtomicBool::new(sandbox.poisoned()));
        Self { queue: Queue::new(sandbox), poisoned }
    }

    /// Calls a handler and gives what it returns.
    ///
    /// Calls on one sandbox run one after the other, in the order in which they were made; calls on different sandboxes
    /// run side by side. If the handler returns a promise, its value is awaited.
    ///
    /// - `name`: the name under which the handler was added.
    /// - `event`: the handler's argument, anything that `JSON.stringify` can express. The JSON text may have at most
    ///   1 MiB in UTF-8, and so may that of the result.
    /// - `options`: see `CallHandlerOptions`.
    ///
    /// The sandbox stays usable when it rejects with:
    /// - `ERR_INVALID_ARG`: the name is no string, empty or too long, the event cannot be expressed in JSON, or there is
    ///   something wrong with the options.
    /// - `ERR_HANDLER_NOT_FOUND`: there is no handler of this name.
    /// - `ERR_GUEST_ERROR`: the handler threw, or its promise was rejected. The error has the properties `guestName`,
    ///   `guestMessage` and `guestStack`; lines and columns in the stack are those of the handler's source. Using up the
    ///   heap or the stack is such an error too.
    /// - `ERR_PAYLOAD_TOO_LARGE`: the event or the result is too large; `size` and `limit` say in bytes how large and
    ///   what is allowed.
    ///
    /// The sandbox is poisoned when it rejects with:
    /// - `ERR_GUEST_ABORT`: the guest ended the call without finishing it, by a fault or by breaking the protocol.
    /// - `ERR_CANCELLED`: the call was stopped from outside.
    /// - `ERR_POISONED`: it was poisoned before.
    #[napi(ts_args_type = "name: string, event: any, options?: CallHandlerOptions", ts_return_type = "Promise<any>")]
    pub fn call_handler<'env>(
        &self,
        env: &'env Env,
        name: Unknown,
        event: Unknown,
        options: Unknown,
    ) -> napi::Result<PromiseRaw<'env, Unknown<'static>>> {
        let poisoned = self.poisoned.clone();
        promise(
            env,
            || {
                let name = arguments::string(env, "the handler's name", name)?;
                let options = CallHandlerOptions::from_js(env, options)?;
                Ok((name, json::stringify(env, event)?, options.gc.unwrap_or(true)))
            },
            |(name, event, gc), pending| {
                let poisoned = self.poisoned.clone();
                self.queue.push(move |sandbox| pending.settle_with(|| call(sandbox, &poisoned, &name, event, gc)));
            },
            move |env, result| match result {
                Some(text) => json::parse(env, text).inspect_err(|_| poisoned.store(true, Ordering::Release)),
                None => json::undefined(env),
            },
        )
    }

    /// Whether a call did not run to its end, so that the guest's state cannot be trusted. A poisoned sandbox refuses
    /// calls with `ERR_POISONED`.
    #[napi(getter)]
    pub fn poisoned(&self) -> bool {
        self.poisoned.load(Ordering::Acquire)
    }
}

/// Calls a handler. `poisoned` is what JavaScript sees; it may be set though the sandbox itself sees no reason for it.
fn call(
    sandbox: &mut crate::LoadedJSSandbox,
    poisoned: &AtomicBool,
    name: &str,
    event: String,
    gc: bool,
) -> Result<Option<String>> {
    if poisoned.load(Ordering::Acquire) {
        return Err(crate::Error::Poisoned.into());
    }
    let result = guard(|| Ok(sandbox.call_handler(name, event, gc)?));
    if sandbox.poisoned() || matches!(result, Err(Error::Internal(_))) {
        poisoned.store(true, Ordering::Release);
    }
    result
}
