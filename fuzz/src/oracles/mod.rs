//! What must hold for an input. An oracle panics if it does not.

pub mod abi;
pub mod folder;
pub mod guest;
pub mod intl;
pub mod json;
pub mod source;
pub mod temporal;
pub mod text;
pub mod uses;
