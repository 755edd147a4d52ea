//! How a handler is called.

use super::intake::UnhandledRejections;
use super::tally::HostCallLimits;

/// How a handler is to be called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallSettings {
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

impl CallSettings {
    /// For a call whose result is plain JSON, and otherwise as the sandbox's other calls are. Garbage is collected unless something
    /// else is said.
    pub fn for_json(gc: Option<bool>, memory_limit: Option<u64>) -> Self {
        Self { gc: gc.unwrap_or(true), bytes: false, rejections: None, memory_limit, host_calls: None }
    }
}
