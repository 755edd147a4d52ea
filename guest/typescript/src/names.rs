//! Which names of a module stand for values.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;

use oxc_ast::ast::{
    BindingIdentifier, IdentifierReference, ImportDeclaration, TSClassImplements, TSInterfaceDeclaration,
    TSThisParameter, TSType, TSTypeAliasDeclaration, TSTypeAnnotation, TSTypeParameterDeclaration,
    TSTypeParameterInstantiation,
};
use oxc_ast_visit::Visit;

/// A hash without a seed: there is no source of one, and sets of names that collide slow down nobody but who made them.
type Names<'a> = HashSet<&'a str, BuildHasherDefault<std::hash::DefaultHasher>>;

/// The names of a module.
#[derive(Default)]
pub struct Values<'a> {
    used: Names<'a>,
    declared: Names<'a>,
    types: Names<'a>,
}

impl<'a> Values<'a> {
    /// Whether something is done with the value of this name.
    pub fn are_used_as(&self, name: &str) -> bool {
        self.used.contains(name)
    }

    /// Whether the name is that of a type of this module, and of nothing else in it.
    pub fn is_type(&self, name: &str) -> bool {
        self.types.contains(name) && !self.declared.contains(name)
    }
}

impl<'a> Visit<'a> for Values<'a> {
    fn visit_identifier_reference(&mut self, name: &IdentifierReference<'a>) {
        self.used.insert(name.name.as_str());
    }

    fn visit_binding_identifier(&mut self, name: &BindingIdentifier<'a>) {
        self.declared.insert(name.name.as_str());
    }

    fn visit_ts_interface_declaration(&mut self, declaration: &TSInterfaceDeclaration<'a>) {
        self.types.insert(declaration.id.name.as_str());
    }

    fn visit_ts_type_alias_declaration(&mut self, declaration: &TSTypeAliasDeclaration<'a>) {
        self.types.insert(declaration.id.name.as_str());
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
