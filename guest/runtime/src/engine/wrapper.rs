//! Sources that are compiled as the body of a function.
//!
//! A wrapper is checked to hold the whole source, so that no source can close it and go on behind it. Lines and columns are those
//! of the source: the wrapper begins on two lines before the first.

use alloc::ffi::CString;
use alloc::format;
use alloc::string::String;

use rquickjs::{Ctx, Error, Exception, Function, Result, Value, qjs};

use super::exception;

/// Number of a wrapper's first line, two before the source's. The engine takes 0 for 1.
const FIRST_LINE: i32 = -1;

/// What a source is put into.
pub struct Wrapper<'a> {
    /// What stacks call the source.
    pub file: &'a str,
    /// Whether it is compiled in strict mode anyway.
    pub is_strict: bool,
    /// What stands before it. It ends with two line ends.
    pub begin: &'a str,
    /// What stands behind it.
    pub end: &'a str,
}

impl Wrapper<'_> {
    /// The function that a source is wrapped into.
    ///
    /// # Errors
    /// What is wrong with the source.
    pub fn wrap<'js>(&self, ctx: &Ctx<'js>, source: &str) -> Result<Function<'js>> {
        let Self { begin, end, .. } = self;
        let size = begin.len() + source.len() + end.len();
        let value = self.evaluate(ctx, format!("({begin}{source}{end})"))?;
        // The text of a function is its source.
        if value.is_function() && exception::with_text(ctx, &value, <[u8]>::len) == Some(size) {
            return value.into_function().ok_or(Error::Unknown);
        }
        ctx.catch();
        Err(Exception::throw_syntax(ctx, "unexpected closing bracket"))
    }

    /// Evaluates a script as if it began before the first line of the source.
    fn evaluate<'js>(&self, ctx: &Ctx<'js>, script: String) -> Result<Value<'js>> {
        let file = CString::new(self.file)?;
        let mut script = script.into_bytes();
        let size = script.len();
        script.push(0);
        let strict = if self.is_strict { qjs::JS_EVAL_FLAG_STRICT } else { 0 };
        let mut options = qjs::JSEvalOptions {
            version: qjs::JS_EVAL_OPTIONS_VERSION as _,
            eval_flags: (qjs::JS_EVAL_TYPE_GLOBAL | strict) as _,
            filename: file.as_ptr(),
            line_num: FIRST_LINE,
        };
        // SAFETY: the script ends with a zero byte and outlives the call, as do the options and the name; the value is new.
        let value = unsafe {
            let context = ctx.as_raw().as_ptr();
            let value = qjs::JS_Eval2(context, script.as_ptr().cast(), size as _, &raw mut options);
            Value::from_raw(ctx.clone(), value)
        };
        if value.is_exception() { Err(Error::Exception) } else { Ok(value) }
    }
}
