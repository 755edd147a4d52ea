//! Which sources are CommonJS, and what names these export.
//!
//! Both are found in the tokens of a source alone, without running it, as Node.js does it: [`tokens`] makes them, and [`exports`]
//! looks for the shapes of exports in them. The answer is a guess where the text of a program does not tell: what follows from a
//! wrong one is that a name cannot be imported, or that a source is compiled as what it is not.
#![no_std]

extern crate alloc;

mod exports;
mod tokens;

use alloc::collections::BTreeSet;
use alloc::string::String;

/// Names that a source exports if it is CommonJS: it uses `exports` or `module.exports`, and has no `import` and no `export`.
/// `default` is not among them: that is what `module.exports` is to those who import it.
pub fn exported_names(source: &str) -> Option<BTreeSet<String>> {
    // Most sources end here.
    if source.contains("exports") { exports::of(source) } else { None }
}
