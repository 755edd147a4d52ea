//! What is built into the guest, whatever programs do with it.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyperlight_js::{Error, LoadedJSSandbox, SandboxBuilder, SandboxStatus, Script, Snapshot, WallClockMonitor};
use serde_json::json;

use crate::generators::uses::{Uses, each_once};

const HEAP: u64 = 8 << 20;
const BUFFER: usize = 64 << 10;
/// A program that does not end.
const TIMEOUT: Duration = Duration::from_millis(300);
/// A call takes longer only if it hangs.
const HANG: Duration = Duration::from_secs(20);

/// Runs a program with the modules that are built in and a few values. What it makes is its result.
const SOURCE: &str = "
    import * as assert from 'assert';
    import * as async_hooks from 'async_hooks';
    import * as crypto from 'crypto';
    import * as events from 'events';
    import * as path from 'path';
    import * as querystring from 'querystring';
    import * as string_decoder from 'string_decoder';
    import * as timers_promises from 'timers/promises';
    import * as util from 'util';
    import * as context from 'hyperlight:context';
    import { take } from 'host:test';
    let size = 0;
    const text = () => 'x'.repeat(size);
    const wide = () => '\u{20ac}'.repeat(size / 2);
    const bytes = (byte = 0x78) => new Uint8Array(size).fill(byte);
    const cycle = { a: [] };
    cycle.a.push(cycle);
    let deep = [];
    for (let i = 0; i < 10000; i++) deep = [deep];
    const { proxy: revoked, revoke } = Proxy.revocable({}, {});
    revoke();
    const detached = new Uint8Array(8);
    detached.buffer.transfer();
    let given;
    const give = (value) => { given = value; };
    // All of the heap.
    function rest() {
        const kept = [];
        for (let length = 1 << 16; length > 0; length >>= 1) {
            try { for (;;) kept.push(new Uint8Array(length)); } catch {}
        }
        return kept;
    }
    // For good, but for so many bytes.
    function fill(left) {
        let spare = new Uint8Array(left);
        globalThis.kept = rest();
        spare = undefined;
    }
    // Does something with a little more memory each time, until there is enough.
    async function starved(use) {
        let kept = rest();
        for (let tries = 0; ; tries++) {
            kept.length -= Math.min(kept.length, 1 + (tries >> 4));
            try { return await use(); } catch (e) {
                if (kept.length === 0 || tries === 400) throw e;
            }
        }
    }
    async function handler({ program, large }) {
        size = large;
        await eval('(async () => { let v0, v1, v2, v3, v4, v5;\\n' + program + '})()');
        return given;
    }
";

/// A sandbox that is the same before each program.
struct Guest {
    sandbox: LoadedJSSandbox,
    clean: Arc<Snapshot>,
}

impl Guest {
    fn new() -> Self {
        let builder = SandboxBuilder::new()
            .with_guest_heap_size(HEAP)
            .with_guest_input_buffer_size(BUFFER)
            .with_guest_output_buffer_size(BUFFER)
            .with_host_print_fn(|_, _| {});
        let mut proto = builder.build().expect("a sandbox");
        proto.register_raw("test", "take", |_, arguments| Ok(Some(arguments))).expect("a host function");
        let mut sandbox = proto.load_runtime().expect("a runtime");
        sandbox.add_handler("handler", Script::from_content(SOURCE)).expect("a handler");
        let mut sandbox = sandbox.get_loaded_sandbox().expect("a handler that loads");
        let clean = sandbox.snapshot().expect("a snapshot");
        let mut guest = Self { sandbox, clean };
        // What is compiled on first use is there from now on: the engine does not bear it if there is no memory for that, as
        // docs/engine.md says, and no program has to wait for it.
        guest.call(&each_once(), HANG).expect("a result");
        guest.clean = guest.sandbox.snapshot().expect("a snapshot");
        // Were programs never run, all that follows would pass.
        let uses = Uses { program: "give(await take(util.inspect([1])))".to_string(), size: 0 };
        let result = guest.call(&uses, HANG);
        assert_eq!(result.expect("a result"), "[\"[ 1 ]\"]");
        guest
    }

    fn call(&mut self, Uses { program, size }: &Uses, limit: Duration) -> Result<String, Error> {
        self.sandbox.restore(self.clean.clone()).expect("a restore");
        let monitor = WallClockMonitor::new(limit).expect("a limit");
        let event = json!({ "program": program, "large": HEAP / 64 * u64::from(*size) }).to_string();
        self.sandbox.handle_event_with_monitor("handler", event, &monitor, Some(false))
    }
}

/// What a program does ends as an ordinary error, also where there is no memory, or at the limit of its time. None brings its
/// guest down.
pub fn run(uses: &Uses) {
    thread_local!(static GUEST: RefCell<Option<Guest>> = const { RefCell::new(None) });
    GUEST.with_borrow_mut(|guest| {
        let guest = guest.get_or_insert_with(Guest::new);
        let begin = Instant::now();
        let status = match guest.call(uses, TIMEOUT) {
            Ok(_)
            | Err(Error::Guest { .. } | Error::PayloadTooLarge { what: "result", .. } | Error::TooManyValues { .. }) => {
                SandboxStatus::Ready
            }
            Err(Error::Cancelled) => SandboxStatus::Poisoned,
            Err(other) => panic!("a call: {other:?}"),
        };
        assert_eq!(guest.sandbox.status(), status);
        assert!(begin.elapsed() < HANG, "it took {:?}", begin.elapsed());
    });
}
