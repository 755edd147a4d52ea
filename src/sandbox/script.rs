//! Source text.

use std::path::Path;

use guest_abi::source;
use serde::{Deserialize, Serialize};

use super::error::{Error, Result};

/// The language of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Language {
    /// JavaScript as it is.
    #[default]
    JavaScript,
    /// TypeScript, whose types the guest removes without checking them. Lines and columns stay. Decorators,
    /// `import … = require()`, `export =`, `accessor`, and `let` that a namespace exports are refused.
    TypeScript,
    /// JavaScript with JSX: elements become calls of `React.createElement`, or of what comments at the start of the source say.
    Jsx,
    /// TypeScript with JSX.
    Tsx,
}

impl From<Language> for source::Language {
    fn from(language: Language) -> Self {
        match language {
            Language::JavaScript => Self::JavaScript,
            Language::TypeScript => Self::TypeScript,
            Language::Jsx => Self::Jsx,
            Language::Tsx => Self::Tsx,
        }
    }
}

/// The source of a handler or of a module. A handler is an ES module that defines `function handler(event)`, or exports it; or it
/// is CommonJS, whose `module.exports` is the function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    content: String,
    language: Option<Language>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    specifier: Option<String>,
}

impl Script {
    /// A script with this source.
    pub fn from_content(content: impl Into<String>) -> Self {
        Self { content: content.into(), language: None, specifier: None }
    }

    /// Says in which language it is. Otherwise the name under which it is added does: what ends in `.ts` or `.mts` is
    /// TypeScript, in `.jsx` JavaScript with JSX, in `.tsx` TypeScript with JSX.
    #[must_use]
    pub fn with_language(self, language: Language) -> Self {
        Self { language: Some(language), ..self }
    }

    /// Says by which specifier a module goes that a [module loader](crate::ProtoJSSandbox::set_module_loader) has found by another:
    /// `lib:dir` may be `lib:dir/index.js`. What it imports by `./` and `../` is relative to this, and whoever imports it by either
    /// imports the same module.
    #[must_use]
    pub fn with_specifier(self, specifier: impl Into<String>) -> Self {
        Self { specifier: Some(specifier.into()), ..self }
    }

    pub(super) fn specifier(&self) -> Option<&str> {
        self.specifier.as_deref()
    }

    /// What it is written in, under this name.
    pub(super) fn language_as(&self, name: &str) -> source::Language {
        self.language.map_or_else(|| source::Language::of_name(name), Into::into)
    }

    /// A script whose source is the content of a file, in the language that the ending of the file's name says.
    ///
    /// # Errors
    /// [`Error::Script`] if the file cannot be read or is not UTF-8.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let content =
            std::fs::read_to_string(path).map_err(|source| Error::Script { path: path.to_path_buf(), source })?;
        let language = match source::Language::of_name(&path.to_string_lossy()) {
            source::Language::JavaScript => None,
            source::Language::TypeScript => Some(Language::TypeScript),
            source::Language::Jsx => Some(Language::Jsx),
            source::Language::Tsx => Some(Language::Tsx),
        };
        Ok(Self { content, language, specifier: None })
    }

    pub(super) fn into_content(self) -> String {
        self.content
    }

    /// The source.
    pub fn content(&self) -> &str {
        &self.content
    }
}

impl From<&str> for Script {
    fn from(content: &str) -> Self {
        Self::from_content(content)
    }
}

impl From<String> for Script {
    fn from(content: String) -> Self {
        Self::from_content(content)
    }
}

/// The content of a file, as [`Script::from_file`] reads it.
impl TryFrom<&Path> for Script {
    type Error = Error;

    fn try_from(path: &Path) -> Result<Self> {
        Self::from_file(path)
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
    fn text_is_a_script() {
        assert_eq!(Script::from("1;"), Script::from_content("1;"));
        assert_eq!(Script::from("1;".to_string()).content(), "1;");
    }

    #[test]
    fn a_path_is_a_script_if_the_file_can_be_read() {
        let script = Script::try_from(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sandbox/script.rs")));
        assert!(script.expect("this file").content().contains("a_path_is_a_script"));
        let missing = Script::try_from(Path::new("no/such/file.js"));
        assert!(matches!(missing, Err(Error::Script { path, .. }) if path == Path::new("no/such/file.js")));
    }

    #[test]
    fn a_file_gives_its_content() {
        let script = Script::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sandbox/script.rs"));
        assert!(script.expect("this file").content().contains("a_file_gives_its_content"));
    }
}
