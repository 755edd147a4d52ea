//! What must hold for an input. An oracle panics if it does not.

pub mod abi;
pub mod folder;
pub mod guest;
pub mod json;
pub mod source;
