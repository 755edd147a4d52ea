//! What `Temporal` computes, by the crate temporal_rs: one type for all values that JavaScript keeps, and operations on
//! it that take what options and fields say. Time zones are those of jiff, whose data `Intl` has brought in.
//!
//! It is a crate of its own so that it can be compiled for size. Nothing here panics, whatever it is given: a value of
//! the wrong kind, which only a mistake in our JavaScript can bring, is an error like others.

#![no_std]

extern crate alloc;

mod arithmetic;
mod choices;
mod creation;
mod fields;
mod names;
mod properties;
mod value;
mod zones;

pub use choices::Choices;
pub use fields::Fields;
pub use names::{calendar_name, offset_is_valid, zone_name};
pub use properties::Property;
pub use value::{Kind, Value};

pub use temporal_rs::error::ErrorKind;
pub use temporal_rs::{TemporalError as Error, TemporalResult as Result};

/// Bytes of memory that an operation takes at most, besides the text that it is given: what is known of a time zone takes
/// most.
pub const MEMORY: usize = 64 << 10;
