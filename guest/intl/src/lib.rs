//! What `Intl` needs besides JavaScript, by the crates of ICU4X and jiff: the names of locales, the order of texts, where a text
//! can be divided, upper and lower case, and the offsets of time zones; and the data of locales, which
//! `scripts/intl/generate.mjs` makes of the Common Locale Data Repository.
//!
//! All that these crates know is constant data of the image: of a guest that does not use it, no page is ever touched.
//! It is a crate of its own so that it can be compiled for size.
//!
//! What a function takes besides its result is bounded by [`WORK_FACTOR`], and is taken without a way to fail.

#![no_std]

extern crate alloc;

pub mod casing;
pub mod collation;
pub mod data;
pub mod locale;
pub mod segments;
pub mod usual;
pub mod zone;

/// Memory that the work on a text takes at most, as a multiple of its bytes: what is kept of a long sequence of combining marks
/// takes most.
pub const WORK_FACTOR: usize = 48;
