//! JSON texts, most of them right.

use arbitrary::{Arbitrary, Result, Unstructured};

/// A text that is JSON or nearly so.
#[derive(Debug)]
pub struct JsonText(pub String);

/// Deepest nesting: beyond it the parsers' limits are not the same.
const DEPTH_MAX: usize = 60;

impl<'a> Arbitrary<'a> for JsonText {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut text = String::new();
        value(u, &mut text, 0)?;
        // What follows is wrong, or changes what came before.
        while !u.is_empty() && u.int_in_range(0..=7)? == 7 {
            let at = text.floor_char_boundary(u.choose_index(text.len() + 1)?);
            match u.int_in_range(0..=2)? {
                0 => text.insert(at, u.arbitrary()?),
                1 => text.truncate(at),
                _ => text.insert_str(at, choose(u, &["\\", "\"", ",", "0", "-", "]", "}", "e", ".", "\u{0}", "//"])?),
            }
        }
        Ok(Self(text))
    }
}

fn choose(u: &mut Unstructured<'_>, from: &[&'static str]) -> Result<&'static str> {
    u.choose(from).copied()
}

fn value(u: &mut Unstructured<'_>, text: &mut String, depth: usize) -> Result<()> {
    let kinds = if depth < DEPTH_MAX && !u.is_empty() { 7 } else { 4 };
    match u.int_in_range(0..=kinds)? {
        0 => text.push_str(choose(u, &["null", "true", "false", "[]", "{}", "\"\""])?),
        1 => number(u, text)?,
        2 => string(u, text)?,
        3 => text.push_str(&u.arbitrary::<i32>()?.to_string()),
        4 => text.push_str(&u.arbitrary::<i64>()?.to_string()),
        5 | 6 => {
            text.push('{');
            let mut is_first = true;
            while !u.is_empty() && u.int_in_range(0..=3)? != 0 {
                if !is_first {
                    text.push(',');
                }
                is_first = false;
                space(u, text)?;
                if u.arbitrary()? {
                    let name =
                        ["\"a\"", "\"__proto__\"", "\"0\"", "\"-1\"", "\"4294967295\"", "\"toJSON\"", "\"length\""];
                    text.push_str(choose(u, &name)?);
                } else {
                    string(u, text)?;
                }
                space(u, text)?;
                text.push(':');
                value(u, text, depth + 1)?;
            }
            text.push('}');
        }
        _ => {
            text.push('[');
            let mut is_first = true;
            while !u.is_empty() && u.int_in_range(0..=3)? != 0 {
                if !is_first {
                    text.push(',');
                }
                is_first = false;
                space(u, text)?;
                value(u, text, depth + 1)?;
            }
            text.push(']');
        }
    }
    space(u, text)
}

fn space(u: &mut Unstructured<'_>, text: &mut String) -> Result<()> {
    if u.int_in_range(0..=7)? == 7 {
        text.push_str(choose(u, &[" ", "\n", "\t", "\r", "\u{b}", "\u{feff}", "\u{a0}"])?);
    }
    Ok(())
}

fn number(u: &mut Unstructured<'_>, text: &mut String) -> Result<()> {
    text.push_str(choose(u, &["", "-", "-", "+"])?);
    for _ in 0..u.int_in_range(1..=24)? {
        text.push(char::from(u.int_in_range(b'0'..=b'9')?));
        if u.int_in_range(0..=3)? == 3 {
            break;
        }
    }
    if u.arbitrary()? {
        text.push('.');
        text.push_str(&u.arbitrary::<u32>()?.to_string());
    }
    if u.arbitrary()? {
        text.push_str(choose(u, &["e", "E", "e-", "e+"])?);
        text.push_str(&(u.arbitrary::<u16>()? % 400).to_string());
    }
    Ok(())
}

fn string(u: &mut Unstructured<'_>, text: &mut String) -> Result<()> {
    const ESCAPES: [&str; 16] = [
        "\\n",
        "\\\"",
        "\\\\",
        "\\/",
        "\\b",
        "\\f",
        "\\u0000",
        "\\u0010",
        "\\ud83d\\ude00",
        "\\ud800",
        "\\udc00",
        "\\udfff\\ud800",
        "\\x",
        "\\u12",
        "\u{10}",
        "\u{7f}",
    ];
    text.push('"');
    while !u.is_empty() && u.int_in_range(0..=4)? != 0 {
        match u.int_in_range(0..=3)? {
            0 => text.push_str(choose(u, &ESCAPES)?),
            1 => text.push(u.arbitrary()?),
            _ => text.push(char::from(u.int_in_range(b'a'..=b'z')?)),
        }
    }
    text.push('"');
    Ok(())
}
