//! Whose fault it is when a call into a guest fails: the guest's, or the host's.

use std::error::Error as _;
use std::io;

use hyperlight_host::HyperlightError;

use super::error::Error;
use super::reply;

/// Tells what only a guest that faults or breaks the protocol can cause (`Ok`) from everything else (`Err`).
pub fn of_guest(error: HyperlightError) -> Result<String, Error> {
    use hyperlight_host::HyperlightError as H;
    match error {
        H::HyperlightVmError(_) if is_of_host(&error) => Err(Error::Internal(Box::new(error))),
        H::TransportError(ref text) if IN_TRANSPORT_OF_HOST.iter().any(|begin| text.starts_with(begin)) => {
            Err(Error::Internal(Box::new(error)))
        }
        // Otherwise it is the message that the host could not make.
        H::Error(ref text) if text.starts_with(NO_BUFFERS) => Ok(reply::failure(&error)),
        H::TransportError(_)
        | H::GuestError(..)
        | H::ReturnValueConversionFailure(..)
        | H::UnexpectedReturnValueType(..)
        | H::MemoryAccessViolation(..)
        | H::ExecutionAccessViolation(_)
        | H::HyperlightVmError(_)
        | H::InvalidFlatBuffer(_) => Ok(reply::failure(&error)),
        H::GuestAborted(_, message) => Ok(reply::failure(&message)),
        other => Err(other.into()),
    }
}

/// What `hyperlight-host` says of a queue that the guest has left without buffers for the host's message.
const NO_BUFFERS: &str = "H2G capacity cannot provide ";

/// What it says of a message from the guest that the host has no memory for, and of queues that it has not set up itself.
const IN_TRANSPORT_OF_HOST: [&str; 4] = [
    "Failed to decode G2H guest function result: Failed to allocate ",
    "Failed to read G2H log: Failed to allocate ",
    "H2G consumer is not attached",
    "G2H consumer is not attached",
];

/// Whether the hypervisor could not run the guest: it failed to set the processor's registers, or had not what it takes.
///
/// `hyperlight-host` does not export the types of these errors, so their texts are compared; `tests/exhausted.rs` has a system
/// call fail in this way.
fn is_of_host(error: &HyperlightError) -> bool {
    let mut deepest = error.source();
    while let Some(source) = deepest.and_then(|error| error.source()) {
        deepest = Some(source);
    }
    let Some(deepest) = deepest.map(ToString::to_string) else { return false };
    deepest.starts_with("Failed to setup registers: ")
        || deepest == "VM was uninitialized"
        || deepest.starts_with("Failed to acquire lock at ")
        || deepest.strip_prefix("Unknown error: KVM error: ").is_some_and(|error| {
            EXHAUSTED.iter().any(|errno| *error == io::Error::from_raw_os_error(*errno).to_string())
        })
}

/// What the system says if it has no memory, files or tasks left.
#[cfg(unix)]
const EXHAUSTED: [i32; 5] = [libc::ENOMEM, libc::EMFILE, libc::ENFILE, libc::ENOSPC, libc::EAGAIN];
#[cfg(not(unix))]
const EXHAUSTED: [i32; 0] = [];

#[cfg(test)]
mod tests {
    use hyperlight_host::HyperlightError as H;

    use super::*;

    #[test]
    fn a_message_that_the_host_cannot_make_or_take_is_no_fault_of_the_guest() {
        let of_host = [
            H::Error("H2G request exceeds the wire payload limit".to_string()),
            H::TransportError(
                "Failed to decode G2H guest function result: Failed to allocate 9 bytes for it".to_string(),
            ),
            H::TransportError("H2G consumer is not attached".to_string()),
            H::SystemTimeError(std::time::UNIX_EPOCH.duration_since(std::time::SystemTime::now()).expect_err("later")),
        ];
        for error in of_host {
            let text = error.to_string();
            assert!(matches!(of_guest(error), Err(Error::Internal(_))), "{text}");
        }
        let of_guests = [
            H::Error("H2G capacity cannot provide 2 buffers with 1 spare".to_string()),
            H::TransportError("G2H poll failed: Failed to allocate 9 bytes".to_string()),
            H::GuestAborted(0, "H2G consumer is not attached".to_string()),
        ];
        for error in of_guests {
            assert!(of_guest(error).is_ok());
        }
    }
}
