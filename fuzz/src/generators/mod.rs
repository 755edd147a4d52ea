//! Inputs, made of bytes. Whatever the bytes are, they make one; what they lack is taken for zero.

pub mod abi;

use arbitrary::{Arbitrary, Unstructured};

/// Makes an input of `bytes` and hands it on.
pub fn with<T: for<'a> Arbitrary<'a>>(bytes: &[u8], oracle: impl FnOnce(T)) {
    if let Ok(input) = T::arbitrary_take_rest(Unstructured::new(bytes)) {
        oracle(input);
    }
}
