//! Inputs, made of bytes. Whatever the bytes are, they make one; what they lack is taken for zero.

pub mod abi;
pub mod expressions;
pub mod folder;
pub mod guest;
pub mod intl;
pub mod json;
pub mod source;
pub mod temporal;
pub mod text;
pub mod uses;

use std::fmt::Debug;
use std::thread;

use arbitrary::{Arbitrary, Unstructured};

/// Makes an input of `bytes` and hands it on. Should that panic, it says what the input was.
pub fn with<T: for<'a> Arbitrary<'a> + Debug>(bytes: &[u8], oracle: impl FnOnce(&T)) {
    if let Ok(input) = T::arbitrary_take_rest(Unstructured::new(bytes)) {
        let said = SaidOnPanic(input);
        oracle(&said.0);
    }
}

struct SaidOnPanic<T: Debug>(T);

impl<T: Debug> Drop for SaidOnPanic<T> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the input was {:#?}", self.0);
        }
    }
}
