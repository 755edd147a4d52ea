//! Fuzz targets: what they are given, what must hold, and what runs them, each in a place of its own.
//!
//! - [`generators`] make inputs out of bytes: values of the ABI, messages of a hostile guest, sources, programs.
//! - [`oracles`] do something with an input and panic if what comes out is not what must. They know no fuzzer.
//! - [`TARGETS`] names what there is. A target takes any bytes whatever, so that every driver can run it:
//!   `src/main.rs` on plain stable Rust, which is what `npm run fuzz` is, and `fuzz_targets` with libFuzzer.
//!
//! `docs/fuzzing.md` says how to run one and how to add one.

pub mod folder;
pub mod generators;
pub mod hostile_guest;
pub mod memory;
pub mod oracles;

/// Something to run with one input after the other.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Name, also of its folder in `corpus`.
    pub name: &'static str,
    /// Takes one input. A panic is a fault found.
    pub run: fn(&[u8]),
    /// Longest input that is of use, in bytes.
    pub longest: usize,
}

/// The decoders of the ABI take any bytes.
pub const DECODERS: Target = Target { name: "decoders", run: oracles::abi::decode, longest: 4096 };
/// The values of the ABI come out as they went in.
pub const MESSAGES: Target =
    Target { name: "messages", run: |bytes| generators::with(bytes, oracles::abi::round_trip), longest: 4096 };

/// A guest whose engine has been taken over does what it likes.
pub const HOSTILE_RUNTIME: Target =
    Target { name: "hostile_runtime", run: |bytes| generators::with(bytes, oracles::guest::runtime), longest: 2048 };
/// A guest whose kernel has been taken over does what it likes.
pub const HOSTILE_KERNEL: Target =
    Target { name: "hostile_kernel", run: |bytes| generators::with(bytes, oracles::guest::kernel), longest: 512 };

/// The guest reads JSON as JavaScript does.
pub const EVENTS: Target =
    Target { name: "events", run: |bytes| generators::with(bytes, oracles::json::event), longest: 1024 };
/// Any source compiles or does not.
pub const SOURCES: Target =
    Target { name: "sources", run: |bytes| generators::with(bytes, oracles::source::sources), longest: 1024 };
/// What is built into the guest is used in any way.
pub const USES: Target =
    Target { name: "uses", run: |bytes| generators::with(bytes, oracles::uses::run), longest: 256 };
/// The guest's own crates read any sources, source maps and keys.
pub const TEXTS: Target =
    Target { name: "texts", run: |bytes| generators::with(bytes, oracles::text::read), longest: 512 };
/// `Temporal` computes with any texts, numbers and fields.
pub const TEMPORAL: Target =
    Target { name: "temporal", run: |bytes| generators::with(bytes, oracles::temporal::compute), longest: 512 };
/// `Intl` works on any tags and texts.
pub const INTL: Target =
    Target { name: "intl", run: |bytes| generators::with(bytes, oracles::intl::work), longest: 256 };
/// A saved snapshot that somebody has changed is refused, or is a guest like any other.
pub const SNAPSHOT_FOLDERS: Target =
    Target { name: "snapshot_folders", run: |bytes| generators::with(bytes, oracles::folder::changed), longest: 256 };

/// All targets.
pub const TARGETS: &[Target] = &[
    DECODERS,
    MESSAGES,
    EVENTS,
    SOURCES,
    USES,
    TEXTS,
    TEMPORAL,
    INTL,
    SNAPSHOT_FOLDERS,
    HOSTILE_RUNTIME,
    HOSTILE_KERNEL,
];

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;
