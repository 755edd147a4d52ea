//! Options of a source: `types.d.ts` has their types.

use napi::{Env, Unknown};

use super::options::Options;
use crate::node::error::Result;
use crate::{Language, Script};

pub const LANGUAGE: &str = "language";

/// What `SourceOptions` says.
pub struct SourceOptions(Option<Language>);

impl SourceOptions {
    pub fn from_js(env: &Env, value: Unknown<'_>) -> Result<Self> {
        let options = Options::from_js(env, value, &[LANGUAGE])?;
        options.map_or(Ok(Self(None)), |options| Ok(Self(language(&options)?)))
    }

    /// A script in the language that is said, if any.
    pub fn script(&self, source: String) -> Script {
        let script = Script::from_content(source);
        match self.0 {
            Some(language) => script.with_language(language),
            None => script,
        }
    }
}

/// The language among options.
pub fn language(options: &Options) -> Result<Option<Language>> {
    let languages = [
        ("javascript", Language::JavaScript),
        ("typescript", Language::TypeScript),
        ("jsx", Language::Jsx),
        ("tsx", Language::Tsx),
    ];
    options.one_of(LANGUAGE, &languages)
}
