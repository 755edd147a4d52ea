//! Binary data among the arguments and the results of host functions with Rust types.
//!
//! A payload is JSON text with placeholders for byte arrays (see `guest_abi::payload`). Here serde reads and writes values with
//! [`Bytes`] in them as such payloads.

use std::cell::Cell;
use std::fmt;
use std::io;
use std::ops::Deref;

use guest_abi::payload::Payload;
use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer, forward_to_deserialize_any};
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};
use serde_json::{Error, Value};

/// What a string starts with that is a placeholder, or that has been marked as none.
const MARK: char = '\u{10}';

/// Binary data: a `Uint8Array` in guest code. It may be an argument or a result of a [`HostFunction`](crate::HostFunction), or a
/// part of one.
///
/// ```
/// use hyperlight_js::{Bytes, SandboxBuilder, Script};
///
/// # fn main() -> hyperlight_js::Result<()> {
/// let mut proto = SandboxBuilder::new().build()?;
/// proto.host_module("text").register("reverse", |bytes: Bytes| {
///     Bytes(bytes.iter().rev().copied().collect())
/// })?;
/// let mut sandbox = proto.load_runtime()?;
/// sandbox.add_handler("handler", Script::from_content("
///     import { reverse } from 'host:text';
///     const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];
///     function handler(text) { return decoder.decode(reverse(encoder.encode(text))); }
/// "))?;
/// let mut loaded = sandbox.get_loaded_sandbox()?;
/// assert_eq!(loaded.handle_event("handler", r#""abc""#.to_string(), None)?, r#""cba""#);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bytes(pub Vec<u8>);

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BytesVisitor;
        impl Visitor<'_> for BytesVisitor {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a Uint8Array")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }

            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }
        }
        deserializer.deserialize_byte_buf(BytesVisitor)
    }
}

/// The byte arrays of a payload. Each is taken once: a guest that names one many times must not make it many.
pub(super) struct Arrays(Vec<Cell<Option<Vec<u8>>>>);

impl Arrays {
    pub fn of(payload: &Payload) -> Self {
        Self(payload.byte_arrays().map(|bytes| Cell::new(Some(bytes.to_vec()))).collect())
    }

    /// Reads one value of the payload's text.
    pub fn read<T: DeserializeOwned>(&self, value: Value) -> Result<T, Error> {
        // Without byte arrays nothing is marked.
        if self.0.is_empty() { serde_json::from_value(value) } else { T::deserialize(Node { value, arrays: self }) }
    }

    /// The bytes that a placeholder stands for.
    fn take(&self, index: &str) -> Result<Vec<u8>, Error> {
        let array = index.parse::<usize>().ok().and_then(|index| self.0.get(index)).and_then(Cell::take);
        array.ok_or_else(|| Error::custom("a placeholder stands for no bytes"))
    }
}

/// A value of a payload with byte arrays.
struct Node<'a> {
    value: Value,
    arrays: &'a Arrays,
}

impl<'a> Node<'a> {
    fn of(&self, value: Value) -> Node<'a> {
        Node { value, arrays: self.arrays }
    }
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        match std::mem::take(&mut self.value) {
            Value::String(text) => match text.strip_prefix(MARK) {
                Some(marked) if marked.starts_with(MARK) => visitor.visit_str(marked),
                Some(index) => visitor.visit_byte_buf(self.arrays.take(index)?),
                None => visitor.visit_string(text),
            },
            Value::Array(items) => {
                let mut items = SeqDeserializer::new(items.into_iter().map(|item| self.of(item)));
                let value = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(value)
            }
            Value::Object(members) => {
                let mut members = MapDeserializer::new(members.into_iter().map(|(name, value)| (name, self.of(value))));
                let value = visitor.visit_map(&mut members)?;
                members.end()?;
                Ok(value)
            }
            plain => plain.deserialize_any(visitor),
        }
    }

    /// Bytes are no text, though serde would take them for one.
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.value {
            Value::String(text) if text.starts_with(MARK) && !text[1..].starts_with(MARK) => {
                Err(Error::invalid_type(Unexpected::Other("Uint8Array"), &visitor))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_string(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match std::mem::take(&mut self.value) {
            Value::Object(members) => {
                let members = MapDeserializer::new(members.into_iter().map(|(name, value)| (name, self.of(value))));
                MapAccessDeserializer::new(members).deserialize_enum(name, variants, visitor)
            }
            other => other.deserialize_enum(name, variants, visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Error> for Node<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// A value as a payload.
pub(super) fn to_payload(value: &impl Serialize) -> Result<Payload, Error> {
    let mut has_bytes = false;
    let text = to_text(value, Plain(&mut has_bytes))?;
    if !has_bytes {
        return Ok(Payload::from_json(text));
    }
    let mut payload = Payload::default();
    let text = to_text(value, Marking { payload: &mut payload, is_key: false, is_start: false })?;
    Ok(payload.with_json(text))
}

fn to_text(value: &impl Serialize, formatter: impl Formatter) -> Result<String, Error> {
    let mut text = Vec::new();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut text, formatter))?;
    String::from_utf8(text).map_err(Error::custom)
}

/// Writes plain JSON, and sees whether there are bytes.
struct Plain<'a>(&'a mut bool);

impl Formatter for Plain<'_> {
    fn write_byte_array<W: ?Sized + io::Write>(&mut self, writer: &mut W, _: &[u8]) -> io::Result<()> {
        *self.0 = true;
        self.write_null(writer)
    }
}

/// Writes placeholders for bytes, and marks strings that look like one.
struct Marking<'a> {
    payload: &'a mut Payload,
    /// Names of members are not marked.
    is_key: bool,
    /// Nothing of the string has been written.
    is_start: bool,
}

impl Formatter for Marking<'_> {
    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.is_key = true;
        CompactFormatter.begin_object_key(writer, first)
    }

    fn end_object_key<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.is_key = false;
        Ok(())
    }

    fn begin_string<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.is_start = !self.is_key;
        CompactFormatter.begin_string(writer)
    }

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        self.is_start &= fragment.is_empty();
        CompactFormatter.write_string_fragment(writer, fragment)
    }

    fn write_char_escape<W: ?Sized + io::Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        let is_mark = matches!(escape, CharEscape::AsciiControl(byte) if char::from(byte) == MARK);
        if is_mark && std::mem::take(&mut self.is_start) {
            CompactFormatter.write_char_escape(writer, CharEscape::AsciiControl(MARK as u8))?;
        }
        self.is_start = false;
        CompactFormatter.write_char_escape(writer, escape)
    }

    fn write_byte_array<W: ?Sized + io::Write>(&mut self, writer: &mut W, bytes: &[u8]) -> io::Result<()> {
        let index = self.payload.byte_arrays().len();
        if index == Payload::BYTE_ARRAYS_MAX {
            return Err(io::Error::other(format!("more than {index} byte arrays")));
        }
        self.payload.push(bytes);
        write!(writer, "\"\\u0010{index}\"")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Part {
        Empty,
        Text(String),
        Bytes { name: Option<String>, bytes: Bytes },
        Pair(Bytes, f64),
    }

    fn read<T: DeserializeOwned>(payload: &Payload) -> Result<T, Error> {
        Arrays::of(payload).read(serde_json::from_str(payload.json())?)
    }

    #[test]
    fn values_with_bytes_come_out_as_they_went_in() {
        let bytes = |text: &str| Bytes(text.as_bytes().to_vec());
        let parts = vec![
            Part::Empty,
            Part::Text("\u{10}".to_string()),
            Part::Text("\u{10}0".to_string()),
            Part::Text("\u{10}\u{10}\"\n0".to_string()),
            Part::Text("0\u{10}".to_string()),
            Part::Bytes { name: None, bytes: bytes("") },
            Part::Bytes { name: Some("n\u{e4}h".to_string()), bytes: bytes("abc") },
            Part::Pair(bytes("\u{10}"), 0.5),
        ];
        let value = BTreeMap::from([("\u{10}0".to_string(), parts.clone()), (String::new(), parts[..5].to_vec())]);
        let payload = to_payload(&value).expect("a payload");
        assert_eq!(payload.byte_arrays().len(), 3);
        assert_eq!(read::<BTreeMap<String, Vec<Part>>>(&payload).expect("a value"), value);
        let plain = to_payload(&value[""]).expect("a payload");
        assert_eq!(plain, Payload::from_json(serde_json::to_string(&value[""]).expect("JSON")), "nothing is marked");
        assert_eq!(read::<Vec<Part>>(&plain).expect("a value"), value[""]);
    }

    #[test]
    fn a_placeholder_stands_for_its_bytes_once_and_for_nothing_else() {
        let payload = |json: &str| {
            let mut payload = Payload::from_json(json.to_string());
            payload.push(b"abc");
            payload
        };
        assert_eq!(read::<Bytes>(&payload(r#""\u00100""#)).expect("bytes"), Bytes(b"abc".to_vec()));
        for json in [r#""\u00101""#, r#""\u0010""#, r#""\u0010\u00100""#, r#""abc""#, "[97]", "null", r#"{"0":1}"#] {
            assert!(read::<Bytes>(&payload(json)).is_err(), "{json}");
        }
        assert!(read::<Vec<Bytes>>(&payload(r#"["\u00100","\u00100"]"#)).is_err(), "it must not become many");
        assert!(read::<String>(&payload(r#""\u00100""#)).is_err(), "bytes are no text");
        assert!(read::<Bytes>(&Payload::from_json(r#""\u00100""#.to_string())).is_err(), "there are none");
    }

    #[test]
    fn there_are_no_more_byte_arrays_than_a_payload_may_have() {
        let most = vec![Bytes::default(); Payload::BYTE_ARRAYS_MAX];
        assert!(to_payload(&most).is_ok());
        assert!(to_payload(&[&most[..], &most[..1]]).is_err());
    }
}
