//! The characters of a script, for `\p{Script=…}` in regular expressions.
//!
//! Where the engine's function has no memory it frees what it has again and again, without end (`fail` in `unicode_script`,
//! libunicode.c). So it is called only if there is enough, and gets it whatever the limit is. The linker calls this function in
//! its place (`--wrap` in `build.rs`).

use core::ffi::{c_char, c_int, c_void};

use super::new_value::has_room;
use crate::allocator;

/// More than the function takes at once: three lists of at most 2,000 places of four bytes, each of which grows by a half, with
/// the old one beside it.
const ROOM: usize = 64 << 10;
/// How the function says that there is no memory.
const NO_MEMORY: c_int = -1;

unsafe extern "C" {
    fn __real_unicode_script(characters: *mut c_void, name: *const c_char, with_extensions: bool) -> c_int;
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_unicode_script(
    characters: *mut c_void,
    name: *const c_char,
    with_extensions: bool,
) -> c_int {
    if !has_room(ROOM) {
        return NO_MEMORY;
    }
    // SAFETY: the caller's promises are passed on.
    allocator::beyond_limit(|| unsafe { __real_unicode_script(characters, name, with_extensions) })
}
