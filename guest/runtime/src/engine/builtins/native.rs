//! What the built-in modules cannot do in JavaScript.

use alloc::string::String;
use alloc::vec::Vec;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use rquickjs::convert::List;
use rquickjs::function::Func;
use rquickjs::module::{Declarations, Exports, ModuleDef};
use rquickjs::{Ctx, Exception, Result, TypedArray, Value};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

use super::url;
use crate::engine::{exception, random};

/// The module that holds it.
pub struct Native;

impl ModuleDef for Native {
    fn declare(declarations: &Declarations<'_>) -> Result<()> {
        let names = [
            "decodeUtf16",
            "decodeUtf8",
            "digest",
            "encodeForm",
            "encodeUtf8",
            "equal",
            "fillRandom",
            "hmac",
            "parseForm",
            "parseUrl",
            "setUrlPart",
        ];
        for name in names {
            declarations.declare(name)?;
        }
        Ok(())
    }

    fn evaluate<'js>(_ctx: &Ctx<'js>, exports: &Exports<'js>) -> Result<()> {
        exports.export("decodeUtf16", Func::from(decode_utf16))?;
        exports.export("decodeUtf8", Func::from(decode_utf8))?;
        exports.export("digest", Func::from(digest))?;
        exports.export("encodeForm", Func::from(url::encode_form))?;
        exports.export("encodeUtf8", Func::from(encode_utf8))?;
        exports.export("equal", Func::from(equal))?;
        exports.export("fillRandom", Func::from(fill_random))?;
        exports.export("hmac", Func::from(keyed_digest))?;
        exports.export("parseForm", Func::from(url::parse_form))?;
        exports.export("parseUrl", Func::from(url::parse))?;
        exports.export("setUrlPart", Func::from(url::set_part))?;
        Ok(())
    }
}

type Bytes<'js> = TypedArray<'js, u8>;
/// Text, and the number of bytes that it was made of.
type Decoded = List<(String, f64)>;

/// A copy of the bytes: nothing that runs later can then change or free them under us.
fn copied(ctx: &Ctx<'_>, bytes: &Bytes<'_>) -> Result<Vec<u8>> {
    // SAFETY: no JavaScript runs before the bytes are copied.
    let bytes: Option<&[u8]> = unsafe { bytes.as_bytes() };
    bytes.map(<[u8]>::to_vec).ok_or_else(|| Exception::throw_type(ctx, "the buffer is detached"))
}

fn digest<'js>(ctx: Ctx<'js>, algorithm: String, data: Bytes<'js>) -> Result<Bytes<'js>> {
    let data = copied(&ctx, &data)?;
    let digest = match algorithm.as_str() {
        "md5" => Md5::digest(data).to_vec(),
        "sha1" => Sha1::digest(data).to_vec(),
        "sha256" => Sha256::digest(data).to_vec(),
        "sha384" => Sha384::digest(data).to_vec(),
        "sha512" => Sha512::digest(data).to_vec(),
        _ => return Err(Exception::throw_type(&ctx, "there is no such algorithm")),
    };
    Bytes::new(ctx, digest)
}

fn keyed_digest<'js>(ctx: Ctx<'js>, algorithm: String, key: Bytes<'js>, data: Bytes<'js>) -> Result<Bytes<'js>> {
    fn keyed<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
        let mut mac = <M as KeyInit>::new_from_slice(key).ok()?;
        mac.update(data);
        Some(mac.finalize().into_bytes().to_vec())
    }
    let (key, data) = (copied(&ctx, &key)?, copied(&ctx, &data)?);
    let digest = match algorithm.as_str() {
        "md5" => keyed::<Hmac<Md5>>(&key, &data),
        "sha1" => keyed::<Hmac<Sha1>>(&key, &data),
        "sha256" => keyed::<Hmac<Sha256>>(&key, &data),
        "sha384" => keyed::<Hmac<Sha384>>(&key, &data),
        "sha512" => keyed::<Hmac<Sha512>>(&key, &data),
        _ => None,
    };
    match digest {
        Some(digest) => Bytes::new(ctx, digest),
        None => Err(Exception::throw_type(&ctx, "there is no such algorithm")),
    }
}

fn equal(ctx: Ctx<'_>, a: Bytes<'_>, b: Bytes<'_>) -> Result<bool> {
    let (a, b) = (copied(&ctx, &a)?, copied(&ctx, &b)?);
    Ok(a.ct_eq(&b).into())
}

/// Fills the array with random bytes and gives it back.
fn fill_random<'js>(ctx: Ctx<'js>, array: Bytes<'js>) -> Result<Bytes<'js>> {
    let Some(mut bytes) = array.as_raw() else {
        return Err(Exception::throw_type(&ctx, "the buffer is detached"));
    };
    // SAFETY: the array is alive, and no JavaScript runs before this is done.
    random::fill(unsafe { bytes.as_mut() });
    Ok(array)
}

fn encode_utf8<'js>(ctx: Ctx<'js>, text: Value<'js>) -> Result<Bytes<'js>> {
    let text = exception::text(&ctx, &text).ok_or(rquickjs::Error::Exception)?;
    Bytes::new(ctx, text.into_bytes())
}

/// The text that bytes stand for, and how many of them it took. With `stream`, a character that is not complete at the end
/// is left for later.
fn decode_utf8<'js>(ctx: Ctx<'js>, bytes: Bytes<'js>, fatal: bool, stream: bool) -> Result<Decoded> {
    let bytes = copied(&ctx, &bytes)?;
    let used = if stream { bytes.len() - incomplete_at_end(&bytes) } else { bytes.len() };
    let bytes = &bytes[..used];
    match core::str::from_utf8(bytes) {
        Ok(text) => Ok(List((String::from(text), used as f64))),
        Err(_) if fatal => Err(Exception::throw_type(&ctx, "The encoded data was not valid for encoding utf-8")),
        Err(_) => Ok(List((String::from_utf8_lossy(bytes).into_owned(), used as f64))),
    }
}

/// Bytes at the end that begin a character but do not complete it.
fn incomplete_at_end(bytes: &[u8]) -> usize {
    for length in 1..=bytes.len().min(3) {
        let start = bytes.len() - length;
        if let Err(error) = core::str::from_utf8(&bytes[start..])
            && error.valid_up_to() == 0
            && error.error_len().is_none()
        {
            return length;
        }
    }
    0
}

/// As [`decode_utf8`], for UTF-16 in little-endian order.
fn decode_utf16<'js>(ctx: Ctx<'js>, bytes: Bytes<'js>, fatal: bool, stream: bool) -> Result<Decoded> {
    let bytes = copied(&ctx, &bytes)?;
    let mut used = bytes.len();
    if stream {
        used -= used % 2;
        if let [.., _, 0xd8..=0xdb] = bytes[..used] {
            used -= 2;
        }
    }
    let units: Vec<u16> = bytes[..used].chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
    let odd = used % 2 == 1;
    match String::from_utf16(&units) {
        Ok(text) if !odd => Ok(List((text, used as f64))),
        _ if fatal => Err(Exception::throw_type(&ctx, "The encoded data was not valid for encoding utf-16le")),
        _ => {
            let mut text = String::from_utf16_lossy(&units);
            if odd {
                text.push(char::REPLACEMENT_CHARACTER);
            }
            Ok(List((text, used as f64)))
        }
    }
}
