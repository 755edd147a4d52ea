//! AES.

use alloc::string::String;

use guest_crypto::aes::{self, BLOCK_SIZE, Cipher, WRAPPING_SIZE};
use rquickjs::class::{JsClass, Trace, Tracer, Writable};
use rquickjs::function::{Constructor, Opt};
use rquickjs::{Class, Ctx, JsLifetime, Result, Value};

use super::key::KeyObject;
use super::{check_room, copied, room_for, zeros};
use crate::engine::bytes::with_bytes;
use crate::engine::new_value::{Bytes, new_bytes};

/// A cipher, for JavaScript to keep.
pub struct CipherObject(Cipher);

impl<'js> Trace<'js> for CipherObject {
    fn trace<'a>(&self, _: Tracer<'a, 'js>) {}
}

// SAFETY: it holds nothing of JavaScript's, so that no lifetime is changed.
unsafe impl<'js> JsLifetime<'js> for CipherObject {
    type Changed<'to> = CipherObject;
}

impl<'js> JsClass<'js> for CipherObject {
    const NAME: &'static str = "Cipher";
    type Mutable = Writable;

    fn constructor(_: &Ctx<'js>) -> Result<Option<Constructor<'js>>> {
        Ok(None)
    }
}

pub fn cipher<'js>(
    ctx: Ctx<'js>,
    mode: String,
    is_encryption: bool,
    key: Class<'js, KeyObject>,
    iv: Bytes<'js>,
) -> Result<Option<Class<'js, CipherObject>>> {
    check_room(&ctx)?;
    let cipher = with_bytes(&ctx, &iv, |iv| Cipher::new(&mode, is_encryption, key.borrow().0.secret(), iv));
    cipher.map(|cipher| Class::instance(ctx, CipherObject(cipher))).transpose()
}

pub fn add_additional<'js>(ctx: Ctx<'js>, cipher: Class<'js, CipherObject>, data: Bytes<'js>) -> Result<()> {
    let mut cipher = cipher.try_borrow_mut()?;
    with_bytes(&ctx, &data, |data| cipher.0.add_additional(data));
    Ok(())
}

pub fn update<'js>(ctx: Ctx<'js>, cipher: Class<'js, CipherObject>, data: Bytes<'js>) -> Result<Option<Value<'js>>> {
    let mut cipher = cipher.try_borrow_mut()?;
    with_bytes(&ctx, &data, |data| {
        let mut bytes = room_for(&ctx, data.len() + BLOCK_SIZE)?;
        let done = cipher.0.update(data, &mut bytes);
        done.map(|()| new_bytes(&ctx, &bytes)).transpose()
    })
}

pub fn finish<'js>(ctx: Ctx<'js>, cipher: Class<'js, CipherObject>) -> Result<Option<Value<'js>>> {
    check_room(&ctx)?;
    let last = cipher.try_borrow_mut()?.0.finish();
    last.map(|bytes| new_bytes(&ctx, &bytes)).transpose()
}

pub fn finish_with_tag<'js>(ctx: Ctx<'js>, cipher: Class<'js, CipherObject>, tag: Bytes<'js>) -> Result<bool> {
    check_room(&ctx)?;
    let mut cipher = cipher.try_borrow_mut()?;
    Ok(with_bytes(&ctx, &tag, |tag| cipher.0.finish_with_tag(tag)))
}

/// Bytes, and after them those of another array, or so many of them.
pub fn joined<'js>(ctx: Ctx<'js>, first: Bytes<'js>, second: Bytes<'js>, size: Opt<f64>) -> Result<Value<'js>> {
    with_bytes(&ctx, &first, |first| {
        with_bytes(&ctx, &second, |second| {
            let second = &second[..size.0.map_or(second.len(), |size| second.len().min(size as usize))];
            let mut bytes = room_for(&ctx, first.len() + second.len())?;
            bytes.extend_from_slice(first);
            bytes.extend_from_slice(second);
            new_bytes(&ctx, &bytes)
        })
    })
}

pub fn counter<'js>(
    ctx: Ctx<'js>,
    key: Class<'js, KeyObject>,
    counter: Bytes<'js>,
    bits: u32,
    data: Bytes<'js>,
) -> Result<Option<Value<'js>>> {
    check_room(&ctx)?;
    let mut bytes = with_bytes(&ctx, &data, |data| copied(&ctx, data))?;
    let done = with_bytes(&ctx, &counter, |counter| aes::counter(key.borrow().0.secret(), counter, bits, &mut bytes));
    done.map(|()| new_bytes(&ctx, &bytes)).transpose()
}

pub fn wrap<'js>(ctx: Ctx<'js>, key: Class<'js, KeyObject>, data: Bytes<'js>) -> Result<Option<Value<'js>>> {
    check_room(&ctx)?;
    with_bytes(&ctx, &data, |data| {
        let mut out = zeros(&ctx, (data.len() + WRAPPING_SIZE) as f64)?;
        let done = aes::wrap(key.borrow().0.secret(), data, &mut out);
        done.map(|()| new_bytes(&ctx, &out)).transpose()
    })
}

pub fn unwrap<'js>(ctx: Ctx<'js>, key: Class<'js, KeyObject>, data: Bytes<'js>) -> Result<Option<Value<'js>>> {
    check_room(&ctx)?;
    with_bytes(&ctx, &data, |data| {
        let mut out = zeros(&ctx, data.len().saturating_sub(WRAPPING_SIZE) as f64)?;
        let done = aes::unwrap(key.borrow().0.secret(), data, &mut out);
        done.map(|()| new_bytes(&ctx, &out)).transpose()
    })
}
