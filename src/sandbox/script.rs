//! JavaScript source text.

use std::path::Path;

use super::error::{Error, Result};

/// The source of a handler: an ES module that defines `function handler(event)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    content: String,
}

impl Script {
    /// A script with this source.
    pub fn from_content(content: impl Into<String>) -> Self {
        Self { content: content.into() }
    }

    /// A script whose source is the content of a file.
    ///
    /// # Errors
    /// [`Error::Script`] if the file cannot be read or is not UTF-8.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        std::fs::read_to_string(path)
            .map(Self::from_content)
            .map_err(|source| Error::Script { path: path.to_path_buf(), source })
    }

    pub(super) fn into_content(self) -> String {
        self.content
    }

    /// The source.
    pub fn content(&self) -> &str {
        &self.content
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let error = Script::from_file("no/such/file.js").expect_err("there is no such file");
        assert!(error.to_string().contains("no/such/file.js"), "{error}");
    }

    #[test]
    fn a_file_gives_its_content() {
        let script = Script::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sandbox/script.rs"));
        assert!(script.expect("this file").content().contains("a_file_gives_its_content"));
    }
}
