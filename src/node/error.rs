//! Why something that JavaScript asked for failed, and the code that it sees for it.

use super::invalid_value::InvalidValue;

/// Result of something that JavaScript asked for.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something that JavaScript asked for failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The sandbox said no.
    #[error(transparent)]
    Sandbox(#[from] crate::Error),

    /// An argument is not acceptable.
    #[error(transparent)]
    InvalidValue(#[from] InvalidValue),

    /// The object was given up to a method that makes another object of it, or gives its memory back.
    #[error("this {class} was consumed by {method}()")]
    Consumed {
        /// Class of the object.
        class: &'static str,
        /// Method that took it.
        method: &'static str,
    },

    /// A host function used the sandbox whose call waits for it.
    #[error("{method}() was called during a host function of this sandbox, whose call it would wait for")]
    Reentrant {
        /// Method that was called.
        method: &'static str,
    },

    /// A call was stopped from outside, as [`crate::Error::Cancelled`], and it is known why.
    #[error("execution was cancelled by the host: {0}")]
    Cancelled(String),

    /// A JavaScript error that is complete as it is.
    #[error("{}", .0.reason)]
    Thrown(napi::Error),

    /// A bug in this addon, such as a panic.
    #[error("internal error: {0}")]
    Internal(String),

    /// Node-API refused.
    #[error("Node-API: {}", .0.reason)]
    NodeApi(#[from] napi::Error),
}

/// The `code` property of a JavaScript error. Each has one meaning, one row in docs/errors.md and a type in `types.d.ts`, which
/// becomes the head of `index.d.ts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    Cancelled,
    Compile,
    Consumed,
    GuestAbort,
    GuestError,
    HandlerNotFound,
    Internal,
    InvalidArg,
    NoHypervisor,
    NoThread,
    PayloadTooLarge,
    Poisoned,
    PoolFull,
    PoolPrepare,
    Reentrant,
    Snapshot,
}

impl Code {
    /// What JavaScript sees.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cancelled => "ERR_CANCELLED",
            Self::Compile => "ERR_COMPILE",
            Self::Consumed => "ERR_CONSUMED",
            Self::GuestAbort => "ERR_GUEST_ABORT",
            Self::GuestError => "ERR_GUEST_ERROR",
            Self::HandlerNotFound => "ERR_HANDLER_NOT_FOUND",
            Self::Internal => "ERR_INTERNAL",
            Self::InvalidArg => "ERR_INVALID_ARG",
            Self::NoHypervisor => "ERR_NO_HYPERVISOR",
            Self::NoThread => "ERR_NO_THREAD",
            Self::PayloadTooLarge => "ERR_PAYLOAD_TOO_LARGE",
            Self::Poisoned => "ERR_POISONED",
            Self::PoolFull => "ERR_POOL_FULL",
            Self::PoolPrepare => "ERR_POOL_PREPARE",
            Self::Reentrant => "ERR_REENTRANT",
            Self::Snapshot => "ERR_SNAPSHOT",
        }
    }
}

impl AsRef<str> for Code {
    fn as_ref(&self) -> &str {
        self.name()
    }
}

impl Error {
    /// What kind of failure it is.
    pub fn code(&self) -> Code {
        use crate::Error as E;
        match self {
            Self::InvalidValue(_) => Code::InvalidArg,
            Self::Consumed { .. } => Code::Consumed,
            Self::Reentrant { .. } => Code::Reentrant,
            Self::Cancelled(_) => Code::Cancelled,
            Self::Internal(_) | Self::NodeApi(_) | Self::Thrown(_) => Code::Internal,
            Self::Sandbox(error) => match error {
                E::NoHypervisor(_) => Code::NoHypervisor,
                E::NoThread { .. } => Code::NoThread,
                E::SnapshotFolder { .. } => Code::Snapshot,
                E::InvalidArgument(_) | E::InvalidEvent(_) | E::Script { .. } | E::SnapshotMismatch(_) => {
                    Code::InvalidArg
                }
                E::HandlerNotFound(_) => Code::HandlerNotFound,
                E::Compile { .. } => Code::Compile,
                E::Guest { .. } => Code::GuestError,
                E::PayloadTooLarge { .. } | E::TooManyValues { .. } => Code::PayloadTooLarge,
                E::PoolFull(_) => Code::PoolFull,
                E::PoolClosed => Code::Consumed,
                E::PoolPrepare(_) => Code::PoolPrepare,
                E::Cancelled => Code::Cancelled,
                E::GuestAbort(_) => Code::GuestAbort,
                E::Poisoned | E::Unrecoverable => Code::Poisoned,
                E::Internal(_) | E::Monitor(_) => Code::Internal,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(error: crate::Error) -> &'static str {
        Error::from(error).code().name()
    }

    // The others come up in the tests of the addon; these need a guest that breaks the rules, or a bug.
    #[test]
    fn failures_that_no_handler_can_cause_have_their_codes() {
        assert_eq!(code(crate::Error::GuestAbort(String::new())), "ERR_GUEST_ABORT");
        assert_eq!(code(crate::Error::Cancelled), "ERR_CANCELLED");
        assert_eq!(code(crate::Error::Poisoned), "ERR_POISONED");
        assert_eq!(code(crate::Error::Unrecoverable), "ERR_POISONED");
        assert_eq!(Error::Internal(String::new()).code().name(), "ERR_INTERNAL");
    }
}
