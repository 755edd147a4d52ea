//! The runtime image as the kernel takes it: segments of whole pages, so that it has no file to parse.

use std::ops::Range;

use goblin::elf::header::{EM_AARCH64, EM_X86_64, ET_EXEC};
use goblin::elf::program_header::{PF_W, PF_X, PT_GNU_RELRO, PT_LOAD};
use goblin::elf::{Elf, ProgramHeader};
use guest_abi::boot::{BootHeader, Segment, Settings};
use guest_abi::memory::PAGE_SIZE;

/// The processor that a guest runs on is that of its host.
const MACHINE: u16 = if cfg!(target_arch = "aarch64") { EM_AARCH64 } else { EM_X86_64 };

/// The init data for the kernel: a page with the header, then the pages of the runtime, a static ELF executable.
///
/// # Errors
/// Why the file cannot be one. The kernel checks where the segments lie.
pub(super) fn init_data(file: &[u8], settings: Settings) -> Result<Vec<u8>, String> {
    let elf = Elf::parse(file).map_err(|error| error.to_string())?;
    if !elf.is_64 || !elf.little_endian || elf.header.e_type != ET_EXEC || elf.header.e_machine != MACHINE {
        return Err("it is not a static executable for this processor".to_string());
    }
    let constants = elf.program_headers.iter().find(|header| header.p_type == PT_GNU_RELRO);
    let mut segments = Vec::new();
    let mut data = vec![0; BootHeader::IMAGE_OFFSET as usize];
    for header in elf.program_headers.iter().filter(|header| header.p_type == PT_LOAD && header.p_memsz > 0) {
        if header.p_filesz > header.p_memsz {
            return Err("a segment is larger in the file than in memory".to_string());
        }
        let content = file.get(header.file_range()).ok_or("it is truncated")?;
        // What its first page has before the segment is zero, and what its last page has after it.
        data.resize(data.len() + (header.p_vaddr % PAGE_SIZE) as usize, 0);
        data.extend_from_slice(content);
        data.resize(data.len().next_multiple_of(PAGE_SIZE as usize), 0);
        push_segment(&mut segments, header, constants)?;
    }
    let header = BootHeader::new(elf.entry, &segments, settings).ok_or("it has too many segments")?.to_bytes();
    data[..header.len()].copy_from_slice(&header);
    Ok(data)
}

/// Adds a segment of the file, as one or two: the linker puts what is constant once relocations have been applied at the start of
/// what can be written, and a static executable has no relocations.
fn push_segment(
    segments: &mut Vec<Segment>,
    header: &ProgramHeader,
    constants: Option<&ProgramHeader>,
) -> Result<(), String> {
    let access = match header.p_flags & (PF_W | PF_X) {
        0 => Segment::READ,
        PF_W => Segment::READ_WRITE,
        PF_X => Segment::EXECUTE,
        _ => return Err("a segment is both writable and executable".to_string()),
    };
    let in_file = pages(header.p_vaddr, header.p_filesz)?;
    let in_memory = pages(header.p_vaddr, header.p_memsz)?;
    let constants = constants.filter(|constants| access == Segment::READ_WRITE && constants.p_vaddr == header.p_vaddr);
    let first_variable = match constants {
        // A page that has both can be written.
        Some(constants) => {
            (constants.p_vaddr.saturating_add(constants.p_memsz) / PAGE_SIZE * PAGE_SIZE).min(in_file.end)
        }
        None => in_file.start,
    };
    let parts = [
        (in_file.start..first_variable, 0, Segment::READ),
        (first_variable..in_file.end, in_memory.end - in_file.end, access),
    ];
    for (from_image, zeroed, access) in parts {
        let [image_pages, zeroed_pages] = [from_image.end - from_image.start, zeroed]
            .map(|size| u32::try_from(size / PAGE_SIZE).map_err(|_| "a segment is too large"));
        let segment = Segment {
            address: from_image.start,
            image_pages: image_pages?,
            zeroed_pages: zeroed_pages?,
            access,
            reserved: 0,
        };
        if segment.image_pages > 0 || segment.zeroed_pages > 0 {
            segments.push(segment);
        }
    }
    Ok(())
}

/// The pages that so many bytes at an address lie in, by their addresses.
fn pages(address: u64, size: u64) -> Result<Range<u64>, String> {
    let end = address.checked_add(size).and_then(|end| end.checked_next_multiple_of(PAGE_SIZE));
    let end = end.ok_or("a segment lies beyond the end of the address space")?;
    Ok(address / PAGE_SIZE * PAGE_SIZE..end)
}

#[cfg(test)]
mod tests {
    use guest_abi::memory::{IMAGE_START, PAGE_SIZE};

    use super::*;

    const SETTINGS: Settings = Settings { heap_size: 1, javascript_limit: 2, stack_size: 3, output_limit: 4 };
    const HEADER_SIZE: usize = 56;
    const FILE_SIZE: usize = 0x2000;

    #[derive(Clone, Copy)]
    struct Header {
        kind: u32,
        flags: u32,
        offset: u64,
        address: u64,
        file_size: u64,
        memory_size: u64,
    }

    const CODE: Header = Header {
        kind: PT_LOAD,
        flags: 4 | PF_X,
        offset: 0x1000,
        address: IMAGE_START + 0x1000,
        file_size: 0x800,
        memory_size: 0x800,
    };
    const DATA: Header = Header {
        kind: PT_LOAD,
        flags: 4 | PF_W,
        offset: 0x1800,
        address: IMAGE_START + 0x2800,
        file_size: 0x100,
        memory_size: 0x5000,
    };

    /// An executable in which each byte of its segments is 7.
    fn file(headers: &[Header]) -> Vec<u8> {
        let mut file = vec![7; FILE_SIZE];
        file[..0x1000].fill(0);
        file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        file[16..18].copy_from_slice(&ET_EXEC.to_le_bytes());
        file[18..20].copy_from_slice(&MACHINE.to_le_bytes());
        file[20..24].copy_from_slice(&1u32.to_le_bytes());
        file[24..32].copy_from_slice(&CODE.address.to_le_bytes());
        file[32..40].copy_from_slice(&64u64.to_le_bytes());
        file[52..54].copy_from_slice(&64u16.to_le_bytes());
        file[54..56].copy_from_slice(&(HEADER_SIZE as u16).to_le_bytes());
        file[56..58].copy_from_slice(&(headers.len() as u16).to_le_bytes());
        for (header, place) in headers.iter().zip(file[64..].chunks_mut(HEADER_SIZE)) {
            place[..4].copy_from_slice(&header.kind.to_le_bytes());
            place[4..8].copy_from_slice(&header.flags.to_le_bytes());
            for (at, number) in
                [(8, header.offset), (16, header.address), (32, header.file_size), (40, header.memory_size)]
            {
                place[at..at + 8].copy_from_slice(&number.to_le_bytes());
            }
        }
        file
    }

    fn refused(headers: &[Header]) -> String {
        init_data(&file(headers), SETTINGS).expect_err("a bad image")
    }

    /// The init data is a header with these segments and their content.
    fn assert_segments(data: &[u8], segments: &[Segment]) {
        let header = BootHeader::new(CODE.address, segments, SETTINGS).expect("few segments").to_bytes();
        assert_eq!(data[..header.len()], header);
        let pages: u32 = segments.iter().map(|segment| segment.image_pages).sum();
        assert_eq!(data.len() as u64, BootHeader::IMAGE_OFFSET + u64::from(pages) * PAGE_SIZE);
    }

    #[test]
    fn segments_become_whole_pages_with_zeroes_around_their_content() {
        let data = init_data(&file(&[CODE, DATA]), SETTINGS).expect("a good image");
        let code = Segment { address: CODE.address, image_pages: 1, access: Segment::EXECUTE, ..Segment::default() };
        let variables = Segment {
            address: IMAGE_START + 0x2000,
            image_pages: 1,
            zeroed_pages: 5,
            access: Segment::READ_WRITE,
            reserved: 0,
        };
        assert_segments(&data, &[code, variables]);
        let content = |range: Range<usize>, byte| data[0x1000..][range].iter().all(|found| *found == byte);
        assert!(content(0..0x800, 7) && content(0x800..0x1800, 0));
        assert!(content(0x1800..0x1900, 7) && content(0x1900..0x2000, 0));
    }

    #[test]
    fn constants_that_the_linker_puts_before_variables_cannot_be_written() {
        let data =
            Header { offset: 0x800, address: IMAGE_START + 0x2800, file_size: 0x1000, memory_size: 0x1000, ..DATA };
        let parts = |address, size| {
            let constants = Header { kind: PT_GNU_RELRO, address, memory_size: size, ..data };
            let data = init_data(&file(&[CODE, data, constants]), SETTINGS).expect("a good image");
            let count = data[12];
            let access = |i: usize| data[56 + 24 * i + 16];
            (1..count.into()).map(access).collect::<Vec<_>>()
        };
        let (read, write) = (Segment::READ as u8, Segment::READ_WRITE as u8);
        assert_eq!(parts(data.address, 0x800), [read, write]);
        assert_eq!(parts(data.address, 0xfff), [read, write], "a page that has both can be written");
        assert_eq!(parts(data.address, 0x7ff), [write]);
        assert_eq!(parts(data.address, u64::MAX), [read], "no more than the segment has");
        assert_eq!(parts(data.address + 8, 0x1000), [write], "other places are not what the linker makes");
    }

    #[test]
    fn the_embedded_runtime_can_be_used() {
        let data = init_data(crate::sandbox::image::RUNTIME, SETTINGS).expect("a good image");
        assert!(data.len() < crate::sandbox::image::RUNTIME.len() + 2 * BootHeader::SEGMENTS_MAX * PAGE_SIZE as usize);
    }

    #[test]
    fn other_kinds_of_files_are_refused() {
        let good = file(&[CODE]);
        assert!(init_data(&good, SETTINGS).is_ok());
        for at in [0, 4, 5, 16, 18] {
            let mut bad = good.clone();
            bad[at] ^= 3;
            assert!(init_data(&bad, SETTINGS).is_err(), "byte {at}");
        }
        assert!(init_data(&[], SETTINGS).is_err());
    }

    #[test]
    fn every_truncation_is_refused() {
        let good = file(&[CODE, DATA]);
        for length in 0..0x1900 {
            assert!(init_data(&good[..length], SETTINGS).is_err(), "{length}");
        }
    }

    #[test]
    fn segments_fit_the_file_and_the_address_space() {
        let bad = [
            (Header { offset: u64::MAX - 0xfff, ..CODE }, "truncated"),
            (Header { file_size: u64::MAX, memory_size: u64::MAX, ..CODE }, "truncated"),
            (Header { file_size: 0x801, ..CODE }, "larger in the file"),
            (Header { memory_size: u64::MAX, ..CODE }, "end of the address space"),
            (Header { address: u64::MAX - 0xfff, memory_size: 0x1000, ..CODE }, "end of the address space"),
            (Header { memory_size: 1 << 50, ..CODE }, "too large"),
            (Header { flags: PF_W | PF_X, ..CODE }, "both writable and executable"),
        ];
        for (header, reason) in bad {
            let found = refused(&[header]);
            assert!(found.contains(reason), "{found}, not {reason}");
        }
        assert!(refused(&[CODE; BootHeader::SEGMENTS_MAX + 1]).contains("too many"));
    }
}
