//! What QuickJS takes from the C library and this guest must give itself, because the library would ask an operating
//! system for it. The rest of the library works as it is: it only computes.

use guest_abi::memory::THREAD_AREA;

use crate::engine::clock;

/// Prepares the page that FS points to: the C library finds its thread descriptor by the pointer at its start.
pub fn set_up_thread_area() {
    // SAFETY: the kernel has mapped this page for nothing else.
    unsafe { (THREAD_AREA as *mut u64).write(THREAD_AREA) };
}

#[repr(C)]
struct TimeSpec {
    seconds: i64,
    nanoseconds: i64,
}

#[unsafe(no_mangle)]
extern "C" fn clock_gettime(clock: i32, time: &mut TimeSpec) -> i32 {
    const REALTIME: i32 = 0;
    let now = if clock == REALTIME { clock::now_nanos() } else { clock::since_origin_nanos() };
    *time = TimeSpec { seconds: (now / 1_000_000_000) as i64, nanoseconds: (now % 1_000_000_000) as i64 };
    0
}

#[repr(C)]
struct TimeVal {
    seconds: i64,
    microseconds: i64,
}

#[unsafe(no_mangle)]
extern "C" fn gettimeofday(time: &mut TimeVal, _zone: *mut u8) -> i32 {
    let now = clock::now_nanos();
    *time = TimeVal { seconds: (now / 1_000_000_000) as i64, microseconds: (now % 1_000_000_000 / 1000) as i64 };
    0
}

/// C's `struct tm`, which ends in the offset from UTC and the zone's name.
#[repr(C)]
struct BrokenDownTime {
    fields: [i32; 9],
    offset: i64,
    zone: *const u8,
}

unsafe extern "C" {
    fn gmtime_r(time: *const i64, result: *mut BrokenDownTime) -> *mut BrokenDownTime;
}

/// The guest's time zone is UTC. The C library's own function would read a file.
#[unsafe(no_mangle)]
unsafe extern "C" fn localtime_r(time: *const i64, result: *mut BrokenDownTime) -> *mut BrokenDownTime {
    // SAFETY: the caller's promises are passed on.
    unsafe { gmtime_r(time, result) }
}

/// Called by failing assertions of QuickJS, which only debug images have. The C library's own function would print to a file.
#[unsafe(no_mangle)]
extern "C" fn __assert_fail(_expression: *const u8, _file: *const u8, line: i32, _function: *const u8) -> ! {
    panic!("an assertion of QuickJS failed in line {line}");
}

/// The C library's own function would raise a signal.
#[unsafe(no_mangle)]
extern "C" fn abort() -> ! {
    panic!("QuickJS called abort()");
}

/// Named by the compiled core library; never called, since panics do not unwind.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// As [`rust_eh_personality`].
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    panic!("nothing unwinds");
}
