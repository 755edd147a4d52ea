//! Calls of asynchronous host functions: the promises that guest code has for their results, and those of which the host has not been
//! told.
//!
//! Native memory is bounded: so many calls may be in flight, and none whose arguments have not been encoded within their limit.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use guest_abi::message::{Exception, HostReply};
use guest_abi::payload::Payload;
use guest_abi::suspension::StartedCall;
use rquickjs::{Ctx, Function, Persistent, Promise, Result, Value};

use super::{event_loop, exception, host, payload};
use crate::global::Global;

/// Most calls that may be in flight.
const IN_FLIGHT_MAX: usize = 1_000;

static CALLS: Global<Calls> = Global::new();

struct Calls {
    /// Number of the call that was started last. None is used again.
    last: u64,
    /// By number, which grow: those that are settled have gone, or have no promise.
    in_flight: Vec<(u64, Option<Settlers>)>,
    in_flight_count: usize,
    untold: Vec<StartedCall>,
}

/// What settles a promise.
struct Settlers {
    resolve: Persistent<Function<'static>>,
    reject: Persistent<Function<'static>>,
}

/// There is none yet.
pub fn install() {
    CALLS.set(Calls { last: 0, in_flight: Vec::new(), in_flight_count: 0, untold: Vec::new() });
}

/// Calls an asynchronous host function: a promise for its result. The host is told at the end of this entry.
pub fn start<'js>(ctx: Ctx<'js>, module: String, function: String, arguments: Value<'js>) -> Result<Promise<'js>> {
    let (promise, resolve, reject) = ctx.promise()?;
    // This may run code, which may start calls too.
    let arguments = host::encode_arguments(&ctx, arguments);
    let settlers =
        Settlers { resolve: Persistent::save(&ctx, resolve), reject: Persistent::save(&ctx, reject.clone()) };
    let begun = arguments.and_then(|arguments| begin(&ctx, module, function, arguments, settlers));
    if begun.is_err() {
        reject.call::<_, ()>((ctx.catch(),))?;
    }
    Ok(promise)
}

fn begin(ctx: &Ctx<'_>, module: String, function: String, arguments: Payload, settlers: Settlers) -> Result<()> {
    let has_room = CALLS.with(|calls| {
        if calls.in_flight_count >= IN_FLIGHT_MAX {
            return Ok(false);
        }
        let room = calls.in_flight.try_reserve(1).and_then(|()| calls.untold.try_reserve(1));
        room.map(|()| true).map_err(|_| exception::throw_out_of_memory(ctx))
    })?;
    if !has_room {
        let message = format!("there are {IN_FLIGHT_MAX} calls of host functions in flight already");
        return Err(host::failure(ctx, Exception::new("RangeError", message)));
    }
    event_loop::is_used();
    CALLS.with(|calls| {
        calls.last += 1;
        calls.in_flight_count += 1;
        calls.in_flight.push((calls.last, Some(settlers)));
        calls.untold.push(StartedCall { number: calls.last, module, function, arguments });
    });
    Ok(())
}

/// Settles the promise of a call with what has come of it, unless nobody waits for it any more.
pub fn settle(ctx: &Ctx<'_>, number: u64, reply: HostReply) -> Result<()> {
    let Some(Settlers { resolve, reject }) = CALLS.with(|calls| calls.take(number)) else { return Ok(()) };
    let result = match reply {
        HostReply::Value(value) => payload::decode(ctx, &value),
        HostReply::Undefined => Ok(Value::new_undefined(ctx.clone())),
        HostReply::Failed(error) => Err(host::failure(ctx, error)),
    };
    match result {
        Ok(value) => resolve.restore(ctx)?.call((value,)),
        Err(_) => reject.restore(ctx)?.call((ctx.catch(),)),
    }
}

impl Calls {
    /// Takes a call that is in flight.
    fn take(&mut self, number: u64) -> Option<Settlers> {
        let at = self.in_flight.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        let settlers = self.in_flight[at].1.take()?;
        self.in_flight_count -= 1;
        if self.in_flight.len() > 2 * self.in_flight_count + 16 {
            self.in_flight.retain(|(_, settlers)| settlers.is_some());
        }
        Some(settlers)
    }
}

/// Whether calls are in flight.
pub fn is_in_flight() -> bool {
    CALLS.with(|calls| calls.in_flight_count > 0)
}

/// Takes the calls that the host has not been told of, as many as fit a message of this size.
pub fn take_started(size_max: usize) -> Vec<StartedCall> {
    CALLS.with(|calls| {
        let (mut count, mut left) = (0, size_max);
        for call in &calls.untold {
            // The first one always fits, since arguments have the same limit as the message.
            if count > 0 && call.size() > left {
                break;
            }
            left = left.saturating_sub(call.size());
            count += 1;
        }
        let rest = calls.untold.split_off(count);
        core::mem::replace(&mut calls.untold, rest)
    })
}

/// Whether there are calls that the host has not been told of.
pub fn has_started() -> bool {
    CALLS.with(|calls| !calls.untold.is_empty())
}

/// Drops what a call leaves behind.
pub fn clear() {
    let left = CALLS.with(|calls| {
        calls.in_flight_count = 0;
        (core::mem::take(&mut calls.in_flight), core::mem::take(&mut calls.untold))
    });
    drop(left);
}
