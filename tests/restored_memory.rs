//! Memory after a restore: programs that check every word that they have written, restored in any order.

mod sandboxes;

use std::env;
use std::fmt::Debug;
use std::str::FromStr;
use std::sync::Arc;

use hyperlight_js::{LoadedJSSandbox, SandboxBuilder, Snapshot};
use sandboxes::{call, load};
use serde_json::{Value, json};

/// Functions that write words to every page of a buffer, and check them.
const PAGES: &str = "
    const STEP = 509; // in words: twice a page, at different places
    const word = (salt, i) => (Math.imul(i + 1, 0x9e3779b1) ^ salt) >>> 0;
    function fill(words, salt, from = 0) {
        for (let i = Math.ceil(from / STEP) * STEP; i < words.length; i += STEP) words[i] = word(salt, i);
    }
    function check(words, salt) {
        for (let i = 0; i < words.length; i += STEP) {
            const right = salt === undefined ? 0 : word(salt, i);
            if (words[i] !== right) throw new Error(`word ${i} of ${words.length} is ${words[i]} instead of ${right}`);
        }
    }
";

/// A handler that keeps buffers and texts in slots, and gives for each slot how many words or characters it has, the salt of
/// its pattern, and whether it is a text. Anything that is not what was written there is an exception.
///
/// An event is a list of steps, `[what, slot, size, salt]`.
const KEEPER: &str = r#"
    const slots = new Array(6).fill(null);
    const text = (salt, size) => String.fromCharCode(33 + (salt & 63)).repeat(size);
    function checkAll() {
        for (const kept of slots) {
            if (kept?.words) check(kept.words, kept.salt);
            else if (kept && kept.text !== text(kept.salt, kept.size)) throw new Error(`${kept.size} characters are wrong`);
        }
    }
    const steps = {
        buffer(slot, size, salt) {
            const words = new Uint32Array(size);
            check(words);
            fill(words, salt);
            slots[slot] = { words, salt };
        },
        parts(slot, size, salt) {
            const parts = [];
            for (let i = 0; i < size; i += 4096) parts.push(new Uint32Array(4096));
            for (const part of parts) check(part), fill(part, salt);
            for (const part of parts) check(part, salt);
            slots[slot] = null;
        },
        text(slot, size, salt) { slots[slot] = { text: text(salt, size), size, salt }; },
        resize(slot, size) {
            const kept = slots[slot], before = kept.words.length;
            kept.words = new Uint32Array(kept.words.buffer.transfer(4 * size));
            fill(kept.words, kept.salt, before);
        },
        change(slot, size, salt) {
            slots[slot].salt = salt;
            fill(slots[slot].words, salt);
        },
        drop(slot) { slots[slot] = null; },
    };
    function handler(event) {
        checkAll();
        for (const [what, slot, size, salt] of event) steps[what](slot, size, salt);
        checkAll();
        return slots.map((kept) => kept && [kept.size ?? kept.words.length, kept.salt, kept.text !== undefined]);
    }
"#;
const SLOTS: usize = 6;

const MIB: usize = (1 << 20) / 4; // in words

fn sandbox(heap_mib: u64, handler: &str) -> LoadedJSSandbox {
    let settings = SandboxBuilder::new().with_guest_heap_size(heap_mib << 20);
    load(settings, &format!("{PAGES}{handler}")).expect("the handler loads")
}

/// What is allocated is in the free memory behind all else, and the allocator writes behind it before it is used: so the first
/// page table that the kernel makes after a restore is of other addresses each time.
#[test]
fn memory_is_right_though_a_page_of_memory_was_the_table_of_other_addresses_before_the_restore() {
    let mut sandbox = sandbox(
        64,
        "function handler({ size, count }) {
             const all = Array.from({ length: count }, () => new Uint32Array(size));
             all.forEach((words) => check(words));
             all.forEach((words, salt) => fill(words, salt));
             all.forEach((words, salt) => check(words, salt));
             return count;
         }",
    );
    // The heap of the snapshot is no longer the small one that it is at first.
    call(&mut sandbox, &json!({ "size": MIB, "count": 3 }).to_string()).expect("a result");
    let snapshot = sandbox.snapshot().expect("a snapshot");
    for size in [2, 8, 4, 12, 2, 4, 8, 12, 2] {
        sandbox.restore(snapshot.clone()).expect("a restore");
        let result = call(&mut sandbox, &json!({ "size": size * MIB, "count": 3 }).to_string());
        assert_eq!(result.expect("a result"), 3, "{size} MiB");
    }
}

/// As many steps as a suite has the time for; `HYPERLIGHT_JS_FUZZ_STEPS` and `HYPERLIGHT_JS_FUZZ_SEED` say otherwise.
#[test]
fn memory_is_right_whatever_is_restored_in_whatever_order() {
    let seed = setting("HYPERLIGHT_JS_FUZZ_SEED", 3);
    let mut random = Random(seed);
    let mut keepers: Vec<Keeper> = [16, 96].map(Keeper::new).into();
    for step in 0..setting("HYPERLIGHT_JS_FUZZ_STEPS", 100) {
        let keeper = random.below(keepers.len());
        let done = keepers[keeper].step(&mut random);
        done.unwrap_or_else(|error| panic!("HYPERLIGHT_JS_FUZZ_SEED={seed}, step {step}, sandbox {keeper}: {error}"));
    }
}

fn setting<T: FromStr<Err: Debug>>(name: &str, default: T) -> T {
    env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// Size and salt of what a slot holds, and whether it is a text.
type Slot = Option<(usize, u32, bool)>;

/// A sandbox and what must be in it.
struct Keeper {
    sandbox: LoadedJSSandbox,
    slots: [Slot; SLOTS],
    snapshots: Vec<(Arc<Snapshot>, [Slot; SLOTS])>,
    /// The one that was restored last.
    last: usize,
    /// Largest size of a buffer in words.
    room: usize,
}

impl Keeper {
    const SNAPSHOTS: usize = 4;

    fn new(heap_mib: u64) -> Self {
        let mut sandbox = sandbox(heap_mib, KEEPER);
        let slots = [None; SLOTS];
        let snapshots = vec![(sandbox.snapshot().expect("a snapshot"), slots)];
        Self { sandbox, slots, snapshots, last: 0, room: heap_mib as usize * MIB / 10 }
    }

    /// Does anything; an error says what was wrong.
    fn step(&mut self, random: &mut Random) -> Result<(), String> {
        match random.below(10) {
            0 => {
                let snapshot = self.sandbox.snapshot().map_err(|error| error.to_string())?;
                match self.snapshots.len() {
                    Self::SNAPSHOTS => self.snapshots[random.below(Self::SNAPSHOTS)] = (snapshot, self.slots),
                    _ => self.snapshots.push((snapshot, self.slots)),
                }
                Ok(())
            }
            1..=4 => {
                // Mostly the same again: with another the hypervisor forgets more.
                if random.below(4) == 0 {
                    self.last = random.below(self.snapshots.len());
                }
                let (snapshot, slots) = self.snapshots[self.last].clone();
                self.slots = slots;
                self.sandbox.restore(snapshot).map_err(|error| error.to_string())
            }
            _ => {
                let event = Value::from_iter((0..1 + random.below(3)).map(|_| self.plan(random))).to_string();
                let kept = call(&mut self.sandbox, &event).map_err(|error| format!("{event}: {error}"))?;
                let expected = json!(self.slots);
                if kept == expected { Ok(()) } else { Err(format!("{event}: {kept} instead of {expected}")) }
            }
        }
    }

    /// A step for the handler; what will be in the slots then is noted.
    fn plan(&mut self, random: &mut Random) -> Value {
        let slot = random.below(SLOTS);
        // Small ones are as many as large ones.
        let largest = self.room >> (random.below(2) * random.below(12));
        let size = 1 + random.below(largest);
        let salt = random.next() as u32;
        let (what, kept) = match (random.below(6), self.slots[slot]) {
            (0, Some((_, salt, false))) => ("resize", Some((size, salt, false))),
            (1, Some((size, _, false))) => ("change", Some((size, salt, false))),
            (2, Some(_)) => ("drop", None),
            (3, _) => ("text", Some((size, salt, true))),
            (4, _) => ("parts", None),
            _ => ("buffer", Some((size, salt, false))),
        };
        self.slots[slot] = kept;
        json!([what, slot, size, salt])
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}
