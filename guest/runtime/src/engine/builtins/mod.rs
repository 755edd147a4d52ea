//! What guest code finds built in beside the language itself: modules of Node.js, `hyperlight:context`, and global objects.
//!
//! They are written in JavaScript, over a native module that only they can import. What is global is evaluated during boot, so
//! it is part of the snapshot that sandboxes start from and costs them nothing. What is large and used by few is compiled when
//! it is first used (`globals/lazy.js`): a sandbox that does not use it has its name only, and the collection of garbage has no
//! object of it to visit. Of the modules of Node.js that are not global most are evaluated when they are imported: handlers are
//! loaded before the snapshot that calls go back to.
//!
//! Each subject has a folder, with its JavaScript beside its Rust. `corrections` puts right what the engine itself does wrong.

/// A module in JavaScript of this folder, as build.rs has made it ready.
macro_rules! source {
    ($path:literal) => {
        include_str!(concat!(env!("OUT_DIR"), "/src/engine/builtins/", $path))
    };
}

mod bytecode;
mod compression;
mod console;
mod crypto;
mod encoding;
mod inspect;
mod intl;
mod lazy;
mod native;
mod node;
mod temporal;
mod url;

use alloc::format;
use alloc::string::String;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use guest_abi::message::Exception;
use rquickjs::module::Declared;
use rquickjs::{Ctx, Module, Object, Value};

use super::{exception, rejections, settled};

pub use node::set_environment;

/// What the names of our modules begin with, and those of no handler and no other module: what a module may import is decided
/// by its name. Where guest code can import one, the specifier is another.
pub const SCHEME: &str = "hyperlight:";
const NATIVE: &str = "hyperlight:native";
const NATIVE_CRYPTO: &str = "hyperlight:native/crypto";
const NATIVE_INTL: &str = "hyperlight:native/intl";
const NATIVE_TEMPORAL: &str = "hyperlight:native/temporal";
const NATIVES: [&str; 4] = [NATIVE, NATIVE_CRYPTO, NATIVE_INTL, NATIVE_TEMPORAL];
/// Specifiers for guest code, and the modules that they stand for. What `require` gives of one is its default export.
/// Those of Node.js are also in `lib/guest-modules.js`.
const PUBLIC: &[(&str, &str)] = &[
    ("crypto", "hyperlight:node/crypto"),
    ("node:crypto", "hyperlight:node/crypto"),
    ("url", "hyperlight:url"),
    ("node:url", "hyperlight:url"),
    ("hyperlight:context", "hyperlight:context"),
];
/// More of them, each of which can begin with `node:` too. Without that they give way to a module that was added by that name.
const NODE: &[(&str, &str)] = &[
    ("assert", "hyperlight:node/assert"),
    ("assert/strict", "hyperlight:node/assert_strict"),
    ("async_hooks", "hyperlight:node/async_hooks"),
    ("buffer", "hyperlight:node/buffer"),
    ("console", "hyperlight:console"),
    ("events", "hyperlight:node/events"),
    ("path", "hyperlight:node/path"),
    ("path/posix", "hyperlight:node/path"),
    ("process", "hyperlight:node/process"),
    ("querystring", "hyperlight:node/querystring"),
    ("string_decoder", "hyperlight:node/string_decoder"),
    ("timers", "hyperlight:node/timers"),
    ("timers/promises", "hyperlight:node/timers_promises"),
    ("util", "hyperlight:node/util"),
    ("util/types", "hyperlight:node/types"),
    ("io", "hyperlight:console/io"),
];
/// Modules that are evaluated at boot.
const AT_BOOT: &[(&str, &str)] = &[
    ("hyperlight:abort", source!("events/abort.js")),
    ("hyperlight:bytes", source!("encoding/bytes.js")),
    ("hyperlight:call_sites", source!("corrections/call_sites.js")),
    ("hyperlight:clone", source!("clone/clone.js")),
    ("hyperlight:console", source!("console/console.js")),
    ("hyperlight:console/io", source!("console/io.js")),
    ("hyperlight:context", source!("context/context.js")),
    ("hyperlight:encoding", source!("encoding/encoding.js")),
    ("hyperlight:errors", source!("events/errors.js")),
    ("hyperlight:event", source!("events/event.js")),
    ("hyperlight:event_target", source!("events/event_target.js")),
    ("hyperlight:interfaces", source!("globals/interfaces.js")),
    ("hyperlight:iterators", source!("corrections/iterators.js")),
    ("hyperlight:intl/methods", source!("intl/methods.js")),
    ("hyperlight:lazy", source!("globals/lazy.js")),
    ("hyperlight:navigator", source!("globals/navigator.js")),
    ("hyperlight:node/globals", source!("node/globals.js")),
    ("hyperlight:performance", source!("performance/performance.js")),
    ("hyperlight:platform", source!("globals/platform.js")),
    ("hyperlight:crypto", source!("crypto/crypto.js")),
    ("hyperlight:url", source!("url/url.js")),
    ("hyperlight:weak_refs", source!("corrections/weak_refs.js")),
    ("hyperlight:globals", source!("globals/globals.js")),
];
/// Modules that are compiled at boot and evaluated when something global needs them. Until then there is nothing of them for the
/// collector to pass.
const ON_DEMAND: &[(&str, &str)] = &[
    ("hyperlight:console/table", source!("console/table.js")),
    ("hyperlight:inspect", source!("inspect/inspect.js")),
    ("hyperlight:inspect/format", source!("inspect/format.js")),
    ("hyperlight:inspect/kinds", source!("inspect/kinds.js")),
    ("hyperlight:inspect/layout", source!("inspect/layout.js")),
    ("hyperlight:inspect/text", source!("inspect/text.js")),
    ("hyperlight:node/buffer", source!("node/buffer.js")),
    ("hyperlight:node/encodings", source!("node/encodings.js")),
    ("hyperlight:node/errors", source!("node/errors.js")),
    ("hyperlight:node/process", source!("node/process.js")),
];
/// Modules that are evaluated when they are imported.
const LATER: &[(&str, &str)] = &[
    ("hyperlight:crypto/algorithms", source!("crypto/algorithms.js")),
    ("hyperlight:crypto/conversion", source!("crypto/conversion.js")),
    ("hyperlight:crypto/derivation", source!("crypto/derivation.js")),
    ("hyperlight:crypto/elliptic", source!("crypto/elliptic.js")),
    ("hyperlight:crypto/json_web_key", source!("crypto/json_web_key.js")),
    ("hyperlight:crypto/key", source!("crypto/key.js")),
    ("hyperlight:crypto/operations", source!("crypto/operations.js")),
    ("hyperlight:crypto/rsa", source!("crypto/rsa.js")),
    ("hyperlight:crypto/subtle", source!("crypto/subtle.js")),
    ("hyperlight:crypto/symmetric", source!("crypto/symmetric.js")),
    ("hyperlight:intl", source!("intl/intl.js")),
    ("hyperlight:intl/collator", source!("intl/collator.js")),
    ("hyperlight:intl/date_format", source!("intl/date_format.js")),
    ("hyperlight:intl/date_parts", source!("intl/date_parts.js")),
    ("hyperlight:intl/decimal", source!("intl/decimal.js")),
    ("hyperlight:intl/display_names", source!("intl/display_names.js")),
    ("hyperlight:intl/lists", source!("intl/lists.js")),
    ("hyperlight:intl/locale", source!("intl/locale.js")),
    ("hyperlight:intl/locales", source!("intl/locales.js")),
    ("hyperlight:intl/number_format", source!("intl/number_format.js")),
    ("hyperlight:intl/number_parts", source!("intl/number_parts.js")),
    ("hyperlight:intl/options", source!("intl/options.js")),
    ("hyperlight:intl/plurals", source!("intl/plurals.js")),
    ("hyperlight:intl/regions", source!("intl/regions.js")),
    ("hyperlight:intl/relative_time", source!("intl/relative_time.js")),
    ("hyperlight:intl/segmenter", source!("intl/segmenter.js")),
    ("hyperlight:intl/skeleton", source!("intl/skeleton.js")),
    ("hyperlight:intl/temporal_format", source!("intl/temporal_format.js")),
    ("hyperlight:intl/time_zones", source!("intl/time_zones.js")),
    ("hyperlight:intl/units", source!("intl/units.js")),
    ("hyperlight:node/assert", source!("node/assert.js")),
    ("hyperlight:node/assert_strict", source!("node/assert_strict.js")),
    ("hyperlight:node/async_hooks", source!("node/async_hooks.js")),
    ("hyperlight:node/crypto", source!("crypto/node.js")),
    ("hyperlight:node/equal", source!("node/equal.js")),
    ("hyperlight:node/events", source!("node/events.js")),
    ("hyperlight:node/path", source!("node/path.js")),
    ("hyperlight:node/querystring", source!("node/querystring.js")),
    ("hyperlight:node/string_decoder", source!("node/string_decoder.js")),
    ("hyperlight:node/timers", source!("node/timers.js")),
    ("hyperlight:node/timers_promises", source!("node/timers_promises.js")),
    ("hyperlight:node/types", source!("node/types.js")),
    ("hyperlight:node/util", source!("node/util.js")),
    ("hyperlight:temporal", source!("temporal/temporal.js")),
    ("hyperlight:temporal/conversion", source!("temporal/conversion.js")),
    ("hyperlight:temporal/duration", source!("temporal/duration.js")),
    ("hyperlight:temporal/instant", source!("temporal/instant.js")),
    ("hyperlight:temporal/locale", source!("temporal/locale.js")),
    ("hyperlight:temporal/options", source!("temporal/options.js")),
    ("hyperlight:temporal/plain_date", source!("temporal/plain_date.js")),
    ("hyperlight:temporal/plain_date_time", source!("temporal/plain_date_time.js")),
    ("hyperlight:temporal/plain_month_day", source!("temporal/plain_month_day.js")),
    ("hyperlight:temporal/plain_time", source!("temporal/plain_time.js")),
    ("hyperlight:temporal/plain_year_month", source!("temporal/plain_year_month.js")),
    ("hyperlight:temporal/values", source!("temporal/values.js")),
    ("hyperlight:temporal/zoned_date_time", source!("temporal/zoned_date_time.js")),
];

/// Compiles what is evaluated at boot, before there is an engine for it.
///
/// # Errors
/// The code is wrong, or there is no memory.
pub fn compile() -> rquickjs::Result<()> {
    bytecode::compile(AT_BOOT.iter().chain(ON_DEMAND))
}

/// Evaluates what is global.
///
/// # Errors
/// What the code threw: then it is wrong.
pub fn install(ctx: &Ctx<'_>) -> Result<(), Exception> {
    for specifier in [
        "hyperlight:globals",
        "hyperlight:console",
        "hyperlight:console/io",
        "hyperlight:node/globals",
        "hyperlight:crypto",
        "hyperlight:url",
        "hyperlight:context",
    ] {
        let promise = Module::import(ctx, specifier).map_err(|error| exception::describe(ctx, &error))?;
        settled(ctx, &promise)?;
    }
    bytecode::forget(AT_BOOT);
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
    let of_node = specifier.strip_prefix("node:").unwrap_or(specifier);
    if let Some((_, name)) = NODE.iter().find(|(known, _)| *known == of_node) {
        return Some(name);
    }
    let is_ours = importer.starts_with(SCHEME) || (importer.is_empty() && !INSTALLED.load(Relaxed));
    let mut names = AT_BOOT.iter().chain(ON_DEMAND).chain(LATER).map(|(name, _)| *name).chain(NATIVES);
    names.find(|name| is_ours && *name == specifier)
}

/// What a source names, and the modules of ours that it needs if it does: they are evaluated with it, so that calls find them.
const NAMED: [(&str, &str); 6] = [
    ("console", "hyperlight:inspect/format"),
    ("Buffer", "hyperlight:node/buffer"),
    ("crypto", "hyperlight:node/buffer"),
    ("process", "hyperlight:node/process"),
    ("subtle", "hyperlight:crypto/operations"),
    ("subtle", "hyperlight:crypto/subtle"),
];

/// Evaluates modules that a source will probably need.
pub fn prepare(ctx: &Ctx<'_>, source: &str) {
    for (_, module) in NAMED.iter().filter(|(name, _)| source.contains(name)) {
        if import_now(ctx.clone(), String::from(*module)).is_err() {
            // Whoever needs it sees why it is not there.
            ctx.catch();
        }
    }
}

/// The namespace of a module of ours, which is evaluated now if it is not yet.
///
/// # Errors
/// There is no such module, or what its code threw, as it may if the guest has changed what that uses.
pub fn import_now<'js>(ctx: Ctx<'js>, name: String) -> rquickjs::Result<Object<'js>> {
    // It becomes part of a source, so that nothing but these names may come here.
    if !AT_BOOT.iter().chain(ON_DEMAND).chain(LATER).any(|(known, _)| *known == name) {
        return Err(rquickjs::Exception::throw_type(&ctx, "there is no such module"));
    }
    let source = format!("export * as module from '{name}';");
    let (module, promise) = Module::declare(ctx.clone(), format!("{SCHEME}now/{name}"), source)?.eval()?;
    let result = promise.result::<Value<'_>>();
    rejections::handled(&ctx, &promise);
    result.unwrap_or(Err(rquickjs::Error::WouldBlock))?;
    module.namespace()?.get("module")
}

/// Evaluates a module of those that are evaluated when they are first used.
///
/// # Errors
/// What its code threw, as it may if the guest has changed what that uses.
pub fn load_lazy<'js>(ctx: Ctx<'js>, name: String) -> rquickjs::Result<Object<'js>> {
    lazy::load(ctx, name)
}

/// Whether a module of the guest's own may take the place of a built-in one by this specifier.
pub fn gives_way(specifier: &str) -> bool {
    NODE.iter().any(|(known, _)| *known == specifier)
}

/// The module, if it is a built-in one.
pub fn load<'js>(ctx: &Ctx<'js>, specifier: &str) -> Option<rquickjs::Result<Module<'js, Declared>>> {
    if specifier == NATIVE {
        return Some(Module::declare_def::<native::Native, _>(ctx.clone(), specifier));
    }
    if specifier == NATIVE_CRYPTO {
        return Some(Module::declare_def::<crypto::Crypto, _>(ctx.clone(), specifier));
    }
    if specifier == NATIVE_INTL {
        return Some(Module::declare_def::<intl::Intl, _>(ctx.clone(), specifier));
    }
    if specifier == NATIVE_TEMPORAL {
        return Some(Module::declare_def::<temporal::Temporal, _>(ctx.clone(), specifier));
    }
    if let Some(module) = bytecode::load(ctx, specifier) {
        return Some(module);
    }
    let (_, source) = LATER.iter().find(|(known, _)| *known == specifier)?;
    Some(Module::declare(ctx.clone(), specifier, *source))
}
