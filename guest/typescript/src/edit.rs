//! Changes to a text that leave its lines, and as far as they can its columns, where they are.

use oxc_span::Span;

/// What is to change.
#[derive(Default)]
pub struct Edits {
    changes: Vec<Change>,
    /// Where statements end without a semicolon.
    open_ends: Vec<u32>,
}

struct Change {
    span: Span,
    /// What stands at its start then. The rest of the span is blank.
    text: String,
    /// Whether what the text is too long for may move what follows in the line. If not, the text replaces as many characters.
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Insertion,
    Blank,
}

impl Edits {
    /// Overwrites with spaces.
    pub fn blank(&mut self, span: Span) {
        self.write(span, "");
    }

    /// The same for a whole statement or a member of a class: what stands before it must not go on with what stands behind.
    pub fn blank_statement(&mut self, span: Span) {
        self.write(span, ";");
    }

    /// Writes a text over the start of a span; the rest of that is blank. A text that is longer moves what follows.
    pub fn write(&mut self, span: Span, text: impl Into<String>) {
        if !span.is_empty() {
            self.changes.push(Change { span, text: text.into(), kind: Kind::Blank });
        }
    }

    /// Puts a text before what stands there. Of several at one place the first comes first.
    pub fn insert(&mut self, at: u32, text: impl Into<String>) {
        self.changes.push(Change { span: Span::new(at, at), text: text.into(), kind: Kind::Insertion });
    }

    /// Says that a statement ends there without a semicolon. If what ended it becomes blank, the next line must not go on with it.
    pub fn open_end(&mut self, at: u32) {
        self.open_ends.push(at);
    }

    /// The changed text.
    pub fn apply(mut self, source: &str) -> String {
        self.open_ends.sort_unstable();
        // The order of what is at one place is that in which it was said, insertions first.
        self.changes.sort_by_key(|change| (change.span.start, change.kind));
        let mut result = String::with_capacity(source.len() + source.len() / 8);
        let mut at = 0;
        for Change { span, text, .. } in self.changes {
            // What is blank already does not change again.
            if span.start < at && !span.is_empty() {
                continue;
            }
            result.push_str(&source[at.min(span.start) as usize..span.start as usize]);
            let ends_statement = text.is_empty() && !span.is_empty() && self.open_ends.binary_search(&span.end).is_ok();
            let text = if ends_statement { ";" } else { &text };
            result.push_str(text);
            // The text takes the places of as many characters, but for line ends: those stay.
            let mut covered = text.chars().count();
            for character in source[span.start as usize..span.end as usize].chars() {
                if is_line_end(character) {
                    result.push(character);
                } else if covered > 0 {
                    covered -= 1;
                } else {
                    result.push(' ');
                }
            }
            at = at.max(span.end);
        }
        result.push_str(&source[at as usize..]);
        result
    }
}

pub fn is_line_end(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}
