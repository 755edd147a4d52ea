//! Namespaces.
//!
//! `namespace N { export const a = 1; }` becomes `var N; (function (N) { const a = 1; N.a = a; })(N || (N = {}));`, each statement
//! in its line.

use oxc_ast::ast::*;
use oxc_ast_visit::{Visit, walk};
use oxc_span::{GetSpan, Span};

use crate::erase::{self, Eraser};

/// Whether nothing of a namespace exists at run time.
pub fn is_type_only(body: &TSNamespaceDeclarationBody<'_>) -> bool {
    match body {
        TSNamespaceDeclarationBody::TSNamespaceDeclaration(inner) => is_type_only(&inner.body),
        TSNamespaceDeclarationBody::TSModuleBlock(block) => block.body.iter().all(erase::is_type_only),
    }
}

impl<'a> Eraser<'a> {
    /// Rewrites a namespace; `is_new` unless its name is declared before, so that it adds to what that stands for.
    pub fn rewrite_namespace(&mut self, declaration: &TSNamespaceDeclaration<'a>, is_new: bool) {
        let name = declaration.id.name.as_str();
        let variable = if is_new { self.declare(name) } else { String::from(";") };
        let mut head = format!("{variable}(function ({name}) {{");
        let mut end = format!("}})({name} || ({name} = {{}}));");
        // `namespace A.B` is one in the other.
        let (mut body, mut outer) = (&declaration.body, name);
        let block = loop {
            match body {
                TSNamespaceDeclarationBody::TSModuleBlock(block) => break block,
                TSNamespaceDeclarationBody::TSNamespaceDeclaration(inner) => {
                    let name = inner.id.name.as_str();
                    head.push_str(&format!(
                        " let {name} = {outer}.{name} || ({outer}.{name} = {{}}); (function ({name}) {{"
                    ));
                    end = format!("}})({name}); {end}");
                    (body, outer) = (&inner.body, name);
                }
            }
        };
        self.edits.write(Span::new(declaration.span.start, block.span.start + 1), head);
        self.edits.write(Span::new(block.span.end - 1, block.span.end), end);

        self.declared.push(Vec::new());
        for statement in &block.body {
            match statement {
                Statement::ExportDeclaration(export) if !erase::is_type_only(statement) => {
                    self.export_from(outer, export)
                }
                statement => self.visit_statement(statement),
            }
        }
        self.declared.pop();
    }

    /// Makes what is exported a property of the namespace.
    fn export_from(&mut self, namespace: &str, export: &ExportDeclaration<'a>) {
        let mut names = Vec::new();
        match &export.declaration {
            Declaration::VariableDeclaration(variables) => {
                if variables.kind != VariableDeclarationKind::Const {
                    return self.refuse(export.span, "a variable that a namespace exports must be const");
                }
                for declarator in &variables.declarations {
                    names.extend(declarator.id.get_binding_identifiers().iter().map(|id| id.name.as_str()));
                }
                self.note_end(export.span);
                walk::walk_variable_declaration(self, variables);
            }
            Declaration::FunctionDeclaration(function) => {
                names.extend(function.id.iter().map(|id| id.name.as_str()));
                self.visit_declaration(&export.declaration);
            }
            Declaration::ClassDeclaration(class) => {
                names.extend(class.id.iter().map(|id| id.name.as_str()));
                self.visit_declaration(&export.declaration);
            }
            Declaration::TSEnumDeclaration(declaration) => {
                names.push(declaration.id.name.as_str());
                let is_new = !self.is_declared(declaration.id.name.as_str());
                self.rewrite_enum(declaration, is_new);
            }
            Declaration::TSNamespaceDeclaration(declaration) => {
                names.push(declaration.id.name.as_str());
                let is_new = !self.is_declared(declaration.id.name.as_str());
                self.rewrite_namespace(declaration, is_new);
            }
            declaration => return self.refuse(declaration.span(), "a namespace cannot export this"),
        }
        self.edits.blank(Span::new(export.span.start, export.span.start + "export".len() as u32));
        let assignments: String = names.iter().map(|name| format!(" {namespace}.{name} = {name};")).collect();
        self.edits.insert(export.span.end, format!(";{assignments}"));
        if let Some(declared) = self.declared.last_mut() {
            declared.extend(names);
        }
    }

    fn is_declared(&self, name: &str) -> bool {
        self.declared.last().is_some_and(|names| names.contains(&name))
    }
}
