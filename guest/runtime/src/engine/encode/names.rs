//! The names of an object's properties, and their texts in JSON.

use alloc::vec::Vec;
use core::ptr;

use rquickjs::{Ctx, Error, Object, Result, Value, qjs};

use super::super::new_value::owned;

/// Names whose texts are known at one time. A power of two.
const TEXTS: usize = 32;
/// Most bytes of all texts that are kept.
const TEXTS_SIZE_MAX: usize = 4096;

/// The names of an object's own properties that are enumerable, as they were when they were asked for.
pub struct Names<'js> {
    ctx: Ctx<'js>,
    all: *mut qjs::JSPropertyEnum,
    count: u32,
    next: u32,
}

impl<'js> Names<'js> {
    /// # Errors
    /// What a trap of the object has thrown.
    pub fn of(object: &Object<'js>) -> Result<Self> {
        let ctx = object.ctx().clone();
        let (mut all, mut count) = (ptr::null_mut(), 0);
        let flags = (qjs::JS_GPN_STRING_MASK | qjs::JS_GPN_ENUM_ONLY) as i32;
        // SAFETY: object and context belong together, and both results have room.
        let found = unsafe {
            qjs::JS_GetOwnPropertyNames(ctx.as_raw().as_ptr(), &raw mut all, &raw mut count, object.as_raw(), flags)
        };
        if found < 0 { Err(Error::Exception) } else { Ok(Self { ctx, all, count, next: 0 }) }
    }

    /// The next name, as long as this is there.
    pub fn next(&mut self) -> Option<qjs::JSAtom> {
        if self.next == self.count {
            return None;
        }
        // SAFETY: there are so many.
        let name = unsafe { (*self.all.add(self.next as usize)).atom };
        self.next += 1;
        Some(name)
    }
}

impl Drop for Names<'_> {
    fn drop(&mut self) {
        // SAFETY: the engine has made them for this.
        unsafe { qjs::JS_FreePropertyEnum(self.ctx.as_raw().as_ptr(), self.all, self.count) };
    }
}

/// A name as a string.
pub fn string_of<'js>(ctx: &Ctx<'js>, name: qjs::JSAtom) -> Result<Value<'js>> {
    // SAFETY: it is an atom, and the string is new.
    unsafe { owned(ctx, qjs::JS_AtomToValue(ctx.as_raw().as_ptr(), name)) }
}

/// The property of an object.
pub fn property<'js>(object: &Value<'js>, name: qjs::JSAtom) -> Result<Value<'js>> {
    let ctx = object.ctx();
    // SAFETY: object and context belong together, and it is an atom.
    unsafe { owned(ctx, qjs::JS_GetProperty(ctx.as_raw().as_ptr(), object.as_raw(), name)) }
}

/// What names were written as: objects that are alike have the same ones. The table is small, since it lies on the stack, of which a
/// call in clean state has few pages at hand.
pub struct NameTexts<'js> {
    ctx: Ctx<'js>,
    known: [Known; TEXTS],
    texts: Vec<u8>,
}

/// A name, which belongs to the table, and where its text is. 0 stands for none.
#[derive(Clone, Copy)]
struct Known {
    name: qjs::JSAtom,
    start: u32,
    end: u32,
}

impl<'js> NameTexts<'js> {
    pub fn new(ctx: &Ctx<'js>) -> Self {
        Self { ctx: ctx.clone(), known: [Known { name: 0, start: 0, end: 0 }; TEXTS], texts: Vec::new() }
    }

    pub fn get(&self, name: qjs::JSAtom) -> Option<&[u8]> {
        let known = self.known[name as usize % TEXTS];
        (known.name == name && name != 0).then(|| &self.texts[known.start as usize..known.end as usize])
    }

    /// Keeps a text, as long as there is room and memory.
    pub fn keep(&mut self, name: qjs::JSAtom, text: &[u8]) {
        let (start, end) = (self.texts.len(), self.texts.len() + text.len());
        if end > TEXTS_SIZE_MAX || self.texts.try_reserve(text.len()).is_err() {
            return;
        }
        self.texts.extend_from_slice(text);
        let known = &mut self.known[name as usize % TEXTS];
        let raw = self.ctx.as_raw().as_ptr();
        // SAFETY: one reference is for the table, and the former was its own. 0 has none.
        unsafe {
            qjs::JS_FreeAtom(raw, known.name);
            *known = Known { name: qjs::JS_DupAtom(raw, name), start: start as u32, end: end as u32 };
        }
    }
}

impl Drop for NameTexts<'_> {
    fn drop(&mut self) {
        for known in self.known.iter().filter(|known| known.name != 0) {
            // SAFETY: it belongs to the table.
            unsafe { qjs::JS_FreeAtom(self.ctx.as_raw().as_ptr(), known.name) };
        }
    }
}
