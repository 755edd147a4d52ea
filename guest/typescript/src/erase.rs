//! Overwrites what stands for types only.

use oxc_allocator::{Allocator, ArenaVec};
use oxc_ast::ast::*;
use oxc_ast_visit::{Visit, walk};
use oxc_span::{GetSpan, Span};
use oxc_syntax::scope::ScopeFlags;

use crate::Language;
use crate::edit::{Edits, is_line_end};
use crate::jsx::Jsx;
use crate::names::Values;
use crate::pragmas::Pragmas;
use crate::room;

/// Where something stands that is not supported, and why; or `None` if there is no room for what it takes to erase.
pub type Failure = Option<(u32, String)>;

/// A source.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    pub text: &'a str,
    pub language: Language,
    pub arena: &'a Allocator,
}

/// JavaScript's text of a program.
///
/// # Errors
/// See [`Failure`].
pub fn erase<'a>(source: Source<'a>, program: &Program<'a>) -> Result<String, Failure> {
    room::parsed();
    let pragmas = Pragmas::of(source.text);
    let is_module = program.body.iter().any(|statement| statement.as_module_declaration().is_some());
    let mut eraser = Eraser::new(source, Values::of(source.arena, program, &pragmas), pragmas, is_module);
    eraser.visit_program(program);
    // The first line of a program for a shell is no code, and any of several line ends may be behind it.
    let first = program.hashbang.as_ref().and(program.body.first());
    eraser.finish(first.map_or(0, |statement| statement.span().start))
}

/// The same of an expression.
///
/// # Errors
/// As above.
pub fn erase_expression<'a>(source: Source<'a>, expression: &Expression<'a>) -> Result<String, Failure> {
    room::parsed();
    let mut eraser = Eraser::new(source, Values::none(source.arena), Pragmas::of(source.text), false);
    eraser.visit_expression(expression);
    eraser.finish(0)
}

pub struct Eraser<'a> {
    pub arena: &'a Allocator,
    pub source: &'a str,
    pub edits: Edits<'a>,
    pub jsx: Jsx<'a>,
    language: Language,
    values: Values<'a>,
    failure: Option<(u32, String)>,
    /// Of each enum that surrounds the place: its name and those of its members.
    pub enum_members: Vec<(&'a str, ArenaVec<'a, &'a str>)>,
    /// Of each scope that namespaces and enums can be in: what declares a value there.
    pub declared: Vec<Vec<&'a str>>,
}

impl<'a> Eraser<'a> {
    fn new(source: Source<'a>, values: Values<'a>, pragmas: Pragmas<'a>, is_module: bool) -> Self {
        let Source { text, language, arena } = source;
        Self {
            arena,
            source: text,
            edits: Edits::new(arena),
            jsx: Jsx::new(text, pragmas, is_module),
            language,
            values,
            failure: None,
            enum_members: Vec::new(),
            declared: vec![Vec::new()],
        }
    }

    /// The text, with what it imports for its JSX from `start` on.
    fn finish(mut self, start: u32) -> Result<String, Failure> {
        let prelude = self.jsx.prelude();
        if !prelude.is_empty() {
            self.edits.insert_first(start, prelude);
        }
        if self.failure.is_some() || !room::is_left() {
            return Err(self.failure);
        }
        self.edits.apply(self.source).ok_or_else(|| {
            room::note_lack_of_memory();
            None
        })
    }

    /// Says that something is not supported.
    pub fn refuse(&mut self, span: Span, message: &str) {
        self.failure.get_or_insert((span.start, message.to_string()));
    }

    /// How the variable of an enum or a namespace is declared here.
    pub fn declare(&self, name: &str) -> String {
        // At the top of a module it can be exported, and what comes before it can refer to it.
        let keyword = if self.declared.len() == 1 { "var" } else { "let" };
        format!("{keyword} {name}; ")
    }

    /// The text of a span.
    pub fn text(&self, span: Span) -> &'a str {
        &self.source[span.start as usize..span.end as usize]
    }

    /// Where the first of these characters stands, comments aside.
    pub fn find(&self, span: Span, wanted: &[u8]) -> Option<u32> {
        let bytes = self.text(span).as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            match &bytes[i..] {
                [b'/', b'/', ..] => i += bytes[i..].iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len() - i),
                [b'/', b'*', rest @ ..] => {
                    i += 2 + rest.windows(2).position(|end| end == b"*/").map_or(rest.len(), |at| at + 2);
                }
                [byte, ..] if wanted.contains(byte) => return Some(span.start + i as u32),
                _ => i += 1,
            }
        }
        None
    }

    /// Overwrites a mark, as of what is optional, that stands between two places.
    pub fn blank_mark(&mut self, from: u32, to: u32, mark: u8) {
        if let Some(at) = self.find(Span::new(from, to.max(from)), &[mark]) {
            self.edits.blank(Span::new(at, at + 1));
        }
    }

    /// The words that begin a span, up to the first that is none.
    pub fn words(&self, span: Span) -> Vec<Span> {
        let text = self.text(span).as_bytes();
        let (mut words, mut i) = (Vec::new(), 0);
        while let Some(byte) = text.get(i) {
            match byte {
                b'a'..=b'z' => {
                    let length = text[i..].iter().take_while(|byte| byte.is_ascii_lowercase()).count();
                    words.push(Span::new(span.start + i as u32, span.start + (i + length) as u32));
                    i += length;
                }
                b'/' => {
                    match self.find(Span::new(span.start + i as u32, span.end), b"abcdefghijklmnopqrstuvwxyz[*#'\"") {
                        Some(at) => i = (at - span.start) as usize,
                        None => break,
                    }
                }
                byte if byte.is_ascii_whitespace() => i += 1,
                _ => break,
            }
        }
        words
    }

    /// Notes where a statement ends without a semicolon.
    pub fn note_end(&mut self, span: Span) {
        if !self.text(span).ends_with(';') {
            self.edits.open_end(span.end);
        }
    }

    /// Overwrites one of a list's members and the comma behind it.
    fn blank_of_list(&mut self, member: Span, end_of_list: u32) {
        let behind = Span::new(member.end, end_of_list);
        let comma = self.find(behind, b",}").filter(|at| self.source.as_bytes()[*at as usize] == b',');
        self.edits.blank(Span::new(member.start, comma.map_or(member.end, |at| at + 1)));
    }

    fn is_left_out(&self, specifier: &ImportDeclarationSpecifier<'a>) -> bool {
        if let ImportDeclarationSpecifier::ImportSpecifier(specifier) = specifier
            && specifier.import_kind.is_type()
        {
            return true;
        }
        !self.values.are_used_as(specifier.local().name.as_str())
    }

    fn erase_assertion(&mut self, expression: &Expression<'a>, span: Span) {
        self.visit_expression(expression);
        self.edits.blank(Span::new(expression.span().end, span.end));
    }

    /// The parentheses of an arrow function may not stand in another line than what they belong to.
    fn erase_of_arrow_function(&mut self, function: &ArrowFunctionExpression<'a>) {
        if let Some(types) = &function.type_parameters {
            let open = function.params.span.start;
            if function.r#async && self.text(types.span).contains(is_line_end) {
                self.edits.write(types.span, "(");
                self.edits.blank(Span::new(open, open + 1));
            } else {
                self.edits.blank(types.span);
            }
        }
        if let Some(result) = &function.return_type {
            let close = function.params.span.end - 1;
            if self.text(Span::new(close, result.span.end)).contains(is_line_end) {
                self.edits.blank(Span::new(close, close + 1));
                self.edits.blank(Span::new(result.span.start, result.span.end));
                self.edits.insert(result.span.end, ")");
            } else {
                self.edits.blank(result.span);
            }
        }
    }
}

impl<'a> Visit<'a> for Eraser<'a> {
    fn visit_ts_type_annotation(&mut self, annotation: &TSTypeAnnotation<'a>) {
        self.edits.blank(annotation.span);
    }

    fn visit_ts_type_parameter_declaration(&mut self, parameters: &TSTypeParameterDeclaration<'a>) {
        self.edits.blank(parameters.span);
    }

    fn visit_ts_type_parameter_instantiation(&mut self, arguments: &TSTypeParameterInstantiation<'a>) {
        self.edits.blank(arguments.span);
    }

    fn visit_ts_as_expression(&mut self, assertion: &TSAsExpression<'a>) {
        self.erase_assertion(&assertion.expression, assertion.span);
    }

    fn visit_ts_satisfies_expression(&mut self, assertion: &TSSatisfiesExpression<'a>) {
        self.erase_assertion(&assertion.expression, assertion.span);
    }

    fn visit_ts_non_null_expression(&mut self, assertion: &TSNonNullExpression<'a>) {
        self.erase_assertion(&assertion.expression, assertion.span);
    }

    fn visit_ts_instantiation_expression(&mut self, expression: &TSInstantiationExpression<'a>) {
        self.erase_assertion(&expression.expression, expression.span);
    }

    fn visit_ts_type_assertion(&mut self, assertion: &TSTypeAssertion<'a>) {
        // Without parentheses what follows could be read in another way: as a block, or as what is behind a `return`.
        self.edits.write(Span::new(assertion.span.start, assertion.expression.span().start), "(");
        self.visit_expression(&assertion.expression);
        self.edits.insert(assertion.span.end, ")");
    }

    fn visit_expression(&mut self, expression: &Expression<'a>) {
        if room::is_left() {
            walk::walk_expression(self, expression);
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
        self.rewrite_element(element);
    }

    fn visit_jsx_fragment(&mut self, fragment: &JSXFragment<'a>) {
        self.rewrite_fragment(fragment);
    }

    fn visit_ts_this_parameter(&mut self, parameter: &TSThisParameter<'a>) {
        let behind = Span::new(parameter.span.end, self.source.len() as u32);
        let end = self.find(behind, b",)").map_or(parameter.span.end, |at| {
            if self.source.as_bytes()[at as usize] == b',' { at + 1 } else { parameter.span.end }
        });
        self.edits.blank(Span::new(parameter.span.start, end));
    }

    fn visit_decorator(&mut self, decorator: &Decorator<'a>) {
        self.refuse(decorator.span, "decorators are not supported");
    }

    fn visit_arrow_function_expression(&mut self, function: &ArrowFunctionExpression<'a>) {
        self.erase_of_arrow_function(function);
        self.visit_formal_parameters(&function.params);
        self.declared.push(Vec::new());
        self.visit_arrow_function_body(&function.body);
        self.declared.pop();
    }

    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        self.declared.push(Vec::new());
        walk::walk_function(self, function, flags);
        self.declared.pop();
    }

    fn visit_block_statement(&mut self, block: &BlockStatement<'a>) {
        self.declared.push(Vec::new());
        walk::walk_block_statement(self, block);
        self.declared.pop();
    }

    fn visit_formal_parameter(&mut self, parameter: &FormalParameter<'a>) {
        let pattern = parameter.pattern.span();
        for word in self.words(Span::new(parameter.span.start, pattern.start)) {
            self.edits.blank(word);
        }
        if parameter.optional {
            self.blank_mark(pattern.end, parameter.span.end.max(pattern.end + 1), b'?');
        }
        walk::walk_formal_parameter(self, parameter);
    }

    fn visit_variable_declarator(&mut self, declarator: &VariableDeclarator<'a>) {
        if declarator.definite {
            self.blank_mark(declarator.id.span().end, declarator.span.end, b'!');
        }
        walk::walk_variable_declarator(self, declarator);
    }

    fn visit_class(&mut self, class: &Class<'a>) {
        self.erase_of_class(class);
    }

    fn visit_identifier_reference(&mut self, name: &IdentifierReference<'a>) {
        self.qualify_member_of_enum(name);
    }

    fn visit_object_property(&mut self, property: &ObjectProperty<'a>) {
        // `{ A }` is short for `{ A: A }`, of which only the second is a reference.
        if let (true, Expression::Identifier(name)) = (property.shorthand, &property.value)
            && let Some(owner) = self.owner_of(name.name.as_str())
        {
            let text = format!(": {owner}.{}", name.name);
            self.edits.insert(name.span.end, text);
            return;
        }
        walk::walk_object_property(self, property);
    }

    fn visit_statement(&mut self, statement: &Statement<'a>) {
        if !room::is_left() {
            return;
        }
        if let Some(name) = declared_name(statement) {
            self.erase_declaration_of(statement, name);
            return;
        }
        match statement {
            Statement::ExpressionStatement(_)
            | Statement::VariableDeclaration(_)
            | Statement::ReturnStatement(_)
            | Statement::ThrowStatement(_)
            | Statement::ExportDeclaration(_)
            | Statement::ExportDefaultDeclaration(_) => self.note_end(statement.span()),
            _ => {}
        }
        if is_type_only(statement) {
            self.edits.blank_statement(statement.span());
        } else {
            walk::walk_statement(self, statement);
        }
    }

    fn visit_ts_enum_declaration(&mut self, declaration: &TSEnumDeclaration<'a>) {
        self.rewrite_enum(declaration, true);
    }

    fn visit_ts_namespace_declaration(&mut self, declaration: &TSNamespaceDeclaration<'a>) {
        self.rewrite_namespace(declaration, true);
    }

    fn visit_ts_import_equals_declaration(&mut self, declaration: &TSImportEqualsDeclaration<'a>) {
        if let TSModuleReference::ExternalModuleReference(_) = declaration.module_reference {
            self.refuse(declaration.span, "import … = require() is not supported: use import … from");
        } else if self.values.are_used_as(declaration.id.name.as_str()) {
            let word = Span::new(declaration.span.start, declaration.span.start + "import".len() as u32);
            self.edits.write(word, "const");
        } else {
            self.edits.blank_statement(declaration.span);
        }
    }

    fn visit_ts_export_assignment(&mut self, assignment: &TSExportAssignment<'a>) {
        self.refuse(assignment.span, "export = is not supported: use export default");
    }

    fn visit_import_declaration(&mut self, declaration: &ImportDeclaration<'a>) {
        // What is not used need not be a type elsewhere.
        if !self.language.has_types() {
            return;
        }
        let Some(specifiers) = &declaration.specifiers else { return };
        if declaration.import_kind.is_type() {
            return self.edits.blank_statement(declaration.span);
        }
        let (left_out, kept): (Vec<_>, Vec<_>) = specifiers.iter().partition(|specifier| self.is_left_out(specifier));
        if kept.is_empty() && !left_out.is_empty() {
            return self.edits.blank_statement(declaration.span);
        }
        for specifier in left_out {
            self.blank_of_list(specifier.span(), declaration.source.span.start);
        }
    }

    fn visit_export_named_declaration(&mut self, declaration: &ExportNamedDeclaration<'a>) {
        if declaration.export_kind.is_type() {
            return self.edits.blank_statement(declaration.span);
        }
        for specifier in &declaration.specifiers {
            if specifier.export_kind.is_type() || self.values.is_type(&specifier.local.name()) {
                self.blank_of_list(specifier.span, declaration.span.end);
            }
        }
    }

    fn visit_export_from_declaration(&mut self, declaration: &ExportFromDeclaration<'a>) {
        if declaration.export_kind.is_type() {
            return self.edits.blank_statement(declaration.span);
        }
        for specifier in &declaration.specifiers {
            if specifier.export_kind.is_type() {
                self.blank_of_list(specifier.span, declaration.source.span.start);
            }
        }
    }

    fn visit_export_all_declaration(&mut self, declaration: &ExportAllDeclaration<'a>) {
        if declaration.export_kind.is_type() {
            self.edits.blank_statement(declaration.span);
        }
    }

    fn visit_export_default_declaration(&mut self, declaration: &ExportDefaultDeclaration<'a>) {
        let is_type = match &declaration.declaration {
            ExportDefaultDeclarationKind::TSInterfaceDeclaration(_) => true,
            ExportDefaultDeclarationKind::FunctionDeclaration(function) => function.body.is_none(),
            ExportDefaultDeclarationKind::Identifier(name) => self.values.is_type(name.name.as_str()),
            _ => false,
        };
        if is_type {
            self.edits.blank_statement(declaration.span);
        } else {
            walk::walk_export_default_declaration(self, declaration);
        }
    }
}

impl<'a> Eraser<'a> {
    /// A declaration of a value, exported or not: what else of its name there is matters to enums and namespaces.
    fn erase_declaration_of(&mut self, statement: &Statement<'a>, name: &'a str) {
        let is_new = !self.declared.last().is_some_and(|names| names.contains(&name));
        let exported = match statement {
            Statement::ExportDeclaration(export) => Some(export.span.start),
            _ => None,
        };
        let (mut of_enum, mut of_namespace) = (None, None);
        match statement {
            Statement::TSEnumDeclaration(declaration) => of_enum = Some(declaration),
            Statement::TSNamespaceDeclaration(declaration) => of_namespace = Some(declaration),
            Statement::ExportDeclaration(export) => match &export.declaration {
                Declaration::TSEnumDeclaration(declaration) => of_enum = Some(declaration),
                Declaration::TSNamespaceDeclaration(declaration) => of_namespace = Some(declaration),
                _ => {}
            },
            _ => {}
        }
        // Declared before, it is exported already.
        if let (false, Some(start)) = (is_new, exported)
            && (of_enum.is_some() || of_namespace.is_some())
        {
            self.edits.blank(Span::new(start, start + "export".len() as u32));
        }
        match (of_enum, of_namespace) {
            (Some(declaration), _) => self.rewrite_enum(declaration, is_new),
            (_, Some(declaration)) => self.rewrite_namespace(declaration, is_new),
            _ => walk::walk_statement(self, statement),
        }
        if let Some(names) = self.declared.last_mut() {
            names.push(name);
        }
    }
}

/// The name of a function, a class, an enum or a namespace that a statement declares and that exists at run time.
fn declared_name<'a>(statement: &Statement<'a>) -> Option<&'a str> {
    if is_type_only(statement) {
        return None;
    }
    let id = match statement {
        Statement::FunctionDeclaration(function) => function.id.as_ref()?,
        Statement::ClassDeclaration(class) => class.id.as_ref()?,
        Statement::TSEnumDeclaration(declaration) => &declaration.id,
        Statement::TSNamespaceDeclaration(declaration) => &declaration.id,
        Statement::ExportDeclaration(export) => match &export.declaration {
            Declaration::FunctionDeclaration(function) => function.id.as_ref()?,
            Declaration::ClassDeclaration(class) => class.id.as_ref()?,
            Declaration::TSEnumDeclaration(declaration) => &declaration.id,
            Declaration::TSNamespaceDeclaration(declaration) => &declaration.id,
            _ => return None,
        },
        _ => return None,
    };
    Some(id.name.as_str())
}

/// Whether nothing of a statement exists at run time.
pub fn is_type_only(statement: &Statement<'_>) -> bool {
    match statement {
        Statement::ExportDeclaration(export) => declares_types(&export.declaration),
        Statement::TSNamespaceExportDeclaration(_) => true,
        statement => statement.as_declaration().is_some_and(declares_types),
    }
}

fn declares_types(declaration: &Declaration<'_>) -> bool {
    match declaration {
        Declaration::TSTypeAliasDeclaration(_)
        | Declaration::TSInterfaceDeclaration(_)
        | Declaration::TSExternalModuleDeclaration(_)
        | Declaration::TSGlobalDeclaration(_) => true,
        Declaration::FunctionDeclaration(function) => function.declare || function.body.is_none(),
        Declaration::ClassDeclaration(class) => class.declare,
        Declaration::VariableDeclaration(variables) => variables.declare,
        Declaration::TSEnumDeclaration(declaration) => declaration.declare,
        Declaration::TSNamespaceDeclaration(declaration) => {
            declaration.declare || crate::namespaces::is_type_only(&declaration.body)
        }
        Declaration::TSImportEqualsDeclaration(declaration) => declaration.import_kind.is_type(),
    }
}
