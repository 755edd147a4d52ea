//! Built-in modules that are compiled and evaluated when they are first used.

use alloc::format;
use alloc::string::String;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use rquickjs::{Ctx, Error, Module, Object, Result, Value};

use super::SCHEME;
use crate::engine::rejections;

const SOURCES: [(&str, &str); 14] = [
    ("blob", source!("blob/blob.js")),
    ("body", source!("fetch/body.js")),
    ("compression", source!("compression/compression.js")),
    ("fetch", source!("fetch/fetch.js")),
    ("form_data", source!("fetch/form_data.js")),
    ("headers", source!("fetch/headers.js")),
    ("mime_type", source!("fetch/mime_type.js")),
    ("multipart", source!("fetch/multipart.js")),
    ("request", source!("fetch/request.js")),
    ("response", source!("fetch/response.js")),
    ("streams", include_str!(concat!(env!("OUT_DIR"), "/vendor/web-streams-polyfill/ponyfill.mjs"))),
    ("text_streams", source!("encoding/text_streams.js")),
    ("timeline", source!("performance/timeline.js")),
    ("urlpattern", include_str!(concat!(env!("OUT_DIR"), "/vendor/urlpattern-polyfill/urlpattern.js"))),
];

/// Evaluations so far. Each has a name of its own: the engine keeps a module that has failed, for want of memory perhaps, and
/// would give it again.
static EVALUATIONS: AtomicU32 = AtomicU32::new(0);

/// Evaluates a module now: what it exports. It must wait for nothing.
pub fn load<'js>(ctx: Ctx<'js>, name: String) -> Result<Object<'js>> {
    let Some((name, source)) = SOURCES.iter().find(|(known, _)| *known == name) else {
        return Err(Error::new_loading(&name));
    };
    let number = EVALUATIONS.fetch_add(1, Relaxed);
    let module = Module::declare(ctx.clone(), format!("{SCHEME}{name}/{number}"), *source)?;
    let (module, promise) = module.eval()?;
    rejections::handled(&ctx, &promise);
    promise.result::<Value>().unwrap_or(Err(Error::WouldBlock))?;
    module.namespace()
}
