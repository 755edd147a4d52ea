//! `AbortSignal`s that stop calls.
//!
//! Of a signal's members those are used that `types.d.ts` names, so it may come from anywhere. The listener goes when the call
//! ends: a signal may live longer than thousands of calls.

use napi::bindgen_prelude::{JsObjectValue, Object};
use napi::{Env, JsValue, Unknown, ValueType};

use super::exception;
use super::function::{self, AnyFunction};
use crate::node::error::{Error, Result};
use crate::node::invalid_value::InvalidValue;
use crate::node::panic::catch_panic;

const ADD: &str = "addEventListener";
const REMOVE: &str = "removeEventListener";

/// A signal. Node-API can refer to any object in the way that it refers to a function, and what napi has for that can be dropped
/// on any thread.
pub struct Signal(AnyFunction);

impl Signal {
    /// The value of the option `signal`.
    pub fn from_js(env: &Env, value: Unknown<'_>) -> Result<Self> {
        let wrong = || -> Error {
            let (what, expected) = ("the option signal".to_string(), "an AbortSignal".to_string());
            InvalidValue::Class { what, expected }.into()
        };
        if value.get_type()? != ValueType::Object {
            return Err(wrong());
        }
        let object = Object::from_raw(env.raw(), value.raw());
        let types = [("aborted", ValueType::Boolean), (ADD, ValueType::Function), (REMOVE, ValueType::Function)];
        for (name, expected) in types {
            if read(env, object, name)?.get_type()? != expected {
                return Err(wrong());
            }
        }
        Ok(Self(function::keep(env, value)?))
    }

    /// Why it has been aborted, if it has.
    pub fn reason(&self, env: &Env) -> Result<Option<Unknown<'static>>> {
        let object = self.object(env)?;
        let aborted = read(env, object, "aborted")?;
        if aborted.get_type()? == ValueType::Boolean && aborted.coerce_to_bool()? {
            read(env, object, "reason").map(Some)
        } else {
            Ok(None)
        }
    }

    /// Has something done when the signal is aborted.
    pub fn listen(self, env: &Env, aborted: impl Fn() + 'static) -> Result<Listener> {
        let listener = env.create_function_from_closure::<(), (), _>("aborted", move |_| {
            let _ = catch_panic(|| {
                aborted();
                Ok(())
            });
            Ok(())
        })?;
        let listener = Listener { function: function::keep(env, listener.to_unknown())?, signal: self };
        listener.call(env, ADD)?;
        Ok(listener)
    }

    fn object(&self, env: &Env) -> Result<Object<'static>> {
        Ok(Object::from_raw(env.raw(), self.0.borrow_back(env)?.raw()))
    }
}

/// What listens to a signal.
pub struct Listener {
    signal: Signal,
    function: AnyFunction,
}

impl Listener {
    /// Listens no more. Returns why the signal has been aborted, if it has.
    pub fn end(self, env: &Env) -> Result<Option<Unknown<'static>>> {
        self.call(env, REMOVE)?;
        self.signal.reason(env)
    }

    fn call(&self, env: &Env, method: &str) -> Result<()> {
        let object = self.signal.object(env)?;
        let method = function::keep(env, read(env, object, method)?)?;
        let event = env.create_string("abort")?.to_unknown();
        let listener = self.function.borrow_back(env)?.to_unknown();
        match function::call(env, &method, object.to_unknown(), &[event, listener])? {
            Ok(_) => Ok(()),
            Err(thrown) => Err(refused(&exception::text(env, thrown))),
        }
    }
}

fn read(env: &Env, object: Object<'static>, name: &str) -> Result<Unknown<'static>> {
    object.get_named_property_unchecked(name).map_err(|_| refused(&exception::take_text(env).unwrap_or_default()))
}

fn refused(reason: &str) -> Error {
    InvalidValue::UnusableSignal(reason.to_string()).into()
}
