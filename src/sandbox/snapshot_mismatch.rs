//! Why a snapshot does not fit a sandbox.

use super::requirements::RequiredFunction;

/// Why a snapshot does not fit the sandbox that it is to be restored into, or started as.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotMismatch {
    /// The sandbox that it was taken of had other settings.
    #[error("its sandbox was built with other settings")]
    Settings,
    /// The sandbox has not all the host functions that it needs: these are missing.
    #[error("its sandbox has host functions that this one lacks: {}", list(.0))]
    HostFunctions(Vec<RequiredFunction>),
    /// It was taken before its handlers were loaded.
    #[error("its handlers are not loaded; it can only be started from")]
    NotLoaded,
}

fn list(functions: &[RequiredFunction]) -> String {
    functions.iter().map(RequiredFunction::to_string).collect::<Vec<_>>().join(", ")
}
