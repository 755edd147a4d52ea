//! JSX.
//!
//! `<a b="c">{d}</a>` becomes `React.createElement("a", { b: "c" }, d)`, or `_jsx("a", { b: "c", children: d })` where the
//! automatic runtime is asked for, each part in its line.

use std::collections::BTreeSet;

use oxc_ast::ast::*;
use oxc_ast_visit::Visit;
use oxc_span::{GetSpan, Span};

use crate::erase::Eraser;
use crate::jsx_text;
use crate::pragmas::Pragmas;
use crate::room;

/// How elements are made in a source.
pub struct Jsx<'a> {
    pragmas: Pragmas<'a>,
    /// What the names of the functions that are imported begin with: no name of the source is one of them then.
    prefix: String,
    /// Whether there can be an import: not outside of modules.
    is_module: bool,
    /// What of the runtime is used, of [`IMPORTS`].
    used: [bool; IMPORTS.len()],
}

/// What is imported for the automatic runtime: the name, and what of it comes from the package itself.
const IMPORTS: [(&str, bool); 4] = [("jsx", false), ("jsxs", false), ("Fragment", false), ("createElement", true)];
const JSX: usize = 0;
const JSXS: usize = 1;
const FRAGMENT: usize = 2;
const CREATE_ELEMENT: usize = 3;

impl<'a> Jsx<'a> {
    pub fn new(source: &'a str, pragmas: Pragmas<'a>, is_module: bool) -> Self {
        let is_automatic = pragmas.import_source.is_some();
        let length = if is_automatic { free_length(source) } else { 1 };
        Self { pragmas, prefix: "_".repeat(length), is_module, used: [false; IMPORTS.len()] }
    }

    /// The import of what is used; nothing if that is nothing.
    pub fn prelude(&self) -> String {
        let Some(package) = self.pragmas.import_source.filter(|_| self.is_module) else { return String::new() };
        let mut prelude = String::new();
        for is_of_package in [false, true] {
            let names = IMPORTS
                .iter()
                .zip(self.used)
                .filter(|((_, of_package), is_used)| *is_used && *of_package == is_of_package);
            let names: Vec<String> = names.map(|((name, _), _)| format!("{name} as {}{name}", self.prefix)).collect();
            if !names.is_empty() {
                prelude.push_str(&format!(
                    "import {{ {} }} from {}; ",
                    names.join(", "),
                    module(package, is_of_package)
                ));
            }
        }
        prelude
    }

    /// What stands for a part of the automatic runtime.
    fn name_of(&mut self, part: usize) -> String {
        self.used[part] = true;
        let (name, is_of_package) = IMPORTS[part];
        if self.is_module {
            return format!("{}{name}", self.prefix);
        }
        format!("require({}).{name}", module(self.pragmas.import_source.unwrap_or_default(), is_of_package))
    }
}

/// The least number of underscores that nothing of the source has before one of the names of [`IMPORTS`].
///
/// In one pass, and with as many different numbers as the source has room for: 1,500 if it has a million bytes.
fn free_length(source: &str) -> usize {
    let mut taken = BTreeSet::new();
    for (at, _) in IMPORTS.iter().flat_map(|(name, _)| source.match_indices(name)) {
        taken.insert(at - source[..at].trim_end_matches('_').len());
    }
    (1..).find(|length| !taken.contains(length)).unwrap_or(1)
}

/// The specifier of a package or of its runtime, as a literal.
fn module(package: &str, is_of_package: bool) -> String {
    jsx_text::quote(&if is_of_package { package.to_string() } else { format!("{package}/jsx-runtime") })
}

/// A child that there is something of.
enum Child<'b, 'a> {
    Text(&'b JSXText<'a>, String),
    Expression(Span, &'b Expression<'a>, &'static str),
    Element(&'b JSXElement<'a>),
    Fragment(&'b JSXFragment<'a>),
}

/// What an element or a fragment is made of.
struct Parts<'b, 'a> {
    /// Where it begins, where its first attribute does, where the last one ends, and where the opening tag does.
    start: u32,
    attributes_span: Option<Span>,
    opening_end: u32,
    closing: Option<Span>,
    kind: String,
    attributes: &'b [JSXAttributeItem<'a>],
    children: &'b [JSXChild<'a>],
    is_fragment: bool,
}

impl<'a> Eraser<'a> {
    pub fn rewrite_element(&mut self, element: &JSXElement<'a>) {
        let opening = &element.opening_element;
        let (first, last) = (opening.attributes.first(), opening.attributes.last());
        let attributes_span = first.zip(last).map(|(first, last)| Span::new(first.span().start, last.span().end));
        let kind = self.kind_of(&opening.name);
        self.rewrite_parts(Parts {
            start: element.span.start,
            attributes_span,
            opening_end: opening.span.end,
            closing: element.closing_element.as_ref().map(|closing| closing.span),
            kind,
            attributes: &opening.attributes,
            children: &element.children,
            is_fragment: false,
        });
    }

    pub fn rewrite_fragment(&mut self, fragment: &JSXFragment<'a>) {
        let kind = match self.jsx.pragmas.import_source {
            Some(_) => self.jsx.name_of(FRAGMENT),
            None => self.jsx.pragmas.fragment.to_string(),
        };
        self.rewrite_parts(Parts {
            start: fragment.span.start,
            attributes_span: None,
            opening_end: fragment.opening_fragment.span.end,
            closing: Some(fragment.closing_fragment.span),
            kind,
            attributes: &[],
            children: &fragment.children,
            is_fragment: true,
        });
    }

    fn rewrite_parts(&mut self, parts: Parts<'_, 'a>) {
        if !room::is_left() {
            return;
        }
        let children = self.children_of(parts.children);
        let is_automatic = self.jsx.pragmas.import_source.is_some();
        let by_properties = is_automatic && (parts.is_fragment || !has_key_after_spread(parts.attributes));
        let key = if by_properties { parts.attributes.iter().find_map(key_of) } else { None };
        let is_list = children.len() > 1 || matches!(children.first(), Some(Child::Expression(_, _, "...")));

        // A word may stand right before it.
        let before = self.source.as_bytes()[..parts.start as usize].last();
        let space = if before.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_$".contains(byte) || *byte > 127) {
            " "
        } else {
            ""
        };
        let function = match (is_automatic, by_properties) {
            (true, true) => self.jsx.name_of(if is_list { JSXS } else { JSX }),
            (true, false) => self.jsx.name_of(CREATE_ELEMENT),
            (false, _) => self.jsx.pragmas.factory.to_string(),
        };
        let begin = format!("{space}{function}({}, ", parts.kind);

        let has_properties = parts.attributes.iter().any(|attribute| !is_same(attribute, key));
        let list = if is_list { "[" } else { "" };
        let behind_attributes = match (by_properties, children.is_empty()) {
            (true, false) => format!("{}children: {list}", if has_properties { ", " } else { "" }),
            _ => String::new(),
        };
        match parts.attributes_span {
            Some(span) => {
                self.edits.write(Span::new(parts.start, span.start), format!("{begin}{{ "));
                self.rewrite_attributes(parts.attributes, key);
                let end = if by_properties && !children.is_empty() { "" } else { " }" };
                self.edits.write(Span::new(span.end, parts.opening_end), format!("{behind_attributes}{end}"));
            }
            None => {
                let properties = match (by_properties, children.is_empty()) {
                    (true, true) => String::from("{}"),
                    (true, false) => format!("{{ {behind_attributes}"),
                    (false, _) => String::from("null"),
                };
                self.edits.write(Span::new(parts.start, parts.opening_end), format!("{begin}{properties}"));
            }
        }

        for (i, child) in children.iter().enumerate() {
            self.rewrite_child(child, if by_properties && i == 0 { "" } else { ", " });
        }

        let (end, closing) = match parts.closing {
            Some(closing) => (closing.start, closing),
            // Not at the very end, where something of what stands around may come.
            None => (parts.opening_end - 1, Span::empty(parts.opening_end)),
        };
        if by_properties && !children.is_empty() {
            self.edits.insert(end, if is_list { "] }" } else { " }" });
        }
        if let Some(key) = key {
            self.edits.insert(end, ", ");
            self.move_value(end, key);
        }
        self.edits.insert(end, ")");
        self.edits.blank(closing);
    }

    /// The children that are left when white space is gone, and what is not left becomes blank.
    fn children_of<'b>(&mut self, children: &'b [JSXChild<'a>]) -> Vec<Child<'b, 'a>> {
        let mut result = Vec::new();
        for child in children {
            let child = match child {
                JSXChild::Text(text) => match jsx_text::of_child(self.text(text.span)) {
                    Some(content) => Child::Text(text, content),
                    None => {
                        self.edits.blank(text.span);
                        continue;
                    }
                },
                JSXChild::ExpressionContainer(container) => match container.expression.as_expression() {
                    Some(expression) => Child::Expression(container.span, expression, ""),
                    None => {
                        self.edits.blank(container.span);
                        continue;
                    }
                },
                JSXChild::Spread(spread) => Child::Expression(spread.span, &spread.expression, "..."),
                JSXChild::Element(element) => Child::Element(element),
                JSXChild::Fragment(fragment) => Child::Fragment(fragment),
            };
            if room::is_left() && result.try_reserve(1).is_ok() {
                result.push(child);
            }
        }
        result
    }

    fn rewrite_child(&mut self, child: &Child<'_, 'a>, separator: &str) {
        match child {
            Child::Text(text, content) => {
                self.edits.insert(text.span.start, separator);
                self.edits.write(text.span, content);
            }
            Child::Expression(container, expression, spread) => {
                self.edits.insert(container.start, separator);
                self.rewrite_expression(*container, expression, spread);
            }
            Child::Element(element) => {
                self.edits.insert(element.span.start, separator);
                self.rewrite_element(element);
            }
            Child::Fragment(fragment) => {
                self.edits.insert(fragment.span.start, separator);
                self.rewrite_fragment(fragment);
            }
        }
    }

    /// Leaves of a part in braces the expression, with something before it.
    fn rewrite_expression(&mut self, part: Span, expression: &Expression<'a>, before: &str) {
        let span = expression.span();
        let is_list = matches!(expression, Expression::SequenceExpression(_));
        self.edits.write(Span::new(part.start, span.start), format!("{before}{}", if is_list { "(" } else { "" }));
        self.visit_expression(expression);
        if is_list {
            self.edits.insert(span.end, ")");
        }
        self.edits.blank(Span::new(span.end, part.end));
    }

    fn rewrite_attributes(&mut self, attributes: &[JSXAttributeItem<'a>], key: Option<&JSXAttribute<'a>>) {
        let mut separator = "";
        for attribute in attributes {
            if let Some(key) = key.filter(|key| is_same(attribute, Some(key))) {
                self.take_out(key);
                continue;
            }
            self.edits.insert(attribute.span().start, separator);
            separator = ", ";
            match attribute {
                JSXAttributeItem::SpreadAttribute(spread) => {
                    self.rewrite_expression(spread.span, &spread.argument, "...");
                }
                JSXAttributeItem::Attribute(attribute) => self.rewrite_attribute(attribute),
            }
        }
    }

    fn rewrite_attribute(&mut self, attribute: &JSXAttribute<'a>) {
        let name = match &attribute.name {
            JSXAttributeName::Identifier(name) if is_word(&name.name) => name.name.to_string(),
            JSXAttributeName::Identifier(name) => jsx_text::quote(&name.name),
            JSXAttributeName::NamespacedName(name) => namespaced(name),
        };
        match &attribute.value {
            None => self.edits.write(attribute.span, format!("{name}: true")),
            Some(JSXAttributeValue::StringLiteral(text)) => {
                let value = jsx_text::of_attribute(self.text(text.span));
                self.edits.write(attribute.span, format!("{name}: {value}"));
            }
            Some(JSXAttributeValue::ExpressionContainer(container)) => match container.expression.as_expression() {
                Some(expression) => self.rewrite_expression(attribute.span, expression, &format!("{name}: ")),
                None => self.refuse(container.span, "an attribute needs a value in its braces"),
            },
            Some(JSXAttributeValue::Element(element)) => {
                self.edits.write(Span::new(attribute.span.start, element.span.start), format!("{name}: "));
                self.rewrite_element(element);
            }
            Some(JSXAttributeValue::Fragment(fragment)) => {
                self.edits.write(Span::new(attribute.span.start, fragment.span.start), format!("{name}: "));
                self.rewrite_fragment(fragment);
            }
        }
    }

    /// Removes an attribute whose value is moved to another place.
    fn take_out(&mut self, attribute: &JSXAttribute<'a>) {
        let (value, is_expression) = match &attribute.value {
            None | Some(JSXAttributeValue::StringLiteral(_)) => return self.edits.blank(attribute.span),
            Some(JSXAttributeValue::Element(element)) => (element.span, false),
            Some(JSXAttributeValue::Fragment(fragment)) => (fragment.span, false),
            Some(JSXAttributeValue::ExpressionContainer(container)) => (container.expression.span(), true),
        };
        self.edits.blank(Span::new(attribute.span.start, value.start));
        self.edits.cut(value, is_expression);
        self.edits.blank(Span::new(value.end, attribute.span.end));
    }

    /// Puts the value of an attribute that is taken out to another place.
    fn move_value(&mut self, to: u32, attribute: &JSXAttribute<'a>) {
        match &attribute.value {
            None => self.edits.insert(to, "true"),
            Some(JSXAttributeValue::StringLiteral(text)) => {
                let value = jsx_text::of_attribute(self.text(text.span));
                self.edits.insert(to, value);
            }
            Some(JSXAttributeValue::ExpressionContainer(container)) => match container.expression.as_expression() {
                Some(expression) => {
                    self.edits.move_to(to, expression.span());
                    self.visit_expression(expression);
                }
                None => self.refuse(container.span, "an attribute needs a value in its braces"),
            },
            Some(JSXAttributeValue::Element(element)) => {
                self.edits.move_to(to, element.span);
                self.rewrite_element(element);
            }
            Some(JSXAttributeValue::Fragment(fragment)) => {
                self.edits.move_to(to, fragment.span);
                self.rewrite_fragment(fragment);
            }
        }
    }

    /// The expression for what an element is.
    fn kind_of(&mut self, name: &JSXElementName<'a>) -> String {
        match name {
            JSXElementName::Identifier(name) => jsx_text::quote(&name.name),
            JSXElementName::IdentifierReference(name) => self.reference(&name.name),
            JSXElementName::NamespacedName(name) => namespaced(name),
            JSXElementName::ThisExpression(_) => String::from("this"),
            JSXElementName::MemberExpression(member) => {
                let mut names = vec![member.property.name.as_str()];
                let mut object = &member.object;
                let first = loop {
                    match object {
                        JSXMemberExpressionObject::MemberExpression(member) => {
                            if !room::is_left() || names.try_reserve(1).is_err() {
                                return String::new();
                            }
                            names.push(member.property.name.as_str());
                            object = &member.object;
                        }
                        JSXMemberExpressionObject::IdentifierReference(name) => break self.reference(&name.name),
                        JSXMemberExpressionObject::ThisExpression(_) => break String::from("this"),
                    }
                };
                names.into_iter().rev().fold(first, |kind, name| kind + "." + name)
            }
        }
    }

    /// What a name refers to, which may be a member of an enum that surrounds it.
    fn reference(&self, name: &str) -> String {
        self.owner_of(name).map_or_else(|| name.to_string(), |owner| format!("{owner}.{name}"))
    }
}

fn namespaced(name: &JSXNamespacedName<'_>) -> String {
    jsx_text::quote(&format!("{}:{}", name.namespace.name, name.name.name))
}

fn is_word(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_$".contains(&byte))
}

fn is_same(item: &JSXAttributeItem<'_>, key: Option<&JSXAttribute<'_>>) -> bool {
    key.is_some_and(|key| key.span == item.span())
}

/// The attribute, if it is the key of the element.
fn key_of<'b, 'a>(item: &'b JSXAttributeItem<'a>) -> Option<&'b JSXAttribute<'a>> {
    match item {
        JSXAttributeItem::Attribute(attribute) => match &attribute.name {
            JSXAttributeName::Identifier(name) if name.name == "key" => Some(attribute),
            _ => None,
        },
        JSXAttributeItem::SpreadAttribute(_) => None,
    }
}

/// Whether what is spread could have a key that the element's own one replaces: then only `createElement` tells them apart.
fn has_key_after_spread(attributes: &[JSXAttributeItem<'_>]) -> bool {
    let spread = attributes.iter().position(|item| matches!(item, JSXAttributeItem::SpreadAttribute(_)));
    spread.is_some_and(|spread| attributes[spread..].iter().any(|item| key_of(item).is_some()))
}
