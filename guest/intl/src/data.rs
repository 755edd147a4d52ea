//! The data of locales: named pieces of JSON text, each compressed by itself.
//!
//! The file begins with the size of its index, of four bytes. Each line of the index has a name, where the piece begins after
//! the index, its size, and the size of its text.

use alloc::vec::Vec;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

static FILE: &[u8] = include_bytes!("../data/locales.bin");

/// A piece that is not expanded yet.
pub struct Piece {
    bytes: &'static [u8],
    /// The size of its text.
    pub size: usize,
}

/// The piece of that name, if there is one.
pub fn piece(name: &str) -> Option<Piece> {
    let (size, rest) = FILE.split_first_chunk::<4>()?;
    let (index, bodies) = rest.split_at_checked(u32::from_le_bytes(*size) as usize)?;
    let mut parts = core::str::from_utf8(index).ok()?.lines().find_map(|line| {
        let mut parts = line.split(' ');
        (parts.next() == Some(name)).then_some(parts)
    })?;
    let mut number = || parts.next()?.parse::<usize>().ok();
    let (start, length, size) = (number()?, number()?, number()?);
    Some(Piece { bytes: bodies.get(start..)?.get(..length)?, size })
}

impl Piece {
    /// Its text in memory that is as large as that. What it is expanded with takes some ten kilobytes.
    pub fn text(&self, mut room: Vec<u8>) -> Option<Vec<u8>> {
        room.resize(self.size, 0);
        let mut inflater = DecompressorOxide::new();
        let (status, _, written) =
            decompress(&mut inflater, self.bytes, &mut room, 0, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF);
        (status == TINFLStatus::Done && written == self.size).then_some(room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str) -> Option<Vec<u8>> {
        piece(name)?.text(Vec::new())
    }

    #[test]
    fn pieces_are_found_by_their_names() {
        assert!(text("de/numbers").is_some_and(|text| text.starts_with(b"{\"system\":\"latn\"")));
        assert!(text("core").is_some_and(|text| text.starts_with(b"{\"parents\":")));
        assert!(text("de/number").is_none());
        assert!(text("").is_none());
    }

    #[test]
    fn all_pieces_can_be_expanded() {
        let (size, rest) = FILE.split_first_chunk::<4>().expect("it is there");
        let index = core::str::from_utf8(&rest[..u32::from_le_bytes(*size) as usize]).expect("it is there");
        assert!(index.lines().count() > 500);
        for line in index.lines() {
            let name = line.split(' ').next().expect("it is there");
            assert!(text(name).is_some_and(|text| core::str::from_utf8(&text).is_ok()), "{name}");
        }
    }
}
