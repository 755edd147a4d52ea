//! Large events and results, and what many calls leave behind.

mod sandboxes;

use std::process::Command;

use hyperlight_js::{Error, Program, SandboxBuilder, Script};
use sandboxes::{call, load, loaded};

const ECHO: &str = "function handler(event) { return event; }";

/// A JSON string of `size` bytes, quotes included.
fn text(size: usize) -> String {
    format!("\"{}\"", "x".repeat(size - 2))
}

#[test]
fn a_megabyte_round_trips() {
    let mut sandbox = loaded(ECHO);
    for size in [1 << 10, 64 << 10, (64 << 10) + 1, 1_000_000, 1 << 20] {
        let event = text(size);
        assert_eq!(sandbox.handle_event("handler", event.clone(), None).expect("a result"), event, "{size} bytes");
    }
}

#[test]
fn an_event_beyond_the_limit_is_refused_with_size_and_limit() {
    let mut sandbox = loaded(ECHO);
    let size = SandboxBuilder::DEFAULT_INPUT_SIZE + 1;
    match sandbox.handle_event("handler", text(size), None).expect_err("too large") {
        Error::PayloadTooLarge { what, size: got, limit } => {
            assert_eq!((what, got, limit), ("event", size as u64, SandboxBuilder::DEFAULT_INPUT_SIZE as u64));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(call(&mut sandbox, "1").expect("usable"), 1);
}

#[test]
fn a_result_beyond_the_limit_is_refused_with_size_and_limit_and_nothing_is_lost() {
    let mut sandbox = loaded("let calls = 0; function handler(n) { calls++; return n ? 'x'.repeat(n - 2) : calls; }");
    let limit = SandboxBuilder::DEFAULT_OUTPUT_SIZE;
    for size in [limit + 1, limit + 1000, 3 << 20] {
        match call(&mut sandbox, &size.to_string()).expect_err("too large") {
            Error::PayloadTooLarge { what, size: got, limit: got_limit } => {
                assert_eq!((what, got, got_limit), ("result", size as u64, limit as u64));
            }
            other => panic!("{other:?}"),
        }
        assert!(!sandbox.poisoned());
    }
    assert_eq!(call(&mut sandbox, &limit.to_string()).expect("just fits").as_str().map(str::len), Some(limit - 2));
    assert_eq!(call(&mut sandbox, "0").expect("usable"), 5);
}

#[test]
fn a_result_of_too_many_values_is_refused_with_their_number_and_nothing_is_lost() {
    let source = "let calls = 0; function handler(n) { calls++; return n ? new Array(n).fill({}) : calls; }";
    let builder = SandboxBuilder::new().with_max_output_values(100);
    let mut sandbox = load(builder, source).expect("the handler loads");
    match call(&mut sandbox, "100").expect_err("the array is one more") {
        Error::TooManyValues { what, count, limit } => assert_eq!((what, count, limit), ("result", 101, 100)),
        other => panic!("{other:?}"),
    }
    assert_eq!(call(&mut sandbox, "99").expect("just enough").as_array().map(Vec::len), Some(99));
    assert_eq!(call(&mut sandbox, "0").expect("usable"), 3);
    for count in [0, (128 << 20) + 1] {
        let refused = SandboxBuilder::new().with_max_output_values(count).build();
        assert!(matches!(refused, Err(Error::InvalidArgument(text)) if text.to_string().contains(&count.to_string())));
    }
}

#[test]
fn a_source_beyond_the_limit_is_refused_and_one_within_is_not() {
    let source = |size: usize| format!("{ECHO}{}", " ".repeat(size - ECHO.len()));
    let of_heap = SandboxBuilder::DEFAULT_HEAP_SIZE as usize / 8;
    let larger_input = || SandboxBuilder::new().with_guest_heap_size(32 << 20).with_guest_input_buffer_size(6 << 20);
    for (builder, limit) in [(SandboxBuilder::new as fn() -> _, of_heap), (larger_input, 6 << 20)] {
        let error = load(builder(), &source(limit + 1)).map(drop).expect_err("too large");
        assert!(matches!(error, Error::PayloadTooLarge { what: "source of a handler", .. }), "{error:?}");
        for size in [limit, SandboxBuilder::DEFAULT_INPUT_SIZE, SandboxBuilder::DEFAULT_INPUT_SIZE + 1] {
            let mut sandbox = load(builder(), &source(size)).expect("it fits");
            assert_eq!(call(&mut sandbox, "1").expect("a result"), 1);
        }
    }
}

/// Says whether a value is the one that `JSON.parse` makes of a text, zeros and the order of properties included.
const COMPARE: &str = r"
    function same(one, other) {
        if (typeof one !== 'object' || one === null) return Object.is(one, other);
        const names = Reflect.ownKeys(one);
        return Object.getPrototypeOf(one) === Object.getPrototypeOf(other)
            && String(names) === String(Reflect.ownKeys(other))
            && names.every((name) => {
                const { value, ...attributes } = Object.getOwnPropertyDescriptor(one, name);
                const { value: otherValue, ...otherAttributes } = Object.getOwnPropertyDescriptor(other, name);
                return JSON.stringify(attributes) === JSON.stringify(otherAttributes) && same(value, otherValue);
            });
    }
    // An engine that took the bytes of the name that is one letter for two letters would find this one.
    globalThis['\u00c3\u00a9'] = 1;
    const eAcute = '\u00e9';
    function handler({ value, text }) {
        return same(value, JSON.parse(text)) && (!('\u00c3\u00a9' in Object(value)) || value[eAcute] === 1);
    }";

#[test]
fn an_event_is_the_value_that_the_guests_own_parser_makes_of_its_text() {
    let list = |count: usize, item: &str| format!("[{}]", vec![item; count].join(","));
    let nested = |depth: usize| format!("{}1{}", r#"{"a":["#.repeat(depth / 2), "]}".repeat(depth / 2));
    let names = |count: usize| {
        let names: Vec<_> = (0..count).map(|i| format!(r#"{{"name{i}":{i},"{}":{i}}}"#, "n".repeat(i))).collect();
        format!("[{0},{0}]", names.join(","))
    };
    let numbers = "[0,-0,0.0,-0.0,0e5,-0E-3,1,-1,2147483647,2147483648,-2147483648,-2147483649,999999999999999,1e15,
        9007199254740991,9007199254740993,-9007199254740993,9223372036854775807,18446744073709551615,18446744073709551616,
        0.1,0.2,0.3,123456789.123456,0.000000000000001,99999999999999.9,0.123456789012345,0.1234567890123456,1.5e300,
        1e308,1.7976931348623157e308,1e309,-1e309,1e-323,5e-324,2e-324,4.9406564584124654e-324,1e23,8.41e21,0.1e1,1E+2,
        1e-7,123456789012345678901234567890.5]";
    let strings = r#"["","a","\"","\\","\/\b\f\n\r\t","\u0041\u00e9\u4e2d","\ud83d\ude00","\u00fF","1234567","12345678",
        "123456789","1234567\"","12345678\\9","é中😀","é1234567\n","\u0000","\u0010","\u00101","\u0010\u00100","ÿĀ"]"#;
    let lone_surrogates = r#"["\ud83d","\ude00\ud83d","\ud83dx","\ud83d\n"]"#;
    let objects = r#"{"a":1,"a":2,"b":{"__proto__":{"x":1},"constructor":1},"__proto__":null,"1":1,"0":0,"01":1,"-1":1,
        "":0,"toString":1,"é":1,"Ã©":2,"\u00e9\n":3,"4294967295":1,"4294967294":1,"length":1}"#;
    let spaces = " [ 1 ,\t2\n,\r{ \"a\" : [ ] , \"b\" : { } } , true , false , null ] ";
    let texts =
        [numbers, strings, lone_surrogates, objects, r#"{"é":1}"#, spaces, "[]", "{}", "null"].map(String::from);
    let long = [list(3, "1"), list(20_000, "1"), list(40, &list(500, "2")), list(17_000, r#"{"a":[1,[]]}"#)];
    let deep = [100, 126, 128, 300].map(nested);
    // The comparison goes as deep as the values, and where the engine's frames are larger, as on arm64, deeper than the
    // usual stack.
    let builder = SandboxBuilder::new().with_guest_scratch_size(2 * SandboxBuilder::DEFAULT_SCRATCH_SIZE);
    let mut sandbox = load(builder, COMPARE).expect("the handler loads");
    for text in texts.into_iter().chain(long).chain(deep).chain([names(200)]) {
        let quoted = serde_json::to_string(&text).expect("a string");
        let event = format!(r#"{{"value":{text},"text":{quoted}}}"#);
        assert_eq!(call(&mut sandbox, &event).expect("a result"), true, "{text:.500}");
    }
    for text in [
        "",
        "[1,]",
        "[,1]",
        "{,}",
        r#"{"a":1,}"#,
        r#"{"a"}"#,
        r#"{a:1}"#,
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "tru",
        "nul",
        "1 2",
        r#""a"#,
        r#""\x""#,
        r#""\u12""#,
        r#""\u+123""#,
        "\"\n\"",
        "[",
        "{",
        "[1",
        "NaN",
        "'a'",
        "\u{a0}1",
    ] {
        let error = call(&mut sandbox, text).expect_err("it is no JSON");
        assert!(matches!(error, Error::InvalidEvent(_)), "{text}: {error:?}");
    }
}

#[test]
fn what_is_larger_than_a_message_arrives_whole() {
    // Characters of several bytes, cut wherever a message ends.
    let text = "a\u{e4}\u{20ac}\u{1f600}".repeat(200_000);
    let module = format!("export const text = '{text}';");
    let builder = || SandboxBuilder::new().with_guest_input_buffer_size(99_991);
    let checks = "text === 'a\\xe4\\u20ac\\u{1f600}'.repeat(200000)";
    let mut sandbox = builder().build().expect("build").load_runtime().expect("load_runtime");
    for name in ["first", "second"] {
        sandbox.add_module(name, Script::from_content(module.clone()), None).expect("add_module");
    }
    let handler = format!(
        "import {{ text }} from 'user:first'; import {{ text as other }} from 'user:second';
        const own = '{text}';
        export const handler = () => {checks} && text === other && text === own;"
    );
    sandbox.add_handler("handler", Script::from_content(handler)).expect("add_handler");
    let mut sandbox = sandbox.get_loaded_sandbox().expect("it loads");
    assert_eq!(call(&mut sandbox, "1").expect("a result"), true);

    let program = Program::new(format!("import {{ text }} from 'm'; export default () => {checks};"));
    let sandbox = builder().build().expect("build").load_runtime().expect("load_runtime");
    let mut sandbox = sandbox.get_loaded_sandbox().expect("no handler");
    let clean = sandbox.snapshot().expect("a snapshot");
    for _ in 0..2 {
        let program = program.clone().with_module("m", module.clone());
        assert_eq!(sandbox.run(program, None).expect("a value"), "true");
        sandbox.restore(clean.clone()).expect("a restore");
    }
}

#[test]
fn a_thousand_calls_leak_nothing() {
    // The memory is that of a process, and the other tests of this one have theirs.
    let this = std::env::current_exe().expect("this program");
    let arguments = ["--exact", "calls_are_made_by_the_thousand", "--ignored", "--nocapture"];
    let output = Command::new(this).args(arguments).output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
}

#[test]
#[ignore = "another test runs it in a process of its own"]
fn calls_are_made_by_the_thousand() {
    let mut sandbox = loaded("function handler(event) { return event.items.map((n) => ({ n, text: 'item ' + n })); }");
    let event = serde_json::json!({ "items": (0..50).collect::<Vec<_>>() }).to_string();
    let mut calls = |count: usize| {
        for _ in 0..count {
            sandbox.handle_event("handler", event.clone(), None).expect("a result");
        }
        resident_bytes()
    };
    // Buffers and caches grow once, in the first calls, and the system may round memory up to larger pages at any time; a leak
    // grows with every thousand calls.
    let mut resident = calls(200);
    let growth: Vec<i64> = (0..4)
        .map(|_| {
            let before = std::mem::replace(&mut resident, calls(1000));
            resident as i64 - before as i64
        })
        .collect();
    assert!(growth.iter().any(|bytes| *bytes < 64 << 10), "resident memory grew by {growth:?} bytes a thousand calls");
}

#[test]
fn cyclic_garbage_does_not_pile_up() {
    // Each call leaves a cycle of 10 KiB, and says how many of all are still there.
    let mut sandbox = loaded(
        "const all = [];
        function handler() {
            const cycle = { data: new Uint8Array(10 << 10) };
            cycle.self = cycle;
            all.push(new WeakRef(cycle));
            return all.filter((reference) => reference.deref()).length;
        }",
    );
    let mut most_alive = |gc| {
        let calls = (0..200).map(|_| sandbox.handle_event("handler", "0".to_string(), Some(gc)).expect("a result"));
        calls.map(|alive| alive.parse::<u32>().expect("a number")).max()
    };
    assert!(most_alive(true) <= Some(8), "64 KiB, and what the last call made");
    assert!(most_alive(false) > Some(8), "there is nothing to collect");
}

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("resident pages");
    pages * 4096
}

#[test]
fn the_buffers_are_as_large_as_the_settings_say() {
    let builder = || {
        SandboxBuilder::new()
            .with_guest_heap_size(256 << 20)
            .with_guest_input_buffer_size(50 << 20)
            .with_guest_output_buffer_size(20 << 20)
    };
    let mut sandbox =
        load(builder(), "function handler(event) { return event.slice(0, 20 * 1024 * 1024 - 2); }").expect("it loads");
    let result = sandbox.handle_event("handler", text(50 << 20), None).expect("both fit");
    assert_eq!(result.len(), 20 << 20);
    assert!(matches!(
        sandbox.handle_event("handler", text((50 << 20) + 1), None),
        Err(Error::PayloadTooLarge { limit, .. }) if limit == 50 << 20
    ));

    let small = SandboxBuilder::new().with_guest_input_buffer_size(1 << 10).with_guest_output_buffer_size(1 << 10);
    let mut sandbox = load(small, ECHO).expect("it loads");
    assert_eq!(sandbox.handle_event("handler", text(1 << 10), None).expect("just fits"), text(1 << 10));
    assert!(sandbox.handle_event("handler", text((1 << 10) + 1), None).is_err());
}

#[test]
fn the_smallest_settings_do_also_after_a_restore() {
    let builder = SandboxBuilder::new()
        .with_guest_heap_size(*SandboxBuilder::HEAP_SIZE_RANGE.start())
        .with_guest_scratch_size(*SandboxBuilder::SCRATCH_SIZE_RANGE.start())
        .with_guest_input_buffer_size(*SandboxBuilder::BUFFER_SIZE_RANGE.start())
        .with_guest_output_buffer_size(*SandboxBuilder::BUFFER_SIZE_RANGE.start());
    let mut sandbox = load(builder, "let count = 0; function handler() { return ++count; }").expect("it loads");
    let snapshot = sandbox.snapshot().expect("a snapshot");
    for _ in 0..2 {
        assert_eq!(call(&mut sandbox, "0").expect("a result"), 1);
        sandbox.restore(snapshot.clone()).expect("a restore");
    }
}

#[test]
fn heap_and_stack_are_as_large_as_the_settings_say() {
    let source = "function handler(event) {
        if (event.blocks) return Array.from({ length: event.blocks }, () => new Uint8Array(1 << 20)).length;
        const deep = (n) => { try { return deep(n + 1); } catch { return n; } };
        return deep(0);
    }";
    let depth = |scratch: u64| {
        let builder = SandboxBuilder::new().with_guest_scratch_size(scratch).with_guest_heap_size(32 << 20);
        let mut sandbox = load(builder, source).expect("it loads");
        assert_eq!(call(&mut sandbox, r#"{"blocks":24}"#).expect("24 of 32 MiB"), 24);
        assert!(matches!(call(&mut sandbox, r#"{"blocks":33}"#), Err(Error::Guest { .. })));
        call(&mut sandbox, "{}").expect("a depth").as_u64().expect("a number")
    };
    let (shallow, default, deep) = (depth(1 << 20), depth(SandboxBuilder::DEFAULT_SCRATCH_SIZE), depth(16 << 20));
    assert!(100 < shallow && shallow < default && default * 4 < deep, "{shallow} {default} {deep}");
}
