//! Abort codes: the first byte of an abort message. A text for people follows.

/// Ends an abort message. It cannot be part of UTF-8 text.
pub const TERMINATOR: u8 = 0xff;

/// Why a guest ended a call that could not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AbortCode {
    /// A processor exception other than a page fault that can be resolved.
    Exception = 1,
    /// An access that the page tables do not allow.
    PageFault = 2,
    /// An access to the guard area below the stack.
    StackOverflow = 3,
    /// Scratch memory is used up.
    OutOfMemory = 4,
    /// A gate operation that does not exist.
    BadGate = 5,
    /// The kernel could not boot the runtime image.
    Boot = 6,
    /// The kernel itself went wrong.
    Kernel = 7,
    /// The runtime panicked.
    Runtime = 8,
}

/// Packs up to three bytes for one write to the abort port.
///
/// Bytes past the third are ignored.
pub const fn pack(bytes: &[u8]) -> u32 {
    let count = if bytes.len() < 3 { bytes.len() } else { 3 };
    let mut word = count as u32;
    let mut i = 0;
    while i < count {
        word |= (bytes[i] as u32) << (8 * (i + 1));
        i += 1;
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_at_most_three_bytes() {
        assert_eq!(pack(&[]), 0);
        assert_eq!(pack(&[0xaa]), 0xaa01);
        assert_eq!(pack(&[1, 2, 3, 4]), 0x0302_0103);
    }
}
