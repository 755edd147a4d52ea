//! What `crypto.subtle` and the module `crypto` compute, by the crates of RustCrypto and of dalek, who also read and write the
//! formats of keys. It is a crate of its own so that it can be compiled for size: what is generic in those crates is compiled
//! where it is used.
//!
//! A function that gives nothing has been given something wrong. Data of any size is worked on in place, in memory of the
//! caller's; what else a function takes is at most [`ROOM`], and is taken without a way to fail.

#![no_std]

extern crate alloc;

pub mod aes;
mod curve25519;
pub mod derivation;
pub mod digest;
mod elliptic;
pub mod key;
mod rsa;

/// Memory that a function takes at most: that with the largest RSA keys takes most.
pub const ROOM: usize = 1 << 20;

/// Where random numbers come from.
pub type Generator = rand_chacha::ChaCha12Rng;
