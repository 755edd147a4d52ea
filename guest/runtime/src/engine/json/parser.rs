//! A parser that makes values of the engine of JSON text at once.
//!
//! It knows all of JSON but half surrogate pairs and what is nested deeper than [`DEPTH_MAX`]: such texts, and those that are no JSON, it
//! refuses, and so it does when there is no memory. What it makes is what `JSON.parse` makes, apart from how integers are kept.
//!
//! What makes it fast: a name is looked up among those that the text had before, not among all of the engine's; an array
//! is made when all of its items are known; most numbers are small enough that their digits need no care; and strings are searched
//! eight bytes at a time. No code of the guest's runs meanwhile, and no garbage is collected, of which there is none: all that is
//! made is part of the value.

use alloc::vec::Vec;

use rquickjs::{Ctx, Value, qjs};

use super::text::first_special;
use super::{MARK, unmarked};
use crate::engine::no_collections::NoCollections;

/// Deepest nesting. Each level takes some of the stack.
const DEPTH_MAX: usize = 128;
/// Most items that wait for their arrays to be complete, in 16 bytes each. An array that is longer than what is left is begun, and
/// its other items are added to it one by one.
const ITEMS_MAX: usize = 16 << 10;
/// A power of two.
const NAMES: usize = 32;
/// Longer names are not looked for among those that were there before.
const NAME_SIZE_MAX: usize = 64;
/// As an assignment makes a property.
const PLAIN: i32 = qjs::JS_PROP_C_W_E as i32;

/// It is for another parser to say what is wrong, or to make the value.
pub struct Refused;

type Result<T> = core::result::Result<T, Refused>;

/// The value of a text, in which placeholders stand for these byte arrays.
pub fn parse<'js>(ctx: &Ctx<'js>, text: &str, arrays: &[&[u8]]) -> Result<Value<'js>> {
    let _no_collections = NoCollections::begin(ctx);
    let mut parser = Parser {
        ctx,
        raw: ctx.as_raw().as_ptr(),
        text: text.as_bytes(),
        at: 0,
        arrays,
        items: Vec::new(),
        names: [Name { start: 0, end: 0, atom: 0 }; NAMES],
        unescaped: Vec::new(),
    };
    let value = parser.value(0)?;
    // SAFETY: it is the context's, and nobody else has it.
    let value = unsafe { Value::from_raw(ctx.clone(), value) };
    parser.skip_space();
    if parser.at == parser.text.len() { Ok(value) } else { Err(Refused) }
}

struct Parser<'a, 'js> {
    ctx: &'a Ctx<'js>,
    raw: *mut qjs::JSContext,
    text: &'a [u8],
    at: usize,
    arrays: &'a [&'a [u8]],
    /// Items of the arrays that are not complete, from the outermost on. They belong to this.
    items: Vec<qjs::JSValue>,
    names: [Name; NAMES],
    /// Room for a string that has escapes.
    unescaped: Vec<u8>,
}

/// Where the text had a name, and its atom, which belongs to this.
#[derive(Clone, Copy)]
struct Name {
    start: u32,
    end: u32,
    /// 0 if there is none.
    atom: qjs::JSAtom,
}

/// A value that is freed if it is not [kept](Self::keep).
struct Owned {
    context: *mut qjs::JSContext,
    value: qjs::JSValue,
}

impl Owned {
    fn keep(self) -> qjs::JSValue {
        let value = self.value;
        core::mem::forget(self);
        value
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: nobody else has it.
        unsafe { qjs::JS_FreeValue(self.context, self.value) };
    }
}

impl Drop for Parser<'_, '_> {
    fn drop(&mut self) {
        for value in self.items.drain(..) {
            // SAFETY: it belongs to the list.
            unsafe { qjs::JS_FreeValue(self.raw, value) };
        }
        for name in self.names.iter().filter(|name| name.atom != 0) {
            // SAFETY: it belongs to the table.
            unsafe { qjs::JS_FreeAtom(self.raw, name.atom) };
        }
    }
}

impl Parser<'_, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// The next byte that is no space.
    fn next(&mut self) -> Result<u8> {
        self.skip_space();
        let byte = self.peek().ok_or(Refused)?;
        self.at += 1;
        Ok(byte)
    }

    fn value(&mut self, depth: usize) -> Result<qjs::JSValue> {
        match self.next()? {
            b'"' => self.string(),
            b'{' if depth < DEPTH_MAX => self.object(depth + 1),
            b'[' if depth < DEPTH_MAX => self.array(depth + 1),
            b't' => self.word(b"rue", qjs::JS_TRUE),
            b'f' => self.word(b"alse", qjs::JS_FALSE),
            b'n' => self.word(b"ull", qjs::JS_NULL),
            b'-' | b'0'..=b'9' => {
                self.at -= 1;
                self.number()
            }
            _ => Err(Refused),
        }
    }

    fn word(&mut self, rest: &[u8], value: qjs::JSValue) -> Result<qjs::JSValue> {
        if !self.text[self.at..].starts_with(rest) {
            return Err(Refused);
        }
        self.at += rest.len();
        Ok(value)
    }

    fn object(&mut self, depth: usize) -> Result<qjs::JSValue> {
        // SAFETY: the context is there.
        let object = self.made(unsafe { qjs::JS_NewObject(self.raw) })?;
        let mut byte = self.next()?;
        if byte == b'}' {
            return Ok(object.keep());
        }
        loop {
            if byte != b'"' {
                return Err(Refused);
            }
            let atom = self.name()?;
            let item = match self.next() {
                Ok(b':') => self.value(depth),
                _ => Err(Refused),
            };
            // SAFETY: the object and the atom are there, and the item is given away.
            let defined = item.and_then(|item| unsafe {
                match qjs::JS_DefinePropertyValue(self.raw, object.value, atom, item, PLAIN) {
                    0.. => Ok(()),
                    _ => Err(Refused),
                }
            });
            // SAFETY: it is this function's.
            unsafe { qjs::JS_FreeAtom(self.raw, atom) };
            defined?;
            match self.next()? {
                b',' => byte = self.next()?,
                b'}' => return Ok(object.keep()),
                _ => return Err(Refused),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<qjs::JSValue> {
        let first = self.items.len();
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(self.array_from(first)?.keep());
        }
        loop {
            if self.items.len() == ITEMS_MAX {
                return self.long_array(first, depth);
            }
            let item = self.value(depth)?;
            if self.items.try_reserve(1).is_err() {
                drop(self.made(item));
                return Err(Refused);
            }
            self.items.push(item);
            match self.next()? {
                b',' => {}
                b']' => return Ok(self.array_from(first)?.keep()),
                _ => return Err(Refused),
            }
        }
    }

    /// Makes an array of the items from here on.
    fn array_from(&mut self, first: usize) -> Result<Owned> {
        let items = &self.items[first..];
        // SAFETY: the items are given away, also if there is no memory for the array.
        let array = unsafe { qjs::JS_NewArrayFrom(self.raw, items.len() as i32, items.as_ptr()) };
        // SAFETY: the list becomes shorter.
        unsafe { self.items.set_len(first) };
        self.made(array)
    }

    /// Goes on with an array for whose items there is no more room in the list, after a comma or at its beginning.
    fn long_array(&mut self, first: usize, depth: usize) -> Result<qjs::JSValue> {
        let mut index = (self.items.len() - first) as u32;
        let array = self.array_from(first)?;
        loop {
            let item = self.value(depth)?;
            // SAFETY: the array is there, and the item is given away.
            if unsafe { qjs::JS_DefinePropertyValueUint32(self.raw, array.value, index, item, PLAIN) } < 0 {
                return Err(Refused);
            }
            index += 1;
            match self.next()? {
                b',' => {}
                b']' => return Ok(array.keep()),
                _ => return Err(Refused),
            }
        }
    }

    /// A value that the engine has made.
    fn made(&self, value: qjs::JSValue) -> Result<Owned> {
        // SAFETY: it is a value.
        if unsafe { qjs::JS_IsException(value) } { Err(Refused) } else { Ok(Owned { context: self.raw, value }) }
    }

    /// A string as a value, behind its quotation mark.
    fn string(&mut self) -> Result<qjs::JSValue> {
        let start = self.at;
        let end = first_special::<b'"'>(self.text, start);
        if self.text.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(self.made(self.string_of(&self.text[start..end]))?.keep());
        }
        self.unescape(start)?;
        match self.unescaped.split_first() {
            Some((&MARK, rest)) if !self.arrays.is_empty() => {
                let value = unmarked(self.ctx, rest, self.arrays).map_err(|_| Refused)?;
                // SAFETY: one reference is the result.
                Ok(unsafe { qjs::JS_DupValue(self.raw, value.as_raw()) })
            }
            _ => Ok(self.made(self.string_of(&self.unescaped))?.keep()),
        }
    }

    fn string_of(&self, text: &[u8]) -> qjs::JSValue {
        // SAFETY: the text is copied.
        unsafe { qjs::JS_NewStringLen(self.raw, text.as_ptr().cast(), text.len() as _) }
    }

    /// The atom of a name, behind its quotation mark. It is the caller's: the table may have another in its place before it is used.
    fn name(&mut self) -> Result<qjs::JSAtom> {
        let start = self.at;
        let end = first_special::<b'"'>(self.text, start);
        if self.text.get(end) != Some(&b'"') {
            self.unescape(start)?;
            return self.atom_of(&self.unescaped);
        }
        self.at = end + 1;
        let text = &self.text[start..end];
        if text.len() > NAME_SIZE_MAX {
            return self.atom_of(text);
        }
        let place = place_of(text);
        let Name { start: known_start, end: known_end, atom: known } = self.names[place];
        if known != 0 && self.text[known_start as usize..known_end as usize] == *text {
            // SAFETY: it is an atom.
            return Ok(unsafe { qjs::JS_DupAtom(self.raw, known) });
        }
        let atom = self.atom_of(text)?;
        // No text is as long as 4 GiB.
        self.names[place] = Name { start: start as u32, end: end as u32, atom };
        if known != 0 {
            // SAFETY: it was the table's.
            unsafe { qjs::JS_FreeAtom(self.raw, known) };
        }
        // SAFETY: it is an atom.
        Ok(unsafe { qjs::JS_DupAtom(self.raw, atom) })
    }

    fn atom_of(&self, text: &[u8]) -> Result<qjs::JSAtom> {
        let atom = if text.is_ascii() {
            // SAFETY: the text is copied.
            unsafe { qjs::JS_NewAtomLen(self.raw, text.as_ptr().cast(), text.len() as _) }
        } else {
            // The engine takes such bytes for characters of their own if it has an atom of these.
            let string = self.made(self.string_of(text))?;
            // SAFETY: it is a string.
            unsafe { qjs::JS_ValueToAtom(self.raw, string.value) }
        };
        if atom == 0 { Err(Refused) } else { Ok(atom) }
    }

    /// Reads a string with escapes, which began here, up to behind its second quotation mark.
    fn unescape(&mut self, start: usize) -> Result<()> {
        self.unescaped.clear();
        self.at = start;
        loop {
            let end = first_special::<b'"'>(self.text, self.at);
            let plain = &self.text[self.at..end];
            self.unescaped.try_reserve(plain.len() + 4).map_err(|_| Refused)?;
            self.unescaped.extend_from_slice(plain);
            self.at = end + 1;
            match self.text.get(end) {
                Some(b'"') => return Ok(()),
                Some(b'\\') => {}
                _ => return Err(Refused),
            }
            let byte = self.peek().ok_or(Refused)?;
            self.at += 1;
            self.unescaped.push(match byte {
                b'"' | b'\\' | b'/' => byte,
                b'b' => 0x08,
                b'f' => 0x0c,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'u' => {
                    let character = self.escaped_character()?;
                    self.unescaped.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    continue;
                }
                _ => return Err(Refused),
            });
        }
    }

    /// Of one escape, or of two that are a surrogate pair.
    fn escaped_character(&mut self) -> Result<char> {
        let first = self.four_digits()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or(Refused);
        }
        if !self.text[self.at..].starts_with(b"\\u") {
            return Err(Refused);
        }
        self.at += 2;
        let second = self.four_digits()?.checked_sub(0xdc00).filter(|low| *low < 0x400).ok_or(Refused)?;
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + second).ok_or(Refused)
    }

    fn four_digits(&mut self) -> Result<u32> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(Refused)?;
        self.at += 4;
        digits.iter().try_fold(0, |number, digit| Some(number << 4 | char::from(*digit).to_digit(16)?)).ok_or(Refused)
    }

    fn number(&mut self) -> Result<qjs::JSValue> {
        let start = self.at;
        let is_negative = self.peek() == Some(b'-');
        self.at += usize::from(is_negative);
        let first = self.at;
        let mut digits = 0_u64;
        let whole = self.digits(&mut digits);
        // A zero stands alone.
        if whole == 0 || whole > 1 && self.text[first] == b'0' {
            return Err(Refused);
        }
        let mut after = 0;
        let mut is_plain = true;
        if self.peek() == Some(b'.') {
            self.at += 1;
            after = self.digits(&mut digits);
            if after == 0 {
                return Err(Refused);
            }
        }
        if let Some(b'e' | b'E') = self.peek() {
            is_plain = false;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            if self.digits(&mut 0) == 0 {
                return Err(Refused);
            }
        }
        // So many digits are a number that a double has exactly, and a power of ten up to this as well: then a division rounds once.
        if is_plain && whole + after <= 15 && after < POWERS.len() {
            let number = digits as f64;
            if after > 0 {
                let number = number / POWERS[after];
                return Ok(qjs::__JS_NewFloat64(if is_negative { -number } else { number }));
            }
            let integer = if is_negative { -(digits as i64) } else { digits as i64 };
            return Ok(match i32::try_from(integer) {
                Ok(integer) if integer != 0 || !is_negative => qjs::JS_MKVAL(qjs::JS_TAG_INT, integer),
                _ => qjs::__JS_NewFloat64(if is_negative { -number } else { number }),
            });
        }
        let text = core::str::from_utf8(&self.text[start..self.at]).map_err(|_| Refused)?;
        Ok(qjs::__JS_NewFloat64(text.parse().map_err(|_| Refused)?))
    }

    /// Reads digits, and adds them to a number, which is wrong if there are too many. Returns how many there are.
    fn digits(&mut self, number: &mut u64) -> usize {
        let start = self.at;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            *number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        self.at - start
    }
}

const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Where in the table a name has its place: of its length, and of its first and last bytes.
fn place_of(name: &[u8]) -> usize {
    let mut eight = [0; 8];
    let size = name.len().min(8);
    eight[..size].copy_from_slice(&name[..size]);
    let first = u64::from_le_bytes(eight);
    let last = name.last().map_or(0, |byte| u64::from(*byte));
    let hash = (first ^ last << 56 ^ (name.len() as u64) << 48).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (hash >> (64 - NAMES.trailing_zeros())) as usize
}
