//! Sources in TypeScript, and with JSX.

use alloc::format;
use alloc::string::{String, ToString};

use guest_abi::message::{Exception, Place};
use guest_abi::source::Language;
use guest_typescript::{Limits, Mistake};
use rquickjs::{Ctx, Error};

use super::stack;
use crate::heap;

/// The JavaScript of a module of this name.
///
/// # Errors
/// What is wrong with the source, and where.
pub fn of_module(name: &str, source: String, language: Language) -> Result<String, (Exception, Place)> {
    let Some(language) = compiled(language) else { return Ok(source) };
    guest_typescript::to_javascript(&source, language, limits()).map_err(|mistake| described(name, mistake))
}

/// The same of a program that is run once.
///
/// # Errors
/// As above.
pub fn of_program(name: &str, source: String, language: Language) -> Result<String, (Exception, Place)> {
    let Some(language) = compiled(language) else { return Ok(source) };
    guest_typescript::program_to_javascript(&source, language, limits()).map_err(|mistake| described(name, mistake))
}

/// What the compiler calls a language that is compiled.
fn compiled(language: Language) -> Option<guest_typescript::Language> {
    match language {
        Language::JavaScript => None,
        Language::TypeScript => Some(guest_typescript::Language::TypeScript),
        Language::Jsx => Some(guest_typescript::Language::Jsx),
        Language::Tsx => Some(guest_typescript::Language::Tsx),
    }
}

/// As an exception that guest code gets when it imports the module.
pub fn throw(ctx: &Ctx<'_>, (exception, _): &(Exception, Place)) -> Error {
    let error = rquickjs::Exception::throw_syntax(ctx, &exception.message);
    let thrown = ctx.catch();
    match thrown.as_object().map(|object| object.set("stack", exception.stack.as_str())) {
        Some(Ok(())) => ctx.throw(thrown),
        // There is no memory to say where it is.
        Some(Err(_)) | None => error,
    }
}

fn limits() -> Limits {
    Limits { stack_end: stack::end(), free_memory: heap::free }
}

fn described(name: &str, mistake: Mistake) -> (Exception, Place) {
    let Mistake { message, line, column } = mistake;
    let mut exception = Exception::new("SyntaxError", message);
    exception.stack = format!("    at {name}:{line}:{column}\n");
    (exception, Place { file: name.to_string(), line, column })
}
