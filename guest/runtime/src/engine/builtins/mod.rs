//! What guest code finds built in beside the language itself: the modules `crypto` and `url`, and global objects.
//!
//! They are written in JavaScript, over a native module that only they can import. All of it is evaluated during boot, so it
//! is part of the snapshot that sandboxes start from and costs them nothing.

mod file_url;
mod native;
mod text;
mod url;

use guest_abi::message::Exception;
use rquickjs::module::Declared;
use rquickjs::{Ctx, Module};

use super::{exception, settled};

pub use native::value as owned;

/// What the names of modules begin with that only built-in ones can import.
pub const SCHEME: &str = "hyperlight:";
const NATIVE: &str = "hyperlight:native";
/// Importable by guest code.
const PUBLIC: [&str; 4] = ["crypto", "node:crypto", "url", "node:url"];
const SOURCES: [(&str, &str); 11] = [
    ("hyperlight:bytes", include_str!("bytes.js")),
    ("hyperlight:clone", include_str!("clone.js")),
    ("hyperlight:encoding", include_str!("encoding.js")),
    ("hyperlight:iterators", include_str!("iterators.js")),
    ("hyperlight:platform", include_str!("platform.js")),
    ("crypto", include_str!("crypto.js")),
    ("node:crypto", "export * from 'crypto';\nexport { default } from 'crypto';\n"),
    ("url", include_str!("url.js")),
    ("node:url", "export * from 'url';\nexport { default } from 'url';\n"),
    ("hyperlight:weak_refs", include_str!("weak_refs.js")),
    ("hyperlight:globals", include_str!("globals.js")),
];

/// Evaluates everything.
///
/// # Errors
/// What the code threw: then it is wrong.
pub fn install(ctx: &Ctx<'_>) -> Result<(), Exception> {
    for specifier in ["hyperlight:globals", "node:crypto", "node:url"] {
        let promise = Module::import(ctx, specifier).map_err(|error| exception::describe(ctx, &error))?;
        settled(ctx, &promise)?;
    }
    Ok(())
}

/// Whether this is a built-in module, asked for by one that may have it: the boot, which is no module, or another of them.
pub fn is_importable(importer: &str, specifier: &str) -> bool {
    PUBLIC.contains(&specifier)
        || specifier == NATIVE && is_built_in(importer)
        || is_built_in(specifier) && (is_built_in(importer) || importer.is_empty())
}

fn is_built_in(specifier: &str) -> bool {
    SOURCES.iter().any(|(known, _)| *known == specifier)
}

/// The module, if it is a built-in one.
pub fn load<'js>(ctx: &Ctx<'js>, specifier: &str) -> Option<rquickjs::Result<Module<'js, Declared>>> {
    if specifier == NATIVE {
        return Some(Module::declare_def::<native::Native, _>(ctx.clone(), specifier));
    }
    let (_, source) = SOURCES.iter().find(|(known, _)| *known == specifier)?;
    Some(Module::declare(ctx.clone(), specifier, *source))
}
