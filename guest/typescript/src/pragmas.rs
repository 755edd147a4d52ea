//! What the comments at the start of a source say of its JSX.

use crate::edit::is_line_end;

/// How elements are made.
#[derive(Clone, Copy)]
pub struct Pragmas<'a> {
    /// The function, where it is called by its name: `@jsx`.
    pub factory: &'a str,
    /// What a fragment is then: `@jsxFrag`.
    pub fragment: &'a str,
    /// The package whose runtime is imported, if one is: `@jsxRuntime automatic`, `@jsxImportSource`.
    pub import_source: Option<&'a str>,
}

impl<'a> Pragmas<'a> {
    /// Those of a source. Of several that say the same the last counts.
    pub fn of(source: &'a str) -> Self {
        let (mut factory, mut fragment, mut import_source, mut runtime) = (None, None, None, None);
        for line in leading_comments(source).flat_map(str::lines) {
            let Some((_, pragma)) = line.split_once('@') else { continue };
            let mut words = pragma.split_whitespace();
            let (Some(name), Some(value)) = (words.next(), words.next()) else { continue };
            match name {
                "jsx" if is_path(value) => factory = Some(value),
                "jsxFrag" if is_path(value) => fragment = Some(value),
                "jsxImportSource" => import_source = Some(value),
                "jsxRuntime" => runtime = Some(value),
                _ => {}
            }
        }
        let is_automatic = runtime == Some("automatic") || (runtime != Some("classic") && import_source.is_some());
        Self {
            factory: factory.unwrap_or("React.createElement"),
            fragment: fragment.unwrap_or("React.Fragment"),
            import_source: is_automatic.then(|| import_source.unwrap_or("react")),
        }
    }

    /// The variables that the source uses by having elements, or fragments.
    pub fn variables(&self, has_fragments: bool) -> impl Iterator<Item = &'a str> {
        let paths = if self.import_source.is_some() {
            [None, None]
        } else {
            [Some(self.factory), has_fragments.then_some(self.fragment)]
        };
        paths.into_iter().flatten().filter_map(|path| path.split('.').next())
    }
}

/// Whether a text is a name, or several with dots between.
fn is_path(text: &str) -> bool {
    text.split('.').all(|name| {
        let is_part =
            |character: char| character.is_alphabetic() || character.is_ascii_digit() || matches!(character, '_' | '$');
        name.chars().all(is_part) && name.starts_with(|first: char| !first.is_ascii_digit())
    })
}

/// The contents of the comments in `/*` and `*/` before anything else.
fn leading_comments(source: &str) -> impl Iterator<Item = &str> {
    let mut rest = source.trim_start_matches('\u{feff}');
    if rest.starts_with("#!") {
        rest = rest.split_once(is_line_end).map_or("", |(_, rest)| rest);
    }
    std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start();
            if let Some(comment) = rest.strip_prefix("//") {
                rest = comment.split_once(is_line_end).map_or("", |(_, rest)| rest);
            } else {
                let (comment, behind) = rest.strip_prefix("/*")?.split_once("*/")?;
                rest = behind;
                return Some(comment);
            }
        }
    })
}
