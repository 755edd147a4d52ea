//! JSON Web Keys as text, without what guest code could have put in the place of `JSON` or of what objects inherit.

use alloc::string::String;
use alloc::vec::Vec;

use base64ct::{Base64UrlUnpadded, Encoding};
use rquickjs::{Ctx, Object, Result, Value};

use super::check_room;
use crate::engine::bytes::with_bytes;
use crate::engine::exception;
use crate::engine::new_value::{Bytes, has_room, new_bytes};

/// The bytes that base64url stands for; none if it is not valid.
pub fn decode_text<'js>(ctx: Ctx<'js>, text: Value<'js>) -> Result<Option<Value<'js>>> {
    let decoded = exception::with_text(&ctx, &text, |text| {
        let mut bytes = Vec::new();
        if bytes.try_reserve_exact(text.len()).is_err() {
            return Err(exception::throw_out_of_memory(&ctx));
        }
        bytes.resize(text.len(), 0);
        Base64UrlUnpadded::decode(text, &mut bytes).ok().map(|bytes| new_bytes(&ctx, bytes)).transpose()
    });
    decoded.unwrap_or(Ok(None))
}

pub fn encode_text<'js>(ctx: Ctx<'js>, bytes: Bytes<'js>) -> Result<String> {
    check_room(&ctx)?;
    with_bytes(&ctx, &bytes, |bytes| {
        // The text, and a copy of it.
        if !has_room(4 * bytes.len()) {
            return Err(exception::throw_out_of_memory(&ctx));
        }
        Ok(Base64UrlUnpadded::encode_string(bytes))
    })
}

/// The object that JSON stands for, which inherits nothing; none if the text is not valid, or is that of something else.
pub fn parse<'js>(ctx: Ctx<'js>, bytes: Bytes<'js>) -> Result<Option<Object<'js>>> {
    let text = with_bytes(&ctx, &bytes, |bytes| super::copied(&ctx, bytes))?;
    let Ok(value) = ctx.json_parse(text) else {
        ctx.catch();
        return Ok(None);
    };
    let Some(object) = value.into_object().filter(|object| !object.is_array()) else { return Ok(None) };
    object.set_prototype(None)?;
    Ok(Some(object))
}

/// The bytes of the JSON that stands for an object.
pub fn bytes_of<'js>(ctx: Ctx<'js>, object: Object<'js>) -> Result<Option<Value<'js>>> {
    object.set_prototype(None)?;
    let Some(text) = ctx.json_stringify(object)? else { return Ok(None) };
    exception::with_text(&ctx, &text.into_value(), |text| new_bytes(&ctx, text)).transpose()
}
