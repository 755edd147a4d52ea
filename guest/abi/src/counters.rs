//! What the kernel counts, from when the sandbox was started or restored.

/// Names of the counters, in the order in which the kernel keeps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Counter {
    /// Page faults of the runtime.
    Faults = 0,
    /// Faults that opened pages to CPL 3 which the host had mapped for CPL 0.
    Opened = 1,
    /// Faults that mapped fresh pages.
    Mapped = 2,
    /// Faults that had a page copied.
    Copied = 3,
    /// Pages that were copied ahead, by no fault of the runtime.
    Prepared = 4,
    /// Fresh pages that were mapped by faults.
    Fresh = 5,
    /// Pages that were copied in runs: some of the faults that copy have several copied.
    CopiedInRuns = 6,
}

impl Counter {
    /// How many there are.
    pub const COUNT: usize = 7;
}

/// Addresses of copied pages that are kept, the latest ones.
pub const COPIED_PAGES: usize = 256;
const _: () = assert!(COPIED_PAGES.is_power_of_two(), "the kernel masks the index");
/// Words that can be asked for: the counters, then those addresses in a ring, which begins with the first.
pub const WORDS: usize = Counter::COUNT + COPIED_PAGES;
