//! Snapshots in folders, as they are read.
//!
//! hyperlight-host maps the file with the guest's memory as long as anything uses it. Whoever can write to that file could give
//! every guest that starts from it other memory than was verified, or cut it short, which ends the process with SIGBUS. So what
//! is mapped is a copy:
//!
//! - It is made in a folder of this process's own, `0700` in the system's folder for temporary files, and loses its name as soon
//!   as it is mapped. Where a reflink can be had, the copy is one.
//! - What is verified is the copy: each file is hashed after it was copied.
//! - Nothing is hashed, or copied, that is larger than guests with the snapshot's settings can be.
//!
//! All sandboxes of one [`Snapshot`](super::snapshot::Snapshot) share the pages of its copy, as far as they do not write to
//! them.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use hyperlight_host::sandbox::snapshot::{OciDigest, OciReference, Snapshot as State};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::error::{Error, Result};
use super::image;
use super::snapshot_origin::{METADATA, SnapshotOrigin};
use super::snapshot_problem::SnapshotProblem;

/// Largest JSON file, and largest file with the state of the transport, in bytes. hyperlight-host has the same limits.
const SMALL_FILE_SIZE_MAX: u64 = 2 << 20;
/// How much is copied, or hashed, before it is looked whether to stop.
const STEP: u64 = 4 << 20;
/// Media type of a manifest.
const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// Annotation of a manifest with its tag.
const REFERENCE: &str = "org.opencontainers.image.ref.name";

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Value>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    size: u64,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Config {
    memory_size: u64,
    #[serde(default)]
    metadata: BTreeMap<String, Value>,
}

/// Why a snapshot is not loaded.
enum Refusal {
    Problem(SnapshotProblem),
    Stopped,
}

impl From<SnapshotProblem> for Refusal {
    fn from(problem: SnapshotProblem) -> Self {
        Self::Problem(problem)
    }
}

/// Reads the snapshot of this reference, and its digest.
///
/// # Errors
/// [`Error::SnapshotFolder`]; [`Error::Cancelled`] if it was to stop.
pub(super) fn load(
    folder: &Path,
    reference: &OciReference,
    stop: &AtomicBool,
) -> Result<(State, SnapshotOrigin, String)> {
    try_load(folder, reference, stop).map_err(|refusal| match refusal {
        Refusal::Problem(reason) => Error::SnapshotFolder { path: folder.to_path_buf(), reason },
        Refusal::Stopped => Error::Cancelled,
    })
}

fn try_load(
    folder: &Path,
    reference: &OciReference,
    stop: &AtomicBool,
) -> std::result::Result<(State, SnapshotOrigin, String), Refusal> {
    let copy = Copy { from: folder, to: private_folder()?, stop };
    copy.small_file("oci-layout")?;
    let (descriptor, digest, manifest) = copy.manifest(reference)?;
    let config: Config = parsed("configuration", &copy.small_blob(&manifest.config)?)?;
    let origin = origin(config.metadata)?;
    let [memory, transport] = &manifest.layers[..] else {
        return Err(SnapshotProblem::Layers(manifest.layers.len()).into());
    };
    let limit = image::snapshot_size_max(&origin.configuration);
    if memory.size != config.memory_size || memory.size > limit {
        return Err(SnapshotProblem::MemorySize { size: memory.size, limit }.into());
    }
    copy.small_blob(transport)?;
    copy.blob(memory)?;
    let index = json!({ "schemaVersion": 2, "manifests": [descriptor] });
    fs::write(copy.to.path().join("index.json"), index.to_string()).map_err(copy.failed())?;
    let state = State::load(copy.to.path(), reference.clone());
    let state = state.map_err(|error| SnapshotProblem::Refused(Box::new(error)))?;
    Ok((state, origin, digest))
}

fn origin(mut metadata: BTreeMap<String, Value>) -> std::result::Result<SnapshotOrigin, Refusal> {
    let origin = metadata.remove(METADATA).ok_or(SnapshotProblem::Foreign)?;
    let origin: Option<SnapshotOrigin> = serde_json::from_value(origin).ok();
    let origin = origin.filter(|origin| origin.guest == image::EMBEDDED.hash);
    let origin = origin.ok_or(SnapshotProblem::OtherVersion)?;
    origin.check().map_err(SnapshotProblem::Settings)?;
    Ok(origin)
}

/// A new folder that only this user can use.
fn private_folder() -> std::result::Result<TempDir, Refusal> {
    let prefix = "hyperlight-js-snapshot-";
    let made = TempDir::with_prefix(prefix);
    // A container may have nothing that can be written to but this.
    #[cfg(target_os = "linux")]
    let made = made.or_else(|error| TempDir::with_prefix_in(prefix, "/dev/shm").map_err(|_| error));
    Ok(made.map_err(SnapshotProblem::NoCopyFolder)?)
}

/// A snapshot that is being copied.
struct Copy<'a> {
    from: &'a Path,
    to: TempDir,
    stop: &'a AtomicBool,
}

impl Copy<'_> {
    /// Copies the manifest of this reference, and returns it, behind what the index says of it and its digest.
    fn manifest(&self, reference: &OciReference) -> std::result::Result<(Value, String, Manifest), Refusal> {
        let index: Index = parsed("index", &self.read_small("index.json".as_ref())?)?;
        let mut found = Vec::new();
        for manifest in index.manifests {
            let descriptor: Descriptor = Deserialize::deserialize(&manifest)
                .map_err(|source| SnapshotProblem::Malformed { what: "index", source })?;
            let is_it = match reference {
                OciReference::Digest(digest) => descriptor.digest == digest.as_str(),
                OciReference::Tag(tag) => {
                    let name = descriptor.annotations.as_ref().and_then(|all| all.get(REFERENCE));
                    name.is_some_and(|name| name == tag.as_str())
                }
            };
            if is_it {
                found.push((manifest, descriptor));
            }
        }
        let (manifest, descriptor) = match (found.pop(), reference) {
            (None, OciReference::Digest(digest)) => self.unlisted(digest)?,
            (None, OciReference::Tag(_)) => return Err(SnapshotProblem::Missing(reference.to_string()).into()),
            (Some(_), OciReference::Tag(_)) if !found.is_empty() => {
                return Err(SnapshotProblem::Ambiguous(reference.to_string()).into());
            }
            (Some(found), _) => found,
        };
        let parsed = parsed("manifest", &self.small_blob(&descriptor)?)?;
        Ok((manifest, descriptor.digest, parsed))
    }

    /// What an index would say of a manifest that it does not list: another snapshot has got its tag since.
    fn unlisted(&self, digest: &OciDigest) -> std::result::Result<(Value, Descriptor), Refusal> {
        let digest = digest.as_str();
        let missing = || SnapshotProblem::Missing(digest.to_string());
        let file = open(&place(self.from, digest)?).map_err(|_| missing())?;
        let size = file.metadata().map_err(|_| missing())?.len();
        let descriptor = json!({ "mediaType": MANIFEST_TYPE, "digest": digest, "size": size });
        Ok((descriptor, Descriptor { digest: digest.to_string(), size, annotations: None }))
    }

    /// Copies a file that is not hashed.
    fn small_file(&self, name: &str) -> std::result::Result<(), Refusal> {
        let content = self.read_small(name.as_ref())?;
        Ok(fs::write(self.to.path().join(name), content).map_err(self.failed())?)
    }

    /// Copies a small file that is named by its hash, and returns its content.
    fn small_blob(&self, descriptor: &Descriptor) -> std::result::Result<Vec<u8>, Refusal> {
        if descriptor.size > SMALL_FILE_SIZE_MAX {
            return Err(too_large(&descriptor.digest).into());
        }
        let path = self.blob(descriptor)?;
        Ok(fs::read(path).map_err(self.failed())?)
    }

    /// Copies a file that is named by its hash, and returns the path of the copy.
    fn blob(&self, Descriptor { digest, size, .. }: &Descriptor) -> std::result::Result<PathBuf, Refusal> {
        let (from, to) = (place(self.from, digest)?, place(self.to.path(), digest)?);

        let mut source = open(&from)?;
        let actual = source.metadata().map_err(|error| unreadable(&from, error))?.len();
        if actual != *size {
            return Err(SnapshotProblem::FileSize { digest: digest.clone(), actual, expected: *size }.into());
        }
        fs::create_dir_all(to.parent().unwrap_or(&to)).map_err(self.failed())?;
        let mut copy =
            File::options().read(true).write(true).create(true).truncate(true).open(&to).map_err(self.failed())?;
        self.in_steps(*size, |step| {
            let copied = io::copy(&mut (&mut source).take(step), &mut copy).map_err(self.failed())?;
            if copied == step { Ok(()) } else { Err(SnapshotProblem::CutShort(digest.clone())) }
        })?;
        copy.rewind().map_err(self.failed())?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; STEP.min(*size) as usize];
        self.in_steps(*size, |step| {
            let step = &mut buffer[..step as usize];
            copy.read_exact(step).map_err(self.failed())?;
            hash.update(step);
            Ok(())
        })?;
        let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let hash = format!("sha256:{hash}");
        if hash != *digest {
            return Err(SnapshotProblem::Content { digest: digest.clone(), actual: hash }.into());
        }
        Ok(to)
    }

    /// Does something with `size` bytes, so many at a time, unless it is to stop.
    fn in_steps(
        &self,
        size: u64,
        mut work: impl FnMut(u64) -> std::result::Result<(), SnapshotProblem>,
    ) -> std::result::Result<(), Refusal> {
        let mut left = size;
        while left > 0 {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Refusal::Stopped);
            }
            let step = left.min(STEP);
            work(step)?;
            left -= step;
        }
        Ok(())
    }

    fn read_small(&self, name: &Path) -> std::result::Result<Vec<u8>, Refusal> {
        let path = self.from.join(name);
        let mut content = Vec::new();
        let read = open(&path)?.take(SMALL_FILE_SIZE_MAX + 1).read_to_end(&mut content);
        read.map_err(|error| unreadable(&path, error))?;
        if content.len() as u64 > SMALL_FILE_SIZE_MAX {
            return Err(too_large(&name.display().to_string()).into());
        }
        Ok(content)
    }

    /// Says that no copy can be made.
    fn failed(&self) -> impl Fn(io::Error) -> SnapshotProblem {
        let folder = self.to.path().parent().unwrap_or(self.to.path()).to_path_buf();
        move |source| SnapshotProblem::Copy { folder: folder.clone(), source }
    }
}

/// Where a folder has the file of this digest.
fn place(folder: &Path, digest: &str) -> std::result::Result<PathBuf, SnapshotProblem> {
    let name = digest
        .strip_prefix("sha256:")
        .filter(|digits| digits.len() == 64 && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')));
    let name = name.ok_or_else(|| SnapshotProblem::Digest(digest.to_string()))?;
    Ok(folder.join("blobs").join("sha256").join(name))
}

fn too_large(name: &str) -> SnapshotProblem {
    SnapshotProblem::LargeFile { name: name.to_string(), limit: SMALL_FILE_SIZE_MAX }
}

fn unreadable(path: &Path, source: io::Error) -> SnapshotProblem {
    SnapshotProblem::Unreadable { path: path.to_path_buf(), source }
}

/// Opens a file, but nothing else that might have its name: a link leads elsewhere, and a pipe waits for a writer.
fn open(path: &Path) -> std::result::Result<File, SnapshotProblem> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    }
    let failed = |error: io::Error| unreadable(path, error);
    let file = options.open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(SnapshotProblem::NoFile(path.to_path_buf()));
    }
    Ok(file)
}

fn parsed<T: DeserializeOwned>(what: &'static str, json: &[u8]) -> std::result::Result<T, SnapshotProblem> {
    serde_json::from_slice(json).map_err(|source| SnapshotProblem::Malformed { what, source })
}
