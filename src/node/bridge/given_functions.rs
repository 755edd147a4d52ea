//! Host functions that a call is given, and no other; those behind its `fetch` are some.

use std::sync::Arc;

use napi::{Env, Unknown};

use super::arguments::{self, function, string};
use super::host_calls::{self, HostCalls};
use super::host_function::HostCallback;
use super::options::Options;
use super::{fetch_grant, object_lists};
use crate::node::error::Result;
use crate::node::scheduling::sandbox_context::SandboxContext;
use crate::sandbox::host_functions::HostFunctions;
use crate::sandbox::name;

/// Names of the options.
pub const FUNCTIONS: &str = "functions";
pub const FETCH: &str = "fetch";

/// Functions, and the way to their thread.
pub struct GivenFunctions {
    list: Vec<HostCallback>,
    host_calls: Arc<HostCalls>,
}

impl GivenFunctions {
    /// None.
    pub fn none(env: &Env) -> Result<Self> {
        Ok(Self { list: Vec::new(), host_calls: host_calls::of(env)?.clone() })
    }

    /// Those that are given as an option.
    pub fn read(env: &Env, options: &Options<'_>) -> Result<Self> {
        let mut functions = Self::none(env)?;
        if let Some(given) = options.given(FUNCTIONS)? {
            for function in object_lists::functions(env, given)? {
                functions.list.push(from_js(env, function)?);
            }
        }
        if let Some(policy) = options.given(FETCH)? {
            functions.list.extend(fetch_grant::of_policy(env, policy)?);
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

fn from_js(env: &Env, [module, name, is_sync, callback]: [Unknown<'_>; 4]) -> Result<HostCallback> {
    let module = string(env, "a module's name", module)?;
    name::check_not_ours("module", &module).map_err(crate::Error::from)?;
    let name = string(env, "a function's name", name)?;
    let is_sync: bool = arguments::from_js(env, is_sync)?;
    HostCallback::new(env, module, name, !is_sync, &function(env, "a host function", callback)?)
}
