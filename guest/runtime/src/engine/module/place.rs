//! Where in a source something went wrong.

use alloc::format;
use alloc::string::{String, ToString};

use guest_abi::message::{Exception, Place};

use super::REGISTRY;

/// Where an exception comes from that ended the loading of a handler. If it is said to come from the end of a source or from
/// behind it, it is made to say so.
pub fn place_of(exception: &mut Exception, handler: &str, source: &str) -> Place {
    let unresolved = REGISTRY.with(|registry| {
        let (importer, specifier) = registry.unresolved.take()?;
        let source = registry.sources.get(&importer).map_or(source, String::as_str);
        let (line, column) = position_of_import(source, &specifier)?;
        Some(Place { file: importer, line, column })
    });
    if let Some(place) = unresolved {
        return place;
    }
    let Some(mut place) = exception.stack.lines().find_map(Frame::of).map(|frame| frame.place) else {
        return Place { file: handler.to_string(), line: 0, column: 0 };
    };
    let end = REGISTRY.with(|registry| {
        let own = (place.file == handler).then_some(source);
        own.or_else(|| registry.sources.get(&place.file).map(String::as_str)).map(end_of)
    });
    if let Some(end) = end
        && exception.name == "SyntaxError"
        && (place.line, place.column) >= end
    {
        let told = format!("{}:{}:{}", place.file, place.line, place.column);
        (place.line, place.column) = end;
        exception.stack = exception.stack.replacen(&told, &format!("{}:{}:{}", place.file, end.0, end.1), 1);
        exception.message = String::from("unexpected end of source");
    }
    place
}

/// The line and the column behind the last character of a source that is no white space.
fn end_of(source: &str) -> (u32, u32) {
    let source = source.trim_end();
    let line = source.matches('\n').count() + 1;
    let column = source.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (line as u32, column as u32)
}

/// A line of a stack trace that names a place, as in `at f (file:3:5)` or `at file:3:5`.
pub struct Frame<'a> {
    /// What stands before the place.
    pub before: &'a str,
    pub place: Place,
    /// What stands behind it.
    pub after: &'a str,
}

impl<'a> Frame<'a> {
    pub fn of(line: &'a str) -> Option<Self> {
        let text = line.trim_end();
        let start = text.len() - text.trim_start().len() + "at ".len();
        text.trim_start().strip_prefix("at ")?;
        let (start, end) = match text[start..].rfind(" (") {
            Some(bracket) => (start + bracket + 2, text.strip_suffix(')')?.len()),
            None => (start, text.len()),
        };
        let mut parts = text.get(start..end)?.rsplitn(3, ':');
        let (column, line_number, file) = (parts.next()?, parts.next()?, parts.next()?);
        let place = Place { file: file.to_string(), line: line_number.parse().ok()?, column: column.parse().ok()? };
        Some(Self { before: &line[..start], place, after: &line[end..] })
    }
}

/// Where the specifier of an import stands. The engine does not tell, so it is looked for: a string behind `from` or
/// `import`.
fn position_of_import(source: &str, specifier: &str) -> Option<(u32, u32)> {
    let at = ['"', '\''].into_iter().find_map(|quote| {
        let literal = format!("{quote}{specifier}{quote}");
        source.match_indices(&literal).map(|(at, _)| at).find(|at| {
            let before = source[..*at].trim_end();
            before.ends_with("from") || before.ends_with("import")
        })
    })?;
    let before = &source[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |start| start.chars().count()) + 1;
    Some((line as u32, column as u32))
}
