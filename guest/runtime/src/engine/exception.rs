//! What guest code throws, as far as it can be told; [`guest_abi::exception`] says what of it travels.
//!
//! Anything can be thrown, and an error's properties can be getters that throw in turn; so every step here can fail, and
//! then gives less.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::mem::MaybeUninit;

use guest_abi::message::{Details, Exception};
use rquickjs::object::Filter;
use rquickjs::{Atom, Ctx, Error, Object, Value, qjs};

const UNREADABLE: &str = "(something that cannot be turned into text)";
/// What goes to places of its own, and not among the properties.
const NAMED: [&str; 5] = ["name", "message", "stack", "cause", "errors"];

/// Describes what an operation failed with.
pub fn describe(ctx: &Ctx<'_>, error: &Error) -> Exception {
    match error {
        Error::Exception => take(ctx),
        other => Exception::new("Error", cut(other.to_string())),
    }
}

/// Describes what was thrown last.
pub fn take(ctx: &Ctx<'_>) -> Exception {
    describe_value(ctx, &ctx.catch())
}

/// Describes what could be thrown.
pub fn describe_value<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> Exception {
    let mut room = Room { properties: Exception::PROPERTIES_SIZE_MAX, count: Exception::COUNT_MAX, open: Vec::new() };
    let mut exception = room.describe(ctx, value);
    exception.fit();
    exception
}

/// Whether a value is described by a name and a message: an error, or an object with a message as old classes of errors make
/// it, without being errors for the engine.
pub fn is_error<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> bool {
    value.as_object().is_some_and(|object| {
        value.is_error() || property(ctx, object, "message").is_some_and(|message| message.is_string())
    })
}

/// How much more there may be of one exception, and the errors that the current one is a cause of.
struct Room<'js> {
    properties: usize,
    count: usize,
    open: Vec<Value<'js>>,
}

impl<'js> Room<'js> {
    fn describe(&mut self, ctx: &Ctx<'js>, value: &Value<'js>) -> Exception {
        self.count -= 1;
        let Some(object) = value.as_object() else { return Exception::new("", short_text(ctx, value)) };
        if !is_error(ctx, value) {
            let mut exception = Exception::new("", text_of_object(ctx, object));
            if !value.is_array() && !value.is_function() {
                exception.details.properties = self.properties_of(ctx, object, &[]);
            }
            return exception;
        }
        let text = |name| property(ctx, object, name).map(|value| short_text(ctx, &value));
        let properties = self.properties_of(ctx, object, &NAMED);
        let mut exception = Exception {
            name: text("name").unwrap_or_default(),
            message: text("message").unwrap_or_default(),
            stack: text("stack").unwrap_or_default(),
            details: Box::new(Details { properties, ..Details::default() }),
        };
        if self.open.len() == Exception::DEPTH_MAX {
            return exception;
        }
        self.open.push(value.clone());
        exception.details.cause =
            property(ctx, object, "cause").and_then(|cause| self.nested(ctx, &cause)).map(Box::new);
        if let Some(errors) = property(ctx, object, "errors")
            && let Some(errors) = errors.as_array()
        {
            for error in errors.iter::<Value>().take(Exception::ERRORS_MAX) {
                let described = error.map(|error| self.nested(ctx, &error));
                exception.details.errors.extend(or_caught(ctx, described).flatten());
            }
        }
        self.open.pop();
        exception
    }

    /// A cause or one of several errors; `None` if there is no room for it, or it is an error that is being described.
    fn nested(&mut self, ctx: &Ctx<'js>, value: &Value<'js>) -> Option<Exception> {
        let is_open = value.is_object() && self.open.contains(value);
        (self.count > 0 && !is_open).then(|| self.describe(ctx, value))
    }

    /// A JSON object with the own properties that JSON can express, each whole or not at all; empty if there are none. Of an
    /// error, `code` comes first, even if it is inherited.
    fn properties_of(&mut self, ctx: &Ctx<'js>, object: &Object<'js>, named: &[&str]) -> String {
        let mut json = String::new();
        if !named.is_empty()
            && let Some(code) = property(ctx, object, "code")
            && (code.is_string() || code.is_number())
        {
            self.put_property(ctx, &mut json, "\"code\"", code);
        }
        for name in object.own_keys::<Atom>(Filter::default()) {
            if self.properties < 8 {
                break;
            }
            let Some(name) = or_caught(ctx, name) else { break };
            // In JSON, in which half a surrogate pair is told from another.
            let quoted = or_caught(ctx, name.to_value().and_then(|name| ctx.json_stringify(name))).flatten();
            let Some(quoted) = quoted.and_then(|quoted| self.fitting_text(ctx, quoted.as_value())) else { continue };
            let text = quoted.trim_matches('"');
            if named.contains(&text) || (!json.is_empty() && text == "code") {
                continue;
            }
            if let Some(value) = or_caught(ctx, object.get(name)) {
                self.put_property(ctx, &mut json, &quoted, value);
            }
        }
        if !json.is_empty() {
            json.push('}');
        }
        json
    }

    /// Adds a property whose name is given in quotes.
    fn put_property(&mut self, ctx: &Ctx<'js>, json: &mut String, name: &str, value: Value<'js>) {
        let Some(Some(value)) = or_caught(ctx, ctx.json_stringify(value)) else { return };
        let Some(value) = self.fitting_text(ctx, value.as_value()) else { return };
        // A bracket or a comma, the colon, and for the first one the bracket at the end.
        let size = name.len() + value.len() + if json.is_empty() { 3 } else { 2 };
        if size > self.properties {
            return;
        }
        self.properties -= size;
        json.push(if json.is_empty() { '{' } else { ',' });
        json.push_str(name);
        json.push(':');
        json.push_str(&value);
    }

    /// A text, unless there is no room for it.
    fn fitting_text(&self, ctx: &Ctx<'js>, value: &Value<'js>) -> Option<String> {
        with_text(ctx, value, |text| (text.len() <= self.properties).then(|| lossy_text(text))).or_else(|| {
            ctx.catch();
            None
        })?
    }
}

/// A property that is not `undefined`.
fn property<'js>(ctx: &Ctx<'js>, object: &Object<'js>, name: &str) -> Option<Value<'js>> {
    or_caught(ctx, object.get::<_, Value>(name)).filter(|value| !value.is_undefined())
}

/// A result, or nothing if it is an exception, which is forgotten.
pub fn or_caught<T>(ctx: &Ctx<'_>, result: rquickjs::Result<T>) -> Option<T> {
    if result.is_err() {
        ctx.catch();
    }
    result.ok()
}

/// What an object says of itself, or else its JSON.
fn text_of_object<'js>(ctx: &Ctx<'js>, object: &Object<'js>) -> String {
    let own = shortened(ctx, object);
    match own {
        Some(text) if !object.is_array() && !text.starts_with("[object ") => text,
        own => {
            let json = or_caught(ctx, ctx.json_stringify(object.clone())).flatten();
            json.and_then(|json| shortened(ctx, json.as_value())).or(own).unwrap_or_else(|| UNREADABLE.to_string())
        }
    }
}

/// A value as text that is not too long.
pub fn short_text<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> String {
    if let Some(symbol) = value.as_symbol() {
        let description = or_caught(ctx, symbol.description()).filter(|description| description.is_string());
        let description = description.and_then(|description| shortened(ctx, &description)).unwrap_or_default();
        return cut(alloc::format!("Symbol({description})"));
    }
    shortened(ctx, value).unwrap_or_else(|| UNREADABLE.to_string())
}

/// The beginning of what `String(value)` gives, as much as may be told. Of what comes after it no copy is made: there may be no
/// memory for one.
fn shortened(ctx: &Ctx<'_>, value: &Value<'_>) -> Option<String> {
    // A character that is cut in two ends beyond what is kept.
    let beginning = |text: &[u8]| cut(lossy_text(&text[..text.len().min(Exception::TEXT_SIZE_MAX + 4)]));
    with_text(ctx, value, beginning).or_else(|| {
        ctx.catch();
        None
    })
}

/// What `String(value)` gives; lone surrogates, which UTF-8 cannot express, become U+FFFD. `None` if it throws.
pub fn text(ctx: &Ctx<'_>, value: &Value<'_>) -> Option<String> {
    with_text(ctx, value, lossy_text)
}

/// What a function makes of the bytes of `String(value)`, for [`lossy_text`]. `None` if it throws.
pub fn with_text<T>(ctx: &Ctx<'_>, value: &Value<'_>, f: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let mut length = MaybeUninit::uninit();
    // SAFETY: value and context belong together; the string is freed below, and the length is set if there is one.
    let (start, length) = unsafe {
        let start = qjs::JS_ToCStringLen(ctx.as_raw().as_ptr(), length.as_mut_ptr(), value.as_raw());
        if start.is_null() {
            return None;
        }
        (start, length.assume_init())
    };
    // SAFETY: QuickJS has just made these bytes.
    let result = f(unsafe { core::slice::from_raw_parts(start.cast(), length) });
    // SAFETY: made above and not used any more.
    unsafe { qjs::JS_FreeCString(ctx.as_raw().as_ptr(), start) };
    Some(result)
}

/// The text that QuickJS means by these bytes, lone surrogates replaced.
pub fn lossy_text(bytes: &[u8]) -> String {
    match core::str::from_utf8(bytes) {
        Ok(text) => String::from(text),
        Err(_) => without_surrogates(bytes),
    }
}

/// The string that QuickJS means by these bytes.
pub fn string_of<'js>(ctx: &Ctx<'js>, bytes: &[u8]) -> rquickjs::Result<Value<'js>> {
    // SAFETY: the context is alive, and the value is new.
    let string = unsafe {
        let string = qjs::JS_NewStringLen(ctx.as_raw().as_ptr(), bytes.as_ptr().cast(), bytes.len() as _);
        Value::from_raw(ctx.clone(), string)
    };
    if string.is_exception() { Err(Error::Exception) } else { Ok(string) }
}

/// Throws what QuickJS throws when the heap is used up.
pub fn throw_out_of_memory(ctx: &Ctx<'_>) -> Error {
    // SAFETY: the context is alive.
    unsafe { qjs::JS_ThrowOutOfMemory(ctx.as_raw().as_ptr()) };
    Error::Exception
}

/// QuickJS encodes a lone surrogate as if it were a character: three bytes that are not UTF-8.
fn without_surrogates(bytes: &[u8]) -> String {
    let mut bytes = bytes.to_vec();
    for i in 2..bytes.len() {
        if let [0xed, 0xa0..=0xbf, _] = bytes[i - 2..=i] {
            bytes[i - 2..=i].copy_from_slice("\u{fffd}".as_bytes());
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(Exception::TEXT_SIZE_MAX));
    text
}
