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
    kind: Kind<'a>,
    /// How many were said before.
    number: u32,
}

#[derive(Clone, Copy)]
enum Kind<'a> {
    /// The text comes before what stands there.
    Insertion(&'a str),
    /// So does what a part of the source becomes, which is cut out where it stands.
    Move(Span),
    /// The part and its lines are gone, with all that is to change in it; what is inserted at its end is part of it if that is said.
    Cut { with_end: bool },
    /// The text stands at the start of the part then. The rest of that is blank.
    Blank(&'a str),
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

    /// The same, before all that others put there.
    pub fn insert_first(&mut self, at: u32, text: impl AsRef<str>) {
        self.insert(at, text);
        if let Some(change) = self.changes.last_mut() {
            change.number = 0;
        }
    }

    /// Says that a statement ends there without a semicolon. If what ended it becomes blank, the next line must not go on with it.
    pub fn open_end(&mut self, at: u32) {
        room::push(&mut self.open_ends, at);
    }

    /// Takes a part out. What of it is still needed can be moved.
    pub fn cut(&mut self, span: Span, with_end: bool) {
        self.push(span, Kind::Cut { with_end });
    }

    /// Puts what a part of the source becomes before what stands there. The part must lie in what is cut out.
    pub fn move_to(&mut self, at: u32, span: Span) {
        self.push(Span::new(at, at), Kind::Move(span));
    }

    fn change(&mut self, span: Span, text: &str, kind: fn(&'a str) -> Kind<'a>) {
        if room::is_left_for(text.len()) {
            self.push(span, kind(self.arena.alloc_str(text)));
        }
    }

    fn push(&mut self, span: Span, kind: Kind<'a>) {
        let number = self.changes.len() as u32 + 1;
        room::push(&mut self.changes, Change { span, kind, number });
    }

    /// The changed text, if there is room for it.
    pub fn apply(mut self, source: &str) -> Option<String> {
        self.open_ends.sort_unstable();
        // The order of what is at one place is that in which it was said, insertions first.
        self.changes.sort_unstable_by_key(|change| {
            let is_part = matches!(change.kind, Kind::Cut { .. } | Kind::Blank(_));
            (change.span.start, is_part, change.number)
        });
        let mut result = Text(String::new());
        result.0.try_reserve_exact(source.len() + source.len() / 8).ok()?;
        self.render(source, Span::new(0, source.len() as u32), &mut result)?;
        Some(result.0)
    }

    /// What a part becomes, with what is inserted at its end.
    fn render(&self, source: &str, part: Span, result: &mut Text) -> Option<()> {
        if !room::is_left() {
            return None;
        }
        let first = self.changes.partition_point(|change| change.span.start < part.start);
        let mut at = part.start;
        // Where what was cut out last ends, and whether what is inserted there is part of it.
        let (mut cut_end, mut cut_insertions) = (part.start, false);
        // Whether a statement ends where `at` is, once what is inserted there is written.
        let mut is_open = false;
        for Change { span, kind, .. } in &self.changes[first..] {
            if span.start > part.end || (span.start == part.end && !span.is_empty()) {
                break;
            }
            let is_cut = span.start < cut_end || (cut_insertions && span.start == cut_end && span.is_empty());
            // What is cut out where it stands is what is wanted of it elsewhere.
            let is_moved = matches!(kind, Kind::Cut { .. }) && *span == part;
            // What is blank already does not change again.
            if is_cut || is_moved || (span.start < at && !span.is_empty()) {
                continue;
            }
            if is_open && (span.start > at || !span.is_empty()) {
                result.push_str(";")?;
                is_open = false;
            }
            result.push_str(&source[at.min(span.start) as usize..span.start as usize])?;
            match kind {
                Kind::Insertion(text) => result.push_str(text)?,
                Kind::Move(moved) => self.render(source, *moved, result)?,
                Kind::Cut { with_end } => (cut_end, cut_insertions) = (span.end, *with_end),
                Kind::Blank(text) => {
                    let ends_statement = text.is_empty() && self.open_ends.binary_search(&span.end).is_ok();
                    // What is inserted at its end belongs to the statement.
                    is_open = ends_statement && self.is_insertion_at(span.end);
                    result.overwrite(
                        &source[span.start as usize..span.end as usize],
                        if ends_statement && !is_open { ";" } else { text },
                    )?;
                }
            }
            at = at.max(span.end);
        }
        if is_open {
            result.push_str(";")?;
        }
        result.push_str(&source[at as usize..part.end.max(at) as usize])
    }

    fn is_insertion_at(&self, at: u32) -> bool {
        let first = self.changes.partition_point(|change| change.span.start < at);
        self.changes.get(first).is_some_and(|change| change.span == Span::new(at, at))
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

    /// Writes a text and the line ends of what it replaces. It takes the places of as many characters of the line.
    fn overwrite(&mut self, old: &str, text: &str) -> Option<()> {
        self.push_str(text)?;
        let mut covered = text.chars().count();
        for character in old.chars() {
            if is_line_end(character) {
                covered = 0;
                self.push_str(character.encode_utf8(&mut [0; 4]))?;
            } else if covered > 0 {
                covered -= 1;
            } else {
                self.push_str(" ")?;
            }
        }
        Some(())
    }
}

pub fn is_line_end(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}
