//! What a call has cost.

use std::time::{Duration, Instant};

use super::monitor::ThreadCpuClock;

/// Statistics of the most recent call of a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionStats {
    /// Time that passed during the call.
    pub wall_clock: Duration,
    /// Processor time that the thread which runs the VM has used; `None` where it cannot be measured.
    pub cpu_time: Option<Duration>,
    /// Name of the monitor that stopped the call, if one did.
    pub terminated_by: Option<&'static str>,
}

/// Measures a call from when it is made.
pub struct Stopwatch {
    start: Instant,
    cpu: Option<(Duration, ThreadCpuClock)>,
}

impl Stopwatch {
    pub fn start() -> Self {
        let clock = ThreadCpuClock::of_this_thread();
        Self { cpu: clock.and_then(|clock| Some((clock.now()?, clock))), start: Instant::now() }
    }

    pub fn stop(self, terminated_by: Option<&'static str>) -> ExecutionStats {
        let wall_clock = self.start.elapsed();
        let cpu_time = self.cpu.and_then(|(start, clock)| Some(clock.now()?.saturating_sub(start)));
        ExecutionStats { wall_clock, cpu_time, terminated_by }
    }
}
