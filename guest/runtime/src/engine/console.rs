//! The `console` object. Each call gives one line to the host.

use alloc::string::String;
use alloc::vec;

use guest_abi::function::{CONSOLE, ConsoleLevel};
use guest_abi::message::TEXT_SIZE_MAX;
use hyperlight_common::flatbuffer_wrappers::function_types::{ParameterValue, ReturnType};
use rquickjs::function::Rest;
use rquickjs::{Ctx, Function, Object, Value};

use super::exception;
use crate::TRANSPORT;

/// Makes the global `console`.
pub fn install(ctx: &Ctx<'_>) -> rquickjs::Result<()> {
    let console = Object::new(ctx.clone())?;
    for (name, level) in [
        ("debug", ConsoleLevel::Debug),
        ("trace", ConsoleLevel::Debug),
        ("log", ConsoleLevel::Info),
        ("info", ConsoleLevel::Info),
        ("warn", ConsoleLevel::Warn),
        ("error", ConsoleLevel::Error),
    ] {
        console.set(name, Function::new(ctx.clone(), writer(level))?.with_name(name)?)?;
    }
    ctx.globals().set("console", console)
}

/// A function that writes a line of this level. It is made here so that its arguments get one lifetime.
fn writer(level: ConsoleLevel) -> impl for<'js> Fn(Ctx<'js>, Rest<Value<'js>>) {
    move |ctx, arguments| write_line(&ctx, level, &arguments.0)
}

fn write_line<'js>(ctx: &Ctx<'js>, level: ConsoleLevel, arguments: &[Value<'js>]) {
    let mut line = String::new();
    for (i, argument) in arguments.iter().enumerate() {
        if i > 0 {
            line.push(' ');
        }
        line.push_str(&inspect(ctx, argument));
        if line.len() > TEXT_SIZE_MAX {
            line.truncate(line.floor_char_boundary(TEXT_SIZE_MAX));
            break;
        }
    }
    let arguments = vec![ParameterValue::Int(level as i32), ParameterValue::String(line)];
    // A line that the host does not take is lost: the console never makes the code that uses it fail.
    let _ = TRANSPORT.with(|transport| transport.call_host(CONSOLE.name, arguments, ReturnType::Void));
}

/// Errors with their stack, other objects as JSON, everything else as text.
fn inspect<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> String {
    if value.is_error() {
        // Throwing the error again is how its name, message and stack are read in one place.
        ctx.throw(value.clone());
        let error = exception::take(ctx);
        return alloc::format!("{}: {}\n{}", error.name, error.message, error.stack);
    }
    if value.is_object() && !value.is_function() {
        match ctx.json_stringify(value.clone()) {
            Ok(Some(json)) => return exception::text(ctx, json.as_value()).unwrap_or_default(),
            Ok(None) => {}
            Err(_) => {
                ctx.catch();
            }
        }
    }
    exception::text(ctx, value).unwrap_or_else(|| {
        ctx.catch();
        String::from("(something that cannot be turned into text)")
    })
}
