//! Text in JSX: its white space and its entities.

use oxc_syntax::xml_entities::XML_ENTITIES;

use crate::edit::is_line_end;

/// A literal of the text between tags, which stands there in this form; nothing if that is only there to lay out the source.
///
/// Of each line the white space at its ends is dropped, but not what is at the ends of the text; lines that are left are joined by
/// spaces.
pub fn of_child(raw: &str) -> Option<String> {
    let mut lines = raw.split(is_line_end).enumerate().peekable();
    let mut literal = String::from("\"");
    let mut is_empty = true;
    while let Some((i, line)) = lines.next() {
        let is_last = lines.peek().is_none();
        let line = if i > 0 { line.trim_start_matches(is_space) } else { line };
        let trimmed = if is_last { line } else { line.trim_end_matches(is_space) };
        // White space that is all of a line is layout, unless there is only one line.
        if trimmed.is_empty() {
            continue;
        }
        if !is_empty {
            literal.push(' ');
        }
        is_empty = false;
        push_decoded(&mut literal, trimmed);
    }
    literal.push('"');
    (!is_empty).then_some(literal)
}

/// A literal of the value of an attribute, which stands there in this form, with its quotation marks.
pub fn of_attribute(raw: &str) -> String {
    let mut literal = String::from("\"");
    push_decoded(&mut literal, raw.get(1..raw.len() - 1).unwrap_or_default());
    literal.push('"');
    literal
}

/// A literal of a text.
pub fn quote(text: &str) -> String {
    let mut literal = String::from("\"");
    text.chars().for_each(|character| push(&mut literal, u32::from(character)));
    literal.push('"');
    literal
}

/// What the compiler of TypeScript takes for white space within a line.
fn is_space(character: char) -> bool {
    matches!(
        character,
        ' ' | '\t' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200b}' | '\u{202f}' | '\u{205f}' | '\u{3000}' | '\u{feff}'
    )
}

fn push_decoded(literal: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        rest[..at].chars().for_each(|character| push(literal, u32::from(character)));
        let behind = &rest[at + 1..];
        let length = behind.bytes().position(|byte| !byte.is_ascii_alphanumeric() && byte != b'#' && byte != b'_');
        let entity = length.filter(|length| behind.as_bytes()[*length] == b';').map(|length| &behind[..length]);
        match entity.and_then(decoded) {
            Some(code) => {
                push(literal, code);
                rest = &behind[entity.map_or(0, str::len) + 1..];
            }
            None => {
                literal.push('&');
                rest = behind;
            }
        }
    }
    rest.chars().for_each(|character| push(literal, u32::from(character)));
}

/// The code point of an entity.
fn decoded(entity: &str) -> Option<u32> {
    let Some(number) = entity.strip_prefix('#') else {
        return XML_ENTITIES.get(entity).map(|character| u32::from(*character));
    };
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    // Zeros may come before it.
    u32::from_str_radix(digits, radix).ok().filter(|code| *code <= u32::from(char::MAX))
}

/// Writes a code point, which may be half a pair, into a literal that has one line.
fn push(literal: &mut String, code: u32) {
    match char::from_u32(code) {
        Some(character @ ('"' | '\\')) => literal.extend(['\\', character]),
        Some(character) if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') => {
            literal.push_str(&format!("\\u{code:04x}"));
        }
        Some(character) => literal.push(character),
        None => literal.push_str(&format!("\\u{code:04x}")),
    }
}
