//! Text and its encodings, for `TextEncoder` and `TextDecoder`.
//!
//! The results are made within the heap's limit, and what else is needed is asked for: if there is not enough memory, all of
//! this throws.

pub mod legacy;

use alloc::string::String;
use alloc::vec::Vec;

use rquickjs::convert::List;
use rquickjs::{Ctx, Result, Value, qjs};

use crate::engine::bytes::{bytes_of, with_bytes};
use crate::engine::exception;
use crate::engine::new_value::{Bytes, new_bytes, owned};

/// Text, and the number of bytes that it was made of. No text: there were errors, and the first one ended after so many bytes.
type Decoded<'js> = List<(Option<Value<'js>>, f64)>;

/// What comes first of a text, as `encodeInto` has it: the UTF-16 units that were read and the bytes that were written.
pub fn encode_into<'js>(ctx: Ctx<'js>, text: Value<'js>, into: Bytes<'js>) -> Result<List<(f64, f64)>> {
    let encoded = exception::with_text(&ctx, &text, |bytes| {
        // SAFETY: the array is alive, no JavaScript runs before this is done, and the text is not in its memory.
        let into = unsafe { bytes_of(&ctx, &into).as_mut() };
        let text = valid(bytes);
        let text = &text[..text.floor_char_boundary(into.len())];
        into[..text.len()].copy_from_slice(text.as_bytes());
        List((text.encode_utf16().count() as f64, text.len() as f64))
    });
    encoded.ok_or(rquickjs::Error::Exception)
}

/// The bytes of a text in UTF-8.
pub fn encode_utf8<'js>(ctx: Ctx<'js>, text: Value<'js>) -> Result<Value<'js>> {
    exception::with_text(&ctx, &text, |bytes| new_bytes(&ctx, valid(bytes).as_bytes()))
        .unwrap_or(Err(rquickjs::Error::Exception))
}

/// A text without lone surrogates, which only come of a caller that has not replaced them: then it ends there.
fn valid(bytes: &[u8]) -> &str {
    bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid())
}

/// The text that bytes stand for. With `stream`, a character that is not complete at the end is left for later.
pub fn decode_utf8<'js>(ctx: Ctx<'js>, bytes: Bytes<'js>, fatal: bool, stream: bool) -> Result<Decoded<'js>> {
    with_bytes(&ctx, &bytes, |bytes| {
        let used = if stream { bytes.len() - incomplete_at_end(bytes) } else { bytes.len() };
        let bytes = &bytes[..used];
        let text = match core::str::from_utf8(bytes) {
            Ok(text) => new_text(&ctx, text)?,
            Err(error) if fatal => {
                let end = error.error_len().map_or(used, |length| error.valid_up_to() + length);
                return Ok(List((None, end as f64)));
            }
            Err(_) => new_text(&ctx, &with_replacements(&ctx, bytes)?)?,
        };
        Ok(List((Some(text), used as f64)))
    })
}

fn new_text<'js>(ctx: &Ctx<'js>, text: &str) -> Result<Value<'js>> {
    Ok(rquickjs::String::from_str(ctx.clone(), text)?.into_value())
}

fn with_replacements(ctx: &Ctx<'_>, bytes: &[u8]) -> Result<String> {
    let replacement = |invalid: &[u8]| if invalid.is_empty() { "" } else { "\u{fffd}" };
    let size = bytes.utf8_chunks().map(|chunk| chunk.valid().len() + replacement(chunk.invalid()).len()).sum();
    let mut text = String::new();
    text.try_reserve_exact(size).map_err(|_| exception::throw_out_of_memory(ctx))?;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.push_str(replacement(chunk.invalid()));
    }
    Ok(text)
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

/// As [`decode_utf8`], for UTF-16 in big-endian order.
pub fn decode_utf16be<'js>(ctx: Ctx<'js>, bytes: Bytes<'js>, fatal: bool, stream: bool) -> Result<Decoded<'js>> {
    with_bytes(&ctx, &bytes, |bytes| decode_utf16(&ctx, bytes, u16::from_be_bytes, fatal, stream))
}

/// As [`decode_utf8`], for UTF-16 in little-endian order.
pub fn decode_utf16le<'js>(ctx: Ctx<'js>, bytes: Bytes<'js>, fatal: bool, stream: bool) -> Result<Decoded<'js>> {
    with_bytes(&ctx, &bytes, |bytes| decode_utf16(&ctx, bytes, u16::from_le_bytes, fatal, stream))
}

fn decode_utf16<'js>(
    ctx: &Ctx<'js>,
    bytes: &[u8],
    unit: fn([u8; 2]) -> u16,
    fatal: bool,
    stream: bool,
) -> Result<Decoded<'js>> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let is_lead = |pair: &[u8; 2]| matches!(unit(*pair), 0xd800..=0xdbff);
    let pairs = match pairs {
        [complete @ .., last] if stream && is_lead(last) => complete,
        _ => pairs,
    };
    let mut units = Vec::new();
    units.try_reserve_exact(pairs.len() + 1).map_err(|_| exception::throw_out_of_memory(ctx))?;
    for character in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        match character {
            Ok(character) => units.extend_from_slice(character.encode_utf16(&mut [0; 2])),
            Err(_) if fatal => return Ok(List((None, (2 * (units.len() + 1)) as f64))),
            Err(_) => units.push(0xfffd),
        }
    }
    let mut used = 2 * pairs.len();
    if !stream && !rest.is_empty() {
        used = bytes.len();
        if fatal {
            return Ok(List((None, used as f64)));
        }
        units.push(0xfffd);
    }
    Ok(List((Some(new_wide_text(ctx, &units)?), used as f64)))
}

/// As [`decode_utf8`], for the encoding in which each byte is a character. None is invalid.
pub fn decode_windows_1252<'js>(ctx: Ctx<'js>, bytes: Bytes<'js>, _: bool, _: bool) -> Result<Decoded<'js>> {
    /// Characters of the bytes from 0x80 to 0x9f; the others are Unicode's first 256.
    const SPECIAL: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    with_bytes(&ctx, &bytes, |bytes| {
        let mut units = Vec::new();
        units.try_reserve_exact(bytes.len()).map_err(|_| exception::throw_out_of_memory(&ctx))?;
        units.extend(bytes.iter().map(|&byte| match byte {
            0x80..=0x9f => SPECIAL[usize::from(byte - 0x80)] as u16,
            _ => u16::from(byte),
        }));
        Ok(List((Some(new_wide_text(&ctx, &units)?), bytes.len() as f64)))
    })
}

fn new_wide_text<'js>(ctx: &Ctx<'js>, units: &[u16]) -> Result<Value<'js>> {
    // SAFETY: the units are copied, and the value is the context's own.
    unsafe {
        let text = qjs::JS_NewStringUTF16(ctx.as_raw().as_ptr(), units.as_ptr(), units.len() as _);
        owned(ctx, text)
    }
}
