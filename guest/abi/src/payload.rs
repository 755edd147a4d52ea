//! Values on their way between host and guest.
//!
//! A value is JSON text. Binary data, which JSON cannot express, goes beside it: where the value has a `Uint8Array` or an
//! `ArrayBuffer`, the text has a placeholder, a string of U+0010 and the decimal index of a byte array. So that nothing is
//! taken for a placeholder that is none, every other string that starts with U+0010 gets another one in front. A payload
//! without byte arrays has neither: its text is the plain JSON of the value.
//!
//! [`BINARY_SOURCE`] is the JavaScript for it, which runs in V8. The guest has native code that does the same.

use alloc::collections::TryReserveError;
use alloc::string::String;
use alloc::vec::Vec;

/// A script that returns an object with two functions:
///
/// - `stringify(value, byteArrays)`: the text of a payload, or what else `JSON.stringify` gives. Adds the binary data to the
///   list, each a copy of its own; throws a `RangeError` if that gets too long. It reads each property once.
/// - `parse(text, byteArrays)`: the value of a payload that has byte arrays. Throws a `RangeError` if a placeholder stands
///   for nothing.
pub const BINARY_SOURCE: &str = include_str!("binary.js");

/// JSON text and the byte arrays that its placeholders stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload {
    json: String,
    /// The byte arrays, one after the other.
    bytes: Vec<u8>,
    /// Their sizes.
    sizes: Vec<u64>,
}

// The last byte of an encoded payload says what comes before it.
const JSON: u8 = 0;
// The byte arrays, the text, the arrays' sizes, their number. In this order neither side has to move the bytes.
const JSON_AND_BYTES: u8 = 1;

/// Size of a number in an encoded payload.
const NUMBER: usize = size_of::<u64>();

impl Payload {
    /// Most byte arrays of one payload: each of them becomes an object, however few bytes it has.
    pub const BYTE_ARRAYS_MAX: usize = 65_536;
    /// What a string begins with that stands for a byte array.
    pub const MARK: u8 = 0x10;
    /// What each byte array counts for beside its bytes.
    pub const ARRAY_OVERHEAD: usize = NUMBER;

    /// A payload without byte arrays.
    pub const fn from_json(json: String) -> Self {
        Self { json, bytes: Vec::new(), sizes: Vec::new() }
    }

    /// Adds a byte array.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.sizes.push(bytes.len() as u64);
    }

    /// As [`push`](Self::push), where there may be no memory for it.
    ///
    /// # Errors
    /// If there is none: then nothing is added.
    pub fn try_push(&mut self, bytes: &[u8]) -> Result<(), TryReserveError> {
        self.sizes.try_reserve(1)?;
        self.bytes.try_reserve(bytes.len())?;
        self.push(bytes);
        Ok(())
    }

    /// The same byte arrays with this text.
    pub fn with_json(self, json: String) -> Self {
        Self { json, ..self }
    }

    /// The text.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The text, without the byte arrays.
    pub fn into_json(self) -> String {
        self.json
    }

    /// The byte arrays, in the order of their indices.
    pub fn byte_arrays(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let mut rest = &self.bytes[..];
        self.sizes.iter().map(move |size| {
            // The sizes add up to the bytes that there are.
            let (array, others) = rest.split_at(*size as usize);
            rest = others;
            array
        })
    }

    /// Size in bytes, as limits count it: the text, the byte arrays, and eight bytes more for each of them.
    pub fn size(&self) -> usize {
        self.json.len() + self.bytes.len() + self.sizes.len() * NUMBER
    }

    /// Encodes the payload.
    pub fn into_bytes(self) -> Vec<u8> {
        if self.sizes.is_empty() {
            let mut encoded = self.json.into_bytes();
            encoded.push(JSON);
            return encoded;
        }
        let mut encoded = self.bytes;
        encoded.reserve_exact(self.json.len() + (self.sizes.len() + 1) * NUMBER + 1);
        encoded.extend_from_slice(self.json.as_bytes());
        for number in self.sizes.iter().chain([&(self.sizes.len() as u64)]) {
            encoded.extend_from_slice(&number.to_le_bytes());
        }
        encoded.push(JSON_AND_BYTES);
        encoded
    }

    /// Decodes a payload; `None` if it is malformed or has too many byte arrays.
    pub fn from_bytes(encoded: Vec<u8>) -> Option<Self> {
        let (json, bytes, sizes) = split(encoded)?;
        Some(Self { json: String::from_utf8(json).ok()?, bytes, sizes })
    }

    /// As [`from_bytes`](Self::from_bytes), but believes that the text is UTF-8.
    ///
    /// # Safety
    /// The bytes must be those of a payload that [`into_bytes`](Self::into_bytes) has encoded.
    pub unsafe fn from_bytes_unchecked(encoded: Vec<u8>) -> Option<Self> {
        let (json, bytes, sizes) = split(encoded)?;
        // SAFETY: the text was a string when it was encoded.
        Some(Self { json: unsafe { String::from_utf8_unchecked(json) }, bytes, sizes })
    }
}

const _: () = assert!(
    contains(BINARY_SOURCE, "const BYTE_ARRAYS_MAX = 65_536;") && Payload::BYTE_ARRAYS_MAX == 65_536,
    "binary.js says how many byte arrays there may be as well: change both, and then this assertion"
);
const _: () = assert!(
    contains(BINARY_SOURCE, r"const MARK = '\u0010';") && Payload::MARK == 0x10,
    "binary.js has the mark of a placeholder as well: change both, and then this assertion"
);

const fn contains(text: &str, part: &str) -> bool {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    let mut start = 0;
    while start + part.len() <= text.len() {
        let mut length = 0;
        while length < part.len() && text[start + length] == part[length] {
            length += 1;
        }
        if length == part.len() {
            return true;
        }
        start += 1;
    }
    false
}

/// Text, byte arrays and their sizes.
fn split(mut encoded: Vec<u8>) -> Option<(Vec<u8>, Vec<u8>, Vec<u64>)> {
    match encoded.pop()? {
        JSON => Some((encoded, Vec::new(), Vec::new())),
        JSON_AND_BYTES => {
            let (rest, count) = encoded.split_last_chunk::<NUMBER>()?;
            let count = usize::try_from(u64::from_le_bytes(*count)).ok()?;
            if count > Payload::BYTE_ARRAYS_MAX {
                return None;
            }
            let (rest, sizes) = rest.split_at_checked(rest.len().checked_sub(count * NUMBER)?)?;
            let (sizes, _) = sizes.as_chunks::<NUMBER>();
            let sizes: Vec<u64> = sizes.iter().map(|size| u64::from_le_bytes(*size)).collect();
            let total = sizes.iter().try_fold(0u64, |total, size| total.checked_add(*size))?;
            let (bytes, json) = rest.split_at_checked(usize::try_from(total).ok()?)?;
            let (size, json) = (bytes.len(), json.to_vec());
            encoded.truncate(size);
            Some((json, encoded, sizes))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn payloads() -> Vec<Payload> {
        let mut payloads = vec![
            Payload::default(),
            Payload::from_json(String::from("{\"a\":\"n\u{e4}h\"}")),
            Payload::from_json(String::from("\"\\u00100\"")),
            Payload::from_json(String::new()),
        ];
        payloads[2].push(&[0, 1, 255]);
        for bytes in [&[][..], &[7; 1000], &[]] {
            payloads[3].push(bytes);
        }
        payloads
    }

    #[test]
    fn payloads_round_trip() {
        for payload in payloads() {
            let size = payload.size();
            let encoded = payload.clone().into_bytes();
            assert!((size..=size + NUMBER + 1).contains(&encoded.len()));
            // SAFETY: just encoded.
            assert_eq!(unsafe { Payload::from_bytes_unchecked(encoded.clone()) }, Some(payload.clone()));
            assert_eq!(Payload::from_bytes(encoded), Some(payload));
        }
        let arrays: Vec<Vec<u8>> = payloads()[3].byte_arrays().map(<[u8]>::to_vec).collect();
        assert_eq!(arrays, [vec![], vec![7; 1000], vec![]]);
    }

    #[test]
    fn a_payload_cut_short_or_changed_is_malformed_or_another_payload_but_never_a_panic() {
        for payload in payloads() {
            let encoded = payload.into_bytes();
            for length in 0..encoded.len() {
                for last in [JSON, JSON_AND_BYTES, 2] {
                    let mut cut = encoded[..length].to_vec();
                    cut.push(last);
                    let decoded = Payload::from_bytes(cut);
                    assert!(last != 2 || decoded.is_none());
                    if let Some(decoded) = decoded {
                        assert_eq!(decoded.byte_arrays().map(<[u8]>::len).sum::<usize>(), decoded.bytes.len());
                    }
                }
            }
        }
        assert_eq!(Payload::from_bytes(vec![]), None);
    }

    #[test]
    fn sizes_beyond_the_message_are_malformed() {
        for sizes in [&[1u64][..], &[u64::MAX], &[u64::MAX, 1], &[1 << 63, 1 << 63]] {
            let mut encoded: Vec<u8> = sizes.iter().flat_map(|size| size.to_le_bytes()).collect();
            encoded.extend_from_slice(&(sizes.len() as u64).to_le_bytes());
            encoded.push(JSON_AND_BYTES);
            assert_eq!(Payload::from_bytes(encoded), None);
        }
        for count in [1, 1 << 61, u64::MAX] {
            let mut encoded = u64::to_le_bytes(count).to_vec();
            encoded.push(JSON_AND_BYTES);
            assert_eq!(Payload::from_bytes(encoded), None);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "it takes minutes, and does nothing that the others do not")]
    fn too_many_byte_arrays_are_malformed() {
        let encoded = |count| {
            let mut payload = Payload::default();
            (0..count).for_each(|_| payload.push(&[]));
            payload.into_bytes()
        };
        assert!(Payload::from_bytes(encoded(Payload::BYTE_ARRAYS_MAX)).is_some());
        assert_eq!(Payload::from_bytes(encoded(Payload::BYTE_ARRAYS_MAX + 1)), None);
    }

    #[test]
    fn text_that_is_not_utf8_is_malformed() {
        assert_eq!(Payload::from_bytes(vec![0xed, 0xa0, 0x80, JSON]), None);
    }
}
