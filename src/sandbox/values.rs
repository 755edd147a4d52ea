//! How many values there are in what a guest gives.
//!
//! To whoever parses it a text costs more for its values than for its length: `{},` is three bytes, and an object on the
//! heap. So their number is limited, and counted before anybody parses the text.

use guest_abi::payload::Payload;

use super::error::{Error, Result};

/// Checks a payload of a guest's; `what` names it in the error.
///
/// # Errors
/// [`Error::TooManyValues`].
pub fn check(what: &'static str, payload: &Payload, limit: usize) -> Result<()> {
    let text = payload.json().as_bytes();
    // A value takes a byte and, unless it is the first, a comma, a colon or a bracket before it.
    if text.len() / 2 < limit {
        return Ok(());
    }
    let count = count(text);
    if count <= limit {
        return Ok(());
    }
    Err(Error::TooManyValues { what, count: count as u64, limit: limit as u64 })
}

/// The values in a JSON text: objects, arrays, their members, and the names of those. What is no JSON has some number.
fn count(mut text: &[u8]) -> usize {
    let mut count = 1;
    while let Some((byte, rest)) = text.split_first() {
        text = rest;
        match byte {
            b'"' => text = after_string(text),
            b',' | b':' => count += 1,
            b'[' | b'{' if !is_closed_next(text) => count += 1,
            _ => {}
        }
    }
    count
}

/// What comes after a string whose opening quotation mark has been read.
fn after_string(mut text: &[u8]) -> &[u8] {
    while let Some(at) = text.iter().position(|byte| matches!(byte, b'"' | b'\\')) {
        let escaped = usize::from(text[at] == b'\\');
        text = text.get(at + 1 + escaped..).unwrap_or_default();
        if escaped == 0 {
            return text;
        }
    }
    &[]
}

fn is_closed_next(text: &[u8]) -> bool {
    matches!(text.trim_ascii_start().first(), Some(b']' | b'}'))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn count_of(value: &Value) -> usize {
        1 + match value {
            Value::Array(values) => values.iter().map(count_of).sum(),
            Value::Object(members) => members.values().map(|value| 1 + count_of(value)).sum(),
            _ => 0,
        }
    }

    #[test]
    fn values_and_names_are_counted() {
        for (text, expected) in [
            ("null", 1),
            ("\"a,b:[{\"", 1),
            ("[]", 1),
            ("{ }", 1),
            ("[{}]", 2),
            ("[1,[],{}]", 4),
            ("[[[[]]]]", 4),
            (r#"{"a":1}"#, 3),
            (r#"{"a":[1, 2],"b":{"c":null}}"#, 9),
            (r#"["\"","\\",",","\\\",:"]"#, 5),
            (r#"{"\"{,":"\u005b"}"#, 3),
            (" [ 0 , 1 ] ", 3),
        ] {
            assert_eq!(count(text.as_bytes()), expected, "{text}");
            assert_eq!(count_of(&serde_json::from_str(text).expect("JSON")), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_counted_to_its_end() {
        for text in ["", "\"", "\"\\", "\"\\\"", "[", "[[{", "{,,::", "]}", "\\", "\"a\"\"b\\"] {
            assert!((1..=1 + text.len()).contains(&count(text.as_bytes())), "{text}");
        }
    }

    #[test]
    fn the_limit_is_the_last_number_that_is_allowed() {
        for text in ["[0,0,0]", "[[],[],[]]", "[{},{},{}]", "[[[[]]]]", r#"{"":[0]}"#] {
            let payload = Payload::from_json(text.to_string());
            assert!(check("result", &payload, 4).is_ok(), "{text}");
            match check("result", &payload, 3) {
                Err(Error::TooManyValues { what: "result", count: 4, limit: 3 }) => {}
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn no_text_has_more_values_than_its_length_allows() {
        for text in ["0", "[]", "[0]", "[[]]", "[0,0]", "[[[]]]", r#"{"":0}"#, "[[[[[[[[]]]]]]]]"] {
            assert!(count(text.as_bytes()) <= text.len() / 2 + 1, "{text}");
        }
    }
}
