//! Classes: modifiers, members without a body, parameter properties.

use oxc_ast::ast::*;
use oxc_ast_visit::{Visit, walk};
use oxc_span::{GetSpan, Span};

use crate::erase::Eraser;

const MODIFIERS: [&str; 7] = ["abstract", "declare", "override", "private", "protected", "public", "readonly"];

impl<'a> Eraser<'a> {
    pub fn erase_of_class(&mut self, class: &Class<'a>) {
        if class.r#abstract {
            let before = Span::new(class.span.start, class.body.span.start);
            if let Some(word) = self.words(before).into_iter().find(|word| self.text(*word) == "abstract") {
                self.edits.blank(word);
            }
        }
        if let (Some(first), Some(last)) = (class.implements.first(), class.implements.last()) {
            let before = &self.source[class.span.start as usize..first.span.start as usize];
            let word = before.rfind("implements").map_or(first.span.start, |at| class.span.start + at as u32);
            self.edits.blank(Span::new(word, last.span.end));
        }
        for decorator in &class.decorators {
            self.visit_decorator(decorator);
        }
        if let Some(types) = &class.type_parameters {
            self.visit_ts_type_parameter_declaration(types);
        }
        if let Some(heritage) = &class.heritage {
            self.visit_class_heritage(heritage);
        }
        self.declare_parameter_properties(class);
        for element in &class.body.body {
            self.erase_of_member(element, class.heritage.is_some());
        }
    }

    fn erase_of_member(&mut self, element: &ClassElement<'a>, is_derived: bool) {
        match element {
            ClassElement::TSIndexSignature(signature) => self.edits.blank_statement(signature.span),
            ClassElement::StaticBlock(block) => walk::walk_static_block(self, block),
            ClassElement::MethodDefinition(method) => {
                let is_abstract = method.r#type == MethodDefinitionType::TSAbstractMethodDefinition;
                if is_abstract || method.value.body.is_none() {
                    return self.edits.blank_statement(method.span);
                }
                self.blank_modifiers(method.span, &method.decorators, &method.key);
                if method.optional {
                    self.blank_mark(self.end_of_key(&method.key, method.computed), method.value.span.end, b'?');
                }
                if method.kind == MethodDefinitionKind::Constructor {
                    self.assign_parameters(&method.value, is_derived);
                }
                walk::walk_method_definition(self, method);
            }
            ClassElement::PropertyDefinition(property) => {
                let is_abstract = property.r#type == PropertyDefinitionType::TSAbstractPropertyDefinition;
                if is_abstract || property.declare {
                    return self.edits.blank_statement(property.span);
                }
                self.note_end(property.span);
                self.blank_modifiers(property.span, &property.decorators, &property.key);
                let end = self.end_of_key(&property.key, property.computed);
                if property.optional || property.definite {
                    let mark = if property.optional { b'?' } else { b'!' };
                    let to = property.type_annotation.as_ref().map_or(property.span.end, |types| types.span.start);
                    self.blank_mark(end, to, mark);
                }
                walk::walk_property_definition(self, property);
            }
            ClassElement::AccessorProperty(property) => {
                self.refuse(property.span, "accessor properties are not supported");
            }
        }
    }

    fn end_of_key(&self, key: &PropertyKey<'a>, is_computed: bool) -> u32 {
        let end = key.span().end;
        if !is_computed {
            return end;
        }
        self.find(Span::new(end, self.source.len() as u32), b"]").map_or(end, |at| at + 1)
    }

    fn blank_modifiers(&mut self, member: Span, decorators: &[Decorator<'a>], key: &PropertyKey<'a>) {
        let start = decorators.last().map_or(member.start, |decorator| decorator.span.end);
        for word in self.words(Span::new(start, key.span().start)) {
            if !MODIFIERS.contains(&self.text(word)) {
                continue;
            }
            // What is left may begin with a bracket or an asterisk, and the member before may end without a semicolon.
            if word.start == member.start {
                self.edits.blank_statement(word);
            } else {
                self.edits.blank(word);
            }
        }
    }

    /// Declares the properties that a constructor's parameters make: they come before all others.
    fn declare_parameter_properties(&mut self, class: &Class<'a>) {
        let constructor = class.body.body.iter().find_map(|element| match element {
            ClassElement::MethodDefinition(method) if method.kind == MethodDefinitionKind::Constructor => {
                method.value.body.as_ref().map(|_| &method.value)
            }
            _ => None,
        });
        let parameters = constructor.into_iter().flat_map(|constructor| &constructor.params.items);
        let names: String = parameters.filter_map(property_of).map(|name| format!(" {name};")).collect();
        if !names.is_empty() {
            self.edits.insert(class.body.span.start + 1, names);
        }
    }

    /// Assigns to properties what a constructor's parameters make ones of: first of all, or as soon as there is `this`.
    fn assign_parameters(&mut self, constructor: &Function<'a>, is_derived: bool) {
        let mut assignments = String::new();
        for parameter in &constructor.params.items {
            if let Some(name) = property_of(parameter) {
                assignments.push_str(&format!(" this.{name} = {name};"));
            }
        }
        let Some(body) = constructor.body.as_ref().filter(|_| !assignments.is_empty()) else { return };
        if !is_derived {
            let start = body.directives.last().map_or(body.span.start + 1, |directive| directive.span.end);
            return self.edits.insert(start, assignments);
        }
        let call = body.statements.iter().find(|statement| match statement {
            Statement::ExpressionStatement(statement) => match &statement.expression {
                Expression::CallExpression(call) => matches!(call.callee, Expression::Super(_)),
                _ => false,
            },
            _ => false,
        });
        match call {
            Some(call) => self.edits.insert(call.span().end, format!(";{assignments}")),
            None => self.refuse(constructor.span, "parameter properties need a call of super() as a statement"),
        }
    }
}

/// The name of the property that a parameter makes.
fn property_of<'a>(parameter: &FormalParameter<'a>) -> Option<&'a str> {
    let makes_one = parameter.accessibility.is_some() || parameter.readonly || parameter.r#override;
    match &parameter.pattern {
        // The parser refuses patterns.
        BindingPattern::BindingIdentifier(name) if makes_one => Some(name.name.as_str()),
        _ => None,
    }
}
