//! JSON from the host.
//!
//! QuickJS's own parser makes doubles of all numbers, and computing with these takes the interpreter longer. Here integers
//! become integers, as in JavaScript's literals; a program can tell no difference but the speed. Text that serde_json refuses
//! goes to QuickJS's parser, which has the messages and other limits, and knows half surrogate pairs.

use alloc::string::String;
use core::fmt;

use rquickjs::object::Property;
use rquickjs::{Array, Atom, Ctx, IntoJs, Object, Value};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The value of a JSON text.
///
/// # Errors
/// What `JSON.parse` throws.
pub fn parse<'js>(ctx: &Ctx<'js>, text: String) -> rquickjs::Result<Value<'js>> {
    let mut parser = serde_json::Deserializer::from_str(&text);
    if let Ok(value) = AnyValue(ctx).deserialize(&mut parser).and_then(|value| parser.end().map(|()| value)) {
        return Ok(value);
    }
    // There is an exception if memory has run out; QuickJS's parser will find so too.
    ctx.catch();
    ctx.json_parse(text)
}

/// Makes a value of what a deserializer finds.
#[derive(Clone, Copy)]
struct AnyValue<'a, 'js>(&'a Ctx<'js>);

impl<'js> AnyValue<'_, 'js> {
    fn make<E: Error>(self, from: impl IntoJs<'js>) -> Result<Value<'js>, E> {
        from.into_js(self.0).map_err(E::custom)
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
        Ok(Value::new_null(self.0.clone()))
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
        self.make(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'js>, A::Error> {
        let array = Array::new(self.0.clone()).map_err(A::Error::custom)?;
        let mut index = 0_u32;
        while let Some(value) = items.next_element_seed(self)? {
            array.as_object().prop(index, own(value)).map_err(A::Error::custom)?;
            index += 1;
        }
        Ok(array.into_value())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value<'js>, A::Error> {
        let object = Object::new(self.0.clone()).map_err(A::Error::custom)?;
        while let Some(name) = entries.next_key_seed(Name(self.0))? {
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
