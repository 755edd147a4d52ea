//! Promises that keep a call open after its result is known.

mod sandboxes;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyperlight_js::{Error, SandboxBuilder, Script, WallClockMonitor};
use sandboxes::{call, load_with, loaded, with_lines};

#[test]
fn a_promise_keeps_the_call_open_after_its_result_is_known() {
    let source = "import { waitUntil } from 'hyperlight:context';
        import { later, note } from 'host:host';
        const sleep = (ms, value) => new Promise((resolve) => setTimeout(resolve, ms, value));
        let count = 0;
        async function work() {
            for (let i = 0; i < 3; i++) count += await later(1);
            await sleep(1);
            // One more, which is given when the others are settled already.
            waitUntil(sleep(1).then(() => { count += 10; note('done'); }));
        }
        export function handler(event) {
            const result = { count };
            switch (event) {
                case 'plain': waitUntil(work()); break;
                case 'promise': return sleep(1).then(() => { waitUntil(work()); return result; });
                case 'throws': waitUntil(work()); throw new RangeError('as told');
                case 'in a job': Promise.resolve().then(() => waitUntil(work())); break;
                case 'changes': waitUntil(sleep(1).then(() => { result.count = 'changed'; })); break;
                case 'no promise': for (const value of [undefined, 1, {}, { then: 1 }]) waitUntil(value); break;
                case 'thenable': waitUntil({ then(resolve) { setTimeout(() => { count += 100; resolve(); }, 1); } });
            }
            return result;
        }";
    let noted = Arc::new(AtomicUsize::new(0));
    let mut sandbox = load_with(source, |proto| {
        let noted = noted.clone();
        proto.register_async("host", "later", |number: u32| async move { number }).expect("register");
        proto.register("host", "note", move |_: String| noted.fetch_add(1, Ordering::SeqCst)).expect("register");
    });
    let mut count = |event: &str| call(&mut sandbox, event).map(|result| result["count"].clone());
    assert_eq!(count("\"plain\"").expect("a result"), 0);
    assert_eq!(count("\"promise\"").expect("a result"), 13);
    assert!(matches!(count("\"throws\""), Err(Error::Guest { name, .. }) if name == "RangeError"));
    assert_eq!(count("\"in a job\"").expect("a result"), 39);
    assert_eq!(noted.load(Ordering::SeqCst), 4);
    assert_eq!(count("\"changes\"").expect("a result"), 52, "the result is what it was when it was known");
    assert_eq!(count("\"no promise\"").expect("a result"), 52);
    assert_eq!(count("\"thenable\"").expect("a result"), 52);
    assert_eq!(count("null").expect("a result"), 152);
}

#[test]
fn what_becomes_of_a_promise_that_keeps_the_call_open_is_not_the_calls_error() {
    let source = "import { waitUntil } from 'hyperlight:context';
        const fail = () => new Promise((_, reject) => setTimeout(reject, 1, new TypeError('too late')));
        export function handler(event) {
            if (event === 'throws') setTimeout(() => { throw new RangeError('from a timer'); }, 0);
            const promise = event === 'never' ? new Promise(() => setTimeout(() => {}, 1)) : fail();
            if (event === 'handled') promise.catch(() => {});
            waitUntil(promise);
            return event;
        }";
    let (mut sandbox, lines) = with_lines(source);
    let mut lines_of = |event: &str| {
        let result = call(&mut sandbox, event);
        (result.is_ok(), std::mem::take(&mut *lines.lock().expect("no panic")))
    };
    assert_eq!(lines_of("\"rejects\""), (true, vec!["Error Unhandled rejection: TypeError: too late".to_string()]));
    assert_eq!(lines_of("\"handled\""), (true, vec![]));
    let (is_ok, never) = lines_of("\"never\"");
    assert!(is_ok && never.len() == 1 && never[0].contains("can never be settled"), "{never:?}");
    // What a timer throws ends a call at any time.
    assert_eq!(lines_of("\"throws\""), (false, vec![]));
}

#[test]
fn a_call_that_is_kept_open_can_be_stopped_and_has_its_limits() {
    let source = "import { waitUntil } from 'hyperlight:context';
        function handler() { waitUntil(new Promise((resolve) => setTimeout(resolve, 3600000))); return 'known'; }";
    let mut sandbox = loaded(source);
    let wall = WallClockMonitor::new(Duration::from_millis(50)).expect("a monitor");
    let stopped = sandbox.handle_event_with_monitor("handler", "null".to_string(), &wall, None);
    assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
    assert!(sandbox.poisoned());
}

#[test]
fn any_number_of_promises_keep_a_call_open_one_after_the_other() {
    let source = "import { waitUntil } from 'hyperlight:context';
        let settled = 0;
        export async function handler(count) {
            if (count === 0) return settled;
            Object.defineProperty(Array.prototype, 3, { set() { throw new Error('never called'); }, configurable: true });
            waitUntil(new Promise((resolve) => setTimeout(resolve, 2)));
            // A few are pending at a time: all of them together would use up the heap.
            for (let i = 0; i < count; i++) {
                const { promise, resolve } = Promise.withResolvers();
                waitUntil(promise.then(() => { settled += 1; return 'x'.repeat(10000) + i; }));
                queueMicrotask(resolve);
                if (i % 8 === 0) await null;
            }
            return 'known';
        }";
    let mut sandbox =
        sandboxes::load(SandboxBuilder::new().with_guest_heap_size(8 << 20), source).expect("the handler loads");
    assert_eq!(call(&mut sandbox, "1500").expect("a result"), "known");
    assert_eq!(call(&mut sandbox, "0").expect("a result"), 1500);
}

#[test]
fn a_large_result_is_kept_while_large_messages_come_and_go() {
    let source = "import { waitUntil } from 'hyperlight:context';
        import { echo } from 'host:host';
        let echoed = 0;
        export function handler(size) {
            if (size === 0) return echoed;
            const text = 'x'.repeat(size);
            waitUntil((async () => { for (let i = 0; i < 5; i++) echoed += (await echo(text)).length; })());
            return text;
        }";
    let mut proto = SandboxBuilder::new()
        .with_guest_input_buffer_size(4 << 20)
        .with_guest_output_buffer_size(4 << 20)
        .build()
        .expect("build");
    proto.register_async("host", "echo", |text: String| async { text }).expect("register");
    let mut sandbox = proto.load_runtime().expect("load_runtime");
    sandbox.add_handler("handler", Script::from_content(source)).expect("add_handler");
    let mut sandbox = sandbox.get_loaded_sandbox().expect("the handler loads");
    let size = (4 << 20) - 1000;
    assert_eq!(call(&mut sandbox, &size.to_string()).expect("a result").as_str().map(str::len), Some(size));
    assert_eq!(call(&mut sandbox, "0").expect("a result"), 5 * size);
}
