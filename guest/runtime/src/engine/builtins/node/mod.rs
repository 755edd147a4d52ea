//! The variables of the environment, for `process`.

use alloc::string::String;

use rquickjs::object::Property;
use rquickjs::{Ctx, Object, Persistent, Result, Value};

use crate::global::Global;

static ENVIRONMENT: Global<Persistent<Object<'static>>> = Global::new();

/// Makes the object that guest code has as `process.env`.
pub fn new_environment<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let environment = Object::new(ctx.clone())?;
    ENVIRONMENT.set(Persistent::save(ctx, environment.clone()));
    Ok(environment)
}

/// Adds variables, which are given as a JSON object of strings.
///
/// # Errors
/// There is no memory left for them.
pub fn set_environment(ctx: &Ctx<'_>, variables: &str) -> Result<()> {
    let environment = ENVIRONMENT.with(|environment| environment.clone()).restore(ctx)?;
    let variables: Object = ctx.json_parse(variables)?.into_object().map_or_else(|| Object::new(ctx.clone()), Ok)?;
    for variable in variables.props::<String, Value>() {
        let (name, value) = variable?;
        environment.prop(name.as_str(), Property::from(value).configurable().enumerable().writable())?;
    }
    Ok(())
}
