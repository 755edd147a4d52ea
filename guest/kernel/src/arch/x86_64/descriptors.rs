//! What the processor and the kernel keep between calls: descriptor tables and a few constants.
//!
//! They live in two pages at a fixed address that snapshots keep. Boot fills them and then seals them: nothing writes to
//! them again, the processor included, since the accessed bits are set from the start.

use core::arch::asm;
use core::mem::{offset_of, size_of};

use guest_abi::gate;
use guest_abi::memory::{
    KERNEL_TABLES, PAGE_SIZE, SCRATCH_END, SCRATCH_METADATA, SCRATCH_RESERVED_PAGES, THREAD_POINTER,
};
use guest_kernel::page_table::Entry;

use super::entry;
use crate::constants::Constants;
use crate::memory::{Page, PageTables};

pub const KERNEL_CODE: u16 = 0x08;
const KERNEL_DATA: u16 = 0x10;
const TASK: u16 = 0x18;
pub const USER_DATA: u16 = 0x28 | 3;
pub const USER_CODE: u16 = 0x30 | 3;
const USER_THREAD: u16 = 0x38 | 3;

// The pages that the host reserves at the end of scratch memory, which a restore zeroes: one that CPL 3 may use while a page
// is copied, the stack for the boot, the gate and calls from the host, and the stack for exceptions with a few words below it.
const RESERVED: u64 = SCRATCH_END - SCRATCH_RESERVED_PAGES * PAGE_SIZE;
/// The page in which the kernel tells the code that copies a page what to do; see [`super::page_copy`].
pub const COPY_ORDER: u64 = RESERVED;
/// Top of the stack for the boot, the gate and calls from the host.
pub const GATE_STACK_TOP: u64 = RESERVED + SCRATCH_RESERVED_PAGES / 2 * PAGE_SIZE;
/// What `iretq` takes the way into the runtime from at each call of the host. It is made at the first halt and after each
/// restore, and never changes.
pub const CALL_FRAME: u64 = GATE_STACK_TOP;
pub const CALL_FRAME_SIZE: u64 = 5 * 8;
/// The words in which the kernel counts; see [`guest_abi::counters`].
pub const COUNTERS: u64 = CALL_FRAME + CALL_FRAME_SIZE;
/// The physical page of the plan that is being made, zero if none is, and which of its working sets.
pub const PLAN_IN_WORK: u64 = COUNTERS + 8 * guest_abi::counters::WORDS as u64;
/// The page after the one that was copied last, by the lower half of its number, with how many were copied in order before it; then
/// the number of the page after the last run that was filled, and how many pages were to be copied in the last run; see [`page_runs`](super::page_runs).
pub const AFTER_LAST_COPY: u64 = PLAN_IN_WORK + 16;
pub const AFTER_LAST_RUN: u64 = AFTER_LAST_COPY + 8;
pub const LAST_RUN: u64 = AFTER_LAST_RUN + 8;
/// Top of the stack for exceptions.
pub const EXCEPTION_STACK_TOP: u64 = SCRATCH_METADATA;
const EXCEPTION_STACK: u16 = 1;

#[repr(C, align(4096))]
struct Tables {
    segments: [u64; 8],
    task: TaskState,
    constants: Constants,
    _rest: [u8; PAGE_SIZE as usize - 8 * 8 - size_of::<TaskState>() - size_of::<Constants>()],
    interrupts: [InterruptGate; entry::VECTORS],
}

/// The 64-bit task state segment: the stacks for entries from CPL 3 and for exceptions.
#[repr(C, packed)]
struct TaskState {
    reserved: u32,
    stacks: [u64; 3],
    reserved_too: u64,
    exception_stacks: [u64; 7],
    reserved_as_well: [u16; 5],
    /// Beyond the limit of the segment: CPL 3 may use no port.
    port_bitmap: u16,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct InterruptGate(u64, u64);

impl InterruptGate {
    fn new(handler: u64, stack: u16, privilege: u64) -> Self {
        const PRESENT_INTERRUPT_GATE: u64 = 0x8e;
        let low = (handler & 0xffff) | u64::from(KERNEL_CODE) << 16 | u64::from(stack) << 32;
        let flags = (PRESENT_INTERRUPT_GATE | privilege << 5) << 40;
        Self(low | flags | (handler >> 16 & 0xffff) << 48, handler >> 32)
    }
}

#[repr(C, packed)]
struct TableRegister {
    limit: u16,
    base: u64,
}

const _: () = {
    assert!(size_of::<TaskState>() == 104);
    assert!(offset_of!(Tables, interrupts) == PAGE_SIZE as usize);
    assert!(LAST_RUN + 8 < EXCEPTION_STACK_TOP - 2 * PAGE_SIZE, "there is a stack below its top");
    assert!(CALL_FRAME.is_multiple_of(16) && EXCEPTION_STACK_TOP.is_multiple_of(16));
};

/// Where the constants are.
pub const CONSTANTS: u64 = KERNEL_TABLES + offset_of!(Tables, constants) as u64;
/// Address of [`Constants::runtime_entry`], for the assembly that enters the runtime.
pub const RUNTIME_ENTRY: u64 = CONSTANTS + offset_of!(Constants, runtime_entry) as u64;

/// Maps the tables, fills them and makes the processor use them.
pub fn install(page_tables: &PageTables, constants: Constants) {
    for offset in [0, PAGE_SIZE] {
        let slot = page_tables.user_slot_or_new(KERNEL_TABLES + offset);
        // SAFETY: the page is for the kernel's tables, and nothing is mapped there.
        unsafe { slot.fill(Entry::kernel_page(Page::allocate().physical(), true)) };
    }
    let tables = KERNEL_TABLES as *mut Tables;
    // SAFETY: the two pages were just mapped and belong to the kernel alone.
    unsafe {
        (&raw mut (*tables).segments).write(segments());
        (&raw mut (*tables).task).write(TaskState {
            reserved: 0,
            stacks: [GATE_STACK_TOP, 0, 0],
            reserved_too: 0,
            exception_stacks: [EXCEPTION_STACK_TOP, 0, 0, 0, 0, 0, 0],
            reserved_as_well: [0; 5],
            port_bitmap: size_of::<TaskState>() as u16,
        });
        (&raw mut (*tables).constants).write(constants);
        for vector in 0..entry::VECTORS {
            let handler = entry::handler(vector);
            let gate = if vector == usize::from(gate::VECTOR) {
                InterruptGate::new(handler, 0, 3)
            } else {
                InterruptGate::new(handler, EXCEPTION_STACK, 0)
            };
            (&raw mut (*tables).interrupts[vector]).write(gate);
        }
    }
    load();
}

/// Takes away the right to write to the tables.
pub fn seal(page_tables: &PageTables) {
    for offset in [0, PAGE_SIZE] {
        if let Some(slot) = page_tables.slot(KERNEL_TABLES + offset) {
            slot.seal_until_flush();
        }
    }
}

fn segments() -> [u64; 8] {
    const KERNEL_CODE_SEGMENT: u64 = 0x00af_9b00_0000_ffff;
    const KERNEL_DATA_SEGMENT: u64 = 0x00cf_9300_0000_ffff;
    const USER_DATA_SEGMENT: u64 = 0x00cf_f300_0000_ffff;
    const USER_CODE_SEGMENT: u64 = 0x00af_fb00_0000_ffff;
    let task = KERNEL_TABLES + offset_of!(Tables, task) as u64;
    let with_base = |segment: u64, base: u64| segment | (base & 0xff_ffff) << 16 | (base >> 24 & 0xff) << 56;
    let task_segment = 0x89 << 40 | (size_of::<TaskState>() as u64 - 1);
    [
        0,
        KERNEL_CODE_SEGMENT,
        KERNEL_DATA_SEGMENT,
        with_base(task_segment, task),
        task >> 32,
        USER_DATA_SEGMENT,
        USER_CODE_SEGMENT,
        // The base of FS comes from here: setting it by a model-specific register is not allowed on every hypervisor.
        with_base(USER_DATA_SEGMENT, THREAD_POINTER),
    ]
}

fn load() {
    let segments = TableRegister { limit: 8 * 8 - 1, base: KERNEL_TABLES };
    let interrupts = TableRegister {
        limit: (entry::VECTORS * size_of::<InterruptGate>() - 1) as u16,
        base: KERNEL_TABLES + offset_of!(Tables, interrupts) as u64,
    };
    // SAFETY: the tables are filled, and the code segment is the one that the kernel runs with already, at a new selector.
    unsafe {
        asm!(
            "lgdt [{segments}]",
            "lidt [{interrupts}]",
            "mov ss, {kernel_data:x}",
            "mov ds, {user_data:x}",
            "mov es, {user_data:x}",
            "mov fs, {user_thread:x}",
            "ltr {task:x}",
            "push {kernel_code}",
            "lea {scratch}, [rip + 2f]",
            "push {scratch}",
            "retfq",
            "2:",
            segments = in(reg) &segments,
            interrupts = in(reg) &interrupts,
            kernel_data = in(reg) u64::from(KERNEL_DATA),
            user_data = in(reg) u64::from(USER_DATA),
            user_thread = in(reg) u64::from(USER_THREAD),
            task = in(reg) u64::from(TASK),
            kernel_code = const KERNEL_CODE as i64,
            scratch = out(reg) _,
        );
    }
}
