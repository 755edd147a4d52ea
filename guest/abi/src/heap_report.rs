//! How much memory JavaScript uses in a guest: the guest's word.

use alloc::vec::Vec;

/// What comes behind each [reply](crate::message::Reply).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapReport {
    /// Bytes in use.
    pub used: u64,
    /// Most bytes in use at one time since the call began.
    pub peak: u64,
}

impl HeapReport {
    /// Size of its encoding in bytes.
    pub const SIZE: usize = 16;

    /// Puts its encoding behind a message.
    pub fn append_to(self, message: &mut Vec<u8>) {
        message.extend_from_slice(&self.used.to_le_bytes());
        message.extend_from_slice(&self.peak.to_le_bytes());
    }

    /// Takes it from the end of a message; `None` if that is too short.
    pub fn take_from(message: &mut Vec<u8>) -> Option<Self> {
        let (rest, peak) = message.split_last_chunk()?;
        let (rest, used) = rest.split_last_chunk()?;
        let heap = Self { used: u64::from_le_bytes(*used), peak: u64::from_le_bytes(*peak) };
        let length = rest.len();
        message.truncate(length);
        Some(heap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn it_is_taken_from_where_it_was_put_and_from_no_message_that_is_too_short() {
        let heap = HeapReport { used: 1 << 40, peak: u64::MAX };
        for message in [vec![], vec![1, 2, 3]] {
            let mut with_heap = message.clone();
            heap.append_to(&mut with_heap);
            assert_eq!(with_heap.len(), message.len() + HeapReport::SIZE);
            assert_eq!(HeapReport::take_from(&mut with_heap), Some(heap));
            assert_eq!(with_heap, message);
        }
        let mut short = vec![0; HeapReport::SIZE - 1];
        assert_eq!(HeapReport::take_from(&mut short), None);
        assert_eq!(short.len(), HeapReport::SIZE - 1);
    }
}
