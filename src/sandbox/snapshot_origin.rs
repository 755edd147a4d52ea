//! What a snapshot needs of the sandbox that it is restored into.

use guest_abi::message::{HostFunctionName, HostFunctionNames};
use serde::{Deserialize, Serialize};

use super::configuration::Configuration;
use super::error::Result;
use super::invalid_argument::InvalidArgument;
use super::requirements::RequiredFunction;
use super::snapshot_mismatch::SnapshotMismatch;
use super::staged::Staged;
use super::{image, name};

/// Namespace of what this crate keeps with a snapshot on disk.
pub(super) const METADATA: &str = "hyperlight-js";

/// What a sandbox must have in common with the one that a snapshot was taken of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SnapshotOrigin {
    /// Hash of [`image::EMBEDDED`].
    pub guest: String,
    pub configuration: Configuration,
    /// Modules, names, and whether they are asynchronous.
    pub host_functions: Vec<(String, String, bool)>,
    /// Handlers and modules that are not loaded yet; `None` if all are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staged: Option<Staged>,
}

impl SnapshotOrigin {
    pub fn new(configuration: Configuration, host_functions: HostFunctionNames) -> Self {
        let host_functions = host_functions
            .0
            .into_iter()
            .map(|function| (function.module, function.function, function.is_async))
            .collect();
        Self { guest: image::EMBEDDED.hash.to_string(), configuration, host_functions, staged: None }
    }

    /// That of a guest that has just booted.
    pub fn of_booted(configuration: Configuration) -> Self {
        Self::new(configuration, HostFunctionNames(Vec::new()))
    }

    /// That of the guest in a snapshot with this origin, apart from what is not loaded yet.
    pub fn loaded(&self) -> Self {
        let host_functions = if self.staged.is_some() { Vec::new() } else { self.host_functions.clone() };
        Self { guest: self.guest.clone(), configuration: self.configuration.clone(), host_functions, staged: None }
    }

    /// Checks that a sandbox can have these settings and host functions.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check(&self) -> std::result::Result<(), InvalidArgument> {
        for (module, function, _) in &self.host_functions {
            name::check("module", module)?;
            name::check("function", function)?;
        }
        self.staged.as_ref().map_or(Ok(()), Staged::check)?;
        self.configuration.check()
    }

    /// Checks that functions of a call are of the kind that the guest knows them as.
    ///
    /// # Errors
    /// [`InvalidArgument::OtherKind`].
    pub fn check_kinds(&self, functions: &HostFunctionNames) -> std::result::Result<(), InvalidArgument> {
        for HostFunctionName { module, function, is_async } in &functions.0 {
            let is_other =
                |known: &(String, String, bool)| known.0 == *module && known.1 == *function && known.2 != *is_async;
            if self.host_functions.iter().any(is_other) {
                let (module, function) = (module.clone(), function.clone());
                return Err(InvalidArgument::OtherKind { module, function, is_async: *is_async });
            }
        }
        Ok(())
    }

    /// Checks that a snapshot of a sandbox like `other` fits this one. Its host functions may come with each call.
    ///
    /// # Errors
    /// [`Error::SnapshotMismatch`](super::error::Error::SnapshotMismatch).
    pub fn check_fits(&self, other: &Self, functions_come_with_calls: bool) -> Result<()> {
        if other.configuration != self.configuration {
            return Err(SnapshotMismatch::Settings.into());
        }
        if functions_come_with_calls {
            return Ok(());
        }
        let missing = other.host_functions.iter().filter(|function| !self.host_functions.contains(function));
        let missing: Vec<RequiredFunction> = missing.map(RequiredFunction::from).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(SnapshotMismatch::HostFunctions(missing).into())
    }
}
