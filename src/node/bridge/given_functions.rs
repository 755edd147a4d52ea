//! Host functions that a call is given, and no other.

use std::sync::Arc;

use napi::{Env, Unknown};

use super::arguments::{from_js, function, string};
use super::environment::{self, HostCalls};
use super::function::AnyFunction;
use super::host_function::{HostFunction, async_bridge, bridge};
use super::options::Options;
use super::program_parts::list;
use crate::node::error::Result;
use crate::node::scheduling::host_call::FunctionName;
use crate::node::scheduling::sandbox_context::SandboxContext;
use crate::sandbox::host_function::HostFunctions;

/// Name of the option.
pub const FUNCTIONS: &str = "functions";

/// Functions, and the way to their thread.
pub struct GivenFunctions {
    list: Vec<GivenFunction>,
    host_calls: Arc<HostCalls>,
}

struct GivenFunction {
    module: String,
    name: String,
    is_sync: bool,
    callback: AnyFunction,
}

impl GivenFunctions {
    /// None.
    pub fn none(env: &Env) -> Result<Self> {
        Ok(Self { list: Vec::new(), host_calls: environment::of(env)?.host_calls.clone() })
    }

    /// Those that are given as an option.
    pub fn read(env: &Env, options: &Options<'_>) -> Result<Self> {
        let mut functions = Self::none(env)?;
        if let Some(given) = options.given(FUNCTIONS)? {
            let list = list(env, &environment::of(env)?.program_parts.functions, given)?;
            for [module, name, is_sync, callback] in list.as_chunks::<4>().0 {
                functions.list.push(GivenFunction::from_js(env, [*module, *name, *is_sync, *callback])?);
            }
        }
        Ok(functions)
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Registers them for a call of a sandbox.
    pub fn register(self, functions: &mut HostFunctions, context: &Arc<SandboxContext>) -> crate::Result<()> {
        for function in self.list {
            function.register(functions, &self.host_calls, context)?;
        }
        Ok(())
    }
}

impl GivenFunction {
    fn from_js(env: &Env, [module, name, is_sync, callback]: [Unknown<'_>; 4]) -> Result<Self> {
        Ok(Self {
            module: string(env, "a module's name", module)?,
            name: string(env, "a function's name", name)?,
            is_sync: from_js(env, is_sync)?,
            callback: function(env, "a host function", callback)?,
        })
    }

    fn register(
        self,
        functions: &mut HostFunctions,
        host_calls: &Arc<HostCalls>,
        context: &Arc<SandboxContext>,
    ) -> crate::Result<()> {
        let Self { module, name, is_sync, callback } = self;
        let (host_calls, context) = (host_calls.clone(), context.clone());
        let name = Arc::new(FunctionName { module, name });
        let function = Arc::new(HostFunction { name: name.clone(), callback: Arc::new(callback) });
        let FunctionName { module, name } = &*name;
        if is_sync {
            functions.register(module, name, bridge(host_calls, context, function))
        } else {
            functions.register_async(module, name, async_bridge(host_calls, context, function))
        }
    }
}
