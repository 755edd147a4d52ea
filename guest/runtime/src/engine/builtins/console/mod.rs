//! Lines of the console, from JavaScript.

use alloc::string::String;

use guest_abi::function::ConsoleLevel;
use rquickjs::{Ctx, Value};

use crate::engine::{console, exception};

/// Writes a line, whatever has become of the text: what is not there is not written.
pub fn write_line<'js>(ctx: Ctx<'js>, level: i32, text: Value<'js>) -> rquickjs::Result<()> {
    let text = exception::text(&ctx, &text).ok_or(rquickjs::Error::Exception)?;
    console::write(ConsoleLevel::from_int(level), text);
    Ok(())
}

/// A value as text that is not too long.
pub fn short_text<'js>(ctx: Ctx<'js>, value: Value<'js>) -> String {
    console::inspect(&ctx, &value)
}
