//! The header of `gzip`, as RFC 1952 has it, byte by byte: it may come in any pieces, and may have a name of any length.

use super::crc32::Crc32;

const HAS_CHECKSUM: u8 = 1 << 1;
const HAS_EXTRA: u8 = 1 << 2;
const HAS_NAME: u8 = 1 << 3;
const HAS_COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

#[derive(Default)]
pub struct GzipHeader {
    part: Part,
    flags: u8,
    crc: Crc32,
}

/// What the next byte belongs to.
enum Part {
    /// The byte of this number of those that each header has.
    Fixed(u8),
    ExtraSize {
        low: Option<u8>,
    },
    Extra {
        left: u16,
    },
    Name,
    Comment,
    /// Of two bytes; the second one, once the first has come.
    Checksum {
        high: Option<u8>,
    },
    End,
}

impl Default for Part {
    fn default() -> Self {
        Self::Fixed(0)
    }
}

impl GzipHeader {
    /// Reads what there is of the header: how many bytes, and whether it is complete. None if it is wrong.
    pub fn read(&mut self, input: &[u8]) -> Option<(usize, bool)> {
        for (i, &byte) in input.iter().enumerate() {
            self.take(byte)?;
            if let Part::End = self.part {
                return Some((i + 1, true));
            }
        }
        Some((input.len(), false))
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        let checksum = self.crc.sum() as u16;
        self.crc.add(&[byte]);
        self.part = match self.part {
            Part::Fixed(0) if byte == 0x1f => Part::Fixed(1),
            Part::Fixed(1) if byte == 0x8b => Part::Fixed(2),
            Part::Fixed(2) if byte == 8 => Part::Fixed(3),
            Part::Fixed(3) if byte & RESERVED == 0 => {
                self.flags = byte;
                Part::Fixed(4)
            }
            Part::Fixed(0..=3) => return None,
            Part::Fixed(9) => self.after(0),
            Part::Fixed(number) => Part::Fixed(number + 1),
            Part::ExtraSize { low: None } => Part::ExtraSize { low: Some(byte) },
            Part::ExtraSize { low: Some(low) } => match u16::from_le_bytes([low, byte]) {
                0 => self.after(HAS_EXTRA),
                left => Part::Extra { left },
            },
            Part::Extra { left: 1 } => self.after(HAS_EXTRA),
            Part::Extra { left } => Part::Extra { left: left - 1 },
            Part::Name if byte == 0 => self.after(HAS_NAME),
            Part::Name => Part::Name,
            Part::Comment if byte == 0 => self.after(HAS_COMMENT),
            Part::Comment => Part::Comment,
            // It is the sum of what comes before it.
            Part::Checksum { high: None } if byte == checksum.to_le_bytes()[0] => {
                Part::Checksum { high: Some(checksum.to_le_bytes()[1]) }
            }
            Part::Checksum { high: Some(high) } if byte == high => Part::End,
            Part::Checksum { .. } | Part::End => return None,
        };
        Some(())
    }

    /// What comes after a part, by its flag.
    fn after(&self, done: u8) -> Part {
        let has = |flag| self.flags & flag != 0;
        // In this order, which is not that of the flags.
        if done == 0 && has(HAS_EXTRA) {
            Part::ExtraSize { low: None }
        } else if done <= HAS_EXTRA && has(HAS_NAME) {
            Part::Name
        } else if done <= HAS_NAME && has(HAS_COMMENT) {
            Part::Comment
        } else if has(HAS_CHECKSUM) {
            Part::Checksum { high: None }
        } else {
            Part::End
        }
    }
}
