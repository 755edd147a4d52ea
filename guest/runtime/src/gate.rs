//! The way into the kernel.

use core::fmt::{Arguments, Write};

use guest_abi::abort::{AbortCode, TERMINATOR, pack};
use guest_abi::counters::{COPIED_PAGES, Counter};
use guest_abi::gate;
use guest_abi::memory::HAS_HANDLERS;

pub use crate::arch::enter;

/// What the kernel has counted; see [`guest_abi::counters`].
pub fn counters() -> [u64; Counter::COUNT] {
    core::array::from_fn(word)
}

/// The addresses of the pages that were copied last, at most [`COPIED_PAGES`].
pub fn copied_pages() -> impl Iterator<Item = u64> {
    let count = word(Counter::Copied as usize).min(COPIED_PAGES as u64);
    // Those that the kernel has copied in its slow way are counted, but it does not keep them.
    (0..count as usize).map(|i| word(Counter::COUNT + i)).filter(|address| *address != 0)
}

fn word(index: usize) -> u64 {
    enter(gate::COUNTER, index as u32)
}

/// Says which pages, by their numbers, shall be copied at once after a restore of a later snapshot: as long as there are no
/// handlers, when there are, and when a call has written others.
pub fn set_working_sets(lists: [impl Iterator<Item = u32>; 3]) {
    let mut begin = gate::BEGIN_PLAN;
    for pages in lists {
        enter(gate::PLAN, begin);
        plan(pages);
        begin = gate::NEXT_LIST;
    }
}

fn plan(pages: impl Iterator<Item = u32>) {
    for page in pages {
        // There are no such pages.
        if ![gate::BEGIN_PLAN, gate::NEXT_LIST].contains(&page) {
            enter(gate::PLAN, page);
        }
    }
}

/// Says that there are handlers now.
pub fn has_handlers() {
    // SAFETY: the kernel has mapped the page, and this place in it is for nothing else.
    unsafe { (HAS_HANDLERS as *mut bool).write_volatile(true) };
}

/// Ends the call with a message for the host, which poisons the sandbox.
#[cold]
pub fn abort(code: AbortCode, message: Arguments) -> ! {
    send(&[code as u8]);
    // Writing to the host cannot fail.
    let _ = Message.write_fmt(message);
    loop {
        send(&[TERMINATOR]);
    }
}

struct Message;

impl Write for Message {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        text.as_bytes().chunks(3).for_each(send);
        Ok(())
    }
}

fn send(bytes: &[u8]) {
    enter(gate::ABORT, pack(bytes));
}
