//! Lines of the console: each goes to the host, and is cut if it is too long. The `console` object is a built-in module.

use alloc::string::String;

use guest_abi::function::ConsoleLevel;
use guest_abi::host_request::HostRequest;
use guest_abi::message::TEXT_SIZE_MAX;
use rquickjs::{Ctx, Value};

use super::exception;
use crate::transport::TRANSPORT;

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
