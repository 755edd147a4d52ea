//! Timeouts of guest code.

use std::time::Duration;

use crate::node::bridge::call_options::LoadOptions;
use crate::{CpuTimeMonitor, WallClockMonitor};

/// The first to be reached stops the code.
pub type Limits = (Option<WallClockMonitor>, Option<CpuTimeMonitor>);

/// The limits that are set, if one is.
pub fn limits(options: LoadOptions) -> crate::Result<Option<Limits>> {
    let LoadOptions { wall_clock_timeout_ms: wall_clock, cpu_timeout_ms: cpu_time, .. } = options;
    let limit = |milliseconds: f64| Duration::from_secs_f64(milliseconds / 1000.0);
    let wall_clock = wall_clock.map(|timeout| WallClockMonitor::new(limit(timeout))).transpose()?;
    let cpu_time = cpu_time.map(|timeout| CpuTimeMonitor::new(limit(timeout))).transpose()?;
    Ok((wall_clock.is_some() || cpu_time.is_some()).then_some((wall_clock, cpu_time)))
}
