//! Options of `SandboxPool`; `types.d.ts` has the type.

use std::sync::Arc;

use napi::{Env, Unknown};

use super::snapshot::Snapshot;
use crate::node::bridge::arguments::{function, instance};
use crate::node::bridge::function::AnyFunction;
use crate::node::bridge::options::Options;
use crate::node::error::Result;
use crate::node::invalid_value::InvalidValue;

const HOST_PRINT_FN: &str = "hostPrintFn";
const MAX_OUTPUT_VALUES: &str = "maxOutputValues";

/// Options of a pool; `types.d.ts` has the type.
pub struct PoolOptions {
    pub size: usize,
    pub source: PoolSource,
    pub max_queue: usize,
    pub host_print_fn: Option<AnyFunction>,
    pub max_output_values: Option<usize>,
}

/// Where the sandboxes of a pool come from.
pub enum PoolSource {
    /// There is nothing but the runtime in them.
    Runtime,
    Snapshot(Arc<crate::Snapshot>),
    Prepare(AnyFunction),
}

impl PoolOptions {
    pub fn from_js(env: &Env, value: Unknown<'_>) -> Result<Self> {
        const NAMES: [&str; 6] = ["size", "snapshot", "prepare", "maxQueue", HOST_PRINT_FN, MAX_OUTPUT_VALUES];
        let options = Options::from_js(env, value, &NAMES)?.ok_or(InvalidValue::NoPoolOptions)?;
        let source = match (options.given("snapshot")?, options.given("prepare")?) {
            (Some(snapshot), None) => {
                let snapshot = instance::<Snapshot>(env, "the option snapshot", "a Snapshot", snapshot)?;
                let snapshot = snapshot.state()?;
                if !snapshot.is_loaded() {
                    return Err(InvalidValue::NotLoaded.into());
                }
                PoolSource::Snapshot(snapshot)
            }
            (None, Some(prepare)) => PoolSource::Prepare(function(env, "the option prepare", prepare)?),
            (None, None) => PoolSource::Runtime,
            _ => return Err(InvalidValue::TwoSources.into()),
        };
        let host_print_fn = options.given(HOST_PRINT_FN)?;
        let host_print_fn = host_print_fn.map(|given| function(env, "the option hostPrintFn", given)).transpose()?;
        let max_output_values = options.count(MAX_OUTPUT_VALUES, &crate::SandboxBuilder::MAX_OUTPUT_VALUES_RANGE)?;
        if matches!(source, PoolSource::Prepare(_)) && (host_print_fn.is_some() || max_output_values.is_some()) {
            return Err(InvalidValue::SetByPrepare.into());
        }
        let size = options.count("size", &crate::SandboxPool::SIZE_RANGE)?;
        let size = size.ok_or(InvalidValue::MissingOption("size"))?;
        let max_queue = options.count("maxQueue", &(0..=1_000_000))?.unwrap_or(1_000);
        Ok(Self { size, source, max_queue, host_print_fn, max_output_values })
    }
}
