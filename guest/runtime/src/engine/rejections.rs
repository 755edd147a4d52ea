//! Promises that were rejected and that nobody handles.
//!
//! A handler may be added as long as the call runs; what is left when it ends goes to the console, as an error, or fails the call.

use alloc::format;
use alloc::vec::Vec;

use guest_abi::function::ConsoleLevel;
use guest_abi::message::Exception;
use rquickjs::promise::PromiseState;
use rquickjs::{Ctx, Persistent, Promise, Runtime, Value};

use super::{console, exception};
use crate::global::Global;

/// How many are reported one by one.
const REPORTED_MAX: usize = 16;

static REJECTIONS: Global<Rejections> = Global::new();

#[derive(Default)]
struct Rejections {
    first: Vec<Rejection>,
    /// How many there are beside those.
    more: usize,
}

struct Rejection {
    promise: Persistent<Value<'static>>,
    reason: Persistent<Value<'static>>,
}

/// Has the engine tell of them.
pub fn install(runtime: &Runtime) {
    REJECTIONS.set(Rejections::default());
    runtime.set_host_promise_rejection_tracker(Some(alloc::boxed::Box::new(|ctx, promise, reason, is_handled| {
        let promise = Persistent::save(&ctx, promise);
        if is_handled {
            remove(&promise);
        } else {
            add(Rejection { promise, reason: Persistent::save(&ctx, reason) });
        }
    })));
}

fn add(rejection: Rejection) {
    REJECTIONS.with(|rejections| {
        if rejections.first.len() < REPORTED_MAX {
            rejections.first.push(rejection);
        } else {
            rejections.more += 1;
        }
    });
}

/// Takes one off the list, or from the count of those that are not on it.
fn remove(promise: &Persistent<Value<'static>>) {
    let removed = REJECTIONS.with(|rejections| {
        let position = rejections.first.iter().position(|rejection| rejection.promise == *promise);
        if position.is_none() {
            rejections.more = rejections.more.saturating_sub(1);
        }
        position.map(|position| rejections.first.remove(position))
    });
    // Dropped while the list is not in use: what is freed may run code.
    drop(removed);
}

/// The host is told what a promise comes to: that handles it.
pub fn handled<'js>(ctx: &Ctx<'js>, promise: &Promise<'js>) {
    if promise.state() == PromiseState::Rejected {
        remove(&Persistent::save(ctx, promise.clone().into_value()));
    }
}

/// The reason of the first of those that are left, which is forgotten.
pub fn take_first(ctx: &Ctx<'_>) -> Option<Exception> {
    let first = REJECTIONS.with(|rejections| (!rejections.first.is_empty()).then(|| rejections.first.remove(0)));
    let reason = first?.reason.restore(ctx).ok()?;
    Some(exception::describe_value(ctx, &reason))
}

/// Writes those that are left to the console and forgets them.
pub fn report(ctx: &Ctx<'_>) {
    let Rejections { first, more } = REJECTIONS.with(core::mem::take);
    for Rejection { reason, .. } in first {
        if let Ok(reason) = reason.restore(ctx) {
            console::write(ConsoleLevel::Error, format!("Unhandled rejection: {}", console::inspect(ctx, &reason)));
        }
    }
    if more > 0 {
        console::write(ConsoleLevel::Error, format!("Unhandled rejections beside these: {more}"));
    }
}
