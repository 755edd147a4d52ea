//! What a call has cost.

use std::time::{Duration, Instant};

use guest_abi::counters::Counter;

use super::call_control::CallGuard;

/// Statistics of the most recent call of a sandbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecutionStats {
    /// Time that passed during the call; never less than `cpu_time`.
    pub wall_clock: Duration,
    /// Processor time that the thread which runs the VM has used; `None` where it cannot be measured.
    pub cpu_time: Option<Duration>,
    /// Name of the monitor that stopped the call, if one did.
    pub terminated_by: Option<&'static str>,
    /// Calls of host functions, synchronous and asynchronous, those that were refused among them.
    pub host_calls: u64,
    /// Time during which the guest did not run, because the call waited for asynchronous host functions or timers. The time of
    /// synchronous host functions is not part of it.
    pub suspended: Duration,
    /// Entries into the guest: one at the beginning of the call, and one each time that it went on after a suspension, a
    /// synchronous host function, a module that was loaded, or a line of the console.
    pub entries: u64,
    /// Memory of the guest's JavaScript when it last said something of it: when the call ended or, if that was stopped, when it last
    /// asked the host for something. `None` if it never did.
    pub heap: Option<HeapUse>,
}

/// Memory that the guest's JavaScript uses. This is the guest's word: a guest that has been taken over may say what it likes, but
/// no more than the size of its heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeapUse {
    /// Bytes in use after the call, with all that the sandbox keeps.
    pub used: u64,
    /// Most bytes in use at one time during the call.
    pub peak: u64,
}

impl ExecutionStats {
    /// The two times are of two clocks, of which one may go a little slower; what is reported does not contradict itself.
    fn new(began: Instant, cpu_time: Option<Duration>) -> Self {
        let wall_clock = began.elapsed().max(cpu_time.unwrap_or_default());
        Self { wall_clock, cpu_time, ..Self::default() }
    }

    /// Those of a call that ends now.
    pub(crate) fn of(running: &CallGuard, terminated_by: Option<&'static str>) -> Self {
        let tally = running.tally();
        Self {
            terminated_by,
            host_calls: tally.host_calls(),
            suspended: tally.suspended(),
            entries: tally.entries(),
            heap: tally.heap().map(|(used, peak)| HeapUse { used, peak }),
            ..Self::new(running.began(), running.cpu_time())
        }
    }
}

/// What the guest's kernel has done since the sandbox was started or last restored: the page faults that it served, and the
/// pages that it copied ahead.
///
/// A fault takes between one microsecond and a hundred, depending on the hypervisor, so this is what the first call after a
/// start or a restore is slow for. Pages that nearly every call writes are copied ahead, which takes a tenth of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuestCounters {
    /// All page faults.
    pub faults: u64,
    /// Those that gave pages back to the JavaScript engine: after a start or a restore they are all taken away.
    pub opened: u64,
    /// Those that gave it memory that it had not used before.
    pub mapped: u64,
    /// Those that copied a page, or a run of pages, which it had not written since.
    pub copied: u64,
    /// Pages that were copied ahead, without a fault.
    pub prepared: u64,
    /// Pages of memory that it had not used before, mapped by those faults.
    pub fresh: u64,
    /// Pages that were copied in runs, by those of the faults that found pages being written one after the other.
    pub copied_in_runs: u64,
}

impl GuestCounters {
    /// The counters that a guest sent; `None` if these are some others.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (words, []) = bytes.as_chunks::<8>() else { return None };
        let words: &[[u8; 8]; Counter::COUNT] = words.try_into().ok()?;
        let count = |counter: Counter| u64::from_le_bytes(words[counter as usize]);
        Some(Self {
            faults: count(Counter::Faults),
            opened: count(Counter::Opened),
            mapped: count(Counter::Mapped),
            copied: count(Counter::Copied),
            prepared: count(Counter::Prepared),
            fresh: count(Counter::Fresh),
            copied_in_runs: count(Counter::CopiedInRuns),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_passed_is_never_less_than_that_of_the_processor() {
        for cpu_time in [None, Some(Duration::ZERO), Some(Duration::from_secs(1_000_000))] {
            let stats = ExecutionStats::new(Instant::now(), cpu_time);
            assert_eq!(stats.cpu_time, cpu_time);
            assert!(stats.wall_clock >= cpu_time.unwrap_or_default(), "{stats:?}");
        }
    }
}
