//! What the host does with what comes from a guest.

use std::ops::RangeInclusive;
use std::sync::Arc;

use guest_abi::function::ConsoleLevel;

use super::invalid_argument::{InvalidArgument, check_range};
use super::tally::HostCallLimits;

/// What the host does with what comes from a guest. It is no part of the guest's state, so it can be another one for each
/// sandbox that starts from a snapshot.
#[derive(Clone)]
pub(super) struct Intake {
    pub print: Option<Arc<HostPrint>>,
    /// Most values of a result, and of the arguments of a host function.
    pub max_values: usize,
    pub unhandled_rejections: UnhandledRejections,
    /// Whether a snapshot may be started from or restored though host functions are missing that it needs: each call brings its
    /// own.
    pub functions_come_with_calls: bool,
    /// How often a call may call the host.
    pub host_calls: HostCallLimits,
}

/// What becomes of a call in which a promise was rejected that nobody handles by the end of the call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnhandledRejections {
    /// It is an error line on the console, with the stack; of more than 16 only their number. The call does not fail.
    #[default]
    Warn,
    /// The call fails with the reason, as if the handler or the module had thrown it; further ones are lines on the console. A call
    /// that fails anyway does so with its own error.
    Error,
}

/// Takes a line that guest code wrote to its console.
pub(super) type HostPrint = dyn Fn(ConsoleLevel, &str) + Send + Sync;

impl Default for Intake {
    fn default() -> Self {
        let max_values = Self::DEFAULT_MAX_VALUES;
        Self {
            print: None,
            max_values,
            unhandled_rejections: UnhandledRejections::default(),
            functions_come_with_calls: false,
            host_calls: HostCallLimits::default(),
        }
    }
}

impl Intake {
    pub const DEFAULT_MAX_VALUES: usize = 128 << 10;
    pub const MAX_VALUES_RANGE: RangeInclusive<usize> = 1..=128 << 20;

    pub fn check(&self) -> Result<(), InvalidArgument> {
        let HostCallLimits { total, in_flight } = self.host_calls;
        let in_flight_range = widened(&HostCallLimits::IN_FLIGHT_RANGE);
        check_range("limit of host calls", total, "", &HostCallLimits::TOTAL_RANGE)?;
        check_range("limit of host calls in flight", in_flight as u64, "", &in_flight_range)?;
        check_range("limit of values in a result", self.max_values as u64, "", &widened(&Self::MAX_VALUES_RANGE))
    }
}

fn widened(range: &RangeInclusive<usize>) -> RangeInclusive<u64> {
    *range.start() as u64..=*range.end() as u64
}
