//! The state of a sandbox at one point in time, in memory and on disk.

use std::fmt;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use hyperlight_host::sandbox::SandboxConfiguration;
use hyperlight_host::sandbox::snapshot::{OciDigest, OciReference, OciTag, Snapshot as State};

use super::configuration::Configuration;
use super::error::{Error, Result};
use super::invalid_argument::InvalidArgument;
use super::requirements::{RequiredFunction, Requirements};
use super::snapshot_mismatch::SnapshotMismatch;
use super::snapshot_origin::{METADATA, SnapshotOrigin};
use super::snapshot_problem::SnapshotProblem;
use super::staged::Staged;
use super::trace::{operation, traced};
use super::{hypervisor, image, machine, reply, snapshot_folder};

/// Under which a folder has a snapshot for which no tag was given.
const DEFAULT_TAG: &str = "latest";
/// Held while a folder is written: its index is read, changed and replaced.
static SAVING: Mutex<()> = Mutex::new(());

/// The state of a sandbox at one point in time: handlers, modules and all their variables.
/// [`LoadedJSSandbox::snapshot`](crate::LoadedJSSandbox::snapshot) takes one, which can be restored as often as needed;
/// [`JSSandbox::snapshot`](crate::JSSandbox::snapshot) takes one whose handlers and modules are not loaded yet.
///
/// A service can prepare a sandbox once, [`save`](Self::save) its snapshot, ship the folder, and start from it:
///
/// ```
/// use std::sync::Arc;
/// use hyperlight_js::{SandboxBuilder, Script, Snapshot};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let parent = tempfile::tempdir()?;
/// # let folder = parent.path().join("greeter");
/// let mut sandbox = SandboxBuilder::new().build()?.load_runtime()?;
/// sandbox.add_handler("greet", Script::from_content("function handler(name) { return `Hello, ${name}!`; }"))?;
/// let digest = sandbox.get_loaded_sandbox()?.snapshot()?.save(&folder, "greeter")?;
///
/// let snapshot = Snapshot::load(&folder, digest.as_str())?;
/// let sandbox = SandboxBuilder::from_snapshot(Arc::new(snapshot)).build()?.load_runtime()?;
/// let mut loaded = sandbox.get_loaded_sandbox()?;
/// assert_eq!(loaded.handle_event("greet", "\"World\"".to_string(), None)?, "\"Hello, World!\"");
/// # Ok(())
/// # }
/// ```
pub struct Snapshot {
    state: Arc<State>,
    origin: SnapshotOrigin,
    digest: Digest,
}

/// The digest of a snapshot, once it is known.
pub(super) type Digest = Arc<OnceLock<String>>;

impl Snapshot {
    pub(super) fn new(state: Arc<State>, origin: SnapshotOrigin) -> Arc<Self> {
        Arc::new(Self { state, origin, digest: Arc::default() })
    }

    pub(super) fn state(&self) -> &Arc<State> {
        &self.state
    }

    pub(super) fn digest(&self) -> &Digest {
        &self.digest
    }

    pub(super) fn origin(&self) -> &SnapshotOrigin {
        &self.origin
    }

    /// What a sandbox must have that starts from the snapshot, or that the snapshot is restored into.
    ///
    /// ```
    /// use hyperlight_js::{SandboxBuilder, Script};
    ///
    /// # fn main() -> hyperlight_js::Result<()> {
    /// let mut proto = SandboxBuilder::new().build()?;
    /// proto.register("math", "add", |a: f64, b: f64| a + b)?;
    /// let mut sandbox = proto.load_runtime()?;
    /// sandbox.add_handler("sum", Script::from("
    ///     import { add } from 'host:math';
    ///     export const handler = ([a, b]) => add(a, b);
    /// "))?;
    /// let snapshot = sandbox.get_loaded_sandbox()?.snapshot()?;
    /// for function in snapshot.requirements().host_functions {
    ///     assert_eq!((function.module.as_str(), function.name.as_str(), function.is_async), ("math", "add", false));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn requirements(&self) -> Requirements {
        Requirements { host_functions: self.origin.host_functions.iter().map(RequiredFunction::from).collect() }
    }

    /// Whether the snapshot's handlers are loaded: whether it was taken of a [`LoadedJSSandbox`](crate::LoadedJSSandbox). Only such
    /// a snapshot can be restored, and be that of a pool.
    pub fn is_loaded(&self) -> bool {
        self.origin.staged.is_none()
    }

    /// Checks that the handlers are loaded.
    ///
    /// # Errors
    /// [`Error::SnapshotMismatch`].
    pub(super) fn check_loaded(&self) -> Result<()> {
        if self.is_loaded() {
            return Ok(());
        }
        Err(SnapshotMismatch::NotLoaded.into())
    }

    /// Handlers and modules that are not loaded yet.
    pub(super) fn staged(&self) -> Option<&Staged> {
        self.origin.staged.as_ref()
    }

    /// Writes the snapshot into a folder, an OCI image layout, and returns its digest, `sha256:` and 64 hexadecimal digits.
    ///
    /// - `folder`: is created if it does not exist; its parent must. It can hold any number of snapshots.
    /// - `tag`: the snapshot's name in the folder, 1 to 128 ASCII letters, digits, `_`, `.` and `-`, the first of them no `.`
    ///   or `-`. `None` stands for `latest`. If another snapshot in the folder has the tag, this one takes the tag over; the
    ///   other can still be loaded by its digest, and its files stay.
    ///
    /// All of the guest's memory is in the folder, secrets included. Handlers and modules that are not loaded yet must take less
    /// than 2 MiB together, as JSON. Threads of one process can save to one folder at the same
    /// time; two processes cannot: the tag of one of them may be lost.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if the tag is malformed, [`Error::SnapshotFolder`] if the folder cannot be written.
    pub fn save<'a>(&self, folder: impl AsRef<Path>, tag: impl Into<Option<&'a str>>) -> Result<String> {
        let folder = folder.as_ref();
        let tag = tag.into().unwrap_or(DEFAULT_TAG);
        let tag = OciTag::new(tag).map_err(|_| InvalidArgument::Tag { tag: tag.to_string() })?;
        let saved = || {
            let state = self.state.with_metadata(METADATA, &self.origin)?;
            let _one_at_a_time = SAVING.lock().unwrap_or_else(PoisonError::into_inner);
            state.save(folder, &tag)
        };
        traced(&operation!(DEBUG, "snapshot.save"), || match saved() {
            Ok(digest) => {
                let digest = digest.as_str().to_string();
                // Should it have been saved before, it keeps the digest that it has.
                let _ = self.digest.set(digest.clone());
                Ok(digest)
            }
            Err(error) => Err(failed(folder, SnapshotProblem::Save(Box::new(error)))),
        })
    }

    /// Reads a snapshot from a folder that [`save`](Self::save) has written.
    ///
    /// - `reference`: the snapshot's tag, or the digest that `save` returned. `None` stands for the tag `latest`.
    ///
    /// Before anything of it is used, these are checked: that the files are complete and hash to what the folder says, that
    /// the snapshot was taken by this version of this library, with the same guest, on the same hypervisor and kind of
    /// processor, that its settings are within their ranges, and that a VM can start from it. **This does not show who made
    /// it**: whoever can write to the folder can put another snapshot there that passes. To be sure, keep the digest elsewhere
    /// and load by it. A hostile snapshot is a hostile guest: it can do to the host what untrusted code can do that has
    /// broken out of its engine, not more.
    ///
    /// What is checked is a copy, in a private file in the folder for temporary files (on Unix that of the environment
    /// variable `TMPDIR`, or `/tmp`), which has no name any more when this returns. Its disk space is given back with the
    /// snapshot and the last sandbox that was made of it. What becomes of the folder does not matter to them.
    ///
    /// # Errors
    /// [`Error::SnapshotFolder`] with the reason if the snapshot cannot be read or copied or does not pass,
    /// [`Error::NoHypervisor`] if no virtual machine can be made here.
    pub fn load<'a>(folder: impl AsRef<Path>, reference: impl Into<Option<&'a str>>) -> Result<Self> {
        Self::load_unless_stopped(folder, reference, &AtomicBool::new(false))
    }

    /// As [`load`](Self::load), but ends with [`Error::Cancelled`] soon after `stop` has become true.
    ///
    /// # Errors
    /// Those of [`load`](Self::load).
    pub fn load_unless_stopped<'a>(
        folder: impl AsRef<Path>,
        reference: impl Into<Option<&'a str>>,
        stop: &AtomicBool,
    ) -> Result<Self> {
        let reference = reference.into().unwrap_or(DEFAULT_TAG);
        traced(&operation!(DEBUG, "snapshot.load"), || Self::checked_load(folder.as_ref(), reference, stop))
    }

    fn checked_load(folder: &Path, name: &str, stop: &AtomicBool) -> Result<Self> {
        let refused = |reason| failed(folder, reason);
        hypervisor::check()?;
        // No tag has a colon in it.
        let reference = match name.contains(':') {
            true => OciDigest::try_from(name).map(OciReference::from),
            false => OciTag::new(name).map(OciReference::from),
        };
        let reference = reference.map_err(|error| {
            refused(SnapshotProblem::Reference { reference: name.to_string(), problem: error.to_string() })
        })?;
        let (state, origin, digest) = snapshot_folder::load(folder, &reference, stop)?;
        let state = Arc::new(state);
        check_starts(&state, &origin.configuration)?.map_err(|why| refused(SnapshotProblem::DoesNotStart(why)))?;
        Ok(Self { state, origin, digest: Arc::new(OnceLock::from(digest)) })
    }
}

/// Whether a VM can start in a state that anyone may have made; if not, why. It does not run.
fn check_starts(state: &Arc<State>, configuration: &Configuration) -> Result<std::result::Result<(), String>> {
    let start = |state| machine::start_as(SandboxConfiguration::default(), state).map(drop);
    let Err(error) = start(state.clone()) else { return Ok(Ok(())) };
    // If one cannot start in a state of our own either, it is not the state that is to blame.
    start(image::booted(configuration)?.state)?;
    Ok(Err(reply::failure(&error)))
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("origin", &self.origin).finish_non_exhaustive()
    }
}

fn failed(folder: &Path, reason: SnapshotProblem) -> Error {
    Error::SnapshotFolder { path: folder.to_path_buf(), reason }
}
