//! The `console` object. Each call gives one line to the host.

use alloc::string::String;

use guest_abi::function::ConsoleLevel;
use guest_abi::host_request::HostRequest;
use guest_abi::message::TEXT_SIZE_MAX;
use rquickjs::function::Rest;
use rquickjs::{Ctx, Function, Object, Value};

use super::exception;
use crate::transport::TRANSPORT;

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
            break;
        }
    }
    write(level, line);
}

/// Writes a line, which is cut if it is too long.
pub fn write(level: ConsoleLevel, mut line: String) {
    line.truncate(line.floor_char_boundary(TEXT_SIZE_MAX));
    // A line that does not fit the buffers is lost: the console never makes the code that uses it fail.
    let _ = TRANSPORT.with(|transport| transport.ask(HostRequest::ConsoleLine(level, line)));
}

/// Errors with their stack and their causes, other objects as JSON, everything else as text.
pub fn inspect<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> String {
    if exception::is_error(ctx, value) {
        let error = exception::describe_value(ctx, value);
        let mut text = String::new();
        let mut next = Some(&error);
        while let Some(error) = next {
            if !text.is_empty() {
                text.push_str("\n[cause]: ");
            }
            if !error.name.is_empty() {
                text.push_str(&error.name);
                text.push_str(": ");
            }
            text.push_str(&error.message);
            text.push('\n');
            text.push_str(&error.stack);
            next = error.details.cause.as_deref();
        }
        return text;
    }
    if value.is_object() && !value.is_function() {
        match ctx.json_stringify(value.clone()) {
            Ok(Some(json)) => return exception::short_text(ctx, json.as_value()),
            Ok(None) => {}
            Err(_) => {
                ctx.catch();
            }
        }
    }
    exception::short_text(ctx, value)
}
