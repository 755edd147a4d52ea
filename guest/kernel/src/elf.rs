//! Reading the runtime image: a static ELF executable for x86-64.
//!
//! Only what the kernel loads is accepted. All sizes and places are checked against the file and against the window
//! that [`guest_abi::memory`] gives to the image.

use core::ops::Range;

use guest_abi::memory::{IMAGE_END, IMAGE_START, PAGE_SIZE};

use crate::page_table::{Access, page_of};

/// Why an image is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElfError {
    /// Not a static 64-bit little-endian x86-64 executable.
    WrongKind,
    /// A header or a segment reaches beyond the end of the file.
    Truncated,
    /// A segment lies outside the window for the image.
    OutsideWindow,
    /// A segment is larger in the file than in memory.
    FileLargerThanMemory,
    /// A segment's offset in the file and its address are not congruent modulo the page size.
    Misaligned,
    /// A segment is both writable and executable.
    WritableAndExecutable,
    /// Two segments share a page, or they are not sorted by address.
    Overlap,
    /// The entry point is in no executable segment.
    NoEntry,
}

impl core::fmt::Display for ElfError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::WrongKind => "it is not a static 64-bit x86-64 executable",
            Self::Truncated => "it is truncated",
            Self::OutsideWindow => "a segment lies outside the window for the image",
            Self::FileLargerThanMemory => "a segment is larger in the file than in memory",
            Self::Misaligned => "a segment's offset and address do not agree",
            Self::WritableAndExecutable => "a segment is both writable and executable",
            Self::Overlap => "two segments share a page or are not sorted",
            Self::NoEntry => "its entry point is in no executable segment",
        })
    }
}

/// A part of the image that is loaded into memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Address in memory.
    pub address: u64,
    /// Bytes in memory. What the file does not give is zero.
    pub memory_size: u64,
    /// Offset in the file.
    pub offset: u64,
    /// Bytes in the file.
    pub file_size: u64,
    /// What code at CPL 3 may do with it.
    pub access: Access,
}

impl Segment {
    /// The pages that the segment takes, by their addresses.
    pub fn pages(&self) -> Range<u64> {
        page_of(self.address)..page_of(self.address + self.memory_size + PAGE_SIZE - 1)
    }
}

/// An image that passed all checks.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    file: &'a [u8],
    headers: u64,
    header_count: u16,
    /// Address of the first instruction.
    pub entry: u64,
}

const HEADER_SIZE: u64 = 56;
const TYPE_LOAD: u32 = 1;
const TYPE_RELRO: u32 = 0x6474_e552;
const FLAG_EXECUTE: u32 = 1;
const FLAG_WRITE: u32 = 2;

impl<'a> Image<'a> {
    /// Checks the headers of `file`.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parse(file: &'a [u8]) -> Result<Self, ElfError> {
        const CLASS_64_LITTLE_ENDIAN: &[u8] = b"\x7fELF\x02\x01\x01";
        const EXECUTABLE: u16 = 2;
        const X86_64: u16 = 62;
        if !file.starts_with(CLASS_64_LITTLE_ENDIAN)
            || read_u16(file, 16)? != EXECUTABLE
            || read_u16(file, 18)? != X86_64
            || u64::from(read_u16(file, 54)?) != HEADER_SIZE
        {
            return Err(ElfError::WrongKind);
        }
        let image =
            Self { file, headers: read_u64(file, 32)?, header_count: read_u16(file, 56)?, entry: read_u64(file, 24)? };
        let mut end = IMAGE_START;
        let mut entry_found = false;
        for segment in image.checked_segments() {
            let segment = segment?;
            let pages = segment.pages();
            if pages.start < end {
                return Err(ElfError::Overlap);
            }
            end = pages.end;
            let code = segment.address..segment.address + segment.file_size;
            entry_found |= segment.access == Access::Execute && code.contains(&image.entry);
        }
        if entry_found { Ok(image) } else { Err(ElfError::NoEntry) }
    }

    /// The segments to load, by ascending address.
    pub fn segments(&self) -> impl Iterator<Item = Segment> + '_ {
        // parse() has seen every segment pass.
        self.checked_segments().filter_map(Result::ok)
    }

    /// The whole pages that hold constants although they lie in a writable segment: relocations would have been applied
    /// to them, and a static image has none.
    pub fn read_only_after_relocation(&self) -> Range<u64> {
        for i in 0..self.header_count {
            let Ok(header) = self.header(i) else { break };
            if read_u32(header, 0) == Ok(TYPE_RELRO)
                && let (Ok(address), Ok(size)) = (read_u64(header, 16), read_u64(header, 40))
                && let Some(end) = address.checked_add(size)
            {
                let start = page_of(address.saturating_add(PAGE_SIZE - 1));
                return start..page_of(end).max(start);
            }
        }
        0..0
    }

    fn checked_segments(&self) -> impl Iterator<Item = Result<Segment, ElfError>> + '_ {
        (0..self.header_count).filter_map(|i| match self.header(i).and_then(|header| self.segment(header)) {
            Ok(Some(segment)) => Some(Ok(segment)),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        })
    }

    fn header(&self, i: u16) -> Result<&'a [u8], ElfError> {
        let start = self.headers.checked_add(u64::from(i) * HEADER_SIZE).ok_or(ElfError::Truncated)?;
        bytes(self.file, start, HEADER_SIZE)
    }

    fn segment(&self, header: &[u8]) -> Result<Option<Segment>, ElfError> {
        let (address, memory_size) = (read_u64(header, 16)?, read_u64(header, 40)?);
        if read_u32(header, 0)? != TYPE_LOAD || memory_size == 0 {
            return Ok(None);
        }
        let (offset, file_size) = (read_u64(header, 8)?, read_u64(header, 32)?);
        if file_size > memory_size {
            return Err(ElfError::FileLargerThanMemory);
        }
        bytes(self.file, offset, file_size)?;
        match address.checked_add(memory_size) {
            Some(end) if address >= IMAGE_START && end <= IMAGE_END => {}
            _ => return Err(ElfError::OutsideWindow),
        }
        if (offset ^ address) % PAGE_SIZE != 0 {
            return Err(ElfError::Misaligned);
        }
        let access = match read_u32(header, 4)? & (FLAG_WRITE | FLAG_EXECUTE) {
            0 => Access::Read,
            FLAG_WRITE => Access::ReadWrite,
            FLAG_EXECUTE => Access::Execute,
            _ => return Err(ElfError::WritableAndExecutable),
        };
        Ok(Some(Segment { address, memory_size, offset, file_size, access }))
    }
}

fn bytes(file: &[u8], start: u64, size: u64) -> Result<&[u8], ElfError> {
    let end = start.checked_add(size).ok_or(ElfError::Truncated)?;
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    range.and_then(|(start, end)| file.get(start..end)).ok_or(ElfError::Truncated)
}

fn read<const SIZE: usize>(file: &[u8], at: u64) -> Result<[u8; SIZE], ElfError> {
    bytes(file, at, SIZE as u64)?.try_into().map_err(|_| ElfError::Truncated)
}

fn read_u16(file: &[u8], at: u64) -> Result<u16, ElfError> {
    Ok(u16::from_le_bytes(read(file, at)?))
}

fn read_u32(file: &[u8], at: u64) -> Result<u32, ElfError> {
    Ok(u32::from_le_bytes(read(file, at)?))
}

fn read_u64(file: &[u8], at: u64) -> Result<u64, ElfError> {
    Ok(u64::from_le_bytes(read(file, at)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec;
    use std::vec::Vec;

    struct Header {
        kind: u32,
        flags: u32,
        offset: u64,
        address: u64,
        file_size: u64,
        memory_size: u64,
    }

    const CODE: Header = Header {
        kind: TYPE_LOAD,
        flags: 4 | FLAG_EXECUTE,
        offset: 0x1000,
        address: IMAGE_START + 0x1000,
        file_size: 0x800,
        memory_size: 0x800,
    };
    const DATA: Header = Header {
        kind: TYPE_LOAD,
        flags: 4 | FLAG_WRITE,
        offset: 0x1800,
        address: IMAGE_START + 0x2800,
        file_size: 0x100,
        memory_size: 0x5000,
    };

    fn file(headers: &[Header], entry: u64) -> Vec<u8> {
        let mut file = vec![0; 0x2000];
        file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        file[16..18].copy_from_slice(&2u16.to_le_bytes());
        file[18..20].copy_from_slice(&62u16.to_le_bytes());
        file[24..32].copy_from_slice(&entry.to_le_bytes());
        file[32..40].copy_from_slice(&64u64.to_le_bytes());
        file[54..56].copy_from_slice(&(HEADER_SIZE as u16).to_le_bytes());
        file[56..58].copy_from_slice(&(headers.len() as u16).to_le_bytes());
        for (i, header) in headers.iter().enumerate() {
            let at = 64 + i * HEADER_SIZE as usize;
            file[at..at + 4].copy_from_slice(&header.kind.to_le_bytes());
            file[at + 4..at + 8].copy_from_slice(&header.flags.to_le_bytes());
            file[at + 8..at + 16].copy_from_slice(&header.offset.to_le_bytes());
            file[at + 16..at + 24].copy_from_slice(&header.address.to_le_bytes());
            file[at + 32..at + 40].copy_from_slice(&header.file_size.to_le_bytes());
            file[at + 40..at + 48].copy_from_slice(&header.memory_size.to_le_bytes());
        }
        file
    }

    fn refused(headers: &[Header]) -> ElfError {
        Image::parse(&file(headers, CODE.address)).expect_err("a bad image")
    }

    #[test]
    fn a_good_image_gives_its_segments() {
        let file = file(&[CODE, DATA], CODE.address + 4);
        let image = Image::parse(&file).expect("a good image");
        let segments: Vec<_> = image.segments().collect();
        assert_eq!(image.entry, CODE.address + 4);
        assert_eq!(segments.len(), 2);
        assert_eq!(segments[0].access, Access::Execute);
        assert_eq!(segments[1].pages(), IMAGE_START + 0x2000..IMAGE_START + 0x8000);
        assert_eq!(image.read_only_after_relocation(), 0..0);
    }

    #[test]
    fn other_kinds_of_files_are_refused() {
        let good = file(&[CODE], CODE.address);
        for at in [0, 4, 5, 6, 16, 18, 54] {
            let mut bad = good.clone();
            bad[at] ^= 0x40;
            assert_eq!(Image::parse(&bad).expect_err("altered"), ElfError::WrongKind, "byte {at}");
        }
        assert_eq!(Image::parse(&[]).expect_err("empty"), ElfError::WrongKind);
    }

    #[test]
    fn every_truncation_is_refused() {
        let good = file(&[CODE, DATA], CODE.address);
        for length in 0..0x1900 {
            let error = Image::parse(&good[..length]).expect_err("truncated");
            assert!(matches!(error, ElfError::WrongKind | ElfError::Truncated), "{length}: {error:?}");
        }
    }

    #[test]
    fn segments_must_fit_file_and_window() {
        let bad = [
            (Header { offset: u64::MAX - 0xfff, ..CODE }, ElfError::Truncated),
            (Header { file_size: u64::MAX, memory_size: u64::MAX, ..CODE }, ElfError::Truncated),
            (Header { file_size: 0x801, ..CODE }, ElfError::FileLargerThanMemory),
            (Header { memory_size: u64::MAX, ..CODE }, ElfError::OutsideWindow),
            (Header { memory_size: IMAGE_END - CODE.address + 1, ..CODE }, ElfError::OutsideWindow),
            (Header { address: IMAGE_START - 0x1000, ..CODE }, ElfError::OutsideWindow),
            (Header { address: u64::MAX - 0xfff, ..CODE }, ElfError::OutsideWindow),
            (Header { address: CODE.address + 1, ..CODE }, ElfError::Misaligned),
            (Header { flags: FLAG_WRITE | FLAG_EXECUTE, ..CODE }, ElfError::WritableAndExecutable),
        ];
        for (header, error) in bad {
            assert_eq!(refused(&[header]), error);
        }
    }

    #[test]
    fn segments_must_not_share_pages_nor_be_out_of_order() {
        assert_eq!(refused(&[CODE, CODE]), ElfError::Overlap);
        assert_eq!(refused(&[DATA, CODE]), ElfError::Overlap);
        let adjacent = Header { address: IMAGE_START + 0x1800, ..DATA };
        assert_eq!(refused(&[CODE, adjacent]), ElfError::Overlap);
    }

    #[test]
    fn the_entry_must_be_code() {
        assert_eq!(refused(&[]), ElfError::NoEntry);
        assert_eq!(refused(&[Header { flags: 4, ..CODE }]), ElfError::NoEntry);
        let file = file(&[CODE, DATA], CODE.address + CODE.file_size);
        assert_eq!(Image::parse(&file).expect_err("past the code"), ElfError::NoEntry);
    }

    #[test]
    fn only_whole_pages_become_read_only_after_relocation() {
        let relro = |address, memory_size| Header { kind: TYPE_RELRO, address, memory_size, ..DATA };
        let pages = |address, size| {
            let file = file(&[CODE, DATA, relro(address, size)], CODE.address);
            Image::parse(&file).expect("a good image").read_only_after_relocation()
        };
        assert_eq!(pages(IMAGE_START + 0x2800, 0x1900), IMAGE_START + 0x3000..IMAGE_START + 0x4000);
        assert!(pages(IMAGE_START + 0x2800, 0x10).is_empty());
        assert!(pages(u64::MAX, u64::MAX).is_empty());
        assert!(pages(u64::MAX - 1, 1).is_empty());
    }
}
