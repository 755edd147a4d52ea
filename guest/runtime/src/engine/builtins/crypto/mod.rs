//! Digests and random bytes, for the module `crypto`.

use alloc::string::String;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use rquickjs::{Ctx, Exception, Result, Value};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

use crate::engine::bytes::{bytes_of, with_bytes};
use crate::engine::new_value::{Bytes, new_bytes};
use crate::engine::random;

pub fn digest<'js>(ctx: Ctx<'js>, algorithm: String, data: Bytes<'js>) -> Result<Value<'js>> {
    with_bytes(&ctx, &data, |data| match algorithm.as_str() {
        "md5" => new_bytes(&ctx, &Md5::digest(data)),
        "sha1" => new_bytes(&ctx, &Sha1::digest(data)),
        "sha256" => new_bytes(&ctx, &Sha256::digest(data)),
        "sha384" => new_bytes(&ctx, &Sha384::digest(data)),
        "sha512" => new_bytes(&ctx, &Sha512::digest(data)),
        _ => Err(Exception::throw_type(&ctx, "there is no such algorithm")),
    })
}

pub fn keyed_digest<'js>(ctx: Ctx<'js>, algorithm: String, key: Bytes<'js>, data: Bytes<'js>) -> Result<Value<'js>> {
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

pub fn equal<'js>(ctx: Ctx<'js>, a: Bytes<'js>, b: Bytes<'js>) -> bool {
    with_bytes(&ctx, &a, |a| with_bytes(&ctx, &b, |b| a.ct_eq(b).into()))
}

/// Fills the array with random bytes and gives it back.
pub fn fill_random<'js>(ctx: Ctx<'js>, array: Bytes<'js>) -> Bytes<'js> {
    let mut bytes = bytes_of(&ctx, &array);
    // SAFETY: the array is alive, and no JavaScript runs before this is done.
    random::fill(unsafe { bytes.as_mut() });
    array
}
