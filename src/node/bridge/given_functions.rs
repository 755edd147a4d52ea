//! Host functions that a call is given, and no other.

use std::sync::Arc;
use std::time::Instant;

use napi::{Env, Unknown};

use super::arguments::{from_js, function, string};
use super::environment::{self, HostCalls};
use super::function::AnyFunction;
use super::host_function::{HostFunction, async_bridge, bridge};
use super::options::Options;
use super::program_parts::list;
use crate::node::error::Result;
use crate::node::scheduling::host_call::FunctionName;
use crate::node::scheduling::run_record::RunRecord;
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

    /// Registers them for a call of a sandbox. Their calls are noted.
    pub fn register(
        self,
        functions: &mut HostFunctions,
        context: &Arc<SandboxContext>,
        record: Option<&Arc<RunRecord>>,
    ) -> crate::Result<()> {
        for function in self.list {
            function.register(functions, &self.host_calls, context, record)?;
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
        record: Option<&Arc<RunRecord>>,
    ) -> crate::Result<()> {
        let Self { module, name, is_sync, callback } = self;
        let full_name = Arc::<str>::from(format!("{module}.{name}"));
        let (host_calls, context, record) = (host_calls.clone(), context.clone(), record.cloned());
        let name = Arc::new(FunctionName { module, name });
        let function = Arc::new(HostFunction { name: name.clone(), callback: Arc::new(callback) });
        let FunctionName { module, name } = &*name;
        let begin = move || {
            let (record, full_name, began) = (record.clone(), full_name.clone(), Instant::now());
            record.iter().for_each(|record| record.call_begins(&full_name));
            move || record.iter().for_each(|record| record.call_ends(&full_name, began.elapsed()))
        };
        if is_sync {
            let function = bridge(host_calls, context, function);
            return functions.register(module, name, move |call, arguments| {
                let end = begin();
                let answer = function(call, arguments);
                end();
                answer
            });
        }
        let function = async_bridge(host_calls, context, function);
        functions.register_async(module, name, move |arguments| {
            let end = begin();
            let answer = function(arguments);
            async move {
                let answer = answer.await;
                end();
                answer
            }
        })
    }
}
