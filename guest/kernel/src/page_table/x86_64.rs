//! Page table entries of x86-64.

use core::fmt;

use super::Access;

/// One entry of a page table, of any level.
///
/// The host reads and rebuilds the tables when it takes a snapshot. It knows the software bit for copy-on-write and takes
/// an absent entry for "nothing here", but only if the entry is zero: this kernel makes no other absent entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Entry(u64);

impl Entry {
    /// There is a page or a table.
    pub const PRESENT: u64 = 1;
    const WRITABLE: u64 = 1 << 1;
    /// Open to CPL 3.
    pub const USER: u64 = 1 << 2;
    const ACCESSED: u64 = 1 << 5;
    const DIRTY: u64 = 1 << 6;
    const COPY_ON_WRITE: u64 = 1 << 9;
    const NO_EXECUTE: u64 = 1 << 63;
    /// Where the address of the page or table is.
    pub const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

    /// What is set in the entry of a page that CPL 3 may read now, and write once it is copied.
    pub const USER_COPY_ON_WRITE: u64 = Self::COPIED_ON_WRITE | Self::USER;
    /// The same, whether CPL 3 may read it or not.
    pub const COPIED_ON_WRITE: u64 = Self::PRESENT | Self::COPY_ON_WRITE;

    // Accessed and dirty are set from the start, so that the processor never has to write them.
    const PAGE: u64 = Self::PRESENT | Self::ACCESSED | Self::DIRTY;

    /// Maps nothing.
    pub const ABSENT: Self = Self(0);

    /// Points to a table of the next level, open to CPL 3: the last level alone decides.
    pub const fn table(physical: u64) -> Self {
        Self((physical & Self::ADDRESS) | Self::PRESENT | Self::WRITABLE | Self::USER | Self::ACCESSED)
    }

    /// Maps a page for CPL 3.
    pub const fn user_page(physical: u64, access: Access) -> Self {
        let flags = match access {
            Access::Execute => 0,
            Access::Read => Self::NO_EXECUTE,
            Access::ReadWrite => Self::NO_EXECUTE | Self::WRITABLE,
        };
        Self((physical & Self::ADDRESS) | Self::PAGE | Self::USER | flags)
    }

    /// Maps a page for CPL 3 that is copied when it is first written.
    pub const fn user_copy_on_write(physical: u64) -> Self {
        Self(Self::user_page(physical, Access::Read).0 | Self::COPY_ON_WRITE)
    }

    /// Maps a page of data for CPL 0.
    pub const fn kernel_page(physical: u64, writable: bool) -> Self {
        let flags = if writable { Self::WRITABLE } else { 0 };
        Self((physical & Self::ADDRESS) | Self::PAGE | Self::NO_EXECUTE | flags)
    }

    /// The same mapping, but never writable again.
    pub const fn sealed(self) -> Self {
        Self(self.0 & !(Self::WRITABLE | Self::COPY_ON_WRITE))
    }

    /// The same mapping, open to CPL 3.
    pub const fn for_user(self) -> Self {
        Self(self.0 | Self::USER)
    }

    pub const fn is_present(self) -> bool {
        self.0 & Self::PRESENT != 0
    }

    pub const fn is_absent(self) -> bool {
        self.0 == 0
    }

    pub const fn is_for_user(self) -> bool {
        self.0 & Self::USER != 0
    }

    pub const fn is_copy_on_write(self) -> bool {
        self.0 & Self::COPY_ON_WRITE != 0
    }

    /// The entry as the processor sees it.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Physical address of the page or table.
    pub const fn physical(self) -> u64 {
        self.0 & Self::ADDRESS
    }

    /// Whether code at CPL 3 may do what `error`, the error code of a page fault, says it tried.
    pub const fn allows(self, error: FaultCode) -> bool {
        let write_ok = !error.is_write() || self.0 & Self::WRITABLE != 0;
        let fetch_ok = !error.is_fetch() || self.0 & Self::NO_EXECUTE == 0;
        self.0 & (Self::PRESENT | Self::USER) == Self::PRESENT | Self::USER && write_ok && fetch_ok
    }
}

/// The error code of a page fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct FaultCode(pub u64);

impl FaultCode {
    /// A write at CPL 3 to a page that is mapped, and nothing else.
    pub const USER_WRITE: u64 = 0b111;

    /// There was a mapping; it did not allow the access.
    pub const fn is_protection(self) -> bool {
        self.0 & 1 != 0
    }

    pub const fn is_write(self) -> bool {
        self.0 & 1 << 1 != 0
    }

    /// The access was made at CPL 3.
    pub const fn is_user(self) -> bool {
        self.0 & 1 << 2 != 0
    }

    pub const fn is_fetch(self) -> bool {
        self.0 & 1 << 4 != 0
    }

    /// What was tried, for people.
    pub const fn verb(self) -> &'static str {
        if self.is_fetch() {
            "execute"
        } else if self.is_write() {
            "write"
        } else {
            "read"
        }
    }
}

/// How the processor says it, for people.
impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "vector 14, error code {:#x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_to_be_copied_is_told_from_all_others_by_these_bits() {
        let is_copied = |entry: Entry| entry.bits() & Entry::USER_COPY_ON_WRITE == Entry::USER_COPY_ON_WRITE;
        assert!(is_copied(Entry::user_copy_on_write(0x1234_5000)) && !is_copied(Entry::ABSENT));
        assert!(!is_copied(Entry::user_page(0x1234_5000, Access::ReadWrite)));
    }

    #[test]
    fn flags_never_reach_the_address_nor_the_address_the_flags() {
        let entry = Entry::user_page(0xfff_ffff_ffff_ffff, Access::ReadWrite);
        assert_eq!(entry.physical(), 0x000f_ffff_ffff_f000);
        assert!(!entry.is_copy_on_write());
    }
}
