//! Digests, and digests with a key.

use alloc::string::String;

use guest_crypto::digest::Hash;
use rquickjs::{Class, Ctx, Exception, FromJs, Result, Value};
use subtle::ConstantTimeEq;

use super::key::KeyObject;
use crate::engine::bytes::with_bytes;
use crate::engine::new_value::{Bytes, new_bytes};

/// The argument that names a digest.
pub struct HashName(pub Hash);

impl<'js> FromJs<'js> for HashName {
    fn from_js(ctx: &Ctx<'js>, value: Value<'js>) -> Result<Self> {
        let hash = Hash::from_name(&String::from_js(ctx, value)?);
        hash.map(Self).ok_or_else(|| Exception::throw_type(ctx, "there is no such algorithm"))
    }
}

pub fn digest<'js>(ctx: Ctx<'js>, HashName(hash): HashName, data: Bytes<'js>) -> Result<Value<'js>> {
    let digest = with_bytes(&ctx, &data, |data| hash.of(data));
    new_bytes(&ctx, digest.bytes())
}

pub fn keyed_digest<'js>(
    ctx: Ctx<'js>,
    HashName(hash): HashName,
    key: Bytes<'js>,
    data: Bytes<'js>,
) -> Result<Value<'js>> {
    let digest = with_bytes(&ctx, &key, |key| with_bytes(&ctx, &data, |data| hash.keyed(key, data)));
    new_bytes(&ctx, digest.bytes())
}

/// The HMAC of data.
pub fn sign<'js>(
    ctx: Ctx<'js>,
    HashName(hash): HashName,
    key: Class<'js, KeyObject>,
    data: Bytes<'js>,
) -> Result<Value<'js>> {
    let digest = with_bytes(&ctx, &data, |data| hash.keyed(key.borrow().0.secret(), data));
    new_bytes(&ctx, digest.bytes())
}

pub fn equal<'js>(ctx: Ctx<'js>, a: Bytes<'js>, b: Bytes<'js>) -> bool {
    with_bytes(&ctx, &a, |a| with_bytes(&ctx, &b, |b| a.ct_eq(b).into()))
}
