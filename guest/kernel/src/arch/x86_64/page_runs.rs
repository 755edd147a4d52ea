//! Work on runs of pages: mapping pages that are touched for the first time, and copying pages that will probably be written.
//!
//! Where code at CPL 0 is emulated, writing the slots of a run there would cost more than the fault, and so would copying. So the
//! kernel maps the tables for CPL 3 as for [`prefault`](super::prefault), and enters code of its own there ([`FILL_CODE`]), which
//! fills the slots and takes the gate back. The registers of the interrupted code stay on the stack of exceptions meanwhile: the
//! gate has another one, and nothing else can come in between.
//!
//! Fresh pages take no memory of the host until they are touched, but copies do. So runs are copied only where it is likely that they
//! will be written. Where a call writes to more than is [expected](crate::working_set) of a small one, the further pages are copied: a
//! run in the plan, not in memory. Where pages are written in the order of their addresses: after some faults, each at the page after
//! the last copy or close to it, the next has a run copied, and as long as each run is followed by such a fault, the next is twice as
//! long. And where many have been written: a collection of garbage writes to most of what there was before the call.

use core::arch::global_asm;
use core::mem::offset_of;
use core::ops::Range;

use guest_abi::counters::Counter;
use guest_abi::gate;
use guest_abi::memory::{FILL_CODE, PAGE_SIZE, PREFAULT_PLAN, PREFAULT_WINDOW, THREAD_AREA, USER_END};
use guest_kernel::page_table::{Access, ENTRIES, Entry, FaultCode, window_of};

use super::descriptors::{AFTER_LAST_COPY, AFTER_LAST_RUN, COUNTERS, LAST_RUN};
use super::self_map::{PREFAULT_SELF_MAP, PageSlot};
use crate::memory::{Page, PageTables};
use crate::working_set::WorkingSets;

/// The most pages that are copied in a run.
const COPIES_MAX: u64 = 64;
/// As many pages from the one after the last copy on count as that one: what is written may have small gaps.
pub const NEAR: u32 = 4;
/// So many pages are copied in that order, each by a fault of its own, before a run is: one costs as much as some of those faults.
pub const IN_ORDER: u32 = 4;
/// Pages of the first run.
const COPIES_MIN: u64 = 8;
/// After so many faults of pages that were not expected to be written, since the sandbox was started or restored, any further one
/// has a run copied.
pub const MANY: u32 = 16;
/// Pages that such a run looks at, at least.
const COPIES_OF_MANY: u64 = 16;
/// After so many such faults the next has the [further pages](crate::working_set) copied.
pub const SOME: u32 = 3;
/// The most of those.
const FURTHER_MAX: u64 = 240;

// No translation has to be forgotten while one of them runs: what they read and write, but the tables, lies in the window of
// `prefault`, at places that are used once until the gate has all forgotten. A nested fault would take the registers that were
// saved with it.
global_asm!(
    "
.globl fill_code_start
.globl fill_code_copy
.globl fill_code_end
.balign 16
// fill_code: maps fresh pages in the absent slots of a run, at CPL 3.
//   in: RDI: the first slot, ECX: how many, at least one, RDX: the entry for the next free page. The tables are mapped at
//     PREFAULT_SELF_MAP.
//   out: to the gate, operation FILLED, with RDX: the entry for what is the next free page now, RDI: the slot after the run, ECX:
//     the counter of the pages that were used.
//   clobbers: RAX, RSI
//   stack: none; RSP is 0.
fill_code_start:
    mov esi, ecx
1:  cmp qword ptr [rdi], 0
    jne 2f
    mov [rdi], rdx
    add rdx, {page_size}
2:  add rdi, 8
    dec esi
    jnz 1b
    mov ecx, {fresh}
    jmp 5f

// fill_code_copy: gives each page of a run that is copied when it is written a page of its own with its content, at CPL 3.
//   in, out, stack: as above. DF is clear.
//   clobbers: RAX, RSI, R8, R9, R10, R11
.balign 16
fill_code_copy:
    mov r8, rdi
    mov r11d, ecx
    mov r9, {window_slot}
    mov r10d, {window}
3:  mov rax, [r8]
    mov ecx, eax
    not ecx
    test ecx, {copied}
    jnz 4f
    // The old page is mapped read-only at one place of the window, the fresh one at another.
    shl rax, 12
    shr rax, 24
    shl rax, 12
    or rax, {source_flags}
    bts rax, 63
    mov [r9], rax
    mov [r9 + 8 * {copies_max}], rdx
    mov rsi, r10
    lea rdi, [r10 + {page_size} * {copies_max}]
    mov ecx, {words}
    rep movsq
    mov [r9], rcx
    mov [r9 + 8 * {copies_max}], rcx
    mov [r8], rdx
    add rdx, {page_size}
4:  add r8, 8
    add r9, 8
    add r10, {page_size}
    dec r11d
    jnz 3b
    mov rdi, r8
    mov ecx, {copies}
5:  mov eax, {filled}
    int {gate}

// fill_code_copy_listed: the same for pages whose numbers are in a list.
//   in: RDI: the list, ECX: how many, at least one, at most FURTHER_MAX, RDX: as above. The tables of all are present. DF is clear.
//   out, clobbers, stack: as above; RDI: the slot of page 0.
.balign 16
fill_code_copy_listed:
    mov r8, rdi
    mov r11d, ecx
    mov r9, {window_slot}
    mov r10d, {window}
6:  mov eax, [r8]
    mov rsi, {self_map}
    lea rax, [rsi + 8 * rax]
    mov rsi, [rax]
    mov ecx, esi
    not ecx
    test ecx, {copied}
    jnz 7f
    shl rsi, 12
    shr rsi, 24
    shl rsi, 12
    or rsi, {source_flags}
    bts rsi, 63
    mov [r9], rsi
    mov [r9 + 8 * {further_max}], rdx
    mov rsi, r10
    lea rdi, [r10 + {page_size} * {further_max}]
    mov ecx, {words}
    rep movsq
    mov [r9], rcx
    mov [r9 + 8 * {further_max}], rcx
    mov [rax], rdx
    add rdx, {page_size}
7:  add r8, 4
    add r9, 8
    add r10, {page_size}
    dec r11d
    jnz 6b
    mov rdi, {self_map}
    mov ecx, {copies}
    jmp 5b
fill_code_end:
",
    page_size = const PAGE_SIZE,
    fresh = const Counter::Fresh as u32,
    window_slot = const PageSlot::address_for_prefault(PREFAULT_WINDOW) as i64,
    window = const PREFAULT_WINDOW,
    copied = const Entry::COPIED_ON_WRITE,
    source_flags = const Entry::user_page(0, Access::Read).bits() as u32,
    copies_max = const COPIES_MAX,
    further_max = const FURTHER_MAX,
    self_map = const PREFAULT_SELF_MAP as i64,
    words = const PAGE_SIZE / 8,
    copies = const Counter::CopiedInRuns as u32,
    filled = const gate::FILLED,
    gate = const gate::VECTOR,
);

unsafe extern "C" {
    static fill_code_start: u8;
    static fill_code_copy: u8;
    static fill_code_copy_listed: u8;
    static fill_code_end: u8;
}

/// Maps the code.
pub fn install(tables: &PageTables) {
    // SAFETY: the linker defines both.
    unsafe { super::map_user_code(tables, FILL_CODE, &fill_code_start, &fill_code_end) };
}

/// What the code is to do: [`page_fault_entry`](super::entry) enters it with this.
#[repr(C)]
pub struct Run {
    /// The code.
    pub code: u64,
    /// Where it finds the first slot, or the number of the first page.
    pub first: u64,
    /// How many there are.
    pub count: u64,
    /// The entry for the next free page.
    pub entry: Entry,
}

impl Run {
    /// To map those of the pages that are absent. The tables are mapped for it from now on.
    pub fn of_fresh(pages: &Range<u64>) -> Self {
        let first = PageSlot::address_for_prefault(pages.start);
        Self::new(FILL_CODE, first, (pages.end - pages.start) / PAGE_SIZE)
    }

    /// To copy the further pages, if some were written that were not expected to be; or the page that a fault is about and some that
    /// follow, if pages are being written one after the other or many were written; all since the sandbox was started or restored.
    /// Else `None`. The tables are mapped for it from now on. After the further pages the fault may occur again.
    ///
    /// # Safety
    /// The processor has raised a fault with this error code at this address.
    pub unsafe fn of_copies(address: u64, error: FaultCode) -> Option<Self> {
        let page = address / PAGE_SIZE;
        let (after, in_order) = last_copies();
        let copied = word(COUNTERS + 8 * Counter::Copied as u64);
        let (is_one_of_some, is_one_of_many) = (copied == u64::from(SOME), copied >= u64::from(MANY));
        let is_due = is_one_of_some || is_one_of_many || is_near(page, after) && in_order + 1 >= IN_ORDER;
        if error != FaultCode(FaultCode::USER_WRITE) || address >= USER_END || !is_due {
            return None;
        }
        // SAFETY: the fault is about the rights of a page that is present, so its tables are.
        let slot = unsafe { PageSlot::of(address) };
        // Without a plan the guest learns which pages are written, one by one.
        if !slot.get().is_copy_on_write() || word(COUNTERS + 8 * Counter::Prepared as u64) == 0 {
            return None;
        }
        if is_one_of_some {
            // SAFETY: the plan was mapped during boot, and its tables stay.
            let [first, second, further] = unsafe { (*(PREFAULT_PLAN as *const WorkingSets)).counts };
            let list = PREFAULT_PLAN + offset_of!(WorkingSets, pages) as u64 + 4 * (first + second);
            let count = further.min(FURTHER_MAX).min(Page::free());
            return (count > 0).then(|| {
                slot.open_tables();
                Self::new(place_of(&raw const fill_code_copy_listed), list, count)
            });
        }
        let least = if is_one_of_many { COPIES_OF_MANY } else { COPIES_MIN };
        let length = if is_near(page, word(AFTER_LAST_RUN) as u32) { (2 * word(LAST_RUN)).max(least) } else { least };
        let to_end_of_table = (window_of(address, ENTRIES as u64) / PAGE_SIZE + ENTRIES as u64) - page;
        let count = length.min(COPIES_MAX).min(to_end_of_table).min(Page::free());
        if count == 0 {
            return None;
        }
        // SAFETY: the word is the kernel's own, in scratch memory.
        unsafe { (LAST_RUN as *mut u64).write_volatile(count) };
        // All pages of the lower half are the runtime's: that some may be closed does not matter.
        slot.open_tables();
        Some(Self::new(place_of(&raw const fill_code_copy), PageSlot::address_for_prefault(address), count))
    }

    fn new(code: u64, first: u64, count: u64) -> Self {
        PageTables::current().map_themselves_for_user();
        Self { code, first, count, entry: Entry::user_page(Page::next_free(), Access::ReadWrite) }
    }
}

/// Where CPL 3 finds code that begins there.
fn place_of(code: *const u8) -> u64 {
    FILL_CODE + (code as u64 - (&raw const fill_code_start) as u64)
}

/// The page after the one that was copied last, by the lower half of its number, and how many were copied in order before it.
fn last_copies() -> (u32, u32) {
    let word = word(AFTER_LAST_COPY);
    (word as u32, (word >> 32) as u32)
}

fn is_near(page: u64, after: u32) -> bool {
    (page as u32).wrapping_sub(after) < NEAR
}

fn word(address: u64) -> u64 {
    // SAFETY: the words are the kernel's own, in scratch memory.
    unsafe { (address as *const u64).read_volatile() }
}

const _: () = assert!(
    PREFAULT_WINDOW + 2 * FURTHER_MAX * PAGE_SIZE <= THREAD_AREA && COPIES_MAX <= FURTHER_MAX,
    "the window has a place for each old and new page"
);
