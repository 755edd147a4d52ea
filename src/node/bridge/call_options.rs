//! Options of calls that can be stopped; `types.d.ts` has their types.

use napi::{Env, Unknown};

use super::options::Options;
use super::signal::Signal;
use crate::UnhandledRejections;
use crate::node::error::Result;

/// Options of `getLoadedSandbox()`, without the signal; `types.d.ts` has the type.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoadOptions {
    pub wall_clock_timeout_ms: Option<f64>,
    pub cpu_timeout_ms: Option<f64>,
    pub unhandled_rejections: Option<UnhandledRejections>,
}

/// Options of `callHandler()`, without the signal; `types.d.ts` has the type.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallHandlerOptions {
    pub gc: Option<bool>,
    pub limits: LoadOptions,
}

/// Names of the options of `callHandler()`.
pub const CALL_OPTIONS: [&str; 5] = [GC, WALL_CLOCK, CPU, SIGNAL, UNHANDLED_REJECTIONS];

const GC: &str = "gc";
const WALL_CLOCK: &str = "wallClockTimeoutMs";
const CPU: &str = "cpuTimeoutMs";
const SIGNAL: &str = "signal";
const UNHANDLED_REJECTIONS: &str = "unhandledRejections";

impl LoadOptions {
    pub fn from_js(env: &Env, value: Unknown<'_>) -> Result<(Self, Option<Signal>)> {
        let names = [WALL_CLOCK, CPU, SIGNAL, UNHANDLED_REJECTIONS];
        let Some(options) = Options::from_js(env, value, &names)? else { return Ok((Self::default(), None)) };
        Ok((Self::read(&options)?, options.signal(SIGNAL)?))
    }

    fn read(options: &Options) -> Result<Self> {
        Ok(Self {
            wall_clock_timeout_ms: options.timeout(WALL_CLOCK)?,
            cpu_timeout_ms: options.timeout(CPU)?,
            unhandled_rejections: options.one_of(
                UNHANDLED_REJECTIONS,
                &[("warn", UnhandledRejections::Warn), ("error", UnhandledRejections::Error)],
            )?,
        })
    }
}

impl CallHandlerOptions {
    pub fn from_js(env: &Env, value: Unknown<'_>) -> Result<(Self, Option<Signal>)> {
        let Some(options) = Options::from_js(env, value, &CALL_OPTIONS)? else { return Ok((Self::default(), None)) };
        Self::read(&options)
    }

    /// Reads them from among others.
    pub fn read(options: &Options) -> Result<(Self, Option<Signal>)> {
        let call = Self { gc: options.boolean(GC)?, limits: LoadOptions::read(options)? };
        Ok((call, options.signal(SIGNAL)?))
    }
}

/// The signal among the options of `Snapshot.load()`; `types.d.ts` has the type.
pub fn snapshot_signal(env: &Env, value: Unknown<'_>) -> Result<Option<Signal>> {
    let Some(options) = Options::from_js(env, value, &[SIGNAL])? else { return Ok(None) };
    options.signal(SIGNAL)
}
