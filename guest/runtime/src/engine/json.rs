//! From payloads to values: JSON from the host, with byte arrays beside it.
//!
//! QuickJS's own parser makes doubles of all numbers, and computing with these takes the interpreter longer. Here integers
//! become integers, as in JavaScript's literals; a program can tell no difference but the speed. Text that serde_json refuses
//! goes to QuickJS's parser, which has the messages and other limits, and knows half surrogate pairs.

use alloc::vec::Vec;
use core::fmt;

use guest_abi::payload::Payload;
use rquickjs::object::{Filter, Property};
use rquickjs::{Array, Atom, Ctx, Exception, IntoJs, Object, TypedArray, Value};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::exception;

/// Begins a placeholder, and every other string that begins so once more.
const MARK: char = Payload::MARK as char;

/// The value of a payload.
///
/// # Errors
/// What `JSON.parse` throws; a `RangeError` for a placeholder that stands for nothing.
pub fn parse<'js>(ctx: &Ctx<'js>, payload: &Payload) -> rquickjs::Result<Value<'js>> {
    let mut arrays = Vec::new();
    let count = payload.byte_arrays().len();
    arrays.try_reserve_exact(count).map_err(|_| exception::throw_out_of_memory(ctx))?;
    arrays.extend(payload.byte_arrays());

    let mut parser = serde_json::Deserializer::from_str(payload.json());
    let value = AnyValue { ctx, arrays: &arrays };
    if let Ok(value) = value.deserialize(&mut parser).and_then(|value| parser.end().map(|()| value)) {
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
                    [Payload::MARK, rest @ ..] => Some(Vec::from(rest)),
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
    if rest.first() == Some(&(MARK as u8)) {
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

/// Makes a value of what a deserializer finds.
#[derive(Clone, Copy)]
struct AnyValue<'a, 'js> {
    ctx: &'a Ctx<'js>,
    /// What placeholders stand for; without any there are no placeholders.
    arrays: &'a [&'a [u8]],
}

impl<'js> AnyValue<'_, 'js> {
    fn make<E: Error>(self, from: impl IntoJs<'js>) -> Result<Value<'js>, E> {
        from.into_js(self.ctx).map_err(E::custom)
    }
}

impl<'de, 'js> DeserializeSeed<'de> for AnyValue<'_, 'js> {
    type Value = Value<'js>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'js>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, 'js> Visitor<'de> for AnyValue<'_, 'js> {
    type Value = Value<'js>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value<'js>, E> {
        Ok(Value::new_null(self.ctx.clone()))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value<'js>, E> {
        self.make(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value<'js>, E> {
        self.make(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value<'js>, E> {
        // Of the largest rquickjs would make negative numbers.
        i64::try_from(value).map_or_else(|_| self.make(value as f64), |value| self.make(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value<'js>, E> {
        self.make(value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value<'js>, E> {
        match value.strip_prefix(MARK) {
            Some(rest) if !self.arrays.is_empty() => {
                unmarked(self.ctx, rest.as_bytes(), self.arrays).map_err(E::custom)
            }
            _ => self.make(value),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'js>, A::Error> {
        let array = Array::new(self.ctx.clone()).map_err(A::Error::custom)?;
        let mut index = 0_u32;
        while let Some(value) = items.next_element_seed(self)? {
            array.as_object().prop(index, own(value)).map_err(A::Error::custom)?;
            index += 1;
        }
        Ok(array.into_value())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value<'js>, A::Error> {
        let object = Object::new(self.ctx.clone()).map_err(A::Error::custom)?;
        while let Some(name) = entries.next_key_seed(Name(self.ctx))? {
            let value = entries.next_value_seed(self)?;
            object.prop(name, own(value)).map_err(A::Error::custom)?;
        }
        Ok(object.into_value())
    }
}

/// Makes the name of a property.
struct Name<'a, 'js>(&'a Ctx<'js>);

impl<'de, 'js> DeserializeSeed<'de> for Name<'_, 'js> {
    type Value = Atom<'js>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Atom<'js>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'js> Visitor<'_> for Name<'_, 'js> {
    type Value = Atom<'js>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Atom<'js>, E> {
        Atom::from_str(self.0.clone(), name).map_err(E::custom)
    }
}

/// A property as an assignment makes it. Unlike an assignment, it calls no setter that the prototype may have.
fn own(value: Value<'_>) -> Property<Value<'_>> {
    Property::from(value).configurable().enumerable().writable()
}
