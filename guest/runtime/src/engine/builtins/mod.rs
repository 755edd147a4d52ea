//! What guest code finds built in beside the language itself: the modules `crypto`, `url` and `hyperlight:context`, and global
//! objects.
//!
//! They are written in JavaScript, over a native module that only they can import. All of it is evaluated during boot, so it
//! is part of the snapshot that sandboxes start from and costs them nothing.
//!
//! Each subject has a folder, with its JavaScript beside its Rust. `corrections` puts right what the engine itself does wrong.

mod crypto;
mod encoding;
mod native;
mod url;

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use guest_abi::message::Exception;
use rquickjs::module::Declared;
use rquickjs::{Ctx, Module};

use super::{exception, settled};

pub use native::value as owned;

/// What the names of our modules begin with, and those of no handler and no other module: what a module may import is decided
/// by its name. Where guest code can import one, the specifier is another.
pub const SCHEME: &str = "hyperlight:";
const NATIVE: &str = "hyperlight:native";
/// Specifiers for guest code, and the modules that they stand for. Those of Node.js are also in `lib/guest-modules.js`.
const PUBLIC: [(&str, &str); 5] = [
    ("crypto", "hyperlight:crypto"),
    ("node:crypto", "hyperlight:crypto"),
    ("url", "hyperlight:url"),
    ("node:url", "hyperlight:url"),
    ("hyperlight:context", "hyperlight:context"),
];
const SOURCES: [(&str, &str); 11] = [
    ("hyperlight:bytes", include_str!("encoding/bytes.js")),
    ("hyperlight:clone", include_str!("clone/clone.js")),
    ("hyperlight:context", include_str!("context/context.js")),
    ("hyperlight:encoding", include_str!("encoding/encoding.js")),
    ("hyperlight:iterators", include_str!("corrections/iterators.js")),
    ("hyperlight:platform", include_str!("globals/platform.js")),
    ("hyperlight:crypto", include_str!("crypto/crypto.js")),
    ("hyperlight:url", include_str!("url/url.js")),
    ("hyperlight:weak_refs", include_str!("corrections/weak_refs.js")),
    ("hyperlight:events", include_str!("events/events.js")),
    ("hyperlight:globals", include_str!("globals/globals.js")),
];

/// Evaluates everything.
///
/// # Errors
/// What the code threw: then it is wrong.
pub fn install(ctx: &Ctx<'_>) -> Result<(), Exception> {
    for specifier in
        ["hyperlight:globals", "hyperlight:events", "hyperlight:crypto", "hyperlight:url", "hyperlight:context"]
    {
        let promise = Module::import(ctx, specifier).map_err(|error| exception::describe(ctx, &error))?;
        settled(ctx, &promise)?;
    }
    INSTALLED.store(true, Relaxed);
    Ok(())
}

static INSTALLED: AtomicBool = AtomicBool::new(false);

/// The built-in module that an importer means by a specifier. All but the public ones can be had by each other, and by the
/// boot, which is no module.
pub fn resolve(importer: &str, specifier: &str) -> Option<&'static str> {
    if let Some((_, name)) = PUBLIC.iter().find(|(known, _)| *known == specifier) {
        return Some(name);
    }
    let is_ours = importer.starts_with(SCHEME) || (importer.is_empty() && !INSTALLED.load(Relaxed));
    let mut names = SOURCES.iter().map(|(name, _)| *name).chain([NATIVE]);
    names.find(|name| is_ours && *name == specifier)
}

/// The module, if it is a built-in one.
pub fn load<'js>(ctx: &Ctx<'js>, specifier: &str) -> Option<rquickjs::Result<Module<'js, Declared>>> {
    if specifier == NATIVE {
        return Some(Module::declare_def::<native::Native, _>(ctx.clone(), specifier));
    }
    let (_, source) = SOURCES.iter().find(|(known, _)| *known == specifier)?;
    Some(Module::declare(ctx.clone(), specifier, *source))
}
