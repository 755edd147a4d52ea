//! Tracing of the operations on sandboxes.
//!
//! What guests say never becomes a field: it may be long, and it may be a lie.

use std::fmt::{self, Display, Formatter};

use guest_abi::function::ConsoleLevel;
use tracing::Span;

use super::error::Result;
use super::name::SIZE_MAX as NAME_SIZE_MAX;

/// The span of an operation, with the fields in which a failure is noted. It costs nothing if nobody listens.
macro_rules! operation {
    ($level:ident, $name:literal $(, $($field:tt)+)?) => {
        tracing::span!(
            tracing::Level::$level,
            $name,
            $($($field)+,)?
            "otel.status_code" = tracing::field::Empty,
            "error.type" = tracing::field::Empty
        )
    };
}
pub(super) use operation;

/// Runs an operation in its span, and notes there if it fails.
pub(super) fn traced<T>(span: &Span, operation: impl FnOnce() -> Result<T>) -> Result<T> {
    let result = span.in_scope(operation);
    if let Err(error) = &result {
        // Spans with these fields are failures to tracing-opentelemetry. Those without have status `Unset`, as they should.
        span.record("otel.status_code", "ERROR");
        span.record("error.type", error.kind());
    }
    result
}

/// Writes a line of a guest's console to the log.
pub(crate) fn console_line(level: ConsoleLevel, text: &str) {
    let text = OneLine(text);
    // The level of a tracing event is part of its static description, hence one call for each.
    match level {
        ConsoleLevel::Debug => tracing::debug!(target: "hyperlight_js::console", "{text}"),
        ConsoleLevel::Info => tracing::info!(target: "hyperlight_js::console", "{text}"),
        ConsoleLevel::Warn => tracing::warn!(target: "hyperlight_js::console", "{text}"),
        ConsoleLevel::Error => tracing::error!(target: "hyperlight_js::console", "{text}"),
    }
}

/// Text of a guest as one line: control characters are escaped, and so are those that change the direction of writing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OneLine<'a>(pub &'a str);

impl Display for OneLine<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some((at, character)) = rest.char_indices().find(|(_, character)| is_escaped(*character)) {
            f.write_str(&rest[..at])?;
            match character {
                '\n' | '\r' | '\t' => write!(f, "{}", character.escape_default())?,
                character => write!(f, "{}", character.escape_unicode())?,
            }
            rest = &rest[at + character.len_utf8()..];
        }
        f.write_str(rest)
    }
}

fn is_escaped(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || character.is_control()
}

/// The name of a handler, as much of it as a name may have.
pub(super) fn name(name: &str) -> &str {
    &name[..name.floor_char_boundary(NAME_SIZE_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_guests_stays_on_its_line_and_is_otherwise_left_as_it_is() {
        for (text, line) in [
            ("", ""),
            ("plain, \"quoted\", \\n, grüße 🦀", "plain, \"quoted\", \\n, grüße 🦀"),
            ("a\nb\r\n\tc\n", r"a\nb\r\n\tc\n"),
            ("\0\u{1b}[2J\u{7f}\u{9b}1m", r"\u{0}\u{1b}[2J\u{7f}\u{9b}1m"),
            ("\u{b}\u{c}\u{85}\u{2028}\u{2029}", r"\u{b}\u{c}\u{85}\u{2028}\u{2029}"),
            ("\u{202e}txt\u{2069}", r"\u{202e}txt\u{2069}"),
        ] {
            assert_eq!(OneLine(text).to_string(), line);
            assert_eq!(OneLine(line).to_string(), line, "it is escaped only once");
        }
    }

    #[test]
    fn a_name_is_cut_between_characters() {
        assert_eq!(name("handler"), "handler");
        assert_eq!(name(&"ü".repeat(128)).len(), 256);
        assert_eq!(name(&format!("a{}", "ü".repeat(128))).len(), 255);
    }
}
