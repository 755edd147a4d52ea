//! Changes to a text that leave its lines, and as far as they can its columns, where they are.

use oxc_allocator::{Allocator, ArenaVec};
use oxc_span::Span;

use crate::room;

/// What is to change.
pub struct Edits<'a> {
    arena: &'a Allocator,
    changes: ArenaVec<'a, Change<'a>>,
    /// Where statements end without a semicolon.
    open_ends: ArenaVec<'a, u32>,
}

#[derive(Clone, Copy)]
struct Change<'a> {
    span: Span,
    /// What stands at its start then. The rest of the span is blank.
    text: &'a str,
    /// Whether what the text is too long for may move what follows in the line. If not, the text replaces as many characters.
    kind: Kind,
    /// How many were said before.
    number: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Insertion,
    Blank,
}

impl<'a> Edits<'a> {
    pub fn new(arena: &'a Allocator) -> Self {
        Self { arena, changes: ArenaVec::new_in(&arena), open_ends: ArenaVec::new_in(&arena) }
    }

    /// Overwrites with spaces.
    pub fn blank(&mut self, span: Span) {
        self.write(span, "");
    }

    /// The same for a whole statement or a member of a class: what stands before it must not go on with what stands behind.
    pub fn blank_statement(&mut self, span: Span) {
        self.write(span, ";");
    }

    /// Writes a text over the start of a span; the rest of that is blank. A text that is longer moves what follows.
    pub fn write(&mut self, span: Span, text: impl AsRef<str>) {
        if !span.is_empty() {
            self.change(span, text.as_ref(), Kind::Blank);
        }
    }

    /// Puts a text before what stands there. Of several at one place the first comes first.
    pub fn insert(&mut self, at: u32, text: impl AsRef<str>) {
        self.change(Span::new(at, at), text.as_ref(), Kind::Insertion);
    }

    /// Says that a statement ends there without a semicolon. If what ended it becomes blank, the next line must not go on with it.
    pub fn open_end(&mut self, at: u32) {
        room::push(&mut self.open_ends, at);
    }

    fn change(&mut self, span: Span, text: &str, kind: Kind) {
        if room::is_left_for(text.len()) {
            let number = self.changes.len() as u32;
            room::push(&mut self.changes, Change { span, text: self.arena.alloc_str(text), kind, number });
        }
    }

    /// The changed text, if there is room for it.
    pub fn apply(mut self, source: &str) -> Option<String> {
        self.open_ends.sort_unstable();
        // The order of what is at one place is that in which it was said, insertions first.
        self.changes.sort_unstable_by_key(|change| (change.span.start, change.kind, change.number));
        let mut result = Text(String::new());
        result.0.try_reserve_exact(source.len() + source.len() / 8).ok()?;
        let mut at = 0;
        for Change { span, text, .. } in &self.changes {
            // What is blank already does not change again.
            if span.start < at && !span.is_empty() {
                continue;
            }
            result.push_str(&source[at.min(span.start) as usize..span.start as usize])?;
            let ends_statement = text.is_empty() && !span.is_empty() && self.open_ends.binary_search(&span.end).is_ok();
            let text = if ends_statement { ";" } else { text };
            result.push_str(text)?;
            // The text takes the places of as many characters, but for line ends: those stay.
            let mut covered = text.chars().count();
            for character in source[span.start as usize..span.end as usize].chars() {
                if is_line_end(character) {
                    result.push_str(character.encode_utf8(&mut [0; 4]))?;
                } else if covered > 0 {
                    covered -= 1;
                } else {
                    result.push_str(" ")?;
                }
            }
            at = at.max(span.end);
        }
        result.push_str(&source[at as usize..])?;
        Some(result.0)
    }
}

/// A text that grows only as far as there is memory.
struct Text(String);

impl Text {
    fn push_str(&mut self, text: &str) -> Option<()> {
        self.0.try_reserve(text.len()).ok()?;
        self.0.push_str(text);
        Some(())
    }
}

pub fn is_line_end(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}
