//! `deflate` and `gzip`, for `CompressionStream` and `DecompressionStream`.
//!
//! What comes out of a call is at most [`PIECE_SIZE`] bytes, so that a small input which expands to much takes no more memory
//! than what JavaScript keeps of it, within the limit of the heap.

mod crc32;
mod gzip_header;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use miniz_oxide::deflate::core::{CompressorOxide, create_comp_flags_from_zip_params};
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus, deflate};
use rquickjs::class::{JsClass, Trace, Tracer, Writable};
use rquickjs::convert::List;
use rquickjs::function::Constructor;
use rquickjs::{Class, Ctx, JsLifetime, Result, Value};

use self::crc32::Crc32;
use self::gzip_header::GzipHeader;
use crate::engine::bytes::with_bytes;
use crate::engine::exception;
use crate::engine::new_value::{Bytes, has_room, new_bytes};

const PIECE_SIZE: usize = 64 << 10;
/// Memory that a compressor takes at most, which it allocates without a way to fail.
const COMPRESSOR_SIZE: usize = 1 << 20;
const LEVEL: i32 = 6;
const WINDOW_BITS: i32 = 15;
/// No time, no name, and an unknown system.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// The checksum and the length of what is compressed.
const GZIP_TRAILER_SIZE: usize = 8;

/// A compressor or a decompressor, for JavaScript to keep.
pub struct Codec(State);

enum State {
    Compressor { compressor: Box<CompressorOxide>, gzip: Option<Checked>, is_begun: bool },
    Decompressor { inflater: Box<InflateState>, stage: Stage, gzip: Option<Checked> },
}

/// The sums at the end of `gzip`.
#[derive(Default)]
struct Checked {
    crc: Crc32,
    size: u32,
}

impl Checked {
    fn add(&mut self, bytes: &[u8]) {
        self.crc.add(bytes);
        self.size = self.size.wrapping_add(bytes.len() as u32);
    }

    fn trailer(&self) -> [u8; GZIP_TRAILER_SIZE] {
        let mut trailer = [0; GZIP_TRAILER_SIZE];
        trailer[..4].copy_from_slice(&self.crc.sum().to_le_bytes());
        trailer[4..].copy_from_slice(&self.size.to_le_bytes());
        trailer
    }
}

enum Stage {
    Header(GzipHeader),
    Data,
    /// So many bytes of the trailer have come.
    Trailer(usize),
    End,
}

impl<'js> Trace<'js> for Codec {
    fn trace<'a>(&self, _: Tracer<'a, 'js>) {}
}

// SAFETY: it holds nothing of JavaScript's, so that no lifetime is changed.
unsafe impl<'js> JsLifetime<'js> for Codec {
    type Changed<'to> = Codec;
}

impl<'js> JsClass<'js> for Codec {
    const NAME: &'static str = "Codec";
    type Mutable = Writable;

    fn constructor(_: &Ctx<'js>) -> Result<Option<Constructor<'js>>> {
        Ok(None)
    }
}

/// A compressor for `deflate`, `deflate-raw` or `gzip`.
pub fn compressor<'js>(ctx: Ctx<'js>, format: String) -> Result<Class<'js, Codec>> {
    check_room(&ctx)?;
    let window_bits = if format == "deflate" { WINDOW_BITS } else { -WINDOW_BITS };
    let flags = create_comp_flags_from_zip_params(LEVEL, window_bits, 0);
    let compressor = Box::new(CompressorOxide::new(flags));
    let gzip = (format == "gzip").then(Checked::default);
    Class::instance(ctx, Codec(State::Compressor { compressor, gzip, is_begun: false }))
}

/// A decompressor for `deflate`, `deflate-raw` or `gzip`.
pub fn decompressor<'js>(ctx: Ctx<'js>, format: String) -> Result<Class<'js, Codec>> {
    check_room(&ctx)?;
    let data_format = if format == "deflate" { DataFormat::Zlib } else { DataFormat::Raw };
    let (stage, gzip) = if format == "gzip" {
        (Stage::Header(GzipHeader::default()), Some(Checked::default()))
    } else {
        (Stage::Data, None)
    };
    let inflater = InflateState::new_boxed(data_format);
    Class::instance(ctx, Codec(State::Decompressor { inflater, stage, gzip }))
}

fn check_room(ctx: &Ctx<'_>) -> Result<()> {
    if has_room(COMPRESSOR_SIZE) { Ok(()) } else { Err(exception::throw_out_of_memory(ctx)) }
}

/// What came of a call: bytes, how many of the input were used, and whether there is more to come of the rest.
type Step<'js> = List<(Value<'js>, f64, bool)>;

/// The next piece of what comes of bytes from an offset on, and of the end if these are the last ones. None if they are wrong.
pub fn step<'js>(
    ctx: Ctx<'js>,
    codec: Class<'js, Codec>,
    bytes: Bytes<'js>,
    offset: f64,
    is_last: bool,
) -> Result<Option<Step<'js>>> {
    let mut codec = codec.try_borrow_mut()?;
    with_bytes(&ctx, &bytes, |bytes| {
        let rest = bytes.get(offset as usize..).unwrap_or_default();
        let mut out = Vec::new();
        if out.try_reserve_exact(PIECE_SIZE).is_err() {
            return Err(exception::throw_out_of_memory(&ctx));
        }
        let progress = match &mut codec.0 {
            State::Compressor { compressor, gzip, is_begun } => {
                Some(compress(compressor, gzip.as_mut(), is_begun, rest, is_last, &mut out))
            }
            State::Decompressor { inflater, stage, gzip } => {
                decompress(inflater, stage, gzip.as_mut(), rest, is_last, &mut out)
            }
        };
        let Some((used, has_more)) = progress else { return Ok(None) };
        Ok(Some(List((new_bytes(&ctx, &out)?, used as f64, has_more))))
    })
}

fn compress(
    compressor: &mut CompressorOxide,
    mut gzip: Option<&mut Checked>,
    is_begun: &mut bool,
    input: &[u8],
    is_last: bool,
    out: &mut Vec<u8>,
) -> (usize, bool) {
    if !*is_begun && gzip.is_some() {
        out.extend_from_slice(&GZIP_HEADER);
    }
    *is_begun = true;
    let start = out.len();
    out.resize(PIECE_SIZE - GZIP_TRAILER_SIZE, 0);
    let flush = if is_last { MZFlush::Finish } else { MZFlush::None };
    let result = deflate::stream::deflate(compressor, input, &mut out[start..], flush);
    out.truncate(start + result.bytes_written);
    let is_end = result.status == Ok(MZStatus::StreamEnd);
    if let Some(gzip) = &mut gzip {
        gzip.add(&input[..result.bytes_consumed]);
        if is_end {
            out.extend_from_slice(&gzip.trailer());
        }
    }
    let has_more = if is_last { !is_end } else { result.bytes_consumed < input.len() };
    (result.bytes_consumed, has_more)
}

fn decompress(
    inflater: &mut InflateState,
    stage: &mut Stage,
    mut gzip: Option<&mut Checked>,
    input: &[u8],
    is_last: bool,
    out: &mut Vec<u8>,
) -> Option<(usize, bool)> {
    let mut used = 0;
    let mut has_more = false;
    if let Stage::Header(header) = stage {
        let (read, is_done) = header.read(input)?;
        used += read;
        if is_done {
            *stage = Stage::Data;
        }
    }
    if let Stage::Data = stage {
        out.resize(PIECE_SIZE, 0);
        let result = inflate(inflater, &input[used..], out, MZFlush::None);
        out.truncate(result.bytes_written);
        used += result.bytes_consumed;
        if let Some(gzip) = &mut gzip {
            gzip.add(out);
        }
        match result.status {
            Ok(MZStatus::StreamEnd) if gzip.is_some() => *stage = Stage::Trailer(0),
            Ok(MZStatus::StreamEnd) => *stage = Stage::End,
            // There was nothing to do.
            Ok(_) | Err(MZError::Buf) => has_more = out.len() == PIECE_SIZE,
            Err(_) => return None,
        }
    }
    if let (Stage::Trailer(known), Some(gzip)) = (&mut *stage, gzip) {
        let trailer = gzip.trailer();
        let count = (input.len() - used).min(trailer.len() - *known);
        if input[used..used + count] != trailer[*known..*known + count] {
            return None;
        }
        used += count;
        *known += count;
        if *known == trailer.len() {
            *stage = Stage::End;
        }
    }
    let is_end = matches!(stage, Stage::End);
    let has_rest = used < input.len();
    if has_rest && used == 0 && out.is_empty() {
        return None;
    }
    // Nothing may come after the end, and the end must come.
    if (is_end && has_rest) || (is_last && !is_end && !has_more && !has_rest) {
        return None;
    }
    Some((used, has_more || has_rest))
}
