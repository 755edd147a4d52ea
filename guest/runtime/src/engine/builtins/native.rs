//! What the built-in modules cannot do in JavaScript.

use rquickjs::function::Func;
use rquickjs::module::{Declarations, Exports, ModuleDef};
use rquickjs::{Ctx, Object, Result, Value, qjs};

use super::encoding::legacy;
use super::{compression, console, crypto, encoding, inspect, intl, lazy, node, url};
use crate::engine::{clock, contexts, event_loop, shared_memory};

/// The module that holds it.
pub struct Native;

impl ModuleDef for Native {
    fn declare(declarations: &Declarations<'_>) -> Result<()> {
        let names = [
            "classOf",
            "codecStep",
            "comparePlain",
            "compressor",
            "decodeLegacy",
            "decodeUtf16be",
            "decodeUtf16le",
            "decodeUtf8",
            "decodeWindows1252",
            "decompressor",
            "digest",
            "encodeForm",
            "encodeInto",
            "encodeUtf8",
            "encodingOf",
            "environment",
            "equal",
            "fillRandom",
            "followContexts",
            "hmac",
            "importNow",
            "legacyDecoder",
            "load",
            "nextTick",
            "originals",
            "parseForm",
            "parseUrl",
            "plainNumber",
            "promiseParts",
            "promiseState",
            "proxyParts",
            "setUrlPart",
            "sharing",
            "shortText",
            "timeOrigin",
            "waitUntil",
            "writeLine",
        ];
        for name in names {
            declarations.declare(name)?;
        }
        Ok(())
    }

    fn evaluate<'js>(ctx: &Ctx<'js>, exports: &Exports<'js>) -> Result<()> {
        exports.export("classOf", Func::from(class_of))?;
        exports.export("codecStep", Func::from(compression::step))?;
        exports.export("comparePlain", Func::from(intl::compare_plain))?;
        exports.export("compressor", Func::from(compression::compressor))?;
        exports.export("decodeLegacy", Func::from(legacy::decode))?;
        exports.export("decodeUtf16be", Func::from(encoding::decode_utf16be))?;
        exports.export("decodeUtf16le", Func::from(encoding::decode_utf16le))?;
        exports.export("decodeUtf8", Func::from(encoding::decode_utf8))?;
        exports.export("decodeWindows1252", Func::from(encoding::decode_windows_1252))?;
        exports.export("decompressor", Func::from(compression::decompressor))?;
        exports.export("digest", Func::from(crypto::digest::digest))?;
        exports.export("encodeForm", Func::from(url::encode_form))?;
        exports.export("encodeInto", Func::from(encoding::encode_into))?;
        exports.export("encodeUtf8", Func::from(encoding::encode_utf8))?;
        exports.export("encodingOf", Func::from(legacy::encoding_of))?;
        exports.export("environment", node::new_environment(ctx)?)?;
        exports.export("equal", Func::from(crypto::digest::equal))?;
        exports.export("fillRandom", Func::from(crypto::fill_random))?;
        exports.export("followContexts", event_loop::follow_contexts(ctx)?)?;
        exports.export("hmac", Func::from(crypto::digest::keyed_digest))?;
        exports.export("importNow", Func::from(super::import_now))?;
        exports.export("legacyDecoder", Func::from(legacy::decoder))?;
        exports.export("load", Func::from(lazy::load))?;
        exports.export("nextTick", event_loop::next_tick(ctx)?)?;
        exports.export("originals", originals(ctx)?)?;
        exports.export("parseForm", Func::from(url::parse_form))?;
        exports.export("parseUrl", Func::from(url::parse))?;
        exports.export("plainNumber", Func::from(intl::plain_number))?;
        exports.export("promiseParts", Func::from(inspect::promise_parts))?;
        exports.export("promiseState", Func::from(contexts::promise_state))?;
        exports.export("proxyParts", Func::from(inspect::proxy_parts))?;
        exports.export("setUrlPart", Func::from(url::set_part))?;
        exports.export("sharing", Func::from(shared_memory::sharing))?;
        exports.export("shortText", Func::from(console::short_text))?;
        exports.export("timeOrigin", Func::from(clock::origin_millis))?;
        exports.export("waitUntil", event_loop::wait_until(ctx)?)?;
        exports.export("writeLine", Func::from(console::write_line))?;
        Ok(())
    }
}

/// What the engine has, as it is before any guest code runs, for modules that are evaluated after that.
fn originals<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let globals = ctx.globals();
    let promise: Object = globals.get("Promise")?;
    let prototype: Object = promise.get("prototype")?;
    let originals = Object::new(ctx.clone())?;
    originals.set("then", prototype.get::<_, Value>("then")?)?;
    originals.set("resolve", promise.get::<_, Value>("resolve")?)?;
    originals.set("queueMicrotask", globals.get::<_, Value>("queueMicrotask")?)?;
    originals.set("Promise", promise)?;
    Ok(originals)
}

/// The number that the engine gives to objects with the same internal slots; 0 for what is no object.
fn class_of(value: Value<'_>) -> u32 {
    // SAFETY: the value is alive.
    unsafe { qjs::JS_GetClassID(value.as_raw()) }
}
