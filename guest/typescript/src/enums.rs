//! Enums.
//!
//! `enum E { A, B = 'b' }` becomes `var E; (function (E) { E[E["A"] = 0] = "A"; E["B"] = 'b' })(E || (E = {}));`, each member in
//! its line.

use oxc_allocator::ArenaVec;
use oxc_ast::ast::*;
use oxc_ast_visit::Visit;
use oxc_span::{GetSpan, Span};

use crate::erase::Eraser;
use crate::jsx_text::quote;
use crate::room;

/// What is known of the value of the member before.
enum Previous<'a> {
    Number(f64),
    /// Its name: what it is comes out at run time.
    Computed(&'a str),
    Text,
}

impl<'a> Eraser<'a> {
    /// Rewrites an enum; `is_new` unless there was one of its name before, which it adds to.
    pub fn rewrite_enum(&mut self, declaration: &TSEnumDeclaration<'a>, is_new: bool) {
        let name = declaration.id.name.as_str();
        let body = declaration.body.span;
        let variable = if is_new { self.declare(name) } else { String::from(";") };
        self.edits.write(Span::new(declaration.span.start, body.start + 1), format!("{variable}(function ({name}) {{"));

        let mut names = ArenaVec::new_in(&self.arena);
        for member in &declaration.body.members {
            room::push(&mut names, member_name(&member.id));
        }
        self.enum_members.push((name, names));
        let mut previous = Previous::Number(-1.0);
        for (i, member) in declaration.body.members.iter().enumerate() {
            let end = declaration.body.members.get(i + 1).map_or(body.end - 1, |next| next.span.start);
            previous = self.rewrite_member(name, member, previous);
            if let Some(comma) = self.find(Span::new(member.span.end, end), b",") {
                self.edits.write(Span::new(comma, comma + 1), ";");
            }
        }
        self.enum_members.pop();
        self.edits.insert(body.end, format!(")({name} || ({name} = {{}}));"));
    }

    fn rewrite_member(&mut self, owner: &str, member: &TSEnumMember<'a>, previous: Previous<'a>) -> Previous<'a> {
        let name = member_name(&member.id);
        let quoted = quote(name);
        let place = format!("{owner}[{quoted}]");
        let Some(value) = &member.initializer else {
            let value = match &previous {
                Previous::Number(number) => format!("{}", number + 1.0),
                Previous::Computed(before) => format!("{owner}[{}] + 1", quote(before)),
                Previous::Text => {
                    self.refuse(member.span, "a member of an enum needs a value behind one that is a string");
                    return Previous::Text;
                }
            };
            self.edits.write(member.span, format!("{owner}[{place} = {value}] = {quoted}"));
            return match previous {
                Previous::Number(number) => Previous::Number(number + 1.0),
                _ => Previous::Computed(name),
            };
        };
        let before_value = Span::new(member.span.start, value.span().start);
        match value {
            Expression::StringLiteral(_) => {
                self.edits.write(before_value, format!("{place} = "));
                return Previous::Text;
            }
            Expression::NumericLiteral(number) => {
                self.edits.write(before_value, format!("{owner}[{place} = "));
                self.edits.insert(value.span().end, format!("] = {quoted}"));
                return Previous::Number(number.value);
            }
            _ => {}
        }
        self.edits.write(before_value, format!("{place} = ("));
        self.visit_expression(value);
        // Only a number leads back to the name.
        let back = format!("); if (typeof {place} === \"number\") {owner}[{place}] = {quoted}");
        self.edits.insert(value.span().end, back);
        Previous::Computed(name)
    }

    /// The enum that a name is a member of, if it stands in the value of another one.
    pub fn owner_of(&self, name: &str) -> Option<&'a str> {
        let (owner, _) = self.enum_members.iter().rev().find(|(_, members)| members.contains(&name))?;
        Some(owner)
    }

    pub fn qualify_member_of_enum(&mut self, name: &IdentifierReference<'a>) {
        if let Some(owner) = self.owner_of(name.name.as_str()) {
            self.edits.insert(name.span.start, format!("{owner}."));
        }
    }
}

fn member_name<'a>(name: &TSEnumMemberName<'a>) -> &'a str {
    match name {
        TSEnumMemberName::Identifier(name) => name.name.as_str(),
        TSEnumMemberName::String(name) | TSEnumMemberName::ComputedString(name) => name.value.as_str(),
        // The parser takes none with parts that are computed.
        TSEnumMemberName::ComputedTemplateString(name) => {
            name.quasis.first().map_or("", |part| part.value.raw.as_str())
        }
    }
}
