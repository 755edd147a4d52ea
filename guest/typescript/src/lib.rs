//! TypeScript to JavaScript.
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
//!
//! An import that is only used as a type is left out, as the compiler of TypeScript does it.
//!
//! The parser is oxc's. All else works on the source's text: [`edit`] collects what is to change.

mod classes;
mod edit;
mod enums;
mod erase;
mod names;
mod namespaces;

use oxc_allocator::Allocator;
use oxc_diagnostics::{OxcDiagnostic, Severity};
use oxc_parser::{ParseOptions, Parser};
use oxc_span::SourceType;

/// What is wrong with a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub message: String,
    /// Its line, from 1.
    pub line: u32,
    /// Its column in characters, from 1.
    pub column: u32,
}

/// The JavaScript of a TypeScript module.
///
/// # Errors
/// What is wrong with the source, or what of TypeScript is not supported: decorators, `import … = require()`, `export =`, and
/// exported variables of a namespace that are not constant.
pub fn to_javascript(source: &str) -> Result<String, Mistake> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, source, SourceType::ts()).parse();
    match first_mistake(source, &parsed.diagnostics) {
        Some(mistake) => Err(mistake),
        None => erase::erase(source, &parsed.program).map_err(|(at, message)| mistake_at(source, at as usize, message)),
    }
}

/// The same of a program: a module, the body of a function, or an expression.
///
/// # Errors
/// As of a module.
pub fn program_to_javascript(source: &str) -> Result<String, Mistake> {
    let allocator = Allocator::default();
    let options = ParseOptions { allow_return_outside_function: true, ..ParseOptions::default() };
    let parser = || Parser::new(&allocator, source, SourceType::ts()).with_options(options);
    let parsed = parser().parse();
    let Some(mistake) = first_mistake(source, &parsed.diagnostics) else {
        return erase::erase(source, &parsed.program).map_err(|(at, message)| mistake_at(source, at as usize, message));
    };
    // An object in braces would be a block.
    match parser().parse_expression() {
        Ok(expression) => erase::erase_expression(source, &expression)
            .map_err(|(at, message)| mistake_at(source, at as usize, message)),
        Err(_) => Err(mistake),
    }
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
