//! Modules: how a handler's source becomes a function.

use alloc::format;
use alloc::string::{String, ToString};

use guest_abi::message::{Exception, Place};
use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Error, Function, Module, Value};

use super::{exception, settled};
use crate::global::Global;

/// Name under which a handler's module exports its function for us. Its own exports stay as they are.
const EXPORT: &str = "$hyperlight_handler";

/// Specifier of the import that could not be resolved last.
static UNRESOLVED: Global<Option<String>> = Global::new();

/// Resolves and loads imports. There is nothing to import yet.
pub struct Modules;

impl Resolver for Modules {
    fn resolve<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        _importer: &str,
        specifier: &str,
        _attributes: Option<ImportAttributes<'js>>,
    ) -> rquickjs::Result<String> {
        UNRESOLVED.set(Some(specifier.to_string()));
        Err(rquickjs::Exception::throw_reference(ctx, &format!("cannot find module '{specifier}'")))
    }
}

impl Loader for Modules {
    fn load<'js>(
        &mut self,
        _ctx: &Ctx<'js>,
        name: &str,
        _attributes: Option<ImportAttributes<'js>>,
    ) -> rquickjs::Result<Module<'js, Declared>> {
        Err(Error::new_loading(name))
    }
}

/// Compiles a handler's module, evaluates it, and gives its function `handler`.
///
/// # Errors
/// What went wrong, and where in the source.
pub fn load_handler<'js>(ctx: &Ctx<'js>, name: &str, source: &str) -> Result<Function<'js>, (Exception, Place)> {
    UNRESOLVED.set(None);
    let failed = |exception: Exception| {
        let place = place_of(&exception, name, source);
        (exception, place)
    };
    let thrown = |error: Error| failed(exception::describe(ctx, &error));
    let missing = |message: &str| {
        failed(Exception { name: String::from("SyntaxError"), message: message.to_string(), stack: String::new() })
    };

    // The function need not be exported, so the module is made to export it. At the end the line numbers stay as they are.
    let exporting = format!("{source}\nexport {{ handler as {EXPORT} }};\n");
    let module = Module::declare(ctx.clone(), name, exporting).map_err(|error| {
        let exception = exception::describe(ctx, &error);
        if exception.message == "exported variable 'handler' does not exist" {
            missing("the module defines no function named 'handler'")
        } else {
            failed(exception)
        }
    })?;
    let (module, evaluated) = module.eval().map_err(thrown)?;
    settled(ctx, &evaluated).map_err(failed)?;
    let handler: Value = module.get(EXPORT).map_err(thrown)?;
    handler.into_function().ok_or_else(|| missing("'handler' is not a function"))
}

/// Where in a handler's source an exception comes from.
fn place_of(exception: &Exception, name: &str, source: &str) -> Place {
    let (line, column) = UNRESOLVED
        .with(|specifier| specifier.take())
        .and_then(|specifier| position_of_import(source, &specifier))
        .or_else(|| position_in_stack(&exception.stack, name))
        .unwrap_or_default();
    Place { file: name.to_string(), line, column }
}

/// The first position in `file` that a stack trace names, as in `at f (file:3:5)`.
fn position_in_stack(stack: &str, file: &str) -> Option<(u32, u32)> {
    stack.lines().find_map(|frame| {
        let (_, position) = frame.trim_end_matches(')').rsplit_once(&format!("{file}:"))?;
        let (line, column) = position.split_once(':')?;
        Some((line.parse().ok()?, column.parse().ok()?))
    })
}

/// Where the specifier of an import stands. The engine does not tell, so it is looked for: a string behind `from` or
/// `import`.
fn position_of_import(source: &str, specifier: &str) -> Option<(u32, u32)> {
    let at = ['"', '\''].into_iter().find_map(|quote| {
        let literal = format!("{quote}{specifier}{quote}");
        source.match_indices(&literal).map(|(at, _)| at).find(|at| {
            let before = source[..*at].trim_end();
            before.ends_with("from") || before.ends_with("import")
        })
    })?;
    let before = &source[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |start| start.chars().count()) + 1;
    Some((line as u32, column as u32))
}
