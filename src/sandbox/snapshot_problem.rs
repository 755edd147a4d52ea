//! Why a snapshot cannot be saved to a folder or loaded from one.

use std::io;
use std::path::PathBuf;

use hyperlight_host::HyperlightError;

use super::invalid_argument::InvalidArgument;

/// Why a snapshot cannot be saved to a folder or loaded from one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotProblem {
    /// It cannot be written.
    #[error("it cannot be saved: {0}")]
    Save(Box<HyperlightError>),
    /// What it is to be loaded by is neither a tag nor a digest.
    #[error("{reference:?} is neither a tag nor a digest: {problem}")]
    Reference {
        /// The reference.
        reference: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The folder has none of this tag or digest.
    #[error("the folder has no snapshot {0}")]
    Missing(String),
    /// The folder has several of this tag.
    #[error("the folder has more than one snapshot {0}")]
    Ambiguous(String),
    /// A file is no JSON of the right form.
    #[error("its {what} is malformed: {source}")]
    Malformed {
        /// Which one: `index`, `manifest` or `configuration`.
        what: &'static str,
        /// Where and why.
        source: serde_json::Error,
    },
    /// It has not the two layers of a snapshot.
    #[error("it has {0} layers instead of two")]
    Layers(usize),
    /// Its memory is larger than that of a guest with its settings can be, or not as large as it says.
    #[error("its memory has {size} bytes, but at most {limit} fit its settings")]
    MemorySize {
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// Something else than this library has written it.
    #[error("it was not saved by this library")]
    Foreign,
    /// A version of this library with another guest has written it.
    #[error("it was saved by another version of this library")]
    OtherVersion,
    /// Its settings, host functions or handlers are such as no sandbox can have.
    #[error(transparent)]
    Settings(InvalidArgument),
    /// A file that describes it is too large.
    #[error("its file {name} has more than {limit} bytes")]
    LargeFile {
        /// The file's name or digest.
        name: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// A file has another size than the folder says.
    #[error("its file {digest} has {actual} bytes instead of {expected}")]
    FileSize {
        /// The file's digest.
        digest: String,
        /// Its size in bytes.
        actual: u64,
        /// What it should be.
        expected: u64,
    },
    /// A file became shorter while it was read.
    #[error("its file {0} was cut short meanwhile")]
    CutShort(String),
    /// A file has other content than the folder says.
    #[error("its file {digest} has other content: it hashes to {actual}")]
    Content {
        /// What it should hash to.
        digest: String,
        /// What it hashes to.
        actual: String,
    },
    /// What should name a file by its hash does not.
    #[error("{0:?} is no digest")]
    Digest(String),
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is something else where a file should be, such as a link or a pipe.
    #[error("{} is no file", .0.display())]
    NoFile(PathBuf),
    /// There is no folder that the copy could be made in.
    #[error("there is no folder for a copy of it: {0}")]
    NoCopyFolder(io::Error),
    /// It cannot be copied.
    #[error("it cannot be copied to {}: {source}", folder.display())]
    Copy {
        /// Where the copy is made.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// `hyperlight-host` refuses it.
    #[error("{0}")]
    Refused(Box<HyperlightError>),
    /// No virtual machine can start from it.
    #[error("{0}")]
    DoesNotStart(String),
}
