//! The stack's limit: what needs more throws a `RangeError`.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use guest_abi::memory::STACK_TOP;
use rquickjs::{Ctx, qjs};

/// Stack that is left to native code when JavaScript has used up its own.
const NATIVE_SIZE: usize = 256 << 10;

/// Lowest address of the stack.
static END: AtomicUsize = AtomicUsize::new(STACK_TOP as usize);

/// Lowest address of the stack.
pub fn end() -> usize {
    END.load(Relaxed)
}

/// Makes code throw that would use more of a stack of this size than JavaScript may.
///
/// # Panics
/// If that is nothing.
pub fn limit(ctx: &Ctx<'_>, stack_size: usize) {
    let size = stack_size.checked_sub(NATIVE_SIZE).filter(|size| *size > 0).expect("a stack for JavaScript");
    END.store(STACK_TOP as usize - stack_size, Relaxed);
    // SAFETY: the context is alive. Not by rquickjs, which turns more than 16 MiB into no limit at all.
    unsafe { qjs::JS_SetMaxStackSize(qjs::JS_GetRuntime(ctx.as_raw().as_ptr()), size as _) };
}
