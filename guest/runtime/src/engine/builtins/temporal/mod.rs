//! `Temporal`.
//!
//! The JavaScript beside this is what the specification says of objects: what they are made of, in which order options
//! and fields are read. The values are kept by objects that it can only hand back, and what is computed with them is in
//! the crate `guest-temporal`. None of it is compiled, and no page of its data is touched, until a guest uses the name.

use alloc::string::String;
use alloc::vec::Vec;

use guest_temporal::{Choices, ErrorKind, Fields, Kind, MEMORY, Property, Value as Kept};
use rquickjs::class::{JsClass, Readable, Trace, Tracer};
use rquickjs::function::{Constructor, Func};
use rquickjs::module::{Declarations, Exports, ModuleDef};
use rquickjs::{Array, Class, Ctx, Error, IntoJs, JsLifetime, Result, Value};

use crate::engine::exception;
use crate::engine::new_value::has_room;

/// The module that holds it.
pub struct Temporal;

impl ModuleDef for Temporal {
    fn declare(declarations: &Declarations<'_>) -> Result<()> {
        let names = [
            "calendarName",
            "compare",
            "compareDurations",
            "create",
            "difference",
            "equals",
            "fromFields",
            "inZone",
            "isOffset",
            "kindOf",
            "negated",
            "parse",
            "plus",
            "property",
            "resolved",
            "round",
            "shownAt",
            "startOfDay",
            "textOf",
            "toDateWith",
            "toKind",
            "total",
            "transition",
            "withCalendar",
            "withFields",
            "withTime",
            "zoneName",
        ];
        for name in names {
            declarations.declare(name)?;
        }
        Ok(())
    }

    fn evaluate<'js>(_: &Ctx<'js>, exports: &Exports<'js>) -> Result<()> {
        exports.export("calendarName", Func::from(calendar_name))?;
        exports.export("compare", Func::from(compare))?;
        exports.export("compareDurations", Func::from(compare_durations))?;
        exports.export("create", Func::from(create))?;
        exports.export("difference", Func::from(difference))?;
        exports.export("equals", Func::from(equals))?;
        exports.export("fromFields", Func::from(from_fields))?;
        exports.export("inZone", Func::from(in_zone))?;
        exports.export("isOffset", Func::from(is_offset))?;
        exports.export("kindOf", Func::from(kind_of))?;
        exports.export("negated", Func::from(negated))?;
        exports.export("parse", Func::from(parse))?;
        exports.export("plus", Func::from(plus))?;
        exports.export("property", Func::from(property))?;
        exports.export("resolved", Func::from(resolved))?;
        exports.export("round", Func::from(round))?;
        exports.export("shownAt", Func::from(shown_at))?;
        exports.export("startOfDay", Func::from(start_of_day))?;
        exports.export("textOf", Func::from(text_of))?;
        exports.export("toDateWith", Func::from(to_date_with))?;
        exports.export("toKind", Func::from(to_kind))?;
        exports.export("total", Func::from(total))?;
        exports.export("transition", Func::from(transition))?;
        exports.export("withCalendar", Func::from(with_calendar))?;
        exports.export("withFields", Func::from(with_fields))?;
        exports.export("withTime", Func::from(with_time))?;
        exports.export("zoneName", Func::from(zone_name))?;
        Ok(())
    }
}

/// A value, for JavaScript to keep.
pub struct Slot(Kept);

impl<'js> Trace<'js> for Slot {
    fn trace<'a>(&self, _: Tracer<'a, 'js>) {}
}

// SAFETY: it holds nothing of JavaScript's, so that no lifetime is changed.
unsafe impl<'js> JsLifetime<'js> for Slot {
    type Changed<'to> = Slot;
}

impl<'js> JsClass<'js> for Slot {
    const NAME: &'static str = "Slot";
    type Mutable = Readable;

    fn constructor(_: &Ctx<'js>) -> Result<Option<Constructor<'js>>> {
        Ok(None)
    }
}

type Handle<'js> = Class<'js, Slot>;
/// Options as `temporal/options.js` has read them.
type Options = Vec<Option<f64>>;

/// Does what takes memory without a way to fail, if there is enough of it.
fn with_room<'js, T>(ctx: &Ctx<'js>, f: impl FnOnce() -> guest_temporal::Result<T>) -> Result<T> {
    if !has_room(MEMORY) {
        return Err(exception::throw_out_of_memory(ctx));
    }
    f().map_err(|error| thrown(ctx, error))
}

/// Throws an error as Node.js does.
fn thrown(ctx: &Ctx<'_>, error: guest_temporal::Error) -> Error {
    let message = alloc::format!("Temporal error: {}", error.into_message());
    match error.kind() {
        ErrorKind::Type => rquickjs::Exception::throw_type(ctx, &message),
        _ => rquickjs::Exception::throw_range(ctx, &message),
    }
}

fn kept<'js>(ctx: &Ctx<'js>, f: impl FnOnce() -> guest_temporal::Result<Kept>) -> Result<Handle<'js>> {
    let value = with_room(ctx, f)?;
    Class::instance(ctx.clone(), Slot(value))
}

fn kind<'js>(ctx: &Ctx<'js>, number: u8) -> Result<Kind> {
    Kind::new(number).ok_or_else(|| rquickjs::Exception::throw_type(ctx, "there is no such kind"))
}

/// What a function makes of a text. One that is no UTF-8, having surrogates that are alone, is none of those that are
/// looked for.
fn with_text<'js, T>(
    ctx: &Ctx<'js>,
    text: &Value<'js>,
    f: impl FnOnce(&str) -> guest_temporal::Result<T>,
) -> Result<T> {
    let result =
        exception::with_text(ctx, text, |bytes| with_room(ctx, || f(core::str::from_utf8(bytes).unwrap_or("\0"))));
    result.unwrap_or(Err(Error::Exception))
}

fn create<'js>(
    ctx: Ctx<'js>,
    number: u8,
    numbers: Vec<f64>,
    text: String,
    zone: Value<'js>,
    calendar: Value<'js>,
) -> Result<Handle<'js>> {
    let kind = kind(&ctx, number)?;
    let value = with_text(&ctx, &calendar, |calendar| {
        Ok(with_text(&ctx, &zone, |zone| Kept::new(kind, &numbers, &text, zone, calendar)))
    })??;
    Class::instance(ctx, Slot(value))
}

fn parse<'js>(ctx: Ctx<'js>, number: u8, text: Value<'js>) -> Result<Handle<'js>> {
    let kind = kind(&ctx, number)?;
    let value = with_text(&ctx, &text, |text| Kept::parse(kind, text))?;
    Class::instance(ctx, Slot(value))
}

fn resolved<'js>(ctx: Ctx<'js>, slot: Handle<'js>, options: Options) -> Result<Handle<'js>> {
    kept(&ctx, || slot.borrow().0.resolved(&Choices(&options)))
}

/// Fields from an array: those of a date, the six of a time, and an offset.
fn fields_of(array: &Array<'_>) -> Result<Fields> {
    let mut fields = Fields {
        year: array.get(0)?,
        month: array.get(1)?,
        month_code: array.get(2)?,
        day: array.get(3)?,
        era: array.get(4)?,
        era_year: array.get(5)?,
        offset: array.get(12)?,
        ..Fields::default()
    };
    for (i, field) in fields.time.iter_mut().enumerate() {
        *field = array.get(6 + i)?;
    }
    Ok(fields)
}

fn from_fields<'js>(
    ctx: Ctx<'js>,
    number: u8,
    fields: Array<'js>,
    calendar: String,
    zone: Option<String>,
    options: Options,
) -> Result<Handle<'js>> {
    let (kind, fields) = (kind(&ctx, number)?, fields_of(&fields)?);
    kept(&ctx, || Kept::from_fields(kind, &fields, &calendar, zone.as_deref(), &Choices(&options)))
}

fn with_fields<'js>(ctx: Ctx<'js>, slot: Handle<'js>, fields: Array<'js>, options: Options) -> Result<Handle<'js>> {
    let fields = fields_of(&fields)?;
    kept(&ctx, || slot.borrow().0.with_fields(&fields, &Choices(&options)))
}

fn to_date_with<'js>(ctx: Ctx<'js>, slot: Handle<'js>, fields: Array<'js>) -> Result<Handle<'js>> {
    let fields = fields_of(&fields)?;
    kept(&ctx, || slot.borrow().0.to_date_with(&fields))
}

fn property<'js>(ctx: Ctx<'js>, slot: Handle<'js>, name: String) -> Result<Value<'js>> {
    match with_room(&ctx, || slot.borrow().0.property(&name))? {
        Property::Number(number) => number.into_js(&ctx),
        Property::Flag(flag) => flag.into_js(&ctx),
        Property::Text(text) => text.into_js(&ctx),
        Property::Missing => Ok(Value::new_undefined(ctx)),
    }
}

fn kind_of(slot: Handle<'_>) -> u8 {
    slot.borrow().0.kind() as u8
}

fn to_kind<'js>(ctx: Ctx<'js>, slot: Handle<'js>, number: u8) -> Result<Handle<'js>> {
    let kind = kind(&ctx, number)?;
    kept(&ctx, || slot.borrow().0.to_kind(kind))
}

fn with_time<'js>(ctx: Ctx<'js>, slot: Handle<'js>, time: Option<Handle<'js>>) -> Result<Handle<'js>> {
    kept(&ctx, || slot.borrow().0.with_time(time.map(|time| time.borrow().0.clone()).as_ref()))
}

fn in_zone<'js>(
    ctx: Ctx<'js>,
    slot: Handle<'js>,
    zone: String,
    time: Option<Handle<'js>>,
    options: Options,
) -> Result<Handle<'js>> {
    let time = time.map(|time| time.borrow().0.clone());
    kept(&ctx, || slot.borrow().0.in_zone(&zone, time.as_ref(), &Choices(&options)))
}

fn with_calendar<'js>(ctx: Ctx<'js>, slot: Handle<'js>, calendar: String) -> Result<Handle<'js>> {
    kept(&ctx, || slot.borrow().0.with_calendar(&calendar))
}

fn start_of_day<'js>(ctx: Ctx<'js>, slot: Handle<'js>) -> Result<Handle<'js>> {
    kept(&ctx, || slot.borrow().0.start_of_day())
}

fn transition<'js>(ctx: Ctx<'js>, slot: Handle<'js>, is_next: bool) -> Result<Option<Handle<'js>>> {
    let found = with_room(&ctx, || slot.borrow().0.transition(is_next))?;
    found.map(|value| Class::instance(ctx, Slot(value))).transpose()
}

fn plus<'js>(
    ctx: Ctx<'js>,
    slot: Handle<'js>,
    duration: Handle<'js>,
    is_before: bool,
    options: Options,
) -> Result<Handle<'js>> {
    kept(&ctx, || slot.borrow().0.plus(&duration.borrow().0, is_before, &Choices(&options)))
}

fn difference<'js>(
    ctx: Ctx<'js>,
    slot: Handle<'js>,
    other: Handle<'js>,
    is_since: bool,
    options: Options,
) -> Result<Handle<'js>> {
    kept(&ctx, || slot.borrow().0.difference(&other.borrow().0, is_since, &Choices(&options)))
}

fn round<'js>(
    ctx: Ctx<'js>,
    slot: Handle<'js>,
    relative_to: Option<Handle<'js>>,
    options: Options,
) -> Result<Handle<'js>> {
    let relative_to = relative_to.map(|value| value.borrow().0.clone());
    kept(&ctx, || slot.borrow().0.round(relative_to.as_ref(), &Choices(&options)))
}

fn total<'js>(ctx: Ctx<'js>, slot: Handle<'js>, relative_to: Option<Handle<'js>>, options: Options) -> Result<f64> {
    let relative_to = relative_to.map(|value| value.borrow().0.clone());
    with_room(&ctx, || slot.borrow().0.total(relative_to.as_ref(), &Choices(&options)))
}

fn compare_durations<'js>(
    ctx: Ctx<'js>,
    one: Handle<'js>,
    two: Handle<'js>,
    relative_to: Option<Handle<'js>>,
) -> Result<i32> {
    let relative_to = relative_to.map(|value| value.borrow().0.clone());
    with_room(&ctx, || {
        one.borrow().0.compare_durations(&two.borrow().0, relative_to.as_ref()).map(|order| order as i32)
    })
}

fn compare<'js>(ctx: Ctx<'js>, one: Handle<'js>, two: Handle<'js>) -> Result<i32> {
    with_room(&ctx, || one.borrow().0.compare(&two.borrow().0).map(|order| order as i32))
}

fn equals<'js>(ctx: Ctx<'js>, one: Handle<'js>, two: Handle<'js>) -> Result<bool> {
    with_room(&ctx, || one.borrow().0.equals(&two.borrow().0))
}

fn negated<'js>(ctx: Ctx<'js>, slot: Handle<'js>) -> Result<Handle<'js>> {
    kept(&ctx, || slot.borrow().0.negated())
}

fn text_of<'js>(ctx: Ctx<'js>, slot: Handle<'js>, zone: Option<String>, options: Options) -> Result<String> {
    with_room(&ctx, || slot.borrow().0.text(zone.as_deref(), &Choices(&options)))
}

fn shown_at<'js>(ctx: Ctx<'js>, slot: Handle<'js>) -> Result<f64> {
    with_room(&ctx, || slot.borrow().0.shown_at())
}

fn calendar_name<'js>(ctx: Ctx<'js>, text: Value<'js>, may_be_date: bool) -> Result<String> {
    with_text(&ctx, &text, |text| guest_temporal::calendar_name(text, may_be_date))
}

fn zone_name<'js>(ctx: Ctx<'js>, text: Value<'js>, may_be_date: bool) -> Result<String> {
    with_text(&ctx, &text, |text| guest_temporal::zone_name(text, may_be_date))
}

fn is_offset<'js>(ctx: Ctx<'js>, text: Value<'js>) -> Result<bool> {
    with_text(&ctx, &text, |text| Ok(guest_temporal::offset_is_valid(text)))
}
