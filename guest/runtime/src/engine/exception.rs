//! What guest code throws, as far as it can be told.
//!
//! Anything can be thrown, and an error's properties can be getters that throw in turn; so every step here can fail, and
//! then gives less.

use alloc::string::String;
use core::mem::MaybeUninit;

use guest_abi::message::{Exception, TEXT_SIZE_MAX};
use rquickjs::{Ctx, Error, Value, qjs};

/// Describes what an operation failed with.
pub fn describe(ctx: &Ctx<'_>, error: &Error) -> Exception {
    match error {
        Error::Exception => take(ctx),
        other => {
            use alloc::string::ToString;
            Exception { name: String::from("Error"), message: cut(other.to_string()), stack: String::new() }
        }
    }
}

/// Describes what was thrown last.
pub fn take(ctx: &Ctx<'_>) -> Exception {
    let thrown = ctx.catch();
    match thrown.as_object() {
        Some(object) if thrown.is_error() => {
            let property = |name: &str| match object.get::<_, Value>(name) {
                Ok(value) if !value.is_undefined() => short_text(ctx, &value),
                Ok(_) => String::new(),
                Err(_) => {
                    ctx.catch();
                    String::new()
                }
            };
            Exception { name: property("name"), message: property("message"), stack: property("stack") }
        }
        _ => Exception { message: short_text(ctx, &thrown), ..Exception::default() },
    }
}

fn short_text(ctx: &Ctx<'_>, value: &Value<'_>) -> String {
    cut(text(ctx, value).unwrap_or_else(|| {
        ctx.catch();
        String::from("(something that cannot be turned into text)")
    }))
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
    text.truncate(text.floor_char_boundary(TEXT_SIZE_MAX));
    text
}
