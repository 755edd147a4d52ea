//! Timeouts of guest code.

use std::future::{Future, pending};
use std::time::Duration;

use crate::monitor::Started;
use crate::monitor::sealed::Sealed;
use crate::node::bridge::call_options::LoadOptions;
use crate::{CpuTimeMonitor, MonitorSet, WallClockMonitor};

/// At least one limit. The first to be reached stops the code.
pub struct Limits {
    wall_clock: Option<WallClockMonitor>,
    cpu_time: Option<CpuTimeMonitor>,
}

impl Limits {
    /// The limits that are set, if one is.
    pub fn new(options: LoadOptions) -> crate::Result<Option<Self>> {
        let LoadOptions { wall_clock_timeout_ms: wall_clock, cpu_timeout_ms: cpu_time, .. } = options;
        let limit = |milliseconds: f64| Duration::from_secs_f64(milliseconds / 1000.0);
        let wall_clock = wall_clock.map(|timeout| WallClockMonitor::new(limit(timeout))).transpose()?;
        let cpu_time = cpu_time.map(|timeout| CpuTimeMonitor::new(limit(timeout))).transpose()?;
        Ok((wall_clock.is_some() || cpu_time.is_some()).then_some(Self { wall_clock, cpu_time }))
    }
}

impl Sealed for Limits {}

impl MonitorSet for Limits {
    fn start(&self, started: &mut Started) -> hyperlight_host::Result<()> {
        self.wall_clock.as_ref().map_or(Ok(()), |limit| limit.start(started))?;
        self.cpu_time.as_ref().map_or(Ok(()), |limit| limit.start(started))
    }

    fn to_race(&self) -> hyperlight_host::Result<impl Future<Output = &'static str> + Send + 'static> {
        let wall_clock = self.wall_clock.as_ref().map(MonitorSet::to_race).transpose()?;
        let cpu_time = self.cpu_time.as_ref().map(MonitorSet::to_race).transpose()?;
        Ok(async move {
            tokio::select! {
                name = reached(wall_clock) => name,
                name = reached(cpu_time) => name,
            }
        })
    }
}

/// What is no limit is never reached.
async fn reached(limit: Option<impl Future<Output = &'static str>>) -> &'static str {
    match limit {
        Some(limit) => limit.await,
        None => pending().await,
    }
}
