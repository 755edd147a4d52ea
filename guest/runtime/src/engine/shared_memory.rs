//! The memory of `SharedArrayBuffer`s. There is one thread, so nothing is shared but between buffers of that thread: a clone of
//! one has the same memory.
//!
//! The memory counts towards the heap's limit. Ahead of it stands the number of buffers that have it.

use core::ffi::c_void;
use core::ptr;

use rquickjs::{Ctx, Exception, Result, Value, qjs};

use super::new_value::owned;

/// Room for the number, which keeps the memory behind it aligned.
const HEADER_SIZE: usize = 16;

/// Makes buffers of shared memory possible that can grow.
pub fn install(ctx: &Ctx<'_>) {
    let context = ctx.as_raw().as_ptr();
    let functions = qjs::JSSharedArrayBufferFunctions {
        sab_alloc: Some(allocate),
        sab_free: Some(release),
        sab_dup: Some(share),
        sab_opaque: context.cast(),
    };
    // SAFETY: the engine copies the functions, and the context lives as long as it.
    unsafe { qjs::JS_SetSharedArrayBufferFunctions(qjs::JS_GetRuntime(context), &functions) };
}

/// Another buffer with the same memory.
pub fn sharing<'js>(ctx: Ctx<'js>, buffer: Value<'js>, max_size: f64) -> Result<Value<'js>> {
    let mut size = 0;
    let context = ctx.as_raw().as_ptr();
    // SAFETY: value and context belong together, and a buffer of shared memory has been allocated here.
    unsafe {
        let start = qjs::JS_GetArrayBuffer(context, &mut size, buffer.as_raw());
        if start.is_null() {
            return Err(Exception::throw_type(&ctx, "there is no shared memory"));
        }
        owned(&ctx, qjs::JS_NewArrayBuffer(context, start, size, max_size as _, None, ptr::null_mut(), true))
    }
}

/// The number of buffers that have this memory.
fn holders(memory: *mut c_void) -> *mut usize {
    memory.wrapping_byte_sub(HEADER_SIZE).cast()
}

unsafe extern "C" fn allocate(context: *mut c_void, size: qjs::size_t) -> *mut c_void {
    let context = context.cast();
    // SAFETY: it is the context, and the memory has room for the header.
    unsafe {
        // Within the context, since the engine leaves it to this function to throw.
        let start = qjs::js_malloc(context, size.saturating_add(HEADER_SIZE as _));
        if start.is_null() {
            return ptr::null_mut();
        }
        let memory = start.byte_add(HEADER_SIZE);
        holders(memory).write(1);
        memory
    }
}

unsafe extern "C" fn share(_context: *mut c_void, memory: *mut c_void) {
    // SAFETY: it was allocated above.
    unsafe { *holders(memory) += 1 };
}

unsafe extern "C" fn release(context: *mut c_void, memory: *mut c_void) {
    // SAFETY: it was allocated above, and nothing uses it once nobody has it.
    unsafe {
        *holders(memory) -= 1;
        if *holders(memory) == 0 {
            qjs::js_free(context.cast(), holders(memory).cast());
        }
    }
}
