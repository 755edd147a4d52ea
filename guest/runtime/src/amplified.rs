//! A message that grows when it is decoded: a call of a function whose many arguments are all the same large string. Only tests use
//! it: the test guest sends it, and a test of the host decodes it.

use alloc::vec;
use alloc::vec::Vec;

/// Size of the header that comes before the FlatBuffer.
pub const HEADER_SIZE: usize = 12;

/// The message, with `count` arguments that are one string of `size` bytes. It is of that kind, 1 a request and 2 a reply, and says
/// that it is about the call with that number.
pub fn message(kind: u8, call: u32, count: usize, size: usize) -> Vec<u8> {
    let parameter = (60 + 4 * count).next_multiple_of(8);
    let mut bytes = vec![b'A'; HEADER_SIZE + parameter + 44 + size + 1];
    let length = bytes.len() - HEADER_SIZE;
    bytes[..HEADER_SIZE + parameter + 44].fill(0);
    bytes[HEADER_SIZE + length - 1] = 0;
    bytes[0] = kind;
    put(&mut bytes, 4, &[call, length as u32]);

    let buffer = &mut bytes[HEADER_SIZE..];
    // The size, the root, the vtable of a function call, the table, its name, its parameters.
    put(buffer, 0, &[length as u32 - 4, 20 - 4]);
    put_short(buffer, 8, &[12, 14, 4, 8, 12, 13]);
    put(buffer, 20, &[12, 36 - 24, 56 - 28, 2]);
    put(buffer, 36, &[8]);
    buffer[40..48].copy_from_slice(b"CallHost");
    put(buffer, 56, &[count as u32]);
    for i in 0..count {
        let at = 60 + 4 * i;
        put(buffer, at, &[(parameter + 8 - at) as u32]);
    }
    // The one parameter: its vtable, the table, the vtable of a string, the table, the string.
    put_short(buffer, parameter, &[8, 9, 8, 4]);
    put(buffer, parameter + 8, &[8, 32 - 12, 7]);
    put_short(buffer, parameter + 24, &[6, 8, 4]);
    put(buffer, parameter + 32, &[8, 40 - 36, size as u32]);
    bytes
}

fn put(bytes: &mut [u8], at: usize, numbers: &[u32]) {
    for (place, number) in bytes[at..].chunks_mut(4).zip(numbers) {
        place.copy_from_slice(&number.to_le_bytes());
    }
}

fn put_short(bytes: &mut [u8], at: usize, numbers: &[u16]) {
    for (place, number) in bytes[at..].chunks_mut(2).zip(numbers) {
        place.copy_from_slice(&number.to_le_bytes());
    }
}
