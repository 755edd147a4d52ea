//! Guest code that recurses without end, or over deep data, throws; it never brings the guest down.

mod sandboxes;

use hyperlight_js::{Error, LoadedJSSandbox, SandboxBuilder};
use sandboxes::{call, guarded, load};
use serde_json::json;

/// Scratch sizes: the smallest, the default, and some whose stack is larger than 16 MiB, for which there once was no limit.
const SCRATCH_SIZES: [u64; 4] = [1 << 20, SandboxBuilder::DEFAULT_SCRATCH_SIZE, 17 << 20, 64 << 20];

/// Programs that need more stack than there is, whatever its size.
const ENDLESS: [&str; 9] = [
    "(() => { function f() { return f() + 1; } return f(); })()",
    "(() => { const o = { get a() { return this.a; } }; return o.a; })()",
    "(() => { const o = { toString() { return String(o); } }; return String(o); })()",
    "JSON.stringify({ toJSON() { return JSON.stringify(this); } })",
    "(() => { const f = () => [1, 2].sort(f); return f(); })()",
    "(() => { const f = () => 'a'.replace(/a/, f); return f(); })()",
    "(() => { const f = { [Symbol.hasInstance]() { return 1 instanceof f; } }; return 1 instanceof f; })()",
    "(() => { const p = new Proxy({}, { ownKeys() { return Reflect.ownKeys(p); } }); return Object.keys(p); })()",
    "(() => { const o = {}; Object.defineProperty(o, 'a', { get() { return structuredClone(o); }, enumerable: true }); return structuredClone(o); })()",
];

/// Programs over data that is too deep for some of the stacks.
const DEEP: [&str; 26] = [
    "JSON.parse('['.repeat(400000))",
    "JSON.parse('{\"a\":'.repeat(400000))",
    "JSON.parse('['.repeat(400000) + ']'.repeat(400000)).length",
    "JSON.parse('['.repeat(20000) + ']'.repeat(20000), (key, value) => value).length",
    // It takes time that grows with the square of the depth.
    "JSON.stringify(nested(8000))",
    "String(nested(400000))",
    "nested(400000).flat(Infinity).length",
    "structuredClone(nested(400000)).length",
    "nested(8000)",
    "console.log(nested(8000))",
    "new RegExp('('.repeat(400000) + ')'.repeat(400000))",
    "new RegExp('(?='.repeat(400000) + ')'.repeat(400000))",
    "new RegExp('['.repeat(400000) + ']'.repeat(400000), 'v')",
    "eval('['.repeat(400000))",
    "eval('(function(){'.repeat(400000))",
    "eval('a=>'.repeat(400000) + '1')",
    "eval('!'.repeat(400000) + '1')",
    "eval('if(1)'.repeat(400000) + ';')",
    "eval('`${'.repeat(400000))",
    "wrapped(50000, (p) => new Proxy(p, {})).x",
    "wrapped(50000, (f) => f.bind())()",
    "wrapped(50000, (p) => new Proxy(p, {})) instanceof Array",
    "(() => { let i = [1].values(); for (let n = 0; n < 50000; n++) i = i.map((x) => x); return i.next(); })()",
    "(() => { const iterate = (i) => { try { return iterate(i); } catch { return i.next(); } };
        let i = [1].values(); for (let n = 0; n < 127; n++) i = i.flatMap((x) => [x]); return iterate(i).value; })()",
    "(() => { let i = [1].values(); for (let n = 0; n < 20000; n++) { i = Iterator.from(i); Object.setPrototypeOf(i, { next: i.next }); } return Iterator.from(i).next(); })()",
    "(() => { let i = [1].values(); for (let n = 0; n < 50000; n++) i = Iterator.from({ next: i.next.bind(i) }); return [...i]; })()",
];

fn evaluator(scratch_size: u64) -> LoadedJSSandbox {
    let source = "
        globalThis.nested = (depth) => { let a = []; for (let i = 0; i < depth; i++) a = [a]; return a; };
        globalThis.wrapped = (times, wrap) => { let value = () => 1; for (let i = 0; i < times; i++) value = wrap(value); return value; };
        export function handler(program) { return (0, eval)(program); }";
    let builder = SandboxBuilder::new().with_guest_scratch_size(scratch_size).with_host_print_fn(|_, _| {});
    load(builder, source).expect("it loads")
}

#[test]
fn endless_recursion_throws_a_range_error_whatever_the_stack() {
    for size in SCRATCH_SIZES {
        let mut sandbox = evaluator(size);
        for program in ENDLESS {
            let program =
                format!("(() => {{ try {{ {program}; return 'ended'; }} catch (e) {{ return e.name; }} }})()");
            let name = guarded(&mut sandbox, |sandbox| call(sandbox, &json!(program).to_string()));
            assert_eq!(name.expect("a name"), "RangeError", "{size}: {program}");
        }
    }
}

#[test]
fn deep_data_is_dealt_with_or_throws_whatever_the_stack() {
    for size in SCRATCH_SIZES {
        let mut sandbox = evaluator(size);
        for program in DEEP {
            let result =
                guarded(&mut sandbox, |sandbox| sandbox.handle_event("handler", json!(program).to_string(), None));
            assert!(matches!(result, Ok(_) | Err(Error::Guest { .. })), "{size}: {program}: {result:?}");
            assert!(!sandbox.poisoned(), "{size}: {program}");
        }
    }
}

#[test]
fn a_deep_event_is_taken_or_refused_whatever_the_stack() {
    for size in SCRATCH_SIZES {
        let builder = SandboxBuilder::new().with_guest_scratch_size(size);
        let mut sandbox = load(builder, "function handler(event) { return typeof event; }").expect("it loads");
        let event = format!("{}{}", "[".repeat(400_000), "]".repeat(400_000));
        let result = guarded(&mut sandbox, |sandbox| sandbox.handle_event("handler", event, None));
        assert!(matches!(result, Ok(_) | Err(Error::InvalidEvent(_) | Error::Guest { .. })), "{size}: {result:?}");
        assert!(!sandbox.poisoned(), "{size}");
    }
}
