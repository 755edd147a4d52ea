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

    /// What holds of the entries of either architecture, given what it says of a read, a write and a fetch by the runtime.
    macro_rules! entries {
        ($architecture:ident, $read:expr, $write:expr, $fetch:expr) => {
            mod $architecture {
                use super::super::Access;
                use super::super::$architecture::{Entry, FaultCode};

                const READ: FaultCode = FaultCode($read);
                const WRITE: FaultCode = FaultCode($write);
                const FETCH: FaultCode = FaultCode($fetch);

                fn allowed(entry: Entry) -> [bool; 3] {
                    [READ, WRITE, FETCH].map(|error| entry.allows(error))
                }

                #[test]
                fn access_rights_are_exclusive() {
                    let page = |access| Entry::user_page(0x1234_5000, access);
                    assert_eq!(allowed(page(Access::Execute)), [true, false, true]);
                    assert_eq!(allowed(page(Access::Read)), [true, false, false]);
                    assert_eq!(allowed(page(Access::ReadWrite)), [true, true, false]);
                    let copied = Entry::user_copy_on_write(0x1234_5000);
                    assert_eq!(allowed(copied), [true, false, false]);
                    assert!(copied.is_copy_on_write() && !page(Access::ReadWrite).is_copy_on_write());
                }

                #[test]
                fn kernel_pages_allow_the_runtime_nothing_until_they_are_opened() {
                    for writable in [false, true] {
                        let page = Entry::kernel_page(0x7000, writable);
                        assert_eq!(allowed(page), [false; 3]);
                        assert_eq!(allowed(page.for_user())[..2], [true, writable]);
                    }
                    assert!(!Entry::ABSENT.for_user().allows(READ));
                }

                #[test]
                fn a_sealed_page_is_neither_writable_nor_copied() {
                    let sealed = Entry::user_page(0x7000, Access::ReadWrite).sealed();
                    assert!(!sealed.allows(WRITE) && sealed.allows(READ) && sealed.physical() == 0x7000);
                    assert!(!Entry::user_copy_on_write(0x7000).sealed().is_copy_on_write());
                }

                #[test]
                fn tables_keep_their_address_and_are_not_absent() {
                    assert_eq!(Entry::table(0x9000).physical(), 0x9000);
                    assert!(Entry::ABSENT.is_absent() && !Entry::table(0).is_absent());
                }

                #[test]
                fn faults_say_what_was_tried() {
                    assert_eq!([READ, WRITE, FETCH].map(FaultCode::verb), ["read", "write", "execute"]);
                    assert!([READ, WRITE, FETCH].iter().all(|error| error.is_user() && error.is_protection()));
                }
            }
        };
    }

    entries!(x86_64, 0b101, 0b111, 0b10101);
    // Faults of permission at the last level.
    entries!(aarch64, 0x24 << 26 | 0b1111, 0x24 << 26 | 1 << 6 | 0b1111, 0x20 << 26 | 0b1111);
}
