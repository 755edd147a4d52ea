//! What is handed over when a sandbox starts.

use crate::memory::{PAGE_SIZE, ScratchMetadata};

/// What the first page of the init data begins with. The pages of the runtime image follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct BootHeader {
    /// [`BootHeader::MAGIC`].
    pub magic: [u8; 8],
    /// [`crate::VERSION`] of the host.
    pub version: u32,
    /// How many of the segments there are.
    pub segment_count: u32,
    /// Address of the runtime's first instruction.
    pub entry: u64,
    /// Settings of the sandbox.
    pub settings: Settings,
    /// The runtime's segments, by ascending address. Their pages follow one another in the image.
    pub segments: [Segment; Self::SEGMENTS_MAX],
}

/// A part of the runtime image: pages with the same rights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Segment {
    /// Address of the first page.
    pub address: u64,
    /// How many pages the image has of it.
    pub image_pages: u32,
    /// How many pages follow that are zero.
    pub zeroed_pages: u32,
    /// What CPL 3 may do with it: [`READ`](Self::READ), [`READ_WRITE`](Self::READ_WRITE) or [`EXECUTE`](Self::EXECUTE).
    pub access: u32,
    /// Keeps the size a multiple of eight bytes.
    pub reserved: u32,
}

impl Segment {
    /// Read it.
    pub const READ: u32 = 0;
    /// Read and write it.
    pub const READ_WRITE: u32 = 1;
    /// Read and execute it.
    pub const EXECUTE: u32 = 2;
}

/// Settings of a sandbox, as the guest needs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Settings {
    /// Size of the runtime's heap in bytes: a multiple of the page size.
    pub heap_size: u64,
    /// How much of the heap JavaScript may use, in bytes; the rest is for messages.
    pub javascript_limit: u64,
    /// Size of the runtime's stack in bytes: a multiple of [`BACKING_STEP`](crate::memory::BACKING_STEP).
    pub stack_size: u64,
    /// Largest result of a guest function in bytes.
    pub output_limit: u64,
}

impl BootHeader {
    /// Marks the init data as made for this kernel.
    pub const MAGIC: [u8; 8] = *b"HLJSBOOT";

    /// Most segments that a header has room for.
    pub const SEGMENTS_MAX: usize = 8;

    /// Size of the header in bytes.
    pub const SIZE: usize = size_of::<Self>();

    /// Offset of the runtime image from the start of the init data.
    pub const IMAGE_OFFSET: u64 = PAGE_SIZE;

    /// A header for this version; `None` if there are too many segments.
    pub fn new(entry: u64, segments: &[Segment], settings: Settings) -> Option<Self> {
        let mut table = [Segment::default(); Self::SEGMENTS_MAX];
        table.get_mut(..segments.len())?.copy_from_slice(segments);
        Some(Self {
            magic: Self::MAGIC,
            version: crate::VERSION,
            segment_count: segments.len() as u32,
            entry,
            settings,
            segments: table,
        })
    }

    /// The header's bytes, in the order of its fields, little endian.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let Settings { heap_size, javascript_limit, stack_size, output_limit } = self.settings;
        let mut bytes = [0; Self::SIZE];
        let mut rest = &mut bytes[..];
        let mut put = |field: &[u8]| {
            let (place, after) = core::mem::take(&mut rest).split_at_mut(field.len());
            place.copy_from_slice(field);
            rest = after;
        };
        put(&self.magic);
        put(&self.version.to_le_bytes());
        put(&self.segment_count.to_le_bytes());
        for number in [self.entry, heap_size, javascript_limit, stack_size, output_limit] {
            put(&number.to_le_bytes());
        }
        for segment in &self.segments {
            put(&segment.address.to_le_bytes());
            for number in [segment.image_pages, segment.zeroed_pages, segment.access, segment.reserved] {
                put(&number.to_le_bytes());
            }
        }
        bytes
    }
}

/// What the kernel hands to the runtime on its stack when it starts.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct BootInfo {
    /// [`crate::VERSION`] of the kernel.
    pub version: u32,
    /// Keeps the size a multiple of 16 bytes.
    pub reserved: [u32; 3],
    /// Settings of the sandbox.
    pub settings: Settings,
    /// The transport's geometry.
    pub scratch: ScratchMetadata,
}

/// Values of the argument with which the kernel enters the runtime, other than a pointer to a [`BootInfo`].
pub mod entry {
    /// A call from the host.
    pub const CALL: u64 = 0;
    /// The first call from the host after the sandbox was restored from a snapshot.
    pub const CALL_AFTER_RESTORE: u64 = 1;
}

const _: () = {
    assert!(
        BootHeader::SIZE == 8 + 2 * 4 + 5 * 8 + BootHeader::SEGMENTS_MAX * (8 + 4 * 4),
        "the header has no padding: its bytes are its fields, which `to_bytes` puts one after the other"
    );
    assert!(BootHeader::SIZE as u64 <= BootHeader::IMAGE_OFFSET);
    assert!(size_of::<BootInfo>().is_multiple_of(16), "the runtime's stack stays 16-byte aligned below it");
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_bytes_are_its_fields_in_order() {
        let settings =
            Settings { heap_size: 0x3344, javascript_limit: 0x5566, stack_size: 0x7788, output_limit: 0x99aa };
        let segment = Segment {
            address: 0xbbcc,
            image_pages: 0xddee,
            zeroed_pages: 0xff11,
            access: Segment::EXECUTE,
            reserved: 0,
        };
        let bytes = BootHeader::new(0x1122, &[segment, segment], settings).expect("few segments").to_bytes();
        assert_eq!(&bytes[..8], b"HLJSBOOT");
        assert_eq!(&bytes[8..16], &[crate::VERSION as u8, 0, 0, 0, 2, 0, 0, 0]);
        for (at, low) in [
            (16, [0x22, 0x11]),
            (24, [0x44, 0x33]),
            (32, [0x66, 0x55]),
            (40, [0x88, 0x77]),
            (48, [0xaa, 0x99]),
            (56, [0xcc, 0xbb]),
            (64, [0xee, 0xdd]),
            (68, [0x11, 0xff]),
            (72, [2, 0]),
            (80, [0xcc, 0xbb]),
            (104, [0, 0]),
        ] {
            assert_eq!(bytes[at..at + 2], low, "at {at}");
        }
    }

    #[test]
    fn a_header_has_room_for_so_many_segments() {
        let settings = Settings { heap_size: 0, javascript_limit: 0, stack_size: 0, output_limit: 0 };
        let segments = [Segment::default(); BootHeader::SEGMENTS_MAX + 1];
        assert!(BootHeader::new(0, &segments[1..], settings).is_some());
        assert!(BootHeader::new(0, &segments, settings).is_none());
    }
}
