//! Sources of guest code.

/// What a source is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// JavaScript as it is.
    #[default]
    JavaScript,
    /// TypeScript.
    TypeScript,
    /// JavaScript with JSX.
    Jsx,
    /// TypeScript with JSX.
    Tsx,
}

/// Endings of the names of handlers and modules that are in another language than JavaScript unless something else is said.
const ENDINGS: [(&str, Language); 4] =
    [(".ts", Language::TypeScript), (".mts", Language::TypeScript), (".jsx", Language::Jsx), (".tsx", Language::Tsx)];

impl Language {
    /// All of them; each has its place in the list as its code.
    pub const ALL: [Self; 4] = [Self::JavaScript, Self::TypeScript, Self::Jsx, Self::Tsx];

    /// That of a source of this name, unless something else is said.
    pub fn of_name(name: &str) -> Self {
        ENDINGS.iter().find(|(ending, _)| name.ends_with(ending)).map_or(Self::JavaScript, |(_, language)| *language)
    }

    /// Its code.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The language of a code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}
