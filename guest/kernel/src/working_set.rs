//! Which pages the first call after a restore will probably write: the *working set*. They are copied before it begins, by the
//! prefault of each architecture, and not one by one as it writes to them.
//!
//! A working set is a guess: what a call of the same kind has written. There are two of it, one for a guest without handlers, which
//! will be given one, and one for a guest that will be called. The runtime says what is in them and which to take. Some calls write
//! little else; others use more of what the engine has, and write to the pages of that, here and there. Those are *further* pages, a
//! third list, which is copied as soon as a call is seen to be of that kind. Whatever the lists are, they change nothing but when a
//! page is copied.
//!
//! They stand in the *plan*, a page that only the kernel writes, at a place that the architecture chooses, with what else its prefault
//! wants to know.

use core::ops::Range;

use guest_abi::gate;
use guest_abi::memory::{HEAP_FIRST_SIZE, HEAP_START, IMAGE_START, PAGE_SIZE, STACK_TOP, THREAD_AREA, USER_END};
use guest_kernel::page_table::ENTRIES;

use crate::arch::{self, PLAN, PLAN_IN_WORK, PageSlot};
use crate::constants::constants;
use crate::memory::{Page, window};

/// Pages that one list can have.
pub const LIST_MAX: usize = 320;
/// Lists in a plan.
const LISTS: usize = 3;

/// Memory that one table maps.
pub const TABLE_SIZE: u64 = ENTRIES as u64 * PAGE_SIZE;
/// More of the transport arena than this is opened only as it is used.
const ARENA_MAX: u64 = 8 << 20;
/// The same of the image.
const IMAGE_MAX: u64 = 4 * TABLE_SIZE;

/// What a plan begins with: the two working sets and the further pages. A page of zeros is three empty lists.
#[repr(C)]
pub struct WorkingSets {
    /// Pages in each.
    pub counts: [u64; LISTS],
    /// Their numbers: one list after the other.
    pub pages: [u32; LISTS * LIST_MAX],
}

const _: () = assert!(size_of::<WorkingSets>() <= PAGE_SIZE as usize);

/// What is opened after a restore, before it is used: the thread area, the image, the start of the heap, the end of the stack, and the
/// transport arena. Only pages of these, but for the arena's, are in a working set. Each but the image and the arena lies in one table.
pub fn opened() -> [Range<u64>; 5] {
    let constants = constants();
    [
        THREAD_AREA..THREAD_AREA + PAGE_SIZE,
        IMAGE_START..constants.image_end.min(IMAGE_START + IMAGE_MAX),
        HEAP_START..constants.heap_end.min(HEAP_START + HEAP_FIRST_SIZE),
        constants.stack_bottom.max(STACK_TOP - TABLE_SIZE)..STACK_TOP,
        // With the smallest settings the arena begins closer than that to the end of the address space.
        constants.arena_start..constants.arena_end.min(constants.arena_start.saturating_add(ARENA_MAX)),
    ]
}

/// Puts a plan without working sets in place of the one that there is, if there is one.
///
/// # Safety
/// There is a table for [`PLAN`].
pub unsafe fn begin() {
    let mut page = Page::allocate();
    let entry = arch::begin_plan(&mut page);
    // SAFETY: there is a table, as the caller says, and what is read there is a plan again.
    unsafe { PageSlot::of(PLAN).replace(entry) };
    // SAFETY: the words are the kernel's own.
    unsafe { (PLAN_IN_WORK as *mut [u64; 2]).write_volatile([page.physical(), 0]) };
}

/// Adds a page, by its number, to the list that is being made. [`gate::BEGIN_PLAN`] begins the first one, and
/// [`gate::NEXT_LIST`] each of the others. What does not fit or does not belong there is left out.
pub fn plan(page: u32) {
    if page == gate::BEGIN_PLAN {
        // SAFETY: the plan was mapped during boot, and its tables stay.
        return unsafe { begin() };
    }
    let place_of_list = (PLAN_IN_WORK + 8) as *mut u64;
    // SAFETY: the words are the kernel's own.
    let (physical, list) = unsafe { ((PLAN_IN_WORK as *const u64).read_volatile(), place_of_list.read_volatile()) };
    // A plan that a snapshot has kept cannot be written any more.
    // SAFETY: as above.
    if physical == 0 || unsafe { PageSlot::of(PLAN) }.get().physical() != physical {
        return;
    }
    if page == gate::NEXT_LIST {
        // SAFETY: as above.
        return unsafe { place_of_list.write_volatile((list + 1).min(LISTS as u64 - 1)) };
    }
    let address = u64::from(page) * PAGE_SIZE;
    if address >= USER_END || !opened().iter().any(|range| range.contains(&address)) {
        return;
    }
    let sets = window(physical).cast::<WorkingSets>();
    // SAFETY: the page holds a plan and was allocated since the last restore, so it is in scratch memory, mapped for the kernel.
    unsafe {
        let counts = (*sets).counts;
        let list = list as usize;
        if list < LISTS && counts[list] < LIST_MAX as u64 {
            (&raw mut (*sets).pages[counts.iter().sum::<u64>() as usize]).write(page);
            (&raw mut (*sets).counts[list]).write(counts[list] + 1);
        }
    }
}
