//! What watches single calls, for the channels of `lib/diagnostics.js`.
//!
//! A function that is set immediately before a call is asked for watches that call and no other. It is called without an
//! argument when the call begins in its sandbox, and with the call's receipt before its promise is settled, if it has begun.

use std::cell::RefCell;
use std::sync::Arc;

use napi::bindgen_prelude::Object;
use napi::{Env, JsValue, Unknown};

use super::delivery::Delivery;
use super::function::{self, AnyFunction};
use super::receipt::Noted;
use super::value::undefined;
use super::{arguments, environment, inbox};
use crate::node::error::Result;
use crate::node::panic::catch_panic;
use crate::node::scheduling::call_record::CallRecord;

/// The place for what watches the call that an environment asks for next.
#[derive(Default)]
pub struct NextObserver(RefCell<Option<AnyFunction>>);

/// Has a function watch the next call.
pub fn watch_next_call(env: &Env, observer: Unknown<'_>) -> Result<()> {
    let observer = arguments::function(env, "what watches a call", observer)?;
    let NextObserver(place) = environment::kept(env)?;
    *place.borrow_mut() = Some(observer);
    Ok(())
}

/// Watches one call.
#[derive(Clone)]
pub struct Observer {
    function: Arc<AnyFunction>,
    noted: Noted,
}

impl Observer {
    /// What watches the call that is asked for now, if anything does. It is given what is noted of the call: that which is noted
    /// anyway, or something else.
    pub fn of_this_call(env: &Env, noted: Option<&Noted>) -> Option<Self> {
        let function = environment::kept::<NextObserver>(env).ok()?.0.take()?;
        Some(Self { function: Arc::new(function), noted: noted.cloned().unwrap_or_default() })
    }

    /// What is noted of the call.
    pub fn noted(&self) -> Noted {
        self.noted.clone()
    }

    /// Has the function hear when the call begins of which this is the record.
    pub fn listen(&self, env: &Env, record: &CallRecord) -> Result<()> {
        let inbox = inbox::of(env)?.clone();
        let function = self.function.clone();
        record.at_begin(move |source| {
            // If the thread has ended, nobody watches any more.
            let _ = inbox.post(source, move |env| {
                // What it throws is no matter of the call's.
                let _ = catch_panic(|| function::call(env, &function, undefined(env)?, &[]));
            });
        });
        Ok(())
    }

    /// Tells the function what the call has come to.
    pub fn tell(&self, env: &Env, delivery: &Delivery) {
        let Some(facts) = self.noted.facts(env, delivery) else { return };
        let _ = catch_panic(|| {
            let facts: Object = facts?;
            let facts: Unknown = facts.to_unknown();
            function::call(env, &self.function, undefined(env)?, &[facts])
        });
    }
}
