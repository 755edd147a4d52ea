//! `JSSandbox` for JavaScript.

use napi::bindgen_prelude::PromiseRaw;
use napi::{Env, Unknown};
use napi_derive::napi;

use super::loaded::LoadedJSSandbox;
use super::promise::{blocking, guard, promise};
use super::slot::Slot;
use super::{arguments, error};
use crate::Script;

/// A sandbox with the JavaScript runtime in it, to which handlers are added. `ProtoJSSandbox.loadRuntime()` makes it.
#[napi(js_name = "JSSandbox")]
pub struct JSSandbox {
    slot: Slot<crate::JSSandbox>,
}

#[napi]
impl JSSandbox {
    pub(super) fn new(sandbox: crate::JSSandbox) -> Self {
        Self { slot: Slot::new("JSSandbox", sandbox) }
    }

    /// Adds a handler. It is compiled by `getLoadedSandbox()`.
    ///
    /// - `name`: what `callHandler()` calls it by; 1 to 256 bytes in UTF-8, different from every other handler's.
    /// - `code`: the source of an ES module that defines `function handler(event)`; the function may be `async` and
    ///   need not be exported. At most 1 MiB in UTF-8.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: the name is empty, too long or taken, or an argument is no string.
    /// - `ERR_CONSUMED`: `getLoadedSandbox()` was called already.
    #[napi(ts_args_type = "name: string, code: string")]
    pub fn add_handler(&self, env: &Env, name: Unknown, code: Unknown) -> napi::Result<()> {
        let added = guard(|| {
            let name = arguments::string(env, "the handler's name", name)?;
            let code = arguments::string(env, "the handler's code", code)?;
            self.slot.with(|sandbox| Ok(sandbox.add_handler(name, Script::from_content(code))?))
        });
        added.map_err(|error: error::Error| error.into_js(env))
    }

    /// Compiles the handlers and evaluates their modules. Consumes this object, unless a handler cannot be loaded: then
    /// the object stays usable and keeps its handlers.
    ///
    /// Rejects with:
    /// - `ERR_COMPILE`: a source has a syntax error, imports what does not exist, defines no function `handler`, or
    ///   throws when it is evaluated. The error has the properties `file` (the handler's name), `line` and `column`
    ///   (both from 1; 0 if not known) and `guestStack`.
    /// - `ERR_PAYLOAD_TOO_LARGE`: a source is too large; `size` and `limit` say in bytes how large and what is allowed.
    /// - `ERR_CONSUMED`: it was called already.
    /// - `ERR_GUEST_ABORT`: the evaluation did not run to its end.
    #[napi]
    pub fn get_loaded_sandbox<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, LoadedJSSandbox>> {
        let slot = self.slot.clone();
        promise(
            env,
            || self.slot.take("getLoadedSandbox"),
            |mut sandbox, pending| {
                blocking(move || {
                    pending.settle_with(|| match sandbox.load() {
                        Ok(()) => Ok(sandbox.into_loaded()),
                        Err(error) => {
                            slot.put_back(sandbox);
                            Err(error.into())
                        }
                    });
                });
            },
            |_, loaded| Ok(LoadedJSSandbox::new(loaded)),
        )
    }
}

impl Drop for JSSandbox {
    fn drop(&mut self) {
        // Tearing down a virtual machine takes too long for the JavaScript thread, which is where objects are collected.
        if let Ok(sandbox) = self.slot.take("drop") {
            blocking(move || drop(sandbox));
        }
    }
}
