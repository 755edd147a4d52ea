//! What is handed over when a sandbox starts.

use crate::memory::{PAGE_SIZE, ScratchMetadata};

/// The first page of the init data that the host gives to the kernel. The runtime image, an ELF file, follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct BootHeader {
    /// [`BootHeader::MAGIC`].
    pub magic: [u8; 8],
    /// [`crate::VERSION`] of the host.
    pub version: u32,
    /// Keeps the rest aligned.
    pub reserved: u32,
    /// Length of the runtime image in bytes.
    pub image_size: u64,
    /// Settings of the sandbox.
    pub settings: Settings,
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

    /// Size of the header in bytes.
    pub const SIZE: usize = size_of::<Self>();

    /// Offset of the runtime image from the start of the init data.
    pub const IMAGE_OFFSET: u64 = PAGE_SIZE;

    /// A header for this version.
    pub const fn new(image_size: u64, settings: Settings) -> Self {
        Self { magic: Self::MAGIC, version: crate::VERSION, reserved: 0, image_size, settings }
    }

    /// The header's bytes, in the order of its fields, little endian.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..8].copy_from_slice(&self.magic);
        bytes[8..12].copy_from_slice(&self.version.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.reserved.to_le_bytes());
        let Settings { heap_size, javascript_limit, stack_size, output_limit } = self.settings;
        for (i, number) in [self.image_size, heap_size, javascript_limit, stack_size, output_limit].iter().enumerate() {
            bytes[16 + 8 * i..24 + 8 * i].copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }
}

/// What the kernel hands to the runtime on its stack when it starts.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct BootInfo {
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
    assert!(BootHeader::SIZE == 56, "the header has no padding, so its bytes are its fields");
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
        let bytes = BootHeader::new(0x1122, settings).to_bytes();
        assert_eq!(&bytes[..8], b"HLJSBOOT");
        assert_eq!(&bytes[8..16], &[crate::VERSION as u8, 0, 0, 0, 0, 0, 0, 0]);
        for (at, low) in
            [(16, [0x22, 0x11]), (24, [0x44, 0x33]), (32, [0x66, 0x55]), (40, [0x88, 0x77]), (48, [0xaa, 0x99])]
        {
            assert_eq!(bytes[at..at + 2], low);
        }
    }
}
