//! Options of calls that can be stopped; `types.d.ts` has their types.

use std::ops::RangeInclusive;

use napi::{Env, Unknown};

use super::given_functions::{FETCH, FUNCTIONS, GivenFunctions};
use super::options::Options;
use super::signal::Signal;
use crate::UnhandledRejections;
use crate::node::error::Result;
use crate::sandbox::tally::HostCallLimits;

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
    pub host_calls: Option<HostCallLimits>,
}

/// Options of `callHandler()`, without the functions and those of the thread; `types.d.ts` has the type.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallHandlerOptions {
    pub gc: Option<bool>,
    pub memory_limit: Option<u64>,
    pub limits: LoadOptions,
}

/// Names of the options of `callHandler()`.
pub const CALL_OPTIONS: [&str; 11] = [
    GC,
    FUNCTIONS,
    FETCH,
    MEMORY_LIMIT,
    WALL_CLOCK,
    CPU,
    SIGNAL,
    UNHANDLED_REJECTIONS,
    CONTEXT,
    HOST_CALLS,
    HOST_CALLS_IN_FLIGHT,
];

const GC: &str = "gc";
const MEMORY_LIMIT: &str = "memoryLimitBytes";
const WALL_CLOCK: &str = "wallClockTimeoutMs";
const CPU: &str = "cpuTimeoutMs";
const SIGNAL: &str = "signal";
const UNHANDLED_REJECTIONS: &str = "unhandledRejections";
const CONTEXT: &str = "context";
const HOST_CALLS: &str = "maxHostCalls";
const HOST_CALLS_IN_FLIGHT: &str = "maxHostCallsInFlight";

/// Of all heaps.
const MEMORY_LIMITS: RangeInclusive<usize> = 1..=*crate::SandboxBuilder::HEAP_SIZE_RANGE.end() as usize;
/// Name of the option for receipts.
pub const MAX_CONSOLE_BYTES: &str = "maxConsoleBytes";
const MAX_CONSOLE_BYTES_RANGE: RangeInclusive<usize> = 0..=16 << 20;
pub const MAX_CONSOLE_BYTES_DEFAULT: usize = 64 << 10;

impl LoadOptions {
    pub fn from_js(env: &Env, value: Unknown<'_>) -> Result<(Self, ThreadOptions)> {
        let names = [WALL_CLOCK, CPU, SIGNAL, UNHANDLED_REJECTIONS, CONTEXT, HOST_CALLS, HOST_CALLS_IN_FLIGHT];
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
            host_calls: host_calls(options)?,
        })
    }
}

fn host_calls(options: &Options) -> Result<Option<HostCallLimits>> {
    let (least, most) = HostCallLimits::TOTAL_RANGE.into_inner();
    let total = options.count(HOST_CALLS, &(least as usize..=most as usize))?;
    let in_flight = options.count(HOST_CALLS_IN_FLIGHT, &HostCallLimits::IN_FLIGHT_RANGE)?;
    if total.is_none() && in_flight.is_none() {
        return Ok(None);
    }
    let default = HostCallLimits::default();
    Ok(Some(HostCallLimits {
        total: total.map_or(default.total, |total| total as u64),
        in_flight: in_flight.unwrap_or(default.in_flight),
    }))
}

impl CallHandlerOptions {
    pub fn from_js(env: &Env, value: Unknown<'_>) -> Result<(Self, GivenFunctions, ThreadOptions)> {
        match Options::from_js(env, value, &CALL_OPTIONS)? {
            Some(options) => Self::read(env, &options),
            None => Ok((Self::default(), GivenFunctions::none(env)?, ThreadOptions::default())),
        }
    }

    /// With the most bytes that the lines of a receipt may take.
    pub fn with_console_size(env: &Env, value: Unknown<'_>) -> Result<((Self, GivenFunctions, ThreadOptions), usize)> {
        let names = [CALL_OPTIONS.as_slice(), &[MAX_CONSOLE_BYTES]].concat();
        match Options::from_js(env, value, &names)? {
            Some(options) => Ok((Self::read(env, &options)?, console_size(&options)?)),
            None => {
                Ok(((Self::default(), GivenFunctions::none(env)?, ThreadOptions::default()), MAX_CONSOLE_BYTES_DEFAULT))
            }
        }
    }

    /// Reads them from among others.
    pub fn read(env: &Env, options: &Options) -> Result<(Self, GivenFunctions, ThreadOptions)> {
        let call = Self {
            gc: options.boolean(GC)?,
            memory_limit: options.count(MEMORY_LIMIT, &MEMORY_LIMITS)?.map(|bytes| bytes as u64),
            limits: LoadOptions::read(options)?,
        };
        Ok((call, GivenFunctions::read(env, options)?, ThreadOptions::read(options)?))
    }
}

/// Reads from among others how many bytes the lines of a receipt may take.
pub fn console_size(options: &Options) -> Result<usize> {
    Ok(options.count(MAX_CONSOLE_BYTES, &MAX_CONSOLE_BYTES_RANGE)?.unwrap_or(MAX_CONSOLE_BYTES_DEFAULT))
}

/// The signal among the options of `Snapshot.load()`; `types.d.ts` has the type.
pub fn snapshot_signal(env: &Env, value: Unknown<'_>) -> Result<Option<Signal>> {
    let Some(options) = Options::from_js(env, value, &[SIGNAL])? else { return Ok(None) };
    options.signal(SIGNAL)
}
