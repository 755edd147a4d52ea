//! What can go wrong.

use std::path::PathBuf;
use std::sync::Arc;

pub use guest_abi::message::{Details as ErrorDetails, Exception as ThrownError};
use hyperlight_host::HyperlightError;

use super::hypervisor;
use super::invalid_argument::InvalidArgument;
use super::no_hypervisor::NoHypervisor;
use super::snapshot_mismatch::SnapshotMismatch;
use super::snapshot_problem::SnapshotProblem;

/// Result of an operation on a sandbox.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an operation on a sandbox failed.
///
/// Unless a variant says otherwise the sandbox stays usable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No hypervisor can be used on this machine, or not by this user.
    #[error(transparent)]
    NoHypervisor(#[from] NoHypervisor),

    /// An argument or a setting is not acceptable.
    #[error(transparent)]
    InvalidArgument(#[from] InvalidArgument),

    /// A script could not be read.
    #[error("cannot read script {}: {source}", path.display())]
    Script {
        /// Path of the file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },

    /// The event is not JSON.
    #[error("the event is not JSON: {0}")]
    InvalidEvent(String),

    /// There is no handler of this name.
    #[error("there is no handler named {0:?}")]
    HandlerNotFound(String),

    /// A handler's source could not be compiled, linked or evaluated.
    #[error("{}{name}: {message}", place(file, *line, *column))]
    Compile {
        /// Name of the error, such as `SyntaxError`.
        name: String,
        /// The error's message.
        message: String,
        /// Name of the handler or module.
        file: String,
        /// Line in its source, from 1; 0 if it is not known.
        line: u32,
        /// Column in its source, from 1; 0 if it is not known.
        column: u32,
        /// The guest's stack trace, one frame a line.
        stack: String,
        /// What else is known of the error.
        details: Box<ErrorDetails>,
    },

    /// The handler threw, or the promise that it returned was rejected.
    #[error("{}", exception(name, message))]
    Guest {
        /// The error's name, such as `TypeError`; empty if what was thrown is not an error.
        name: String,
        /// The error's message, or what was thrown as text.
        message: String,
        /// The guest's stack trace, one frame a line. Files, lines and columns are those of the sources, or of their
        /// originals if a source ends with a source map.
        stack: String,
        /// The properties of what was thrown, its cause and its errors.
        details: Box<ErrorDetails>,
    },

    /// Something does not fit the buffers between host and guest.
    #[error("the {what} is {size} bytes long, but at most {limit} bytes fit")]
    PayloadTooLarge {
        /// What is too large: `event`, `result` or `source of a handler`.
        what: &'static str,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },

    /// What a guest gives consists of too many values.
    #[error("the {what} has {count} values and names of members, but at most {limit} are allowed")]
    TooManyValues {
        /// What has too many: `result` or `array of the host function's arguments`.
        what: &'static str,
        /// Objects, arrays, their members, and the names of those.
        count: u64,
        /// The limit: see [`SandboxBuilder::with_max_output_values`](crate::SandboxBuilder::with_max_output_values).
        limit: u64,
    },

    /// A snapshot does not fit the sandbox that it is to be restored into.
    #[error("the snapshot does not fit this sandbox: {0}")]
    SnapshotMismatch(#[from] SnapshotMismatch),

    /// A snapshot could not be saved to a folder or loaded from one.
    #[error("snapshot {}: {reason}", path.display())]
    SnapshotFolder {
        /// Path of the folder.
        path: PathBuf,
        /// What is wrong.
        reason: SnapshotProblem,
    },

    /// An execution monitor could not be started, so the handler was not run.
    #[error("the execution monitor failed to start: {0}")]
    Monitor(MonitorFailure),

    /// A thread that is needed cannot be had: the limit of the process, its user or its container is reached.
    #[error(
        "the thread {purpose} cannot be had: {source}; raise the limit of threads (pids of the container's cgroup, ulimit -u) \
         or make fewer sandboxes"
    )]
    NoThread {
        /// What it is for, as in `for work that blocks`.
        purpose: &'static str,
        /// What the system said.
        source: std::io::Error,
    },

    /// So many requests wait for a sandbox of a pool that no more may.
    #[error("{0} requests wait for a sandbox of the pool already, and no more may")]
    PoolFull(usize),

    /// The pool has been closed.
    #[error("the pool has been closed")]
    PoolClosed,

    /// A pool has no sandbox left and could not make one.
    #[error("the pool has no sandbox and could not make one: {0}")]
    PoolPrepare(PoolFailure),

    /// The guest was stopped from outside. The sandbox is poisoned.
    #[error("execution was cancelled by the host")]
    Cancelled,

    /// The guest ended the call without finishing it, by a fault or by breaking the protocol. The sandbox is poisoned.
    #[error("the guest aborted: {0}")]
    GuestAbort(String),

    /// The sandbox is poisoned: an earlier call did not run to its end. Restore a snapshot.
    #[error("the sandbox is poisoned by a call that did not run to its end; restore a snapshot to go on")]
    Poisoned,

    /// The sandbox is unrecoverable and must be dropped.
    #[error("the sandbox is unrecoverable and must be dropped")]
    Unrecoverable,

    /// The hypervisor or `hyperlight-host` reported something that no caller can cause: a bug or a machine out of resources.
    #[error("{0}")]
    Internal(#[source] Box<HyperlightError>),
}

/// Why an execution monitor could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MonitorFailure {
    /// The monitor's own reason.
    #[error("{0}")]
    Refused(Box<HyperlightError>),
    /// The threads that run monitors cannot be had.
    #[error("there are no threads for it")]
    NoThreads,
}

/// Why a pool could not make a sandbox. All requests that wait are told the same.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolFailure {
    /// It failed.
    #[error("{0}")]
    Failed(Arc<Error>),
    /// What makes the sandboxes panicked.
    #[error("prepare panicked")]
    Panicked,
    /// What makes the sandboxes is not a part of this crate: its own words.
    #[error("{0}")]
    Told(String),
    /// Nobody is left who could make one.
    #[error("the work was given up")]
    GivenUp,
    /// The last sandbox was lost.
    #[error("its sandbox is gone")]
    Gone,
}

impl Error {
    /// The kind of error, for metrics and spans.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::NoHypervisor(_) => "no_hypervisor",
            Self::InvalidArgument(_) => "invalid_argument",
            Self::Script { .. } => "script",
            Self::InvalidEvent(_) => "invalid_event",
            Self::HandlerNotFound(_) => "handler_not_found",
            Self::Compile { .. } => "compile",
            Self::Guest { .. } => "guest_error",
            Self::PayloadTooLarge { .. } => "payload_too_large",
            Self::TooManyValues { .. } => "too_many_values",
            Self::SnapshotMismatch(_) => "snapshot_mismatch",
            Self::SnapshotFolder { .. } => "snapshot_folder",
            Self::Monitor(_) => "monitor",
            Self::NoThread { .. } => "no_thread",
            Self::PoolFull(_) => "pool_full",
            Self::PoolClosed => "pool_closed",
            Self::PoolPrepare(_) => "pool_prepare",
            Self::Cancelled => "cancelled",
            Self::GuestAbort(_) => "guest_abort",
            Self::Poisoned => "poisoned",
            Self::Unrecoverable => "unrecoverable",
            Self::Internal(_) => "internal",
        }
    }
}

fn exception(name: &str, message: &str) -> String {
    match (name, message) {
        ("", message) => message.to_string(),
        (name, "") => name.to_string(),
        (name, message) => format!("{name}: {message}"),
    }
}

fn place(file: &str, line: u32, column: u32) -> String {
    match (line, column) {
        (0, _) => format!("{file}: "),
        (line, 0) => format!("{file}:{line}: "),
        (line, column) => format!("{file}:{line}:{column}: "),
    }
}

impl From<HyperlightError> for Error {
    fn from(error: HyperlightError) -> Self {
        match error {
            HyperlightError::NoHypervisorFound() => Self::NoHypervisor(NoHypervisor::NotFound),
            HyperlightError::HyperlightVmError(_) => match hypervisor::refusal(&error.to_string()) {
                Some(reason) => Self::NoHypervisor(reason),
                None => Self::Internal(Box::new(error)),
            },
            HyperlightError::ExecutionCanceledByHost() => Self::Cancelled,
            HyperlightError::GuestAborted(_, message) => Self::GuestAbort(message),
            HyperlightError::PoisonedSandbox => Self::Poisoned,
            HyperlightError::UnrecoverableSandbox => Self::Unrecoverable,
            other => Self::Internal(Box::new(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_written_as_far_as_it_is_known() {
        assert_eq!(place("greet", 3, 5), "greet:3:5: ");
        assert_eq!(place("greet", 3, 0), "greet:3: ");
        assert_eq!(place("greet", 0, 0), "greet: ");
    }

    #[test]
    fn an_exception_is_written_as_javascript_writes_it() {
        assert_eq!(exception("TypeError", "no"), "TypeError: no");
        assert_eq!(exception("TypeError", ""), "TypeError");
        assert_eq!(exception("", "thrown"), "thrown");
    }
}
