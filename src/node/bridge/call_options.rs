//! Options of calls that can be stopped; `types.d.ts` has their types.

use napi::{Env, Unknown};

use super::given_functions::{FUNCTIONS, GivenFunctions};
use super::options::Options;
use super::signal::Signal;
use crate::UnhandledRejections;
use crate::node::error::Result;

/// Options that belong to the JavaScript thread.
#[derive(Default)]
pub struct ThreadOptions {
    pub signal: Option<Signal>,
    /// What the call's host functions are given.
    pub context: Option<Unknown<'static>>,
}

impl ThreadOptions {
    fn read(options: &Options) -> Result<Self> {
        Ok(Self { signal: options.signal(SIGNAL)?, context: options.value(CONTEXT)? })
    }
}

/// Options of `getLoadedSandbox()`, without those of the thread; `types.d.ts` has the type.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoadOptions {
    pub wall_clock_timeout_ms: Option<f64>,
    pub cpu_timeout_ms: Option<f64>,
    pub unhandled_rejections: Option<UnhandledRejections>,
}

/// Options of `callHandler()`, without the functions and those of the thread; `types.d.ts` has the type.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallHandlerOptions {
    pub gc: Option<bool>,
    pub limits: LoadOptions,
}

/// Names of the options of `callHandler()`.
pub const CALL_OPTIONS: [&str; 7] = [GC, FUNCTIONS, WALL_CLOCK, CPU, SIGNAL, UNHANDLED_REJECTIONS, CONTEXT];

const GC: &str = "gc";
const WALL_CLOCK: &str = "wallClockTimeoutMs";
const CPU: &str = "cpuTimeoutMs";
const SIGNAL: &str = "signal";
const UNHANDLED_REJECTIONS: &str = "unhandledRejections";
const CONTEXT: &str = "context";

impl LoadOptions {
    pub fn from_js(env: &Env, value: Unknown<'_>) -> Result<(Self, ThreadOptions)> {
        let names = [WALL_CLOCK, CPU, SIGNAL, UNHANDLED_REJECTIONS, CONTEXT];
        let Some(options) = Options::from_js(env, value, &names)? else { return Ok(Default::default()) };
        Ok((Self::read(&options)?, ThreadOptions::read(&options)?))
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
    pub fn from_js(env: &Env, value: Unknown<'_>) -> Result<(Self, GivenFunctions, ThreadOptions)> {
        match Options::from_js(env, value, &CALL_OPTIONS)? {
            Some(options) => Self::read(env, &options),
            None => Ok((Self::default(), GivenFunctions::none(env)?, ThreadOptions::default())),
        }
    }

    /// Reads them from among others.
    pub fn read(env: &Env, options: &Options) -> Result<(Self, GivenFunctions, ThreadOptions)> {
        let call = Self { gc: options.boolean(GC)?, limits: LoadOptions::read(options)? };
        Ok((call, GivenFunctions::read(env, options)?, ThreadOptions::read(options)?))
    }
}

/// The signal among the options of `Snapshot.load()`; `types.d.ts` has the type.
pub fn snapshot_signal(env: &Env, value: Unknown<'_>) -> Result<Option<Signal>> {
    let Some(options) = Options::from_js(env, value, &[SIGNAL])? else { return Ok(None) };
    options.signal(SIGNAL)
}
