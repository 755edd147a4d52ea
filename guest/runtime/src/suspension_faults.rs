//! Suspensions that no call of a handler comes to, on demand. Only the test guest has them.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicI32, AtomicU64, Ordering::Relaxed};

use guest_abi::function::Fault;
use guest_abi::message::Reply;
use guest_abi::payload::Payload;
use guest_abi::suspension::{StartedCall, Suspension};

/// Largest arguments of a host function with the default settings.
const OUTPUT_SIZE: usize = 1 << 20;
/// Longest name of a module.
const NAME_SIZE_MAX: usize = 256;

/// The fault that every entry of a call commits from now on, or 0.
static FAULT: AtomicI32 = AtomicI32::new(0);
/// Number of the host call that was started last.
static LAST: AtomicU64 = AtomicU64::new(0);

/// Has the next call of a handler commit a fault, if it is one of these.
pub fn begin(fault: i32) -> bool {
    let is_one = (Fault::SuspendForNothing as i32..=Fault::StartForEver as i32).contains(&fault);
    if is_one {
        FAULT.store(fault, Relaxed);
    }
    is_one
}

/// What an entry replies if a fault is to be committed with it.
pub fn reply() -> Option<Vec<u8>> {
    let fault = FAULT.load(Relaxed);
    let is = |wanted: Fault| fault == wanted as i32;
    let next = || LAST.fetch_add(1, Relaxed) + 1;
    let call = |number| StartedCall {
        number,
        module: String::from("x"),
        function: String::from("x"),
        arguments: Payload::from_json(String::from("[]")),
    };
    let started = |started| Suspension { started, ..Suspension::default() };
    let suspension = match () {
        () if is(Fault::SuspendForNothing) => Suspension::default(),
        () if is(Fault::StartCallTwice) => started(vec![call(1), call(1)]),
        () if is(Fault::StartCallAgain) => started(vec![call(1)]),
        () if is(Fault::SuspendForEver) => Suspension { timer: Some(0), ..Suspension::default() },
        () if is(Fault::SuspendAtOnce) => Suspension { at_once: true, ..Suspension::default() },
        () if is(Fault::SuspendForCenturies) => Suspension { timer: Some(u64::MAX), ..Suspension::default() },
        () if is(Fault::StartTooManyCalls) => {
            let mut bytes = Reply::Suspended(Suspension::default()).into_bytes();
            // The number of calls is what comes last, but for the status.
            let end = bytes.len() - 1;
            bytes[end - size_of::<u64>()..end].copy_from_slice(&(1u64 << 32).to_le_bytes());
            return Some(bytes);
        }
        () if is(Fault::StartWithLongName) => {
            started(vec![StartedCall { module: "x".repeat(NAME_SIZE_MAX + 1), ..call(1) }])
        }
        () if is(Fault::StartWithLargeArguments) => {
            started(vec![StartedCall { arguments: Payload::from_json("1".repeat(OUTPUT_SIZE + 1)), ..call(1) }])
        }
        () if is(Fault::StartForEver) => {
            let calls = (0..Suspension::STARTED_MAX).map(|_| call(next())).collect();
            Suspension { at_once: true, ..started(calls) }
        }
        () => return None,
    };
    Some(Reply::Suspended(suspension).into_bytes())
}
