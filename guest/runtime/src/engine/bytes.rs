//! The bytes of binary data.

use core::ptr::NonNull;

use rquickjs::function::This;
use rquickjs::{Ctx, Function, Persistent, Result, Value, qjs};

use crate::global::Global;

/// `byteLength` of typed arrays, as it is before guest code runs. Of an array that follows its buffer's length, the engine's
/// interface tells the length that it once had.
static BYTE_LENGTH: Global<Persistent<Function<'static>>> = Global::new();

/// Takes from JavaScript what the rest needs.
pub fn install(ctx: &Ctx<'_>) -> Result<()> {
    let getter: Function =
        ctx.eval("Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), 'byteLength').get")?;
    BYTE_LENGTH.set(Persistent::save(ctx, getter));
    Ok(())
}

/// What a function makes of the bytes of a `Uint8Array` or an `ArrayBuffer`. There are none if it is detached or out of its
/// buffer's bounds. The function must run no JavaScript, which could change or free the bytes.
pub fn with_bytes<'js, T>(ctx: &Ctx<'js>, value: &Value<'js>, f: impl FnOnce(&[u8]) -> T) -> T {
    // SAFETY: the value is alive, and the caller promises that nothing else happens to it.
    f(unsafe { bytes_of(ctx, value).as_ref() })
}

/// Where the bytes of a `Uint8Array` or an `ArrayBuffer` are until JavaScript runs again, for [`with_bytes`].
pub fn bytes_of<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> NonNull<[u8]> {
    let mut size = 0;
    let context = ctx.as_raw().as_ptr();
    // SAFETY: value and context belong together.
    let start = unsafe {
        if qjs::JS_IsArrayBuffer(value.as_raw()) {
            qjs::JS_GetArrayBuffer(context, &raw mut size, value.as_raw())
        } else {
            size = array_size(ctx, value);
            let mut once = 0;
            qjs::JS_GetUint8Array(context, &raw mut once, value.as_raw())
        }
    };
    match NonNull::new(start) {
        Some(start) => NonNull::slice_from_raw_parts(start, size as usize),
        None => {
            // There is an exception, unless there is no array at all.
            ctx.catch();
            NonNull::slice_from_raw_parts(NonNull::dangling(), 0)
        }
    }
}

fn array_size<'js>(ctx: &Ctx<'js>, array: &Value<'js>) -> qjs::size_t {
    let getter = BYTE_LENGTH.with(|getter| getter.clone());
    let size: Result<f64> = getter.restore(ctx).and_then(|getter| getter.call((This(array.clone()),)));
    size.map_or(0, |size| size as qjs::size_t)
}
