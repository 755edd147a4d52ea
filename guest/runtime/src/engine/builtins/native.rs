//! What the built-in modules cannot do in JavaScript.

use alloc::string::String;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use rquickjs::function::Func;
use rquickjs::module::{Declarations, Exports, ModuleDef};
use rquickjs::{Ctx, Error, Exception, Result, TypedArray, Value, qjs};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

use super::{text, url};
use crate::engine::bytes::{bytes_of, with_bytes};
use crate::engine::{clock, event_loop, random, shared_memory};

/// The module that holds it.
pub struct Native;

impl ModuleDef for Native {
    fn declare(declarations: &Declarations<'_>) -> Result<()> {
        let names = [
            "classOf",
            "decodeUtf16be",
            "decodeUtf16le",
            "decodeUtf8",
            "decodeWindows1252",
            "digest",
            "encodeForm",
            "encodeInto",
            "encodeUtf8",
            "equal",
            "fillRandom",
            "hmac",
            "parseForm",
            "parseUrl",
            "setUrlPart",
            "sharing",
            "timeOrigin",
            "waitUntil",
        ];
        for name in names {
            declarations.declare(name)?;
        }
        Ok(())
    }

    fn evaluate<'js>(ctx: &Ctx<'js>, exports: &Exports<'js>) -> Result<()> {
        exports.export("classOf", Func::from(class_of))?;
        exports.export("decodeUtf16be", Func::from(text::decode_utf16be))?;
        exports.export("decodeUtf16le", Func::from(text::decode_utf16le))?;
        exports.export("decodeUtf8", Func::from(text::decode_utf8))?;
        exports.export("decodeWindows1252", Func::from(text::decode_windows_1252))?;
        exports.export("digest", Func::from(digest))?;
        exports.export("encodeForm", Func::from(url::encode_form))?;
        exports.export("encodeInto", Func::from(text::encode_into))?;
        exports.export("encodeUtf8", Func::from(text::encode_utf8))?;
        exports.export("equal", Func::from(equal))?;
        exports.export("fillRandom", Func::from(fill_random))?;
        exports.export("hmac", Func::from(keyed_digest))?;
        exports.export("parseForm", Func::from(url::parse_form))?;
        exports.export("parseUrl", Func::from(url::parse))?;
        exports.export("setUrlPart", Func::from(url::set_part))?;
        exports.export("sharing", Func::from(shared_memory::sharing))?;
        exports.export("timeOrigin", Func::from(clock::origin_millis))?;
        exports.export("waitUntil", event_loop::wait_until(ctx)?)?;
        Ok(())
    }
}

pub type Bytes<'js> = TypedArray<'js, u8>;

/// A new array with these bytes, within the limit of the heap.
pub fn new_bytes<'js>(ctx: &Ctx<'js>, bytes: &[u8]) -> Result<Value<'js>> {
    // SAFETY: the bytes are copied, and the value is the context's own.
    unsafe {
        let array = qjs::JS_NewUint8ArrayCopy(ctx.as_raw().as_ptr(), bytes.as_ptr(), bytes.len() as _);
        value(ctx, array)
    }
}

/// A value that the engine has just made, or what it threw instead.
///
/// # Safety
/// It must belong to the context, and to nobody else.
pub unsafe fn value<'js>(ctx: &Ctx<'js>, value: qjs::JSValue) -> Result<Value<'js>> {
    // SAFETY: the caller's promise.
    let value = unsafe { Value::from_raw(ctx.clone(), value) };
    if value.is_exception() { Err(Error::Exception) } else { Ok(value) }
}

/// The number that the engine gives to objects with the same internal slots; 0 for what is no object.
fn class_of(value: Value<'_>) -> u32 {
    // SAFETY: the value is alive.
    unsafe { qjs::JS_GetClassID(value.as_raw()) }
}

fn digest<'js>(ctx: Ctx<'js>, algorithm: String, data: Bytes<'js>) -> Result<Value<'js>> {
    with_bytes(&ctx, &data, |data| match algorithm.as_str() {
        "md5" => new_bytes(&ctx, &Md5::digest(data)),
        "sha1" => new_bytes(&ctx, &Sha1::digest(data)),
        "sha256" => new_bytes(&ctx, &Sha256::digest(data)),
        "sha384" => new_bytes(&ctx, &Sha384::digest(data)),
        "sha512" => new_bytes(&ctx, &Sha512::digest(data)),
        _ => Err(Exception::throw_type(&ctx, "there is no such algorithm")),
    })
}

fn keyed_digest<'js>(ctx: Ctx<'js>, algorithm: String, key: Bytes<'js>, data: Bytes<'js>) -> Result<Value<'js>> {
    fn keyed<'js, M: Mac + KeyInit>(ctx: &Ctx<'js>, key: &[u8], data: &[u8]) -> Result<Value<'js>> {
        let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else {
            return Err(Exception::throw_type(ctx, "there is no such key"));
        };
        mac.update(data);
        new_bytes(ctx, &mac.finalize().into_bytes())
    }
    with_bytes(&ctx, &key, |key| {
        with_bytes(&ctx, &data, |data| match algorithm.as_str() {
            "md5" => keyed::<Hmac<Md5>>(&ctx, key, data),
            "sha1" => keyed::<Hmac<Sha1>>(&ctx, key, data),
            "sha256" => keyed::<Hmac<Sha256>>(&ctx, key, data),
            "sha384" => keyed::<Hmac<Sha384>>(&ctx, key, data),
            "sha512" => keyed::<Hmac<Sha512>>(&ctx, key, data),
            _ => Err(Exception::throw_type(&ctx, "there is no such algorithm")),
        })
    })
}

fn equal<'js>(ctx: Ctx<'js>, a: Bytes<'js>, b: Bytes<'js>) -> bool {
    with_bytes(&ctx, &a, |a| with_bytes(&ctx, &b, |b| a.ct_eq(b).into()))
}

/// Fills the array with random bytes and gives it back.
fn fill_random<'js>(ctx: Ctx<'js>, array: Bytes<'js>) -> Bytes<'js> {
    let mut bytes = bytes_of(&ctx, &array);
    // SAFETY: the array is alive, and no JavaScript runs before this is done.
    random::fill(unsafe { bytes.as_mut() });
    array
}
