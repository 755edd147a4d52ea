//! Keys, for JavaScript to keep: it never has their bytes unless it asks for an export, and whether it may is for the
//! JavaScript beside this to say.

use alloc::string::String;
use alloc::vec::Vec;

use guest_crypto::key::Key;
use rquickjs::class::{JsClass, Readable, Trace, Tracer};
use rquickjs::function::Constructor;
use rquickjs::{Class, Ctx, JsLifetime, Result, Value};

use super::{check_room, copied, zeros};
use crate::engine::bytes::with_bytes;
use crate::engine::new_value::{Bytes, new_bytes};
use crate::engine::random;

/// A key, for JavaScript to keep.
pub struct KeyObject(pub Key);

impl<'js> Trace<'js> for KeyObject {
    fn trace<'a>(&self, _: Tracer<'a, 'js>) {}
}

// SAFETY: it holds nothing of JavaScript's, so that no lifetime is changed.
unsafe impl<'js> JsLifetime<'js> for KeyObject {
    type Changed<'to> = KeyObject;
}

impl<'js> JsClass<'js> for KeyObject {
    const NAME: &'static str = "Key";
    type Mutable = Readable;

    fn constructor(_: &Ctx<'js>) -> Result<Option<Constructor<'js>>> {
        Ok(None)
    }
}

type Made<'js> = Result<Option<Class<'js, KeyObject>>>;

fn made<'js>(ctx: Ctx<'js>, key: Option<Key>) -> Made<'js> {
    key.map(|key| Class::instance(ctx, KeyObject(key))).transpose()
}

/// A key with these bytes.
pub fn secret_key<'js>(ctx: Ctx<'js>, bytes: Bytes<'js>) -> Result<Class<'js, KeyObject>> {
    let key = with_bytes(&ctx, &bytes, |bytes| copied(&ctx, bytes))?;
    Class::instance(ctx, KeyObject(Key::Secret(key)))
}

/// A key with so many random bytes.
pub fn random_key<'js>(ctx: Ctx<'js>, size: f64) -> Result<Class<'js, KeyObject>> {
    let mut bytes = zeros(&ctx, size)?;
    random::fill(&mut bytes);
    Class::instance(ctx, KeyObject(Key::Secret(bytes)))
}

/// A key with the first bits of another.
pub fn truncated<'js>(ctx: Ctx<'js>, key: Class<'js, KeyObject>, bits: f64) -> Result<Class<'js, KeyObject>> {
    let mut bytes = copied(&ctx, key.borrow().0.secret())?;
    truncate(&mut bytes, bits as usize);
    Class::instance(ctx, KeyObject(Key::Secret(bytes)))
}

/// Keeps the first bits only. Those that are left of the last byte are 0.
fn truncate(bytes: &mut Vec<u8>, bits: usize) {
    bytes.truncate(bits.div_ceil(8));
    if let Some(last) = bytes.last_mut().filter(|_| !bits.is_multiple_of(8)) {
        *last &= 0xff << (8 - bits % 8);
    }
}

/// The size of a secret key in bytes.
pub fn secret_size(key: Class<'_, KeyObject>) -> f64 {
    key.borrow().0.secret().len() as f64
}

/// A new private key on a curve.
pub fn generate<'js>(ctx: Ctx<'js>, kind: String) -> Made<'js> {
    check_room(&ctx)?;
    made(ctx, random::with(|generator| Key::generated(&kind, generator)))
}

/// A new private key of so many bits; none if they are too few or too many, or this is no public exponent.
pub fn generate_rsa<'js>(ctx: Ctx<'js>, bits: u32, exponent: Bytes<'js>) -> Made<'js> {
    check_room(&ctx)?;
    let key =
        with_bytes(&ctx, &exponent, |exponent| random::with(|generator| Key::generated_rsa(bits, exponent, generator)));
    made(ctx, key)
}

/// The public key of a private one.
pub fn public_of<'js>(ctx: Ctx<'js>, key: Class<'js, KeyObject>) -> Made<'js> {
    check_room(&ctx)?;
    let public = key.borrow().0.public();
    made(ctx, public)
}

/// A key from bytes in a format; none if they are wrong.
pub fn import<'js>(ctx: Ctx<'js>, kind: String, format: String, bytes: Bytes<'js>) -> Made<'js> {
    check_room(&ctx)?;
    let key = with_bytes(&ctx, &bytes, |bytes| Key::imported(&kind, &format, bytes));
    made(ctx, key)
}

/// A key from what a JSON Web Key has of it; none if it is wrong.
pub fn import_parts<'js>(ctx: Ctx<'js>, kind: String, parts: Vec<Option<Bytes<'js>>>) -> Made<'js> {
    check_room(&ctx)?;
    let copy =
        |part: Option<Bytes<'js>>| part.map(|part| with_bytes(&ctx, &part, |bytes| copied(&ctx, bytes))).transpose();
    let mut parts: Vec<_> = parts.into_iter().map(copy).collect::<Result<_>>()?;
    while parts.last().is_some_and(Option::is_none) {
        parts.pop();
    }
    made(ctx, Key::of_parts(&kind, &parts))
}

/// A key's bytes in a format, if it can be had in that.
pub fn export<'js>(ctx: Ctx<'js>, key: Class<'js, KeyObject>, format: String) -> Result<Option<Value<'js>>> {
    check_room(&ctx)?;
    let key = key.borrow();
    if let Key::Secret(bytes) = &key.0 {
        return new_bytes(&ctx, bytes).map(Some);
    }
    key.0.exported(&format).map(|bytes| new_bytes(&ctx, &bytes)).transpose()
}

pub fn export_parts<'js>(ctx: Ctx<'js>, key: Class<'js, KeyObject>) -> Result<Option<Vec<Value<'js>>>> {
    check_room(&ctx)?;
    let key = key.borrow();
    if let Key::Secret(bytes) = &key.0 {
        return Ok(Some([new_bytes(&ctx, bytes)?].into()));
    }
    let Some(parts) = key.0.parts() else { return Ok(None) };
    parts.iter().map(|part| new_bytes(&ctx, part)).collect::<Result<_>>().map(Some)
}

/// The secret that a private key and the public key of another have in common, or so many bits of it; none if they do not fit,
/// or the secret is shorter.
pub fn agree<'js>(
    ctx: Ctx<'js>,
    private: Class<'js, KeyObject>,
    public: Class<'js, KeyObject>,
    bits: Option<f64>,
) -> Result<Option<Value<'js>>> {
    check_room(&ctx)?;
    let secret = private.borrow().0.agreed(&public.borrow().0);
    let Some(mut secret) = secret else { return Ok(None) };
    if let Some(bits) = bits {
        if bits as usize > secret.len() * 8 {
            return Ok(None);
        }
        truncate(&mut secret, bits as usize);
    }
    new_bytes(&ctx, &secret).map(Some)
}
