//! From values to payloads: `JSON.stringify`, with byte arrays beside the text.
//!
//! It is the algorithm of `JSON.stringify`, and code of the value's own may run in it: getters, `toJSON`, traps of proxies. So
//! each property is read once, when its turn comes; what is known of a value lies in a [`Walk`] of its own, since such code may
//! call a host function, whose arguments are encoded meanwhile; and no reference into the engine is held while it runs. The
//! script for V8, `guest/abi/src/binary.js`, does the same.
//!
//! Native memory is bounded: what does not fit the limit is counted, not kept.

mod names;

use alloc::string::String;
use alloc::vec::Vec;

use guest_abi::payload::Payload;
use rquickjs::atom::PredefinedAtom;
use rquickjs::function::This;
use rquickjs::{Coerced, Ctx, Error, Exception, Function, Object, Persistent, Result, Value, qjs};

use super::bytes::with_bytes;
use super::exception;
use super::json::first_special;
use super::new_value::owned;
use crate::global::Global;
use names::{NameTexts, Names};

/// Deepest nesting of objects. Each level takes native memory.
const DEPTH_MAX: usize = 10_000;
/// Begins a placeholder, and what is written in front of another string that begins so.
const MARK: u8 = Payload::MARK;
const ESCAPED_MARK: &[u8] = b"\\u0010";

static CLASSES: Global<Classes> = Global::new();

/// How to tell the objects that JSON makes no object of.
struct Classes {
    string: qjs::JSClassID,
    number: qjs::JSClassID,
    boolean: qjs::JSClassID,
    big_int: qjs::JSClassID,
    raw: qjs::JSClassID,
    /// `Boolean.prototype.valueOf`.
    boolean_of: Persistent<Function<'static>>,
}

/// Learns what it takes, before any other code runs.
pub fn install(ctx: &Ctx<'_>) -> Result<()> {
    let class = |example: &str| -> Result<_> { Ok(class_of(&ctx.eval::<Value, _>(example)?)) };
    let boolean_of: Function = ctx.eval("Boolean.prototype.valueOf")?;
    CLASSES.set(Classes {
        string: class("Object('')")?,
        number: class("Object(0)")?,
        boolean: class("Object(false)")?,
        big_int: class("Object(0n)")?,
        raw: class("JSON.rawJSON('0')")?,
        boolean_of: Persistent::save(ctx, boolean_of),
    });
    Ok(())
}

/// What a value is encoded as.
pub enum Encoded {
    Payload(Payload),
    /// `undefined`, or something else that JSON leaves out.
    Undefined,
    /// It is larger than the limit: its size.
    TooLarge(usize),
}

/// Encodes a value of at most `limit` bytes. Without `bytes` it is plain JSON.
///
/// # Errors
/// What `JSON.stringify` throws, a `RangeError` for too many byte arrays, or for objects nested too deeply.
pub fn encode<'js>(ctx: &Ctx<'js>, value: Value<'js>, bytes: bool, limit: usize) -> Result<Encoded> {
    let (output, names) = (Output::new(limit), NameTexts::new(ctx));
    let mut walk = Walk { ctx, bytes, output, names, open: Vec::new() };
    let Some(value) = walk.replaced(value, || empty_string(ctx))? else { return Ok(Encoded::Undefined) };
    walk.put(value)?;
    while walk.go_on()? {}
    walk.output.finish(ctx)
}

/// What is known of a value that is being encoded.
struct Walk<'a, 'js> {
    ctx: &'a Ctx<'js>,
    bytes: bool,
    output: Output,
    names: NameTexts<'js>,
    /// The objects that the walk is in, from the outermost on.
    open: Vec<Open<'js>>,
}

/// An object whose text has begun.
struct Open<'js> {
    object: Object<'js>,
    rest: Rest<'js>,
    is_empty: bool,
}

/// What is left of it.
enum Rest<'js> {
    Items { next: i64, length: i64 },
    Properties(Names<'js>),
}

impl<'js> Walk<'_, 'js> {
    /// Writes the next item or property of the innermost object, or its end. `false` if there is none.
    fn go_on(&mut self) -> Result<bool> {
        let Some(open) = self.open.last_mut() else { return Ok(false) };
        match &mut open.rest {
            Rest::Items { next, length } if *next < *length => {
                let index = *next;
                *next += 1;
                let item = item(&open.object, index)?;
                if index > 0 {
                    self.output.put(self.ctx, b",")?;
                }
                match self.replaced(item, || decimal(self.ctx, index))? {
                    Some(value) => self.put(value)?,
                    None => self.output.put(self.ctx, b"null")?,
                }
            }
            Rest::Properties(names) => match names.next() {
                Some(name) => {
                    let value = names::property(open.object.as_value(), name)?;
                    if let Some(value) = self.replaced(value, || names::string_of(self.ctx, name))? {
                        self.put_name(name)?;
                        self.put(value)?;
                    }
                }
                None => self.close(b"}")?,
            },
            Rest::Items { .. } => self.close(b"]")?,
        }
        Ok(true)
    }

    fn close(&mut self, bracket: &[u8]) -> Result<()> {
        self.open.pop();
        self.output.put(self.ctx, bracket)
    }

    fn put_name(&mut self, name: qjs::JSAtom) -> Result<()> {
        if let Some(open) = self.open.last_mut()
            && !core::mem::replace(&mut open.is_empty, false)
        {
            self.output.put(self.ctx, b",")?;
        }
        if let Some(text) = self.names.get(name) {
            return self.output.put(self.ctx, text);
        }
        let start = self.output.text.len();
        let string = names::string_of(self.ctx, name)?;
        with_text(self.ctx, &string, |text| self.output.put_string(self.ctx, text, false))??;
        self.output.put(self.ctx, b":")?;
        // Beyond the limit nothing is kept of the text.
        if let Some(text) = self.output.text.get(start..).filter(|text| !text.is_empty()) {
            self.names.keep(name, text);
        }
        Ok(())
    }

    /// What a value's `toJSON` gives for it, or the value itself; `None` if JSON leaves that out.
    fn replaced(&self, value: Value<'js>, key: impl FnOnce() -> Result<Value<'js>>) -> Result<Option<Value<'js>>> {
        let mut value = value;
        if (value.is_object() && !self.is_bytes(&value)) || value.is_big_int() {
            let to_json = names::property(&value, PredefinedAtom::ToJSON as qjs::JSAtom)?;
            if let Some(to_json) = to_json.as_function() {
                value = to_json.call((This(value.clone()), key()?))?;
            }
        }
        Ok((!value.is_undefined() && !value.is_function() && !value.is_symbol()).then_some(value))
    }

    /// Whether a value is one that goes beside the text.
    fn is_bytes(&self, value: &Value<'js>) -> bool {
        self.bytes && (is_uint8_array(value) || is_array_buffer(value))
    }

    /// Writes a value, or the beginning of an object.
    fn put(&mut self, value: Value<'js>) -> Result<()> {
        let ctx = self.ctx;
        if self.is_bytes(&value) {
            return self.output.put_bytes(ctx, &value);
        }
        let value = if value.is_object() { self.unboxed(value)? } else { value };
        if let Some(value) = value.as_int() {
            return self.output.put_integer(ctx, value.into());
        }
        if value.is_string() || value.is_float() {
            let is_string = value.is_string();
            if value.as_float().is_some_and(|value| !value.is_finite()) {
                return self.output.put(ctx, b"null");
            }
            let put = |text: &[u8]| match is_string {
                true => self.output.put_string(ctx, text, true),
                false => self.output.put(ctx, text),
            };
            return with_text(ctx, &value, put)?;
        }
        if let Some(value) = value.as_bool() {
            return self.output.put(ctx, if value { b"true" } else { b"false" });
        }
        if value.is_big_int() {
            return Err(Exception::throw_type(ctx, "BigInt are forbidden in JSON.stringify"));
        }
        match value.into_object() {
            Some(object) if class_of(&object) == CLASSES.with(|classes| classes.raw) => self.put_raw(&object),
            Some(object) => self.enter(object),
            None => self.output.put(ctx, b"null"),
        }
    }

    /// The string, number, boolean or BigInt in an object that is a box of one.
    fn unboxed(&self, value: Value<'js>) -> Result<Value<'js>> {
        let class = class_of(&value);
        let (is_string, is_number, is_boolean, is_big_int) = CLASSES.with(|classes| {
            (class == classes.string, class == classes.number, class == classes.boolean, class == classes.big_int)
        });
        if is_string {
            return Ok(value.get::<Coerced<rquickjs::String>>()?.0.into_value());
        }
        if is_number {
            let number = value.get::<Coerced<f64>>()?.0;
            return Ok(Value::new_number(self.ctx.clone(), number));
        }
        if is_boolean {
            let boolean_of = CLASSES.with(|classes| classes.boolean_of.clone()).restore(self.ctx)?;
            return boolean_of.call((This(value),));
        }
        if is_big_int {
            return Err(Exception::throw_type(self.ctx, "BigInt are forbidden in JSON.stringify"));
        }
        Ok(value)
    }

    /// Writes what `JSON.rawJSON` has made: the text of something that is no object.
    fn put_raw(&mut self, object: &Object<'js>) -> Result<()> {
        let raw: Value = object.get("rawJSON")?;
        let text = exception::with_text(self.ctx, &raw, |text| text.first().copied());
        match text.ok_or(Error::Exception)? {
            Some(b'"') => {
                let raw = exception::text(self.ctx, &raw).ok_or(Error::Exception)?;
                let value = self.ctx.json_parse(raw)?;
                with_text(self.ctx, &value, |text| self.output.put_string(self.ctx, text, true))?
            }
            _ => with_text(self.ctx, &raw, |text| self.output.put(self.ctx, text))?,
        }
    }

    /// Begins the text of an array or another object.
    fn enter(&mut self, object: Object<'js>) -> Result<()> {
        let ctx = self.ctx;
        let address = address_of(&object);
        if self.open.iter().any(|open| address_of(&open.object) == address) {
            return Err(Exception::throw_type(ctx, "circular reference"));
        }
        if self.open.len() == DEPTH_MAX {
            return Err(Exception::throw_range(ctx, "objects are nested more than 10000 deep"));
        }
        let rest = if is_array(ctx, &object)? {
            self.output.put(ctx, b"[")?;
            Rest::Items { next: 0, length: length_of(&object)? }
        } else {
            self.output.put(ctx, b"{")?;
            Rest::Properties(Names::of(&object)?)
        };
        self.open.try_reserve(1).map_err(|_| exception::throw_out_of_memory(ctx))?;
        self.open.push(Open { object, rest, is_empty: true });
        Ok(())
    }
}

/// The text and the bytes, as far as they fit.
struct Output {
    limit: usize,
    /// Size of all that was written, as a payload counts it.
    size: usize,
    text: Vec<u8>,
    /// Where in the text strings begin that need another mark if there are byte arrays, and how many there are.
    marked: Vec<usize>,
    marked_count: usize,
    arrays: Payload,
    array_count: usize,
}

impl Output {
    const fn new(limit: usize) -> Self {
        Self {
            limit,
            size: 0,
            text: Vec::new(),
            marked: Vec::new(),
            marked_count: 0,
            arrays: Payload::from_json(String::new()),
            array_count: 0,
        }
    }

    /// Counts what is to be written; whether it is to be kept.
    fn count(&mut self, size: usize) -> bool {
        self.size = self.size.saturating_add(size);
        if self.size <= self.limit {
            return true;
        }
        (self.text, self.marked, self.arrays) = (Vec::new(), Vec::new(), Payload::default());
        false
    }

    fn put(&mut self, ctx: &Ctx<'_>, text: &[u8]) -> Result<()> {
        if !self.count(text.len()) {
            return Ok(());
        }
        let needed = self.text.len() + text.len();
        if needed > self.text.capacity() {
            let capacity = needed.max((2 * self.text.capacity()).min(self.limit)).max(64);
            let more = self.text.try_reserve_exact(capacity - self.text.len());
            more.map_err(|_| exception::throw_out_of_memory(ctx))?;
        }
        self.text.extend_from_slice(text);
        Ok(())
    }

    fn put_integer(&mut self, ctx: &Ctx<'_>, value: i64) -> Result<()> {
        let mut digits = [0; 20];
        let mut start = digits.len();
        let mut rest = value.unsigned_abs();
        loop {
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            start -= 1;
            digits[start] = b'-';
        }
        self.put(ctx, &digits[start..])
    }

    /// Writes a string in quotes, given as QuickJS encodes it: a lone surrogate is three bytes that are not UTF-8.
    fn put_string(&mut self, ctx: &Ctx<'_>, text: &[u8], is_value: bool) -> Result<()> {
        self.put(ctx, b"\"")?;
        if is_value && text.first() == Some(&MARK) {
            self.marked_count += 1;
            if self.size <= self.limit {
                self.marked.try_reserve(1).map_err(|_| exception::throw_out_of_memory(ctx))?;
                self.marked.push(self.text.len());
            }
        }
        let (mut start, mut at) = (0, 0);
        loop {
            // Half surrogate pairs begin with this byte.
            at = first_special::<0xed>(text, at);
            let (code, length) = match text[at..] {
                [] => break,
                [0xed, high @ 0xa0..=0xbf, low, ..] => {
                    (0xd000 | u16::from(high & 0x3f) << 6 | u16::from(low & 0x3f), 3)
                }
                [byte @ (..0x20 | b'"' | b'\\'), ..] => (u16::from(byte), 1),
                _ => {
                    at += 1;
                    continue;
                }
            };
            self.put(ctx, &text[start..at])?;
            self.put_escaped(ctx, code)?;
            at += length;
            start = at;
        }
        self.put(ctx, &text[start..])?;
        self.put(ctx, b"\"")
    }

    fn put_escaped(&mut self, ctx: &Ctx<'_>, code: u16) -> Result<()> {
        let short = match code {
            0x08 => b'b',
            0x09 => b't',
            0x0a => b'n',
            0x0c => b'f',
            0x0d => b'r',
            0x22 => b'"',
            0x5c => b'\\',
            _ => {
                let digit = |shift: u32| b"0123456789abcdef"[usize::from(code >> shift & 0xf)];
                return self.put(ctx, &[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
            }
        };
        self.put(ctx, &[b'\\', short])
    }

    /// Writes a placeholder, and puts the bytes beside the text as they are now.
    fn put_bytes<'js>(&mut self, ctx: &Ctx<'js>, value: &Value<'js>) -> Result<()> {
        if self.array_count == Payload::BYTE_ARRAYS_MAX {
            return Err(Exception::throw_range(ctx, "more than 65536 byte arrays"));
        }
        self.put(ctx, b"\"")?;
        self.put(ctx, ESCAPED_MARK)?;
        self.put_integer(ctx, self.array_count as i64)?;
        self.put(ctx, b"\"")?;
        self.array_count += 1;
        with_bytes(ctx, value, |bytes| {
            if self.count(bytes.len() + Payload::ARRAY_OVERHEAD) && self.arrays.try_push(bytes).is_err() {
                return Err(exception::throw_out_of_memory(ctx));
            }
            Ok(())
        })
    }

    fn finish(mut self, ctx: &Ctx<'_>) -> Result<Encoded> {
        if self.array_count > 0 && self.marked_count > 0 {
            self.count(self.marked_count * ESCAPED_MARK.len());
        }
        if self.size > self.limit {
            return Ok(Encoded::TooLarge(self.size));
        }
        if self.array_count > 0 && self.marked_count > 0 {
            self.insert_marks(ctx)?;
        }
        // SAFETY: what was written is ASCII or was UTF-8 already: surrogates were replaced.
        let text = unsafe { String::from_utf8_unchecked(self.text) };
        Ok(Encoded::Payload(self.arrays.with_json(text)))
    }

    fn insert_marks(&mut self, ctx: &Ctx<'_>) -> Result<()> {
        let mut text = Vec::new();
        let size = self.text.len() + self.marked.len() * ESCAPED_MARK.len();
        text.try_reserve_exact(size).map_err(|_| exception::throw_out_of_memory(ctx))?;
        let mut start = 0;
        for &end in &self.marked {
            text.extend_from_slice(&self.text[start..end]);
            text.extend_from_slice(ESCAPED_MARK);
            start = end;
        }
        text.extend_from_slice(&self.text[start..]);
        self.text = text;
        Ok(())
    }
}

/// As [`exception::with_text`], but says that the engine has thrown.
fn with_text<T>(ctx: &Ctx<'_>, value: &Value<'_>, f: impl FnOnce(&[u8]) -> T) -> Result<T> {
    exception::with_text(ctx, value, f).ok_or(Error::Exception)
}

fn empty_string<'js>(ctx: &Ctx<'js>) -> Result<Value<'js>> {
    Ok(rquickjs::String::from_str(ctx.clone(), "")?.into_value())
}

/// The name of an item.
fn decimal<'js>(ctx: &Ctx<'js>, index: i64) -> Result<Value<'js>> {
    Value::new_number(ctx.clone(), index as f64).get::<Coerced<rquickjs::String>>().map(|name| name.0.into_value())
}

fn class_of(value: &Value<'_>) -> qjs::JSClassID {
    // SAFETY: it is a value.
    unsafe { qjs::JS_GetClassID(value.as_raw()) }
}

fn is_uint8_array(value: &Value<'_>) -> bool {
    // SAFETY: it is a value.
    unsafe { qjs::JS_GetTypedArrayType(value.as_raw()) == qjs::JSTypedArrayEnum_JS_TYPED_ARRAY_UINT8 as i32 }
}

fn is_array_buffer(value: &Value<'_>) -> bool {
    // SAFETY: it is a value.
    unsafe { qjs::JS_IsArrayBuffer(value.as_raw()) }
}

fn address_of(value: &Value<'_>) -> usize {
    // SAFETY: it is an object, and so a pointer.
    unsafe { qjs::JS_VALUE_GET_PTR(value.as_raw()) as usize }
}

fn item<'js>(array: &Object<'js>, index: i64) -> Result<Value<'js>> {
    let ctx = array.ctx();
    // SAFETY: value and context belong together.
    unsafe { owned(ctx, qjs::JS_GetPropertyInt64(ctx.as_raw().as_ptr(), array.as_raw(), index)) }
}

fn length_of(array: &Object<'_>) -> Result<i64> {
    let mut length = 0;
    // SAFETY: value and context belong together.
    match unsafe { qjs::JS_GetLength(array.ctx().as_raw().as_ptr(), array.as_raw(), &raw mut length) } {
        0 => Ok(length),
        _ => Err(Error::Exception),
    }
}

/// What `Array.isArray` says.
fn is_array<'js>(ctx: &Ctx<'js>, object: &Object<'js>) -> Result<bool> {
    let mut value = object.as_value().clone();
    while value.is_proxy() {
        // SAFETY: value and context belong together.
        value = unsafe { owned(ctx, qjs::JS_GetProxyTarget(ctx.as_raw().as_ptr(), value.as_raw())) }?;
    }
    Ok(value.is_array())
}
