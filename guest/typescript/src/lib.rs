//! TypeScript and JSX to JavaScript.
//!
//! Types are not checked: they are overwritten with spaces, so that what is left stands in its line and column, and an error
//! needs no source map. What of TypeScript has a meaning at run time is rewritten within its lines:
//!
//! | TypeScript | module |
//! |---|---|
//! | types, modifiers, type-only imports and exports, assertions | [`erase`] |
//! | `enum` | [`enums`] |
//! | `namespace` | [`namespaces`] |
//! | parameter properties | [`classes`] |
//! | JSX | [`jsx`] |
//!
//! An import that is only used as a type is left out, as the compiler of TypeScript does it.
//!
//! The parser is oxc's. All else works on the source's text: [`edit`] collects what is to change. A source for which there is not
//! enough of the stack or of memory is refused: see [`room`].

mod classes;
mod edit;
mod enums;
mod erase;
mod jsx;
mod jsx_text;
mod names;
mod namespaces;
mod pragmas;
mod room;

use oxc_allocator::Allocator;
use oxc_diagnostics::{OxcDiagnostic, Severity};
use oxc_parser::{ParseOptions, Parser};
use oxc_span::SourceType;

use erase::Source;

pub use room::Limits;

/// What a source may be written in beside JavaScript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    TypeScript,
    /// JavaScript with JSX.
    Jsx,
    /// TypeScript with JSX.
    Tsx,
}

impl Language {
    fn source_type(self) -> SourceType {
        match self {
            Self::TypeScript => SourceType::ts(),
            Self::Jsx => SourceType::jsx(),
            Self::Tsx => SourceType::tsx(),
        }
    }

    pub(crate) fn has_types(self) -> bool {
        self != Self::Jsx
    }
}

/// What is wrong with a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub message: String,
    /// Its line, from 1.
    pub line: u32,
    /// Its column in characters, from 1.
    pub column: u32,
}

/// The JavaScript of a module.
///
/// # Errors
/// What is wrong with the source, or what of TypeScript is not supported: decorators, `import … = require()`, `export =`, and
/// exported variables of a namespace that are not constant. Or that there is not enough of the stack or of memory for it.
pub fn to_javascript(source: &str, language: Language, limits: Limits) -> Result<String, Mistake> {
    within(source, limits, |arena| {
        let parsed = parser(arena, source, language, ParseOptions::default()).parse();
        match first_mistake(source, &parsed.diagnostics) {
            Some(mistake) => Err(mistake),
            None => erase::erase(Source { text: source, language, arena }, &parsed.program)
                .map_err(|failure| described(source, failure)),
        }
    })
}

/// The same of a program: a module, the body of a function, or an expression.
///
/// # Errors
/// As of a module.
pub fn program_to_javascript(source: &str, language: Language, limits: Limits) -> Result<String, Mistake> {
    let options = ParseOptions { allow_return_outside_function: true, ..ParseOptions::default() };
    let as_statements = within(source, limits, |arena| {
        let parsed = parser(arena, source, language, options).parse();
        match first_mistake(source, &parsed.diagnostics) {
            // An object in braces would be a block.
            Some(mistake) if room::is_left() => Ok(Err(mistake)),
            Some(mistake) => Err(mistake),
            None => match erase::erase(Source { text: source, language, arena }, &parsed.program) {
                Ok(script) => Ok(Ok(script)),
                Err(failure) => Err(described(source, failure)),
            },
        }
    })?;
    let mistake = match as_statements {
        Ok(script) => return Ok(script),
        Err(mistake) => mistake,
    };
    let as_expression = within(source, limits, |arena| {
        let Ok(expression) = parser(arena, source, language, options).parse_expression() else { return Ok(None) };
        let script = erase::erase_expression(Source { text: source, language, arena }, &expression);
        script.map(Some).map_err(|failure| described(source, failure))
    })?;
    as_expression.ok_or(mistake)
}

fn parser<'a>(
    arena: &'a Allocator,
    source: &'a str,
    language: Language,
    options: ParseOptions,
) -> Parser<'a, room::Bounded> {
    Parser::new(arena, without_annotations(arena, source), language.source_type())
        .with_options(options)
        .with_config(room::Bounded)
}

/// The same text without the comments that call a call pure: nothing here needs them, and the parser descends into the expressions
/// behind them without a token in between, however long they are.
fn without_annotations<'a>(arena: &'a Allocator, source: &'a str) -> &'a str {
    const WORD: &str = "__PURE__";
    if !source.contains(WORD) || !room::is_left_for(source.len()) {
        return source;
    }
    let text = arena.alloc_slice_copy(source.as_bytes());
    for (at, _) in source.match_indices(WORD) {
        let before = source[..at].strip_suffix(['#', '@']).unwrap_or_default().trim_end();
        if before.ends_with("/*") || before.ends_with("//") {
            text[at..at + WORD.len()].copy_from_slice(b"--pure--");
        }
    }
    str::from_utf8(text).unwrap_or(source)
}

/// Compiles within limits.
///
/// # Errors
/// What is wrong; if there was not enough room, that, with the place of what was wrong for lack of it.
fn within<T>(source: &str, limits: Limits, compile: impl Fn(&Allocator) -> Result<T, Mistake>) -> Result<T, Mistake> {
    let result =
        room::with_room(limits, source, compile).map_err(|lack| mistake_at(source, 0, lack.message().to_string()))?;
    let Some(lack) = room::lack() else { return result };
    let place = result.err().unwrap_or_else(|| mistake_at(source, 0, String::new()));
    Err(Mistake { message: lack.message().to_string(), ..place })
}

fn described(source: &str, failure: erase::Failure) -> Mistake {
    let (at, message) = failure.unwrap_or_default();
    mistake_at(source, at as usize, message)
}

fn first_mistake(source: &str, diagnostics: &[OxcDiagnostic]) -> Option<Mistake> {
    let error = diagnostics.iter().find(|diagnostic| diagnostic.severity == Severity::Error)?;
    let at = error.labels.first().map_or(source.len(), |label| label.offset() as usize);
    Some(mistake_at(source, at, error.message.to_string()))
}

fn mistake_at(source: &str, at: usize, message: String) -> Mistake {
    let before = &source.as_bytes()[..at.min(source.len())];
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |line_end| line_end + 1);
    // A byte that goes on with a character has the form 10xxxxxx.
    let characters = |bytes: &[u8]| bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    Mistake { message, line: line as u32, column: characters(&before[start..]) as u32 + 1 }
}
