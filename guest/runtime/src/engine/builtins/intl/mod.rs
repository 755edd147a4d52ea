//! `Intl`, and the methods of the language that depend on a locale.
//!
//! The JavaScript beside this is what ECMA-402 says, and shows numbers and dates by the data of locales; what else a language
//! needs is in the crate `guest-intl`. None of it is compiled, and no page of the data is touched, until a guest uses a name of
//! `Intl` or one of those methods: `methods.js` is all that there is of it before.
//!
//! Texts are worked on in memory that is asked for before, as a multiple of their size.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use guest_intl::segments::{self, Granularity};
use guest_intl::zone::{self, Zone};
use guest_intl::{WORK_FACTOR, casing, collation, data, locale, usual};
use rquickjs::class::{JsClass, Readable, Trace, Tracer};
use rquickjs::convert::List;
use rquickjs::function::{Constructor, Func};
use rquickjs::module::{Declarations, Exports, ModuleDef};
use rquickjs::{Array, Class, Ctx, Error, JsLifetime, Result, Value};

use crate::engine::exception;
use crate::engine::new_value::{has_room, new_bytes};

/// Memory that is taken without asking by what does not depend on the size of a text.
const ROOM: usize = 64 << 10;
/// A text that is as long at most is worked on without asking: it needs less than [`ROOM`].
const SHORT: usize = ROOM / WORK_FACTOR;
/// Marks the end of a segment that is a word.
const IS_WORD: u32 = 1 << 31;

/// The module that holds it.
pub struct Intl;

impl ModuleDef for Intl {
    fn declare(declarations: &Declarations<'_>) -> Result<()> {
        let names = [
            "canonicalLocale",
            "compareTexts",
            "ignoresPunctuation",
            "localeData",
            "lowerCase",
            "maximized",
            "minimized",
            "newOrder",
            "newZone",
            "segmentEnds",
            "upperCase",
            "zoneName",
            "zoneNames",
            "zoneOffset",
        ];
        for name in names {
            declarations.declare(name)?;
        }
        Ok(())
    }

    fn evaluate<'js>(_: &Ctx<'js>, exports: &Exports<'js>) -> Result<()> {
        exports.export("canonicalLocale", Func::from(canonical_locale))?;
        exports.export("compareTexts", Func::from(compare_texts))?;
        exports.export("ignoresPunctuation", Func::from(ignores_punctuation))?;
        exports.export("localeData", Func::from(locale_data))?;
        exports.export("lowerCase", Func::from(lower_case))?;
        exports.export("maximized", Func::from(maximized))?;
        exports.export("minimized", Func::from(minimized))?;
        exports.export("newOrder", Func::from(new_order))?;
        exports.export("newZone", Func::from(new_zone))?;
        exports.export("segmentEnds", Func::from(segment_ends))?;
        exports.export("upperCase", Func::from(upper_case))?;
        exports.export("zoneName", Func::from(zone_name))?;
        exports.export("zoneNames", Func::from(zone_names))?;
        exports.export("zoneOffset", Func::from(zone_offset))?;
        Ok(())
    }
}

/// Makes a type an object that JavaScript can only hand back.
macro_rules! kept {
    ($name:ident, $text:literal) => {
        impl<'js> Trace<'js> for $name {
            fn trace<'a>(&self, _: Tracer<'a, 'js>) {}
        }

        // SAFETY: it holds nothing of JavaScript's, so that no lifetime is changed.
        unsafe impl<'js> JsLifetime<'js> for $name {
            type Changed<'to> = $name;
        }

        impl<'js> JsClass<'js> for $name {
            const NAME: &'static str = $text;
            type Mutable = Readable;

            fn constructor(_: &Ctx<'js>) -> Result<Option<Constructor<'js>>> {
                Ok(None)
            }
        }
    };
}

/// The order of texts in a locale, for JavaScript to keep.
pub struct KeptOrder(collation::Order);
kept!(KeptOrder, "Order");

/// A time zone, for JavaScript to keep.
pub struct KeptZone(Zone);
kept!(KeptZone, "Zone");

fn check_room(ctx: &Ctx<'_>, size: usize) -> Result<()> {
    let is_enough = size <= SHORT || has_room(size.saturating_mul(WORK_FACTOR));
    if is_enough && has_room(ROOM) { Ok(()) } else { Err(exception::throw_out_of_memory(ctx)) }
}

/// What a function makes of the bytes of a text, if there is memory to work on it.
fn with_text<'js, T>(ctx: &Ctx<'js>, text: &Value<'js>, f: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
    let result = exception::with_text(ctx, text, |bytes| {
        check_room(ctx, bytes.len())?;
        f(bytes)
    });
    result.unwrap_or(Err(Error::Exception))
}

fn locale_data<'js>(ctx: Ctx<'js>, name: String) -> Result<Option<Value<'js>>> {
    let Some(piece) = data::piece(&name) else { return Ok(None) };
    check_room(&ctx, 0)?;
    let mut room = Vec::new();
    room.try_reserve_exact(piece.size).map_err(|_| exception::throw_out_of_memory(&ctx))?;
    let text = piece.text(room).unwrap_or_default();
    exception::string_of(&ctx, &text).map(Some)
}

fn canonical_locale(tag: String) -> Option<String> {
    locale::canonical(&tag)
}

fn maximized(tag: String) -> Option<String> {
    locale::maximized(&tag)
}

fn minimized(tag: String) -> Option<String> {
    locale::minimized(&tag)
}

fn new_order<'js>(
    ctx: Ctx<'js>,
    tag: String,
    sensitivity: String,
    ignores_punctuation: Option<bool>,
) -> Result<Option<Class<'js, KeptOrder>>> {
    let order = collation::Order::new(&tag, &sensitivity, ignores_punctuation);
    order.map(|order| Class::instance(ctx, KeptOrder(order))).transpose()
}

fn ignores_punctuation(order: Class<'_, KeptOrder>) -> bool {
    order.borrow().0.ignores_punctuation()
}

/// As [`compare_texts`] in English, if the texts are plain.
pub fn compare_plain<'js>(ctx: Ctx<'js>, left: Value<'js>, right: Value<'js>) -> Result<Option<i32>> {
    let order = exception::with_text(&ctx, &left, |left| {
        exception::with_text(&ctx, &right, |right| usual::compare(left, right).map(|order| order as i32))
    });
    order.flatten().ok_or(Error::Exception)
}

/// A number in English, if it is plain.
pub fn plain_number(number: f64) -> Option<String> {
    usual::number(number)
}

/// Compares two texts: less than 0 if the first one comes first, 0 if they are equal.
fn compare_texts<'js>(ctx: Ctx<'js>, order: Class<'js, KeptOrder>, left: Value<'js>, right: Value<'js>) -> Result<i32> {
    with_text(&ctx, &left, |left| with_text(&ctx, &right, |right| Ok(order.borrow().0.compare(left, right) as i32)))
}

/// The ends of the segments of a text, each in four bytes, with [`IS_WORD`].
fn segment_ends<'js>(ctx: Ctx<'js>, text: Value<'js>, granularity: String) -> Result<Value<'js>> {
    let granularity = match granularity.as_str() {
        "word" => Granularity::Word,
        "sentence" => Granularity::Sentence,
        _ => Granularity::Grapheme,
    };
    with_text(&ctx, &text, |bytes| {
        let units = segments::units(bytes).ok_or_else(|| exception::throw_out_of_memory(&ctx))?;
        let mut ends = Vec::new();
        ends.try_reserve_exact(4 * units.len()).map_err(|_| exception::throw_out_of_memory(&ctx))?;
        segments::each(&units, granularity, |end, is_word| {
            let end = end as u32 | if is_word { IS_WORD } else { 0 };
            ends.extend_from_slice(&end.to_le_bytes());
        });
        new_bytes(&ctx, &ends)
    })
}

fn upper_case<'js>(ctx: Ctx<'js>, text: Value<'js>, tag: String) -> Result<Value<'js>> {
    cased(&ctx, &text, |text| casing::upper(text, &tag))
}

fn lower_case<'js>(ctx: Ctx<'js>, text: Value<'js>, tag: String) -> Result<Value<'js>> {
    cased(&ctx, &text, |text| casing::lower(text, &tag))
}

/// A text of which all is changed but surrogates that are alone, which the engine encodes in bytes that are no UTF-8. It stays as
/// it is if the language is none.
fn cased<'js>(ctx: &Ctx<'js>, text: &Value<'js>, change: impl Fn(&str) -> Option<Cow<'_, str>>) -> Result<Value<'js>> {
    with_text(ctx, text, |bytes| {
        let mut result = Vec::new();
        for chunk in bytes.utf8_chunks() {
            // Each byte of a surrogate is a chunk.
            if !chunk.valid().is_empty() {
                let Some(changed) = change(chunk.valid()) else { return Ok(text.clone()) };
                result.extend_from_slice(changed.as_bytes());
            }
            result.extend_from_slice(chunk.invalid());
        }
        exception::string_of(ctx, &result)
    })
}

fn zone_name(name: String) -> Option<&'static str> {
    zone::name(&name)
}

fn zone_names(ctx: Ctx<'_>) -> Result<Array<'_>> {
    let names = Array::new(ctx)?;
    for (i, name) in zone::names().enumerate() {
        names.set(i, name)?;
    }
    Ok(names)
}

fn new_zone<'js>(ctx: Ctx<'js>, name: String) -> Result<Option<Class<'js, KeptZone>>> {
    check_room(&ctx, 0)?;
    Zone::new(&name).map(|zone| Class::instance(ctx, KeptZone(zone))).transpose()
}

/// Seconds east of UTC at a time in seconds, and whether that is daylight saving time.
fn zone_offset(zone: Class<'_, KeptZone>, seconds: f64) -> List<(i32, bool)> {
    let offset = zone.borrow().0.at(seconds);
    List((offset.seconds, offset.is_daylight))
}
