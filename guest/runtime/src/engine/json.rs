//! From payloads to values: JSON from the host, with byte arrays beside it.
//!
//! QuickJS's own parser makes doubles of all numbers, and computing with these takes the interpreter longer. [Ours](parser) makes
//! integers of integers, as in JavaScript's literals; a program can tell no difference but the speed. Text that it refuses
//! goes to QuickJS's parser, which has the messages and other limits, and knows half surrogate pairs.

mod parser;
mod text;

use alloc::vec::Vec;

use guest_abi::payload::Payload;
use rquickjs::object::{Filter, Property};
use rquickjs::{Atom, Ctx, Exception, Object, TypedArray, Value};

use super::exception;
pub use text::first_special;

/// Begins a placeholder, and every other string that begins so once more.
const MARK: u8 = Payload::MARK;

/// The value of a payload.
///
/// # Errors
/// What `JSON.parse` throws; a `RangeError` for a placeholder that stands for nothing.
pub fn parse<'js>(ctx: &Ctx<'js>, payload: &Payload) -> rquickjs::Result<Value<'js>> {
    let mut arrays = Vec::new();
    let count = payload.byte_arrays().len();
    arrays.try_reserve_exact(count).map_err(|_| exception::throw_out_of_memory(ctx))?;
    arrays.extend(payload.byte_arrays());

    if let Ok(value) = parser::parse(ctx, payload.json(), &arrays) {
        return Ok(value);
    }
    // There is an exception if memory has run out; QuickJS's parser will find so too.
    ctx.catch();
    let value = ctx.json_parse(payload.json()).map_err(|error| match error {
        rquickjs::Error::Exception => error,
        // The parser takes C strings.
        _ => Exception::throw_syntax(ctx, "unexpected character U+0000"),
    })?;
    if arrays.is_empty() { Ok(value) } else { with_bytes(ctx, value, &arrays) }
}

/// A value that QuickJS's parser has made, with byte arrays for the placeholders. No code runs meanwhile: all of its objects
/// are new.
fn with_bytes<'js>(ctx: &Ctx<'js>, value: Value<'js>, arrays: &[&[u8]]) -> rquickjs::Result<Value<'js>> {
    let root = Object::new(ctx.clone())?;
    root.prop("", own(value))?;
    // A list and not a recursion: the value may be as deep as its author likes.
    let mut open = Vec::from([root.clone()]);
    while let Some(holder) = open.pop() {
        for name in holder.own_keys::<Atom>(Filter::default()) {
            let name = name?;
            let item: Value = holder.get(name.clone())?;
            if let Some(text) = item.as_string() {
                // Half surrogate pairs are not changed by this: such a string is no placeholder.
                let marked = exception::with_text(ctx, text.as_value(), |text| match text {
                    [MARK, rest @ ..] => Some(Vec::from(rest)),
                    _ => None,
                });
                if let Some(rest) = marked.ok_or(rquickjs::Error::Exception)? {
                    holder.prop(name, own(unmarked(ctx, &rest, arrays)?))?;
                }
            } else if let Some(object) = item.into_object() {
                open.try_reserve(1).map_err(|_| exception::throw_out_of_memory(ctx))?;
                open.push(object);
            }
        }
    }
    root.get("")
}

/// What a string stands for that begins with a mark: the rest of it is given, as QuickJS encodes it.
fn unmarked<'js>(ctx: &Ctx<'js>, rest: &[u8], arrays: &[&[u8]]) -> rquickjs::Result<Value<'js>> {
    if rest.first() == Some(&MARK) {
        return exception::string_of(ctx, rest);
    }
    match bytes_of(core::str::from_utf8(rest).unwrap_or_default(), arrays) {
        Some(bytes) => Ok(TypedArray::new_copy(ctx.clone(), bytes)?.into_value()),
        None => Err(Exception::throw_range(ctx, "a placeholder stands for no bytes")),
    }
}

/// The byte array of this decimal index.
fn bytes_of<'a>(index: &str, arrays: &[&'a [u8]]) -> Option<&'a [u8]> {
    let is_decimal = index == "0" || index.starts_with(|first: char| matches!(first, '1'..='9'));
    if is_decimal { arrays.get(index.parse::<usize>().ok()?).copied() } else { None }
}

/// A property as an assignment makes it. Unlike an assignment, it calls no setter that the prototype may have.
fn own(value: Value<'_>) -> Property<Value<'_>> {
    Property::from(value).configurable().enumerable().writable()
}
