//! Changes of a saved snapshot.

use std::fs;
use std::path::{Path, PathBuf};

use arbitrary::Arbitrary;
use serde_json::{Map, Value, json};

use crate::folder::Folder;

/// What is changed.
#[derive(Arbitrary, Debug)]
pub struct Changes {
    /// Those that only who makes all digests right again can make.
    contents: Vec<Change>,
    /// Those that leave the digests wrong.
    file: Option<FileChange>,
}

#[derive(Arbitrary, Debug)]
enum Change {
    Config(u16, Replacement),
    Manifest(u16, Replacement),
    Index(u16, Replacement),
    Memory(u32, Vec<u8>),
    /// The page tables: an entry, and the bits of it that change.
    Tables(u16, u64),
    Transport(u16, Vec<u8>),
    CutMemory(u32),
    CutTransport(u16),
}

/// What a value becomes.
#[derive(Arbitrary, Debug)]
enum Replacement {
    Null,
    Nothing,
    Bool(bool),
    Number(u64),
    Negative(i64),
    Fraction(f64),
    /// The number that it was, changed in some bits.
    Flip(u64),
    Text(String),
    Empty,
    Twice,
}

#[derive(Arbitrary, Debug)]
enum FileChange {
    Byte(u8, u32, u8),
    Cut(u8, u32),
    Remove(u8),
    Append(u8, Vec<u8>),
}

impl Changes {
    /// Writes a changed snapshot to a folder that is not there yet.
    pub fn write(&self, original: &Folder, path: &Path) -> std::io::Result<()> {
        let mut folder = original.clone();
        let tables = folder.setting("/layout/snapshot_size")? as usize;
        for change in &self.contents {
            match change {
                Change::Config(at, replacement) => replacement.apply(&mut folder.config, *at),
                Change::Manifest(at, replacement) => replacement.apply(&mut folder.manifest, *at),
                Change::Index(at, replacement) => replacement.apply(&mut folder.index, *at),
                Change::Memory(at, bytes) => overwrite(&mut folder.memory, *at as usize, bytes),
                Change::Tables(entry, bits) => {
                    let entries = folder.memory.get_mut(tables..).unwrap_or_default().as_chunks_mut::<8>().0;
                    if let Some(at) = usize::from(*entry).checked_rem(entries.len()) {
                        entries[at] = (u64::from_le_bytes(entries[at]) ^ bits).to_le_bytes();
                    }
                }
                Change::Transport(at, bytes) => overwrite(&mut folder.transport, (*at).into(), bytes),
                Change::CutMemory(size) => folder.memory.truncate(*size as usize),
                Change::CutTransport(size) => folder.transport.truncate((*size).into()),
            }
        }
        folder.write(path)?;
        self.file.as_ref().map_or(Ok(()), |change| change.apply(path))
    }
}

fn overwrite(bytes: &mut [u8], at: usize, with: &[u8]) {
    if let Some(at) = at.checked_rem(bytes.len()) {
        bytes[at..].iter_mut().zip(with).for_each(|(byte, with)| *byte = *with);
    }
}

impl Replacement {
    /// Replaces the value that comes so many places after the first, in the order in which they are written.
    fn apply(&self, value: &mut Value, at: u16) {
        let count = count(value);
        self.replace(value, &mut (usize::from(at) % count));
    }

    /// Whether the place was found.
    fn replace(&self, value: &mut Value, left: &mut usize) -> bool {
        if *left == 0 {
            self.put(value);
            return true;
        }
        *left -= 1;
        match value {
            Value::Array(items) => items.iter_mut().any(|item| self.replace(item, left)),
            Value::Object(entries) => entries.values_mut().any(|item| self.replace(item, left)),
            _ => false,
        }
    }

    fn put(&self, place: &mut Value) {
        let value = place.take();
        *place = match self {
            Self::Null => Value::Null,
            Self::Nothing => match value {
                Value::Array(_) => json!([]),
                Value::Object(_) => Value::Object(Map::new()),
                Value::String(_) => json!(""),
                _ => json!(0),
            },
            Self::Bool(value) => json!(value),
            Self::Number(number) => json!(number),
            Self::Negative(number) => json!(number),
            Self::Fraction(number) => json!(number),
            Self::Flip(bits) => json!(value.as_u64().unwrap_or_default() ^ bits),
            Self::Text(text) => json!(text),
            Self::Empty => json!([]),
            Self::Twice => match value {
                Value::Array(items) => json!([items.as_slice(), &items].concat()),
                Value::String(text) => json!(text.repeat(2)),
                other => json!([other, other]),
            },
        }
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(entries) => entries.values().map(count).sum(),
        _ => 0,
    }
}

impl FileChange {
    fn apply(&self, folder: &Path) -> std::io::Result<()> {
        let (Self::Byte(file, ..) | Self::Cut(file, _) | Self::Remove(file) | Self::Append(file, _)) = self;
        let mut all = files(folder)?;
        all.sort();
        let path = &all[usize::from(*file) % all.len()];
        let mut bytes = fs::read(path)?;
        match self {
            Self::Byte(_, at, byte) => overwrite(&mut bytes, *at as usize, &[*byte]),
            Self::Cut(_, size) => bytes.truncate(*size as usize),
            Self::Append(_, more) => bytes.extend(more),
            Self::Remove(_) => return fs::remove_file(path),
        }
        fs::write(path, bytes)
    }
}

fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { all.extend(files(&path)?) } else { all.push(path) }
    }
    Ok(all)
}
