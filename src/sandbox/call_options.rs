//! How a handler is called.

use super::intake::UnhandledRejections;
use super::tally::HostCallLimits;

/// How a handler is to be called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallOptions {
    /// Whether to collect garbage afterwards if there may be much.
    pub gc: bool,
    /// Whether the result may hold byte arrays; if not, it is plain JSON.
    pub bytes: bool,
    /// What unhandled rejections do, if not what they do in the sandbox's other calls.
    pub rejections: Option<UnhandledRejections>,
    /// Most bytes that JavaScript may use, if that is less than the heap's size.
    pub memory_limit: Option<u64>,
    /// How often it may call the host, if not as often as the sandbox's other calls.
    pub host_calls: Option<HostCallLimits>,
}
