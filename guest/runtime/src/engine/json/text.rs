//! Where JSON strings have something else than characters that stand for themselves, eight bytes at a time.

const LOW: u64 = u64::from_le_bytes([0x01; 8]);
const HIGH: u64 = u64::from_le_bytes([0x80; 8]);

/// The first place from `start` on at which there is a quotation mark, a backslash, a control character or another byte; the end if
/// there is none.
pub fn first_special<const OTHER: u8>(text: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(eight) = text.get(at..at + 8).and_then(|eight| eight.try_into().ok()) {
        let eight = u64::from_le_bytes(eight);
        // A subtraction borrows from above, so that of what is found only the lowest is certain. That is the first.
        let quotes = (eight ^ (LOW * 0x22)).wrapping_sub(LOW) & !(eight ^ (LOW * 0x22));
        let backslashes = (eight ^ (LOW * 0x5c)).wrapping_sub(LOW) & !(eight ^ (LOW * 0x5c));
        let controls = eight.wrapping_sub(LOW * 0x20) & !eight;
        let other = eight ^ (LOW * OTHER as u64);
        let others = other.wrapping_sub(LOW) & !other;
        let found = (quotes | backslashes | controls | others) & HIGH;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let is_special = |byte: &u8| matches!(byte, ..0x20 | b'"' | b'\\') || *byte == OTHER;
    text[at..].iter().position(is_special).map_or(text.len(), |place| at + place)
}
