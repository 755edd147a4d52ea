//! The host functions behind a guest's `fetch`, which a policy allows. `lib/fetch` makes them: this library knows nothing of networks.

use std::cell::OnceCell;

use guest_abi::own_modules;
use napi::bindgen_prelude::{JsObjectValue, Object};
use napi::{Env, JsValue, Unknown};

use super::arguments::{function, string};
use super::function::{self as functions, AnyFunction};
use super::host_function::HostCallback;
use super::value::undefined;
use super::{environment, exception};
use crate::node::error::{Error, Result};
use crate::node::invalid_value::InvalidValue;

/// The place for the function that makes them of a policy, which is there as soon as the package's entry has been loaded. It returns
/// their names, each followed by the function.
#[derive(Default)]
pub struct FetchGrants(OnceCell<AnyFunction>);

/// Has the functions be made by this one.
pub fn make_by(env: &Env, grant: AnyFunction) -> Result<()> {
    let FetchGrants(place) = environment::kept(env)?;
    // An environment loads the addon more than once if its cache of modules is cleared.
    let _ = place.set(grant);
    Ok(())
}

/// The functions that a policy allows.
pub fn of_policy(env: &Env, policy: Unknown<'_>) -> Result<Vec<HostCallback>> {
    let FetchGrants(place) = environment::kept(env)?;
    let grant = place.get().ok_or_else(|| Error::Internal("the addon was not loaded by its package".to_string()))?;
    let list = functions::call(env, grant, undefined(env)?, &[policy])?
        .map_err(|thrown| InvalidValue::Thrown(exception::text(env, thrown)))?;
    let list = Object::from_raw(env.raw(), list.raw());
    let mut made = Vec::new();
    for i in (0..list.get_array_length()?).step_by(2) {
        let name = string(env, "a function's name", list.get_element(i)?)?;
        let callback = function(env, "a host function", list.get_element(i + 1)?)?;
        made.push(HostCallback::new(env, own_modules::FETCH.to_string(), name, true, &callback)?);
    }
    Ok(made)
}
