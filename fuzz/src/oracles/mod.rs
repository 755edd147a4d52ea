//! What must hold for an input. An oracle panics if it does not.

pub mod abi;
