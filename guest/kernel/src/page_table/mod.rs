//! Page table entries and the arithmetic of addresses.
//!
//! Both architectures have four levels of tables with 512 entries of eight bytes each. What an entry says is in a module of each,
//! and both are compiled and tested everywhere.

pub mod aarch64;
pub mod x86_64;

use guest_abi::memory::PAGE_SIZE;

#[cfg(target_arch = "aarch64")]
pub use aarch64::{Entry, FaultCode};
#[cfg(target_arch = "x86_64")]
pub use x86_64::{Entry, FaultCode};

/// Entries in one table.
pub const ENTRIES: usize = 512;

/// What the runtime may do with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read and execute it.
    Execute,
    /// Read it.
    Read,
    /// Read and write it.
    ReadWrite,
}

/// Index of `address` in a table; level 0 is the last one.
pub const fn index(address: u64, level: u32) -> usize {
    (address >> (12 + 9 * level)) as usize % ENTRIES
}

/// The page that `address` lies in.
pub const fn page_of(address: u64) -> u64 {
    address & !(PAGE_SIZE - 1)
}

/// The aligned window of `pages` pages around `address`: its first page. `pages` is a power of two up to [`ENTRIES`], so
/// that a window never spans two tables.
pub const fn window_of(address: u64, pages: u64) -> u64 {
    address & !(pages * PAGE_SIZE - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_take_nine_bits_each() {
        let address = 0xffff_8000_0000_0000 | 1 << 39 | 2 << 30 | 3 << 21 | 4 << 12 | 5;
        assert_eq!([3, 2, 1, 0].map(|level| index(address, level)), [257, 2, 3, 4]);
        assert_eq!([3, 2, 1, 0].map(|level| index(u64::MAX, level)), [511; 4]);
        assert_eq!([3, 2, 1, 0].map(|level| index(0, level)), [0; 4]);
    }

    #[test]
    fn windows_are_aligned_and_hold_their_address() {
        for address in [0, 0xfff, 0x1_2345_6789, u64::MAX] {
            for pages in [1, 8, 32, 512] {
                let window = window_of(address, pages);
                assert!(window.is_multiple_of(pages * PAGE_SIZE) && address - window < pages * PAGE_SIZE);
                assert_eq!(index(window, 1), index(address, 1));
            }
        }
        assert_eq!(page_of(0x1fff), 0x1000);
    }
}
