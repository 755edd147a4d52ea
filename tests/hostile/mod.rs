//! Saved snapshots that somebody has changed, such as guests whose kernel is not ours: there the code that serves a call has been
//! replaced.
#![allow(dead_code)] // each test program uses its share

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyperlight_js::{LoadedJSSandbox, Snapshot};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Guest physical address of the first byte of a snapshot's memory.
const BASE_ADDRESS: u64 = 0x4000;
/// A guest physical address where there is no memory.
const NO_MEMORY: u64 = 0x8_0000_0000;

/// What an entry of a page table has beside the address: where that is, and what the entry of a page that the kernel can read and write
/// says of it.
#[cfg(target_arch = "x86_64")]
mod entry {
    pub const ADDRESS_BITS: u64 = 0x000f_ffff_ffff_f000;
    /// Present, writable, accessed, dirty.
    pub const KERNEL_PAGE: u64 = 0x63;
}
#[cfg(target_arch = "aarch64")]
mod entry {
    pub const ADDRESS_BITS: u64 = 0x0000_ffff_ffff_f000;
    /// A page, shareable, accessed, not executable.
    pub const KERNEL_PAGE: u64 = 0b11 | 0b11 << 8 | 1 << 10 | 0b11 << 53;
}
use entry::{ADDRESS_BITS, KERNEL_PAGE};

/// Where a hostile kernel can reach what.
pub struct Places {
    /// Maps to a guest physical address where there is no memory.
    pub no_memory: u64,
}

/// A snapshot of the sandbox in which the kernel's code for a call is replaced by what `code` gives.
pub fn with_kernel(sandbox: &mut LoadedJSSandbox, code: impl FnOnce(&Places) -> Vec<u8>) -> Arc<Snapshot> {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = parent.path().join("snapshot");
    sandbox.snapshot().expect("a snapshot").save(&folder, None).expect("save");
    change(&folder, |config, memory| {
        let entry = config["entrypoint_addr"].as_u64().expect("an address");
        let mut tables = Tables::new(config, memory);
        let (place, table) = tables.walk(entry);
        let places = Places { no_memory: tables.map_no_memory(table, entry) };
        let code = code(&places);
        assert!((entry & 0xfff) as usize + code.len() <= 4096, "it fits the page");
        memory[place..place + code.len()].copy_from_slice(&code);
    });
    Arc::new(Snapshot::load(&folder, None).expect("a snapshot that anyone can make"))
}

/// Changes the configuration and the memory of a saved snapshot, and makes all digests right again.
pub fn change(folder: &Path, change: impl FnOnce(&mut Value, &mut Vec<u8>)) {
    change_manifest(folder, |manifest| {
        let blobs = Blobs(folder);
        let mut config = json(&blobs.get(&manifest["config"]));
        let mut memory = blobs.get(&manifest["layers"][0]);
        change(&mut config, &mut memory);
        blobs.put(&memory, &mut manifest["layers"][0]);
        blobs.put(config.to_string().as_bytes(), &mut manifest["config"]);
    });
}

/// Changes what says of which files a saved snapshot consists, and makes its digest right again.
pub fn change_manifest(folder: &Path, change: impl FnOnce(&mut Value)) {
    let blobs = Blobs(folder);
    let index_path = folder.join("index.json");
    let mut index = json(&fs::read(&index_path).expect("read"));
    let mut manifest = json(&blobs.get(&index["manifests"][0]));
    change(&mut manifest);
    blobs.put(manifest.to_string().as_bytes(), &mut index["manifests"][0]);
    fs::write(&index_path, index.to_string()).expect("write");
}

fn json(text: &[u8]) -> Value {
    serde_json::from_slice(text).expect("JSON")
}

/// The files of a saved snapshot that are named by their hashes.
struct Blobs<'a>(&'a Path);

impl Blobs<'_> {
    fn path(&self, digest: &str) -> PathBuf {
        self.0.join("blobs").join("sha256").join(digest)
    }

    fn get(&self, descriptor: &Value) -> Vec<u8> {
        let digest = descriptor["digest"].as_str().expect("a digest");
        fs::read(self.path(digest.strip_prefix("sha256:").expect("SHA-256"))).expect("read")
    }

    fn put(&self, content: &[u8], descriptor: &mut Value) {
        let digest: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        fs::write(self.path(&digest), content).expect("write");
        descriptor["digest"] = format!("sha256:{digest}").into();
        descriptor["size"] = content.len().into();
    }
}

/// The page tables, which follow the memory that they map.
struct Tables<'a> {
    memory: &'a mut [u8],
    start: usize,
    root: u64,
}

impl<'a> Tables<'a> {
    fn new(config: &Value, memory: &'a mut [u8]) -> Self {
        let start = config["layout"]["snapshot_size"].as_u64().expect("a size") as usize;
        let mut tables = Self { memory, start, root: 0 };
        // The table that the first entry leads to follows the root.
        tables.root = (tables.read(start) & ADDRESS_BITS) - 4096;
        tables
    }

    fn read(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.memory[at..at + 8].try_into().expect("eight bytes"))
    }

    /// Where in the snapshot's memory the byte at an address is, and the table that maps its page.
    fn walk(&self, address: u64) -> (usize, usize) {
        let (mut page, mut table) = (self.root, 0);
        for level in (0..4).rev() {
            table = self.start + (page - self.root) as usize;
            let entry = self.read(table + 8 * (address >> (12 + 9 * level) & 511) as usize);
            assert!(entry & 1 != 0, "it is mapped");
            page = entry & ADDRESS_BITS;
        }
        ((page - BASE_ADDRESS + (address & 0xfff)) as usize, table)
    }

    /// Maps a page without memory beside the one at an address, and gives its address.
    fn map_no_memory(&mut self, table: usize, beside: u64) -> u64 {
        let free = (0..512).find(|i| self.read(table + 8 * i) == 0).expect("a free entry");
        self.memory[table + 8 * free..][..8].copy_from_slice(&(NO_MEMORY | KERNEL_PAGE).to_le_bytes());
        beside & !0x1f_ffff | (free as u64) << 12
    }
}
