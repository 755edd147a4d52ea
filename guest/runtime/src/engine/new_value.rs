//! Values that native code makes for JavaScript.

use alloc::vec::Vec;
use core::hint::black_box;

use rquickjs::{Ctx, Error, Result, TypedArray, Value, qjs};

/// Whether there is memory for so many bytes: native code that runs out of it ends the guest.
pub fn has_room(size: usize) -> bool {
    let mut room = Vec::<u8>::new();
    let has_room = room.try_reserve_exact(size).is_ok();
    // Or else the compiler leaves out an allocation that it sees to be unused.
    black_box(&room);
    has_room
}

pub type Bytes<'js> = TypedArray<'js, u8>;

/// A new array with these bytes, within the limit of the heap.
pub fn new_bytes<'js>(ctx: &Ctx<'js>, bytes: &[u8]) -> Result<Value<'js>> {
    // SAFETY: the bytes are copied, and the value is the context's own.
    unsafe {
        let array = qjs::JS_NewUint8ArrayCopy(ctx.as_raw().as_ptr(), bytes.as_ptr(), bytes.len() as _);
        owned(ctx, array)
    }
}

/// A value that the engine has just made, or what it threw instead.
///
/// # Safety
/// It must belong to the context, and to nobody else.
pub unsafe fn owned<'js>(ctx: &Ctx<'js>, value: qjs::JSValue) -> Result<Value<'js>> {
    // SAFETY: the caller's promise.
    let value = unsafe { Value::from_raw(ctx.clone(), value) };
    if value.is_exception() { Err(Error::Exception) } else { Ok(value) }
}
