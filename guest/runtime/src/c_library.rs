//! What QuickJS takes from the C library and this guest must give itself, because the library would ask an operating
//! system for it. The rest of the library works as it is: it only computes.

use core::ptr;

use guest_abi::memory::{HAS_HANDLERS, THREAD_AREA};

use crate::arch;
use crate::engine::clock;

/// The headers of the runtime's own image, as far as they are of use here.
#[repr(C)]
struct ImageHeader {
    identification: [u8; 16],
    kinds: [u16; 2],
    version: u32,
    entry: u64,
    segments_offset: u64,
    sections_offset: u64,
    flags: u32,
    sizes: [u16; 2],
    segment_count: u16,
}

/// A header of a part of the image.
#[repr(C)]
struct SegmentHeader {
    kind: u32,
    flags: u32,
    offset: u64,
    address: u64,
    physical_address: u64,
    file_size: u64,
    memory_size: u64,
    alignment: u64,
}

/// Kind of the segment with the first values of a thread's variables.
const THREAD_VARIABLES: u32 = 7;

unsafe extern "C" {
    /// Put there by the linker.
    #[link_name = "__ehdr_start"]
    static IMAGE: ImageHeader;
}

/// Prepares the page for what a thread has of its own.
///
/// # Panics
/// If the variables do not fit.
pub fn set_up_thread_area() {
    // SAFETY: the linker puts the headers at the start of the image, which the kernel maps, and the kernel has mapped the page
    // for nothing else.
    unsafe {
        let headers = (&raw const IMAGE).cast::<u8>().add(IMAGE.segments_offset as usize).cast::<SegmentHeader>();
        let headers = core::slice::from_raw_parts(headers, usize::from(IMAGE.segment_count));
        let variables = headers.iter().find(|header| header.kind == THREAD_VARIABLES);
        let (size, alignment) =
            variables.map_or((0, 1), |variables| (variables.memory_size, variables.alignment.max(1)));
        let place = arch::place_thread_variables(size, alignment);
        let room = THREAD_AREA..=HAS_HANDLERS;
        assert!(
            room.contains(&place) && room.contains(&(place + size)),
            "there is no room for {size} bytes of variables of a thread"
        );
        if let Some(variables) = variables {
            ptr::copy_nonoverlapping(variables.address as *const u8, place as *mut u8, variables.file_size as usize);
        }
    }
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
    panic!("abort() was called");
}

/// Called by Rust's library, only to say that there is no memory before it ends the program: all else that it could say goes to
/// the panic hook. The C library's own function would ask an operating system.
#[unsafe(no_mangle)]
extern "C" fn write(_file: i32, _text: *const u8, _size: usize) -> isize {
    panic!("out of memory");
}
