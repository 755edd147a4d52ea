//! Objects of functions, of modules and of variables, as flat lists of what is in them.

use napi::bindgen_prelude::{Function, JsObjectValue, Object};
use napi::{Env, JsValue, Unknown};

use super::arguments::string;
use super::function::{self, AnyFunction};
use super::value::undefined;
use super::{environment, exception};
use crate::node::error::Result;
use crate::node::invalid_value::InvalidValue;

const SOURCE: &str = include_str!("object_lists.js");

/// Functions that make the lists.
pub struct ObjectLists {
    functions: AnyFunction,
    modules: AnyFunction,
    variables: AnyFunction,
}

impl ObjectLists {
    pub fn of_environment(env: &Env) -> napi::Result<Self> {
        let readers: Object = env.run_script(SOURCE)?;
        let reader = |name| readers.get_named_property::<Function<_, _>>(name)?.create_ref();
        Ok(Self { functions: reader("functions")?, modules: reader("modules")?, variables: reader("variables")? })
    }
}

/// For each function: its module, its name, whether the guest waits for it, itself.
pub fn functions(env: &Env, given: Unknown<'_>) -> Result<Vec<[Unknown<'static>; 4]>> {
    list(env, |lists| &lists.functions, given)
}

/// For each module: its specifier, its source.
pub fn modules(env: &Env, given: Unknown<'_>) -> Result<Vec<[Unknown<'static>; 2]>> {
    list(env, |lists| &lists.modules, given)
}

/// For each variable of the environment: its name, its value.
pub fn variables(env: &Env, given: Unknown<'_>) -> Result<Vec<(String, String)>> {
    let variable = |[name, value]: [Unknown<'static>; 2]| {
        Ok((string(env, "a variable's name", name)?, string(env, "a variable", value)?))
    };
    list(env, |lists| &lists.variables, given)?.into_iter().map(variable).collect()
}

fn list<const N: usize>(
    env: &Env,
    reader: fn(&ObjectLists) -> &AnyFunction,
    given: Unknown<'_>,
) -> Result<Vec<[Unknown<'static>; N]>> {
    let list = function::call(env, reader(environment::kept(env)?), undefined(env)?, &[given])?
        .map_err(|thrown| InvalidValue::Thrown(exception::text(env, thrown)))?;
    let list = Object::from_raw(env.raw(), list.raw());
    let elements = (0..list.get_array_length()?).map(|i| Ok(list.get_element(i)?)).collect::<Result<Vec<_>>>()?;
    Ok(elements.as_chunks().0.to_vec())
}
