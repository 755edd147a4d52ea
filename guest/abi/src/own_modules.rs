//! Modules of host functions that are not the user's: their names begin as no name of a user's does, and guest code imports none of
//! them.

/// What their names begin with.
pub const PREFIX: &str = "hyperlight:";

/// The module behind the guest's `fetch`, which is there if a call or its sandbox has this module. Its functions are asynchronous.
pub const FETCH: &str = "hyperlight:fetch";
