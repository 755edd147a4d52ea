//! Calls of handlers that bring their own host functions.

use guest_abi::payload::Payload;

use super::host_function_module::HostFunctionModule;
use super::host_functions::HostFunctions;

/// A call of a handler, and the host functions that it can call. [`LoadedJSSandbox::call`](crate::LoadedJSSandbox::call) makes it.
///
/// The handler finds the functions of a call as globals, by module and name, and in `host:MODULE` if it imports that during the
/// call. They come before those of the sandbox: a handler that has imported `find` from `host:db` calls the `find` of the call.
/// Handlers may keep functions, but what they call is what the call was given in which they do so.
///
/// ```
/// use hyperlight_js::{HandlerCall, SandboxBuilder, Script};
///
/// # fn main() -> hyperlight_js::Result<()> {
/// let mut sandbox = SandboxBuilder::new().build()?.load_runtime()?;
/// sandbox.add_handler("who", Script::from_content("
///     function handler(id) { return `Hello, ${user.name(id)}!`; }
/// "))?;
/// let mut loaded = sandbox.get_loaded_sandbox()?;
/// let mut call = HandlerCall::new("who", "7");
/// call.host_module("user").register("name", |id: u32| format!("user {id}"))?;
/// assert_eq!(loaded.call(call, None)?, r#""Hello, user 7!""#);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct HandlerCall {
    pub(super) name: String,
    pub(super) event: Payload,
    pub(super) functions: HostFunctions,
    pub(super) memory_limit: Option<u64>,
}

impl HandlerCall {
    /// A call of the handler of this name with an event, JSON text.
    pub fn new(name: impl Into<String>, event: impl Into<String>) -> Self {
        Self::with_payload(name.into(), Payload::from_json(event.into()))
    }

    pub(crate) fn with_payload(name: String, event: Payload) -> Self {
        Self { name, event, functions: HostFunctions::default(), memory_limit: None }
    }

    /// Lets the guest's JavaScript use at most so many bytes during this call, with all that the sandbox keeps: code that needs more
    /// gets an exception, as where the heap is used up. A limit above the size of the heap changes nothing.
    #[must_use]
    pub fn with_memory_limit(self, bytes: u64) -> Self {
        Self { memory_limit: Some(bytes), ..self }
    }

    /// A module of host functions that this call can call, and no other.
    pub fn host_module(&mut self, name: impl Into<String>) -> &mut HostFunctionModule {
        self.functions.module(name)
    }

    /// Host functions that this call can call, and no other.
    #[cfg_attr(not(feature = "node"), allow(dead_code, reason = "only the addon has use for it"))]
    pub(crate) fn functions(&mut self) -> &mut HostFunctions {
        &mut self.functions
    }
}
