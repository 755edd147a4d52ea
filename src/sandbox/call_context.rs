//! What a call is told by the host.

use guest_abi::message::CallContext;
use rand::Rng;

use super::clock;

/// What a call is told about the time it is made at, and its share of randomness.
pub fn context() -> CallContext {
    let mut seed = [0; 32];
    rand::rng().fill_bytes(&mut seed);
    CallContext {
        epoch_nanos: clock::epoch_nanos(),
        monotonic_nanos: clock::monotonic_nanos(),
        tsc_hz: clock::tsc_hz(),
        seed,
    }
}
