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
        // In a call this is only ever a queue that the guest has left without buffers.
        H::Error(_)
        | H::TransportError(_)
        | H::GuestError(..)
        | H::ReturnValueConversionFailure(..)
        | H::UnexpectedReturnValueType(..)
        | H::MemoryAccessViolation(..)
        | H::ExecutionAccessViolation(_)
        | H::HyperlightVmError(_)
        | H::AnyhowError(_)
        | H::InvalidFlatBuffer(_) => Ok(reply::failure(&error)),
        H::GuestAborted(_, message) => Ok(reply::failure(&message)),
        other => Err(other.into()),
    }
}

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
        || deepest.strip_prefix("Unknown error: KVM error: ").is_some_and(|error| {
            EXHAUSTED.iter().any(|errno| *error == io::Error::from_raw_os_error(*errno).to_string())
        })
}

/// What the system says if it has no memory, files or tasks left.
#[cfg(unix)]
const EXHAUSTED: [i32; 5] = [libc::ENOMEM, libc::EMFILE, libc::ENFILE, libc::ENOSPC, libc::EAGAIN];
#[cfg(not(unix))]
const EXHAUSTED: [i32; 0] = [];
