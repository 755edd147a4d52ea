//! A sandbox that is given its handlers.

use super::error::{Error, Result};
use super::loaded::LoadedJSSandbox;
use super::script::Script;
use super::vm::{self, Vm};

/// A sandbox with the JavaScript runtime in it, to which handlers are added.
#[derive(Debug)]
pub struct JSSandbox {
    vm: Vm,
    handlers: Vec<(String, Script)>,
}

impl JSSandbox {
    pub(super) fn new(vm: Vm) -> Self {
        Self { vm, handlers: Vec::new() }
    }

    /// Adds a handler. It is compiled by [`get_loaded_sandbox`](Self::get_loaded_sandbox).
    ///
    /// `name` is what [`LoadedJSSandbox::handle_event`] calls it by, 1 to 256 bytes. The script is an ES module that
    /// defines `function handler(event)`; the function need not be exported and may be `async`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if the name is empty, too long or taken.
    pub fn add_handler(&mut self, name: impl Into<String>, script: Script) -> Result<()> {
        let name = name.into();
        vm::check_name(&name)?;
        if self.handlers.iter().any(|(taken, _)| *taken == name) {
            return Err(Error::InvalidArgument(format!("there is a handler named {name:?} already")));
        }
        self.handlers.push((name, script));
        Ok(())
    }

    /// Compiles the handlers and evaluates their modules.
    ///
    /// # Errors
    /// [`Error::Compile`] if a source has a syntax error, imports what does not exist, defines no function `handler`, or
    /// throws when it is evaluated. [`Error::PayloadTooLarge`] if a source is larger than the input buffer.
    /// [`Error::Cancelled`] and [`Error::GuestAbort`] if the evaluation does not run to its end.
    pub fn get_loaded_sandbox(mut self) -> Result<LoadedJSSandbox> {
        self.load()?;
        Ok(self.into_loaded())
    }

    /// As [`get_loaded_sandbox`](Self::get_loaded_sandbox), but keeps the sandbox and its handlers when a handler does
    /// not compile. To be followed by [`into_loaded`](Self::into_loaded).
    pub(crate) fn load(&mut self) -> Result<()> {
        for (name, script) in &self.handlers {
            if let Err(error) = self.vm.add_handler(name, script.content()) {
                self.vm.reset()?;
                return Err(error);
            }
        }
        Ok(())
    }

    pub(crate) fn into_loaded(self) -> LoadedJSSandbox {
        LoadedJSSandbox::new(self.vm)
    }
}
