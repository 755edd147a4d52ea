//! Starting the runtime.

use core::ops::Range;

use guest_abi::abort::AbortCode;
use guest_abi::boot::{BootHeader, BootInfo};
use guest_abi::memory::{
    BACKING_STEP, HEAP_SIZE_MAX, HEAP_START, IMAGE_START, PAGE_SIZE, SCRATCH_END, STACK_SIZE_MAX, STACK_TOP,
    THREAD_AREA,
};
use guest_abi::{VERSION, VERSION_ADVICE};
use guest_kernel::page_table::{Access, Entry, page_of};
use guest_kernel::segments::Segments;

use crate::abort::abort;
use crate::arch;
use crate::constants::Constants;
use crate::memory::{Page, PageTables, metadata};

/// Where hyperlight-host tells what it put into memory.
#[repr(C)]
pub struct ProcessEnvironment {
    init_data: Region,
    heap: Region,
}

#[repr(C)]
struct Region {
    size: u64,
    start: u64,
}

/// Boots the guest; the argument is the first one of hyperlight-host's entry protocol.
pub extern "C" fn boot(environment: &ProcessEnvironment) -> ! {
    let init_data = &environment.init_data;
    let header = boot_header(init_data);
    let segments = match Segments::check(&header, init_data.size - BootHeader::IMAGE_OFFSET) {
        Ok(segments) => segments,
        Err(error) => abort(AbortCode::Boot, format_args!("the runtime image cannot be loaded: {error}")),
    };

    let tables = PageTables::current();
    let (arena_start, arena_end) = arena();
    let code = code(&segments);
    let constants = Constants {
        runtime_entry: header.entry,
        code_start: code.start,
        code_end: code.end,
        image_end: first_gap(&segments),
        heap_end: HEAP_START + header.settings.heap_size,
        stack_bottom: STACK_TOP - header.settings.stack_size,
        arena_start,
        arena_end,
    };
    arch::install(&tables, constants);

    map_segments(&tables, &segments, init_data.start + BootHeader::IMAGE_OFFSET);
    map_zeroed(&tables, THREAD_AREA);
    arch::install_user_code(&tables);
    let stack = push_boot_info(&tables, &header);

    // The image's pages are mapped where the runtime wants them. Below user addresses nothing else may remain.
    let remains = page_of(environment as *const _ as u64)..init_data.start + init_data.size;
    // SAFETY: all that boot needs of the init data it has read.
    tables.for_each_user_slot(remains, |slot, _| unsafe { slot.clear_until_flush() });
    seal_kernel(&tables);
    arch::seal(&tables);
    arch::flush();
    // SAFETY: the runtime's image and stack are mapped, and what the kernel keeps is installed.
    unsafe { arch::enter_runtime(stack, stack) }
}

/// Exclusive end of the pages at the start of the image's window that have no gap between them.
fn first_gap(segments: &Segments) -> u64 {
    segments.iter().fold(
        IMAGE_START,
        |end, segment| {
            if segment.from_image.start == end { segment.zeroed.end } else { end }
        },
    )
}

/// The runtime's code. It is in one segment: the entry is in it, and there may be no other.
fn code(segments: &Segments) -> Range<u64> {
    let mut code = segments.iter().filter(|segment| segment.access == Access::Execute);
    match (code.next(), code.next()) {
        (Some(segment), None) => segment.from_image.start..segment.zeroed.end,
        _ => abort(AbortCode::Boot, format_args!("the runtime image must have its code in one segment")),
    }
}

fn boot_header(init_data: &Region) -> BootHeader {
    let header = if init_data.size >= BootHeader::IMAGE_OFFSET {
        // SAFETY: the host maps the init data, on a page boundary; every bit pattern is a header.
        unsafe { (init_data.start as *const BootHeader).read() }
    } else {
        abort(AbortCode::Boot, format_args!("there is no init data"))
    };
    if header.magic != BootHeader::MAGIC {
        abort(AbortCode::Boot, format_args!("the init data is not for this kernel"));
    }
    if header.version != VERSION {
        let host = header.version;
        abort(AbortCode::Boot, format_args!("the kernel has version {VERSION}, the host {host}: {VERSION_ADVICE}"));
    }
    let settings = &header.settings;
    if settings.heap_size > HEAP_SIZE_MAX
        || !settings.heap_size.is_multiple_of(BACKING_STEP)
        || settings.stack_size > STACK_SIZE_MAX
        || settings.stack_size == 0
        || !settings.stack_size.is_multiple_of(BACKING_STEP)
    {
        abort(AbortCode::Boot, format_args!("the init data names impossible sizes"));
    }
    header
}

/// The transport arena, as guest virtual addresses: it starts scratch memory, and the host's page tables follow it.
fn arena() -> (u64, u64) {
    let metadata = metadata();
    let start = SCRATCH_END - metadata.scratch_size;
    (start, start + (metadata.page_tables - metadata.transport_arena))
}

/// Maps the segments: their pages from where they lie in the init data, and fresh ones for the rest.
fn map_segments(tables: &PageTables, segments: &Segments, image_start: u64) {
    // The init data is mapped at its physical address.
    let mut source = image_start;
    for segment in segments.iter() {
        tables.for_each_user_slot(segment.from_image, |slot, _| {
            let entry = match segment.access {
                Access::ReadWrite => Entry::user_copy_on_write(source),
                access => Entry::user_page(source, access),
            };
            // SAFETY: the page of the init data is the runtime's, and segments share no pages.
            unsafe { slot.fill(entry) };
            source += PAGE_SIZE;
        });
        tables.for_each_user_slot(segment.zeroed, |slot, _| {
            // SAFETY: as above; this page is a fresh one.
            unsafe { slot.fill(Entry::user_page(Page::allocate().physical(), segment.access)) };
        });
    }
}

fn map_zeroed(tables: &PageTables, address: u64) -> Page {
    let page = Page::allocate();
    // SAFETY: a fresh page for the runtime; it is called for addresses where nothing is mapped.
    unsafe { tables.user_slot_or_new(address).fill(Entry::user_page(page.physical(), Access::ReadWrite)) };
    page
}

/// Puts a [`BootInfo`] at the top of the runtime's stack and returns its address.
fn push_boot_info(tables: &PageTables, header: &BootHeader) -> u64 {
    let size = size_of::<BootInfo>() as u64;
    for address in (STACK_TOP - BACKING_STEP..STACK_TOP - PAGE_SIZE).step_by(PAGE_SIZE as usize) {
        map_zeroed(tables, address);
    }
    let mut page = map_zeroed(tables, STACK_TOP - PAGE_SIZE);
    let info = BootInfo { version: VERSION, reserved: [0; 3], settings: header.settings, scratch: metadata() };
    // SAFETY: the page is ours and large enough; the offset keeps the struct aligned.
    unsafe { page.as_mut_ptr::<u8>().add((PAGE_SIZE - size) as usize).cast::<BootInfo>().write(info) };
    STACK_TOP - size
}

/// Makes the kernel's own image read-only.
fn seal_kernel(tables: &PageTables) {
    unsafe extern "C" {
        static __executable_start: u8;
        static _end: u8;
    }
    let (start, end) = ((&raw const __executable_start) as u64, (&raw const _end) as u64);
    for address in (start..end).step_by(PAGE_SIZE as usize) {
        if let Some(slot) = tables.slot(address) {
            slot.seal_until_flush();
        }
    }
}

/// Lets hyperlight-host refuse this kernel if it is of another version.
#[repr(C, align(8))]
struct VersionNote {
    name_size: u32,
    text_size: u32,
    kind: u32,
    name: [u8; 12],
    text: [u8; 8],
}

#[used]
#[unsafe(link_section = ".note.hyperlight-version")]
static VERSION_NOTE: VersionNote =
    VersionNote { name_size: 11, text_size: 7, kind: 1, name: *b"Hyperlight\0\0", text: *b"0.18.0\0\0" };
