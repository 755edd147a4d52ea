//! Modules in JSON, which are imported `with { type: 'json' }`.

use alloc::format;
use alloc::string::String;

use rquickjs::loader::ImportAttributes;
use rquickjs::module::{Declarations, Exports, ModuleDef};
use rquickjs::{Ctx, Exception, Persistent, Result, Value};

use super::REGISTRY;

/// The end of names of modules that are JSON to `require()`.
pub const SUFFIX: &str = ".json";

/// Whether a module is asked for as JSON.
///
/// # Errors
/// It is asked for as something that there is not.
pub fn is_asked_for(ctx: &Ctx<'_>, attributes: Option<&ImportAttributes<'_>>) -> Result<bool> {
    let Some(attributes) = attributes else { return Ok(false) };
    let mut is_json = false;
    for key in attributes.keys() {
        let key = key?;
        match (key.as_str(), attributes.get(&key)?.unwrap_or_default().as_str()) {
            ("type", "json") => is_json = true,
            (key, value) => {
                let text = format!("the import attribute {key}: '{value}' is not supported, only type: 'json' is");
                return Err(Exception::throw_type(ctx, &text));
            }
        }
    }
    Ok(is_json)
}

/// The value of a module, the same each time.
///
/// # Errors
/// Its source is no JSON.
pub fn value<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Value<'js>> {
    if let Some(value) = REGISTRY.with(|registry| registry.json.get(name).cloned()) {
        return value.restore(ctx);
    }
    let source = REGISTRY.with(|registry| registry.sources.get(name).cloned()).unwrap_or_default();
    let value = ctx.json_parse(source).map_err(|error| {
        let reason = crate::engine::exception::describe(ctx, &error).message;
        Exception::throw_syntax(ctx, &format!("'{name}' is not JSON: {reason}"))
    })?;
    REGISTRY.with(|registry| registry.json.insert(String::from(name), Persistent::save(ctx, value.clone())));
    Ok(value)
}

/// The engine's side of such a module.
pub struct Json;

impl ModuleDef for Json {
    fn declare(declarations: &Declarations<'_>) -> Result<()> {
        declarations.declare("default")?;
        Ok(())
    }

    fn evaluate<'js>(ctx: &Ctx<'js>, exports: &Exports<'js>) -> Result<()> {
        let name: String = exports.module().name()?;
        exports.export("default", value(ctx, &name)?)?;
        Ok(())
    }
}
