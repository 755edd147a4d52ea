//! Saved snapshots as those can change them who can write to their folders: contents are edited, and all digests made right
//! again.

use std::fs;
use std::io::{Error, Result};
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Where a snapshot's memory begins in the guest's physical address space.
const MEMORY_START: u64 = 0x4000;
const PAGE: usize = guest_abi::memory::PAGE_SIZE as usize;
/// The bits of a page table's entry that are an address.
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// What a folder holds.
#[derive(Clone, Debug)]
pub struct Folder {
    /// `index.json`.
    pub index: Value,
    /// The manifest that it names.
    pub manifest: Value,
    /// Settings, registers, and what this library keeps with a snapshot.
    pub config: Value,
    /// The guest's memory, then its page tables.
    pub memory: Vec<u8>,
    /// The rings.
    pub transport: Vec<u8>,
}

impl Folder {
    /// Reads a folder.
    pub fn read(folder: &Path) -> Result<Self> {
        let index: Value = serde_json::from_slice(&fs::read(folder.join("index.json"))?)?;
        let blob = |descriptor: &Value| {
            let digest = descriptor["digest"].as_str().and_then(|digest| digest.strip_prefix("sha256:"));
            fs::read(folder.join("blobs/sha256").join(digest.unwrap_or_default()))
        };
        let manifest: Value = serde_json::from_slice(&blob(&index["manifests"][0])?)?;
        Ok(Self {
            config: serde_json::from_slice(&blob(&manifest["config"])?)?,
            memory: blob(&manifest["layers"][0])?,
            transport: blob(&manifest["layers"][1])?,
            index,
            manifest,
        })
    }

    /// Writes a folder, which must not be there yet.
    pub fn write(mut self, folder: &Path) -> Result<()> {
        let blobs = folder.join("blobs/sha256");
        fs::create_dir_all(&blobs)?;
        let put = |bytes: &[u8], descriptor: &mut Value| {
            let digest = hexadecimal(&Sha256::digest(bytes));
            if let Value::Object(descriptor) = descriptor {
                descriptor.insert("digest".to_string(), json!(format!("sha256:{digest}")));
                descriptor.insert("size".to_string(), json!(bytes.len()));
            }
            fs::write(blobs.join(digest), bytes)
        };
        let descriptor = |value: &mut Value, path: &str| value.pointer_mut(path).map(Value::take).unwrap_or_default();
        for (path, bytes) in [
            ("/config", &serde_json::to_vec(&self.config)?),
            ("/layers/0", &self.memory),
            ("/layers/1", &self.transport),
        ] {
            let mut described = descriptor(&mut self.manifest, path);
            put(bytes, &mut described)?;
            if let Some(place) = self.manifest.pointer_mut(path) {
                *place = described;
            }
        }
        let mut described = descriptor(&mut self.index, "/manifests/0");
        put(&serde_json::to_vec(&self.manifest)?, &mut described)?;
        if let Some(place) = self.index.pointer_mut("/manifests/0") {
            *place = described;
        }
        fs::write(folder.join("index.json"), serde_json::to_vec(&self.index)?)?;
        fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)
    }

    /// A number of the settings that hyperlight-host keeps.
    pub fn setting(&self, path: &str) -> Result<u64> {
        let number = self.config.pointer(path).and_then(Value::as_u64);
        number.ok_or_else(|| Error::other(format!("the snapshot has no {path}")))
    }

    /// The pages from `address` on that are mapped, up to `end`, as their addresses, their places in
    /// [`memory`](Self::memory) and whether they can be executed.
    pub fn pages(&self, address: u64, end: u64) -> Result<Vec<MappedPage>> {
        let tables = &self.memory[self.setting("/layout/snapshot_size")? as usize..];
        let entry = |at: usize| {
            let bytes = tables.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
            bytes.map(u64::from_le_bytes).ok_or_else(|| Error::other("a page table lies outside the snapshot"))
        };
        // The first table follows the root.
        let root = (entry(0)? & ADDRESS) - PAGE as u64;
        let mut pages = Vec::new();
        for address in (address..end).step_by(PAGE) {
            let (mut table, mut executable, mut present) = (root, true, true);
            for shift in [39, 30, 21, 12] {
                let index = (address >> shift) & 511;
                let entry = entry((table - root + index * 8) as usize)?;
                if entry & 1 == 0 {
                    present = false;
                    break;
                }
                executable &= entry >> 63 == 0;
                table = entry & ADDRESS;
            }
            if present {
                pages.push(MappedPage { address, offset: (table - MEMORY_START) as usize, executable });
            }
        }
        Ok(pages)
    }
}

/// A page of a snapshot.
#[derive(Clone, Copy, Debug)]
pub struct MappedPage {
    /// Its virtual address.
    pub address: u64,
    /// Its place in the snapshot's memory.
    pub offset: usize,
    /// Whether it is code.
    pub executable: bool,
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
