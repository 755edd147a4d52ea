//! What a snapshot needs of a sandbox.

use std::fmt;

/// What a [`Snapshot`](crate::Snapshot) needs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Requirements {
    /// Host functions that the sandbox of the snapshot had, whether or not its code imports them, by module and name.
    pub host_functions: Vec<RequiredFunction>,
}

/// A host function that a [`Snapshot`](crate::Snapshot) needs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequiredFunction {
    /// Its module, which guest code imports from `host:MODULE`.
    pub module: String,
    /// Its name in the module.
    pub name: String,
    /// Whether guest code gets a promise from it.
    pub is_async: bool,
}

impl From<&(String, String, bool)> for RequiredFunction {
    fn from((module, name, is_async): &(String, String, bool)) -> Self {
        Self { module: module.clone(), name: name.clone(), is_async: *is_async }
    }
}

impl fmt::Display for RequiredFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "host:{} {}{}", self.module, self.name, if self.is_async { " (asynchronous)" } else { "" })
    }
}
