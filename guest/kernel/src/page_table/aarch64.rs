//! Page table entries of arm64: descriptors of the VMSAv8-64 format, with pages of 4 KiB.

use core::fmt;

use super::Access;

/// One entry of a page table, of any level.
///
/// The host reads and rebuilds the tables when it takes a snapshot. It knows the software bit for copy-on-write, takes a page for
/// code if EL1 may execute it, and an absent entry for "nothing here", but only if the entry is zero: this kernel makes no other
/// absent entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Entry(u64);

impl Entry {
    const PRESENT: u64 = 1;
    /// A page at the last level, a table above it. Entries for blocks do not have it; there are none.
    const PAGE_OR_TABLE: u64 = 1 << 1;
    /// Open to EL0. In an entry for a table the processor ignores it.
    const USER: u64 = 1 << 6;
    const READ_ONLY: u64 = 1 << 7;
    const INNER_SHAREABLE: u64 = 3 << 8;
    /// Set from the start: without it an access is a fault.
    const ACCESSED: u64 = 1 << 10;
    const NOT_GLOBAL: u64 = 1 << 11;
    const NO_EXECUTE_AT_EL1: u64 = 1 << 53;
    const NO_EXECUTE_AT_EL0: u64 = 1 << 54;
    /// The bits that software may use; the host takes this value of them for copy-on-write.
    const SOFTWARE: u64 = 0xf << 55;
    const COPY_ON_WRITE: u64 = 1 << 55;
    const ADDRESS: u64 = 0x0000_ffff_ffff_f000;

    // The memory type has index 0, as the host sets it up: ordinary memory.
    const PAGE: u64 = Self::PRESENT
        | Self::PAGE_OR_TABLE
        | Self::INNER_SHAREABLE
        | Self::ACCESSED
        | Self::NOT_GLOBAL
        | Self::NO_EXECUTE_AT_EL1;

    /// Maps nothing.
    pub const ABSENT: Self = Self(0);

    /// Points to a table of the next level; the last level alone decides what may be done.
    pub const fn table(physical: u64) -> Self {
        Self((physical & Self::ADDRESS) | Self::PRESENT | Self::PAGE_OR_TABLE | Self::USER)
    }

    /// Maps a page for EL0. EL1 never executes one.
    pub const fn user_page(physical: u64, access: Access) -> Self {
        let flags = match access {
            Access::Execute => Self::READ_ONLY,
            Access::Read => Self::READ_ONLY | Self::NO_EXECUTE_AT_EL0,
            Access::ReadWrite => Self::NO_EXECUTE_AT_EL0,
        };
        Self((physical & Self::ADDRESS) | Self::PAGE | Self::USER | flags)
    }

    /// Maps a page for EL0 that is copied when it is first written.
    pub const fn user_copy_on_write(physical: u64) -> Self {
        Self(Self::user_page(physical, Access::Read).0 | Self::COPY_ON_WRITE)
    }

    /// Maps a page of data for EL1.
    pub const fn kernel_page(physical: u64, writable: bool) -> Self {
        let flags = if writable { 0 } else { Self::READ_ONLY };
        Self((physical & Self::ADDRESS) | Self::PAGE | Self::NO_EXECUTE_AT_EL0 | flags)
    }

    /// The same mapping, but never writable again.
    pub const fn sealed(self) -> Self {
        Self(self.0 & !Self::SOFTWARE | Self::READ_ONLY)
    }

    /// The same mapping, open to EL0.
    pub const fn for_user(self) -> Self {
        Self(self.0 | Self::USER)
    }

    /// The same mapping, of a page of code, as EL0 may use it.
    pub const fn code_for_user(self) -> Self {
        Self(self.0 & !Self::NO_EXECUTE_AT_EL0 | Self::USER | Self::READ_ONLY | Self::NO_EXECUTE_AT_EL1)
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
        self.0 & Self::SOFTWARE == Self::COPY_ON_WRITE
    }

    /// Physical address of the page or table.
    pub const fn physical(self) -> u64 {
        self.0 & Self::ADDRESS
    }

    /// Whether code at EL0 may do what `error` says it tried.
    pub const fn allows(self, error: FaultCode) -> bool {
        let write_ok = !error.is_write() || self.0 & Self::READ_ONLY == 0;
        let fetch_ok = !error.is_fetch() || self.0 & Self::NO_EXECUTE_AT_EL0 == 0;
        self.0 & (Self::PRESENT | Self::USER) == Self::PRESENT | Self::USER && write_ok && fetch_ok
    }
}

/// The syndrome of an abort of an instruction or an access: what ESR_EL1 says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct FaultCode(pub u64);

impl FaultCode {
    const FETCH_AT_EL0: u64 = 0x20;
    const FETCH_AT_EL1: u64 = 0x21;
    const ACCESS_AT_EL0: u64 = 0x24;
    const ACCESS_AT_EL1: u64 = 0x25;

    const TRANSLATION: u64 = 1;
    const PERMISSION: u64 = 3;

    const fn class(self) -> u64 {
        self.0 >> 26 & 0x3f
    }

    /// The kind of fault, without its level.
    const fn status(self) -> u64 {
        self.0 >> 2 & 0xf
    }

    /// It is about what the page tables say, and not about something else that an access can be refused for.
    pub const fn is_page_fault(self) -> bool {
        matches!(self.class(), Self::FETCH_AT_EL0 | Self::FETCH_AT_EL1 | Self::ACCESS_AT_EL0 | Self::ACCESS_AT_EL1)
            && matches!(self.status(), Self::TRANSLATION | Self::PERMISSION)
    }

    /// There was a mapping; it did not allow the access.
    pub const fn is_protection(self) -> bool {
        self.status() == Self::PERMISSION
    }

    /// A store. An instruction that maintains a cache says so too, but needs no more than to read.
    pub const fn is_write(self) -> bool {
        !self.is_fetch() && self.0 & 1 << 6 != 0 && self.0 & 1 << 8 == 0
    }

    /// The access was made at EL0.
    pub const fn is_user(self) -> bool {
        matches!(self.class(), Self::FETCH_AT_EL0 | Self::ACCESS_AT_EL0)
    }

    pub const fn is_fetch(self) -> bool {
        matches!(self.class(), Self::FETCH_AT_EL0 | Self::FETCH_AT_EL1)
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
        write!(f, "syndrome {:#x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // At the last level.
    const READ: FaultCode = FaultCode(0x24 << 26 | 0b1111);
    const WRITE: FaultCode = FaultCode(0x24 << 26 | 1 << 6 | 0b1111);
    const FETCH: FaultCode = FaultCode(0x20 << 26 | 0b1111);

    #[test]
    fn el1_executes_no_page_that_this_kernel_maps() {
        for access in [Access::Execute, Access::Read, Access::ReadWrite] {
            assert_ne!(Entry::user_page(0x7000, access).0 & Entry::NO_EXECUTE_AT_EL1, 0);
        }
        assert_ne!(Entry::kernel_page(0x7000, true).0 & Entry::NO_EXECUTE_AT_EL1, 0);
        assert_ne!(Entry::kernel_page(0x7000, false).code_for_user().0 & Entry::NO_EXECUTE_AT_EL1, 0);
    }

    #[test]
    fn a_page_is_opened_as_data_or_as_code() {
        for writable in [false, true] {
            let page = Entry::kernel_page(0x7000, writable);
            assert!(!page.for_user().allows(FETCH));
            let code = page.code_for_user();
            assert_eq!([READ, WRITE, FETCH].map(|error| code.allows(error)), [true, false, true]);
        }
    }

    #[test]
    fn flags_never_reach_the_address_nor_the_address_the_flags() {
        let entry = Entry::user_page(u64::MAX, Access::ReadWrite);
        assert_eq!(entry.physical(), Entry::ADDRESS);
        assert!(!entry.is_copy_on_write());
    }

    #[test]
    fn syndromes_say_what_is_a_page_fault_and_whose() {
        assert!([READ, WRITE, FETCH].iter().all(|error| error.is_page_fault()));
        let absent = FaultCode(0x24 << 26 | 0b0100);
        assert!(absent.is_page_fault() && !absent.is_protection());
        assert!(!FaultCode(WRITE.0 | 1 << 26).is_user(), "EL1");
        // Cache maintenance, alignment, an external abort, a system call.
        assert!(!FaultCode(WRITE.0 | 1 << 8).is_write());
        for other in [0x24 << 26 | 0b10_0001, 0x24 << 26 | 0b01_0000, 0x15 << 26 | 0b0111] {
            assert!(!FaultCode(other).is_page_fault(), "{other:#x}");
        }
    }
}
