//! Signatures, and encryption by RSA.

use alloc::boxed::Box;
use alloc::vec::Vec;

use guest_crypto::Generator;
use rquickjs::{Class, Ctx, Result, Value};

use super::digest::HashName;
use super::key::KeyObject;
use super::{check_room, copied};
use crate::engine::bytes::with_bytes;
use crate::engine::new_value::{Bytes, new_bytes};
use crate::engine::random;

/// A signature of a digest of data; without the size of a salt, RSA has that of PKCS #1 v1.5.
pub fn sign<'js>(
    ctx: Ctx<'js>,
    key: Class<'js, KeyObject>,
    HashName(hash): HashName,
    salt_size: Option<f64>,
    data: Bytes<'js>,
) -> Result<Option<Value<'js>>> {
    check_room(&ctx)?;
    let signature = with_bytes(&ctx, &data, |data| {
        random::with(|generator| key.borrow().0.signed(hash, salt_size, data, generator))
    });
    signature.map(|signature| new_bytes(&ctx, &signature)).transpose()
}

pub fn verify<'js>(
    ctx: Ctx<'js>,
    key: Class<'js, KeyObject>,
    HashName(hash): HashName,
    salt_size: Option<f64>,
    signature: Bytes<'js>,
    data: Bytes<'js>,
) -> Result<bool> {
    check_room(&ctx)?;
    Ok(with_bytes(&ctx, &signature, |signature| {
        with_bytes(&ctx, &data, |data| key.borrow().0.verifies(hash, salt_size, data, signature))
    }))
}

/// The signature by Ed25519.
pub fn sign_whole<'js>(ctx: Ctx<'js>, key: Class<'js, KeyObject>, data: Bytes<'js>) -> Result<Option<Value<'js>>> {
    check_room(&ctx)?;
    let signature = with_bytes(&ctx, &data, |data| key.borrow().0.signed_whole(data));
    signature.map(|signature| new_bytes(&ctx, &signature)).transpose()
}

pub fn verify_whole<'js>(
    ctx: Ctx<'js>,
    key: Class<'js, KeyObject>,
    signature: Bytes<'js>,
    data: Bytes<'js>,
) -> Result<bool> {
    check_room(&ctx)?;
    Ok(with_bytes(&ctx, &signature, |signature| {
        with_bytes(&ctx, &data, |data| key.borrow().0.verifies_whole(data, signature))
    }))
}

/// Data encrypted by RSA-OAEP.
pub fn encrypt<'js>(
    ctx: Ctx<'js>,
    key: Class<'js, KeyObject>,
    HashName(hash): HashName,
    label: Bytes<'js>,
    data: Bytes<'js>,
) -> Result<Option<Value<'js>>> {
    let key = key.borrow();
    by_oaep(&ctx, &label, &data, |label, data, generator| key.0.encrypted(hash, label, data, generator))
}

pub fn decrypt<'js>(
    ctx: Ctx<'js>,
    key: Class<'js, KeyObject>,
    HashName(hash): HashName,
    label: Bytes<'js>,
    data: Bytes<'js>,
) -> Result<Option<Value<'js>>> {
    let key = key.borrow();
    by_oaep(&ctx, &label, &data, |label, data, generator| key.0.decrypted(hash, label, data, generator))
}

/// What RSA-OAEP makes of data; none if it cannot.
fn by_oaep<'js>(
    ctx: &Ctx<'js>,
    label: &Bytes<'js>,
    data: &Bytes<'js>,
    make: impl FnOnce(Box<[u8]>, &[u8], &mut Generator) -> Option<Vec<u8>>,
) -> Result<Option<Value<'js>>> {
    let label = with_bytes(ctx, label, |label| copied(ctx, label))?.into();
    check_room(ctx)?;
    let made = with_bytes(ctx, data, |data| random::with(|generator| make(label, data, generator)));
    made.map(|bytes| new_bytes(ctx, &bytes)).transpose()
}
