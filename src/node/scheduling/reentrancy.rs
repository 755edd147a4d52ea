//! Who may wait for what: sandboxes, and the host functions that their calls wait for.
//!
//! A guest's call cannot end while its host function runs. A host function that waits for another operation on the same
//! sandbox would wait for ever, since that waits for the guest's call; and so it would by way of a second sandbox. The rule
//! that keeps this from happening: **what is done during a host function may not use a sandbox whose call waits
//! for that function**, directly or through other sandboxes' calls. Nor may it use the pool that such a sandbox belongs to: the
//! sandbox may be its last one.
//!
//! "During" is what Node.js calls the asynchronous context: all that the callback does, and whatever follows from
//! it, until the result is settled. An `AsyncLocalStorage` of our own carries the [`PendingHostCall`] along. So a call that
//! somebody else makes meanwhile is not affected: it waits its turn.

use std::sync::Arc;

use super::host_call::{Caller, PendingHostCall};
use crate::node::error::{Error, Result};

/// Refuses to have a method use what waits for the running code: `is_used` says whether that is so of a sandbox. Returns the host
/// call that a call has to know of as its cause.
pub fn check(
    running: Option<Arc<PendingHostCall>>,
    method: &'static str,
    is_used: impl Fn(&Caller) -> bool,
) -> Result<Option<Arc<PendingHostCall>>> {
    let cause = running.and_then(PendingHostCall::first_waiting);
    let mut next = cause.as_ref();
    while let Some(call) = next {
        if is_used(&call.caller) && call.is_waiting() {
            return Err(Error::Reentrant { method });
        }
        next = call.cause.host_call.as_ref();
    }
    Ok(cause)
}
