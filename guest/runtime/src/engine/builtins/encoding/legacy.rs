//! The labels of all encodings, and the decoders of those which only old text is in. They have a state, such as the character
//! set that ISO-2022-JP has been switched to, so that one is an object.

use alloc::string::String;
use alloc::vec::Vec;

use encoding_rs::{Decoder, DecoderResult, Encoding};
use rquickjs::class::{JsClass, Trace, Tracer, Writable};
use rquickjs::function::Constructor;
use rquickjs::{Class, Ctx, Error, JsLifetime, Result, Value};

use super::new_wide_text;
use crate::engine::bytes::with_bytes;
use crate::engine::exception;
use crate::engine::new_value::Bytes;

/// A decoder, for JavaScript to keep.
pub struct LegacyDecoder(Decoder);

impl<'js> Trace<'js> for LegacyDecoder {
    fn trace<'a>(&self, _: Tracer<'a, 'js>) {}
}

// SAFETY: it holds nothing of JavaScript's, so that no lifetime is changed.
unsafe impl<'js> JsLifetime<'js> for LegacyDecoder {
    type Changed<'to> = LegacyDecoder;
}

impl<'js> JsClass<'js> for LegacyDecoder {
    const NAME: &'static str = "LegacyDecoder";
    type Mutable = Writable;

    fn constructor(_: &Ctx<'js>) -> Result<Option<Constructor<'js>>> {
        Ok(None)
    }
}

/// The name of the encoding that a label stands for, as `TextDecoder` has it. None: there is no decoder for it.
pub fn encoding_of<'js>(ctx: Ctx<'js>, label: Value<'js>) -> Result<Option<String>> {
    Ok(labelled(&ctx, &label)?.map(|encoding| encoding.name().to_ascii_lowercase()))
}

fn labelled<'js>(ctx: &Ctx<'js>, label: &Value<'js>) -> Result<Option<&'static Encoding>> {
    exception::with_text(ctx, label, Encoding::for_label_no_replacement).ok_or(Error::Exception)
}

/// A decoder for an encoding.
pub fn decoder<'js>(ctx: Ctx<'js>, encoding: Value<'js>) -> Result<Class<'js, LegacyDecoder>> {
    let encoding = labelled(&ctx, &encoding)?.ok_or(Error::Unknown)?;
    Class::instance(ctx, LegacyDecoder(encoding.new_decoder_without_bom_handling()))
}

/// The text of the next bytes, which are the last ones unless there is a stream of them. No text: there were errors.
pub fn decode<'js>(
    ctx: Ctx<'js>,
    decoder: Class<'js, LegacyDecoder>,
    bytes: Bytes<'js>,
    fatal: bool,
    stream: bool,
) -> Result<Option<Value<'js>>> {
    let mut decoder = decoder.try_borrow_mut()?;
    let decoder = &mut decoder.0;
    with_bytes(&ctx, &bytes, |bytes| {
        let mut units = Vec::new();
        let size = decoder.max_utf16_buffer_length(bytes.len());
        let has_room = size.is_some_and(|size| units.try_reserve_exact(size).is_ok());
        if !has_room {
            return Err(exception::throw_out_of_memory(&ctx));
        }
        units.resize(units.capacity(), 0);
        let (mut read, mut written) = (0, 0);
        loop {
            let (result, more_read, more_written) =
                decoder.decode_to_utf16_without_replacement(&bytes[read..], &mut units[written..], !stream);
            read += more_read;
            written += more_written;
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::Malformed(..) if !fatal && written < units.len() => {
                    units[written] = 0xfffd;
                    written += 1;
                }
                DecoderResult::Malformed(..) => return Ok(None),
                // The length above leaves room for all.
                DecoderResult::OutputFull => return Err(Error::Unknown),
            }
        }
        new_wide_text(&ctx, &units[..written]).map(Some)
    })
}
