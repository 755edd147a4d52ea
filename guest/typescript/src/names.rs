//! Which names of a module stand for values.

use oxc_allocator::{Allocator, ArenaVec};
use oxc_ast::ast::{
    AssignmentTarget, BindingIdentifier, BindingPattern, Expression, IdentifierReference, ImportDeclaration,
    JSXElement, JSXFragment, JSXMemberExpression, Program, Statement, TSClassImplements, TSInterfaceDeclaration,
    TSThisParameter, TSType, TSTypeAliasDeclaration, TSTypeAnnotation, TSTypeName, TSTypeParameterDeclaration,
    TSTypeParameterInstantiation,
};
use oxc_ast_visit::{Visit, walk};

use crate::pragmas::Pragmas;
use crate::room;

/// The names of a module.
pub struct Values<'a> {
    used: Names<'a>,
    declared: Names<'a>,
    types: Names<'a>,
    has_elements: bool,
    has_fragments: bool,
}

impl<'a> Values<'a> {
    pub fn of(arena: &'a Allocator, program: &Program<'a>, pragmas: &Pragmas<'a>) -> Self {
        let mut values = Self::none(arena);
        values.visit_program(program);
        if values.has_elements || values.has_fragments {
            for name in pragmas.variables(values.has_fragments) {
                values.used.add(name);
            }
        }
        for names in [&mut values.used, &mut values.declared, &mut values.types] {
            names.0.sort_unstable();
        }
        values
    }

    pub fn none(arena: &'a Allocator) -> Self {
        let [used, declared, types] = [(); 3].map(|()| Names::new(arena));
        Self { used, declared, types, has_elements: false, has_fragments: false }
    }

    /// Whether something is done with the value of this name.
    pub fn are_used_as(&self, name: &str) -> bool {
        self.used.contains(name)
    }

    /// Whether the name is that of a type of this module, and of nothing else in it.
    pub fn is_type(&self, name: &str) -> bool {
        self.types.contains(name) && !self.declared.contains(name)
    }
}

/// Names, sorted when all are there.
struct Names<'a>(ArenaVec<'a, &'a str>);

impl<'a> Names<'a> {
    fn new(arena: &'a Allocator) -> Self {
        Self(ArenaVec::new_in(&arena))
    }

    fn add(&mut self, name: &'a str) {
        room::push(&mut self.0, name);
    }

    fn contains(&self, name: &str) -> bool {
        self.0.binary_search(&name).is_ok()
    }
}

impl<'a> Visit<'a> for Values<'a> {
    // Lists of operators, members and statements may be as long as they like: the trees of these are deep.
    fn visit_expression(&mut self, expression: &Expression<'a>) {
        if room::is_left() {
            walk::walk_expression(self, expression);
        }
    }

    fn visit_statement(&mut self, statement: &Statement<'a>) {
        if room::is_left() {
            walk::walk_statement(self, statement);
        }
    }

    fn visit_binding_pattern(&mut self, pattern: &BindingPattern<'a>) {
        if room::is_left() {
            walk::walk_binding_pattern(self, pattern);
        }
    }

    fn visit_assignment_target(&mut self, target: &AssignmentTarget<'a>) {
        if room::is_left() {
            walk::walk_assignment_target(self, target);
        }
    }

    fn visit_jsx_element(&mut self, element: &JSXElement<'a>) {
        self.has_elements = true;
        if room::is_left() {
            walk::walk_jsx_element(self, element);
        }
    }

    fn visit_jsx_fragment(&mut self, fragment: &JSXFragment<'a>) {
        self.has_fragments = true;
        if room::is_left() {
            walk::walk_jsx_fragment(self, fragment);
        }
    }

    fn visit_jsx_member_expression(&mut self, name: &JSXMemberExpression<'a>) {
        if room::is_left() {
            walk::walk_jsx_member_expression(self, name);
        }
    }

    fn visit_ts_type_name(&mut self, name: &TSTypeName<'a>) {
        if room::is_left() {
            walk::walk_ts_type_name(self, name);
        }
    }

    fn visit_identifier_reference(&mut self, name: &IdentifierReference<'a>) {
        self.used.add(name.name.as_str());
    }

    fn visit_binding_identifier(&mut self, name: &BindingIdentifier<'a>) {
        self.declared.add(name.name.as_str());
    }

    fn visit_ts_interface_declaration(&mut self, declaration: &TSInterfaceDeclaration<'a>) {
        self.types.add(declaration.id.name.as_str());
    }

    fn visit_ts_type_alias_declaration(&mut self, declaration: &TSTypeAliasDeclaration<'a>) {
        self.types.add(declaration.id.name.as_str());
    }

    fn visit_ts_class_implements(&mut self, _: &TSClassImplements<'a>) {}
    fn visit_ts_this_parameter(&mut self, _: &TSThisParameter<'a>) {}
    fn visit_ts_type(&mut self, _: &TSType<'a>) {}
    fn visit_ts_type_annotation(&mut self, _: &TSTypeAnnotation<'a>) {}
    fn visit_ts_type_parameter_declaration(&mut self, _: &TSTypeParameterDeclaration<'a>) {}
    fn visit_ts_type_parameter_instantiation(&mut self, _: &TSTypeParameterInstantiation<'a>) {}

    /// What is imported may be a type.
    fn visit_import_declaration(&mut self, _: &ImportDeclaration<'a>) {}
}
