//! Handlers: what they are given, what they give back, and what lives between calls.

mod sandboxes;

use hyperlight_js::{ConsoleLevel, Error, InvalidArgument, SandboxBuilder, Script, ThrownError};
use sandboxes::{call, guarded, load, loaded};
use serde_json::json;

#[test]
fn an_event_goes_in_and_a_result_comes_out() {
    let mut sandbox = loaded("function handler(event) { event.message = 'Hello, ' + event.name + '!'; return event; }");
    let result = sandbox.handle_event("handler", r#"{"name":"World"}"#.to_string(), Some(true)).expect("a result");
    assert_eq!(result, r#"{"name":"World","message":"Hello, World!"}"#);
}

#[test]
fn the_function_may_be_exported_asynchronous_or_a_value() {
    for source in [
        "export function handler(event) { return event + 1; }",
        "async function handler(event) { return event + 1; }",
        "export async function handler(event) { await null; return event + 1; }",
        "export default function handler(event) { return event + 1; }",
        "const handler = (event) => Promise.resolve(event).then((n) => n + 1);",
        "export const handler = (event) => event + 1; // no newline at the end",
        "const one = await Promise.resolve(1); function handler(event) { return event + one; }",
    ] {
        assert_eq!(call(&mut loaded(source), "1").expect(source), 2, "{source}");
    }
}

#[test]
fn a_rejected_promise_is_an_exception() {
    let mut sandbox = loaded("async function handler(event) { await null; throw new RangeError('no ' + event); }");
    match call(&mut sandbox, "1").expect_err("a rejection") {
        Error::Guest { name, message, stack, .. } => {
            assert_eq!((name.as_str(), message.as_str()), ("RangeError", "no 1"));
            assert!(stack.contains("handler:1:"), "{stack}");
        }
        other => panic!("{other:?}"),
    }
    assert!(!sandbox.poisoned());
}

#[test]
fn a_promise_that_nothing_can_settle_is_an_exception_and_no_hang() {
    let mut sandbox = loaded("function handler() { return new Promise(() => {}); }");
    let error = guarded(&mut sandbox, |sandbox| call(sandbox, "null")).expect_err("never settled");
    assert!(matches!(&error, Error::Guest { message, .. } if message.contains("settled")), "{error:?}");
}

#[test]
fn state_at_module_level_lives_from_call_to_call() {
    let mut sandbox = loaded("let count = 0; function handler(event) { event.count = ++count; return event; }");
    for count in 1..=5 {
        assert_eq!(call(&mut sandbox, "{}").expect("a result"), json!({ "count": count }));
    }
}

#[test]
fn handlers_of_one_sandbox_share_its_globals_but_not_their_modules() {
    let mut sandbox = SandboxBuilder::new().build().expect("build").load_runtime().expect("load_runtime");
    let source =
        "let own = 0; function handler() { globalThis.n = (globalThis.n ?? 0) + 1; return [globalThis.n, ++own]; }";
    for name in ["a", "b"] {
        sandbox.add_handler(name, Script::from_content(source)).expect("add_handler");
    }
    let mut sandbox = sandbox.get_loaded_sandbox().expect("get_loaded_sandbox");
    let mut call = |name: &str| sandbox.handle_event(name, "0".to_string(), None).expect("a result");
    assert_eq!([call("a"), call("b"), call("a")], ["[1,1]", "[2,1]", "[3,2]"]);
}

#[test]
fn an_exception_names_the_line_in_the_handlers_own_source() {
    let mut sandbox = loaded("// one\n// two\nfunction handler(event) {\n  return event.a.b;\n}\n");
    match call(&mut sandbox, "{}").expect_err("a TypeError") {
        Error::Guest { name, message, stack, .. } => {
            assert_eq!(name, "TypeError");
            assert!(message.contains("undefined"), "{message}");
            assert!(stack.contains("handler:4:"), "{stack}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(call(&mut sandbox, r#"{"a":{"b":7}}"#).expect("usable afterwards"), 7);
}

#[test]
fn anything_can_be_thrown() {
    let mut sandbox = loaded("function handler(event) { throw (0, eval)('(' + event + ')'); }");
    for (thrown, text) in [
        ("'text'", "text"),
        ("42", "42"),
        ("null", "null"),
        ("undefined", "undefined"),
        ("({ toString() { return 'object'; } })", "object"),
        ("({ toString() { throw 1; }, toJSON() { throw 2; } })", "(something that cannot be turned into text)"),
        ("({ toString() { throw 1; }, a: 2 })", r#"{"a":2}"#),
        ("({ status: 404, reason: 'n\u{e4}h' })", r#"{"status":404,"reason":"näh"}"#),
        ("['a', { b: 1 }]", r#"["a",{"b":1}]"#),
        ("Symbol('s')", "Symbol(s)"),
        ("Symbol()", "Symbol()"),
        ("12n", "12"),
        ("new Date(NaN)", "Invalid Date"),
        ("Object.assign(Object.create(null), { a: 1 })", r#"{"a":1}"#),
        ("new DOMException('m', 'DataCloneError')", "DataCloneError: m"),
        ("Object.assign(Object.create(Error.prototype), { message: 'old' })", "Error: old"),
        ("Object.assign(Object.create(Error.prototype, { name: { value: 'Own' } }), { message: 'old' })", "Own: old"),
        ("new Proxy(new Error('m'), {})", "Error: m"),
        ("new Proxy(new Error('m'), { get() { throw 1; } })", "(something that cannot be turned into text)"),
        ("Proxy.revocable({}, {}).proxy", "{}"),
        (
            "(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })()",
            "(something that cannot be turned into text)",
        ),
        ("Object.defineProperty(new Error('m'), 'message', { get() { throw 1; } })", "Error"),
        ("Object.assign(new Error('m'), { name: 5 })", "5: m"),
        ("new Error('\\ud800')", "Error: \u{fffd}"),
        ("new Error('a\\0b')", "Error: a\0b"),
    ] {
        let event = serde_json::to_string(thrown).expect("JSON");
        let error = call(&mut sandbox, &event).expect_err(thrown);
        assert!(matches!(error, Error::Guest { .. }), "{thrown}: {error:?}");
        assert_eq!(error.to_string(), text, "{thrown}");
        assert!(!sandbox.poisoned(), "{thrown}");
    }
}

/// What is known of what the source throws.
fn thrown_by(source: &str) -> ThrownError {
    let mut sandbox = loaded(source);
    match call(&mut sandbox, "null").expect_err(source) {
        Error::Guest { name, message, stack, details } => ThrownError { name, message, stack, details },
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_error_comes_with_its_properties_its_causes_and_its_errors() {
    let error = thrown_by(
        "class Failure extends Error {
            get code() { return 'E_FAILURE'; }
        }
        function Old(message) { this.message = message; Error.captureStackTrace(this); }
        Old.prototype = Object.create(Error.prototype, { constructor: { value: Old }, name: { value: 'Old' } });
        function handler() {
            const cause = Object.assign(new Old('first'), { errno: -2 });
            const error = new Failure('outer', { cause });
            Object.assign(error, { status: 404, more: [{ a: null }], run() {}, cycle: error, big: 1n, date: new Date(0) });
            Object.defineProperty(error, 'hidden', { value: 1 });
            Object.defineProperty(error, 'broken', { enumerable: true, get() { throw 1; } });
            throw new AggregateError([error, 'text', { a: 1 }], 'several');
        }",
    );
    assert_eq!((&*error.name, &*error.message), ("AggregateError", "several"));
    assert_eq!((&*error.details.properties, &error.details.cause), ("", &None));
    let [failure, text, object] = &*error.details.errors else { panic!("{error:?}") };
    assert_eq!((&*failure.name, &*failure.message), ("Error", "outer"));
    assert!(failure.stack.contains("handler:8:"), "{}", failure.stack);
    assert_eq!(
        failure.details.properties,
        r#"{"code":"E_FAILURE","status":404,"more":[{"a":null}],"date":"1970-01-01T00:00:00.000Z"}"#
    );
    let cause = failure.details.cause.as_ref().expect("a cause");
    assert_eq!((&*cause.name, &*cause.message, &*cause.details.properties), ("Old", "first", r#"{"errno":-2}"#));
    assert!(cause.stack.contains("handler:7:"), "{}", cause.stack);
    assert_eq!(text, &ThrownError::new("", "text"));
    assert_eq!((&*object.name, &*object.message, &*object.details.properties), ("", r#"{"a":1}"#, r#"{"a":1}"#));
}

#[test]
fn of_what_is_known_of_an_error_there_is_never_too_much() {
    let depth =
        |error: &ThrownError| std::iter::successors(Some(error), |error| error.details.cause.as_deref()).count() - 1;
    let error = thrown_by(
        "function handler() {
            let error = new Error('0');
            for (let i = 1; i < 100; i++) error = new Error(String(i), { cause: error });
            throw error;
        }",
    );
    assert_eq!((depth(&error), &*error.message), (8, "99"));
    // An error that is its own cause is told once.
    let error =
        thrown_by("function handler() { const e = new Error('self'); e.cause = e; e.errors = [e, 1]; throw e; }");
    assert_eq!((depth(&error), error.details.errors), (0, vec![ThrownError::new("", "1")]));
    let error = thrown_by(
        "function handler() {
            const text = 'x'.repeat(1e5);
            const many = (depth) => depth ? new AggregateError(Array.from({ length: 17 }, () => many(depth - 1)), text) : 1;
            throw Object.assign(many(3), { large: text, small: 1, cause: many(2) });
        }",
    );
    fn count(error: &ThrownError) -> usize {
        1 + error.details.cause.as_deref().map_or(0, count) + error.details.errors.iter().map(count).sum::<usize>()
    }
    assert!(count(&error) <= 64 && error.fits(), "{}", count(&error));
    assert_eq!((error.message.len(), &*error.details.properties), (16 << 10, r#"{"small":1}"#));
    assert!(error.details.errors.len() <= 16);
}

#[test]
fn errors_are_described_also_when_the_heap_is_full() {
    let mut sandbox = loaded(
        "let hoard = []; function fill() { try { for (;;) hoard.push('x'.repeat(1000) + hoard.length); } catch {} }
        function handler(kind) {
            if (kind === 0) { hoard = []; return 'free'; }
            fill();
            if (kind === 1) throw Object.assign(new Error('m'), { code: 'E', data: hoard, cause: new Error('c') });
            const text = hoard.join('');
            throw new Error(text);
        }",
    );
    for kind in ["1", "2", "1"] {
        let error = call(&mut sandbox, kind).expect_err(kind);
        assert!(matches!(error, Error::Guest { .. }), "{error:?}");
        assert!(!sandbox.poisoned(), "{kind}");
        assert_eq!(call(&mut sandbox, "0").expect("room again"), json!("free"));
    }
}

#[test]
fn a_long_message_is_cut_and_a_deep_recursion_is_caught() {
    let mut sandbox =
        loaded("function handler(n) { if (n) throw new Error('é'.repeat(n)); return handler.call(null, 0) + 1; }");
    match call(&mut sandbox, "3000000").expect_err("thrown") {
        Error::Guest { message, .. } => assert!(message.len() <= 16 << 10 && message.starts_with("éé")),
        other => panic!("{other:?}"),
    }
    let error = call(&mut sandbox, "0").expect_err("endless recursion");
    assert!(matches!(&error, Error::Guest { message, .. } if message.contains("stack")), "{error:?}");
    assert!(!sandbox.poisoned());
}

#[test]
fn what_json_cannot_express_is_null_or_an_exception() {
    for (source, result) in [
        ("function handler() {}", json!(null)),
        ("function handler() { return () => 1; }", json!(null)),
        ("function handler() { return NaN; }", json!(null)),
        ("function handler() { return [undefined, Symbol()]; }", json!([null, null])),
        ("function handler() { return new Date(0); }", json!("1970-01-01T00:00:00.000Z")),
    ] {
        assert_eq!(call(&mut loaded(source), "0").expect(source), result, "{source}");
    }
    for source in [
        "function handler() { return 10n; }",
        "function handler() { const a = []; a.push(a); return a; }",
        "function handler() { return { toJSON() { throw new TypeError('no'); } }; }",
    ] {
        let error = call(&mut loaded(source), "0").expect_err(source);
        assert!(matches!(&error, Error::Guest { name, .. } if name == "TypeError"), "{source}: {error:?}");
    }
}

#[test]
fn an_event_that_is_not_json_is_refused_and_the_sandbox_stays_usable() {
    let mut sandbox = loaded("function handler(event) { return event; }");
    for event in [
        "",
        " ",
        "{",
        "{'a':1}",
        "[1,]",
        "{\"a\":1,}",
        "undefined",
        "NaN",
        "01",
        "1 2",
        "+1",
        ".5",
        "1.",
        "0x10",
        "\"\u{1}\"",
        "\"\\x41\"",
        "// c\n1",
        "[1 2]",
        "nul",
        "{\"a\" 1}",
        "\"",
        "\0",
        "1\0",
        "\u{feff}1",
        "{a:1}",
        "Infinity",
        "-",
        "-01",
        "1e",
        "1e+",
        "1.e1",
        "truex",
        "[1",
        "[1]]",
        "{\"a\":",
        "{\"a\":1,\"b\"}",
        "\"\\u12\"",
        "\"\\u+123\"",
        "\"\\ud83e\\u12\"",
        "\"\\",
    ] {
        let error = sandbox.handle_event("handler", event.to_string(), None).expect_err(event);
        assert!(matches!(error, Error::InvalidEvent(_)), "{event:?}: {error:?}");
    }
    assert_eq!(call(&mut sandbox, " [ 1 , -0.5e2 ] ").expect("JSON"), json!([1, -50]));
}

#[test]
fn an_unknown_handler_and_a_bad_name_are_refused_and_the_sandbox_stays_usable() {
    let mut sandbox = loaded("function handler(event) { return event; }");
    let mut call = |name: &str| sandbox.handle_event(name, "1".to_string(), None);
    assert!(matches!(call("nobody"), Err(Error::HandlerNotFound(name)) if name == "nobody"));
    assert!(matches!(call(""), Err(Error::InvalidArgument(_))));
    assert!(matches!(
        call(&"n".repeat(257)),
        Err(Error::InvalidArgument(InvalidArgument::LongName { size: 257, limit: 256, .. }))
    ));
    assert!(matches!(call("a\0b"), Err(Error::HandlerNotFound(_))));
    assert_eq!(call("handler").expect("usable"), "1");
}

#[test]
fn names_are_unique_and_not_empty() {
    let mut sandbox = SandboxBuilder::new().build().expect("build").load_runtime().expect("load_runtime");
    let script = Script::from_content("function handler() { return 1; }");
    sandbox.add_handler("a", script.clone()).expect("the first of its name");
    for name in ["", "a"] {
        assert!(matches!(sandbox.add_handler(name, script.clone()), Err(Error::InvalidArgument(_))), "{name:?}");
    }
    let longest = "ü".repeat(128);
    sandbox.add_handler(longest.as_str(), script).expect("256 bytes");
    let mut sandbox = sandbox.get_loaded_sandbox().expect("get_loaded_sandbox");
    assert_eq!(sandbox.handle_event(longest, "0".to_string(), None).expect("a result"), "1");
}

#[test]
fn sources_that_cannot_be_loaded_are_refused_with_their_place() {
    for (source, name, text, line, column) in [
        ("function handler() {\n  return 1 +;\n}", "SyntaxError", "", 2, 13),
        (
            "\n\nimport { x } from 'user:nope';\nfunction handler() {}",
            "ReferenceError",
            "cannot find module 'user:nope'",
            3,
            19,
        ),
        (
            "import 'a'; import * as b from \"b\";\nfunction handler() {}",
            "ReferenceError",
            "cannot find module 'a'",
            1,
            8,
        ),
        ("export * from 'c';\nfunction handler() {}", "ReferenceError", "cannot find module 'c'", 1, 15),
        ("function other() {}", "SyntaxError", "no function named 'handler'", 0, 0),
        ("const handler = 5;", "SyntaxError", "not a function", 0, 0),
        ("export default 5;", "SyntaxError", "the default export is not a function", 0, 0),
        ("export { f as handler }; const f = {};", "SyntaxError", "'handler' is not a function", 0, 0),
        ("export { f as g }; function f() {}", "SyntaxError", "nothing in it is a handler by another name", 0, 0),
        ("function handler() {}\nthrow new TypeError('at load');", "TypeError", "at load", 2, 11),
        ("function handler() {}\nawait Promise.reject(new Error('late'));", "Error", "late", 2, 26),
        ("function handler() {}\nawait new Promise(() => {});", "Error", "settled", 0, 0),
        ("function handler() {} /* open", "SyntaxError", "", 1, 0),
        ("function handler() {} \0", "Error", "", 0, 0),
    ] {
        match load(SandboxBuilder::new(), source).map(drop).expect_err(source) {
            Error::Compile { name: got_name, message, file, line: got_line, column: got_column, .. } => {
                assert_eq!((got_name.as_str(), file.as_str()), (name, "handler"), "{source:?}: {message}");
                assert!(message.contains(text), "{source:?}: {message}");
                assert_eq!(got_line, line, "{source:?}: {message}");
                assert!(column == 0 || got_column == column, "{source:?}: column {got_column}");
            }
            other => panic!("{source:?}: {other:?}"),
        }
    }
}

#[test]
fn a_handler_is_what_is_called_so_or_exported_so_or_the_default_export() {
    for source in [
        "const handler = (event) => event + 1;",
        "export { add as handler }; function add(event) { return event + 1; }",
        "export default (event) => event + 1;",
        "export default async function add(event) { return event + 1; }",
        "function handler(event) { return event + 1; } export { other as default }; const other = 5;",
        "export { add as default, add as handler }; const add = (event) => event + 1;",
        "export { other as default, add as handler }; const other = () => 0, add = (event) => event + 1;",
        "const add = (event) => event + 1; await 0; export { add as default };",
    ] {
        assert_eq!(call(&mut loaded(source), "1").expect(source), 2, "{source}");
    }
    // Where there can be none, nothing runs.
    let source = "throw new Error('run'); function other() {}";
    let error = load(SandboxBuilder::new(), source).map(drop).expect_err("no handler");
    assert!(error.to_string().contains("no function named 'handler'"), "{error}");
}

#[test]
fn an_event_is_what_json_parse_makes_of_it() {
    // No setter of a prototype may see what an event is made of.
    let mut sandbox = loaded(
        "for (const [prototype, name] of [[Object.prototype, 'set'], [Array.prototype, 0]]) {
           Object.defineProperty(prototype, name, { set() { throw new Error('a setter was called'); } });
         }
         const { entries, getOwnPropertyDescriptors, getPrototypeOf, is } = Object;
         function same(a, b) {
           if (typeof a !== 'object' || a === null) return is(a, b);
           const [own, others] = [a, b].map((object) => entries(getOwnPropertyDescriptors(object)));
           return getPrototypeOf(a) === getPrototypeOf(b) && own.length === others.length && own.every(
             ([name, property], i) => name === others[i][0] && same(property.value, others[i][1].value)
               && ['configurable', 'enumerable', 'writable'].every((flag) => property[flag] === others[i][1][flag]),
           );
         }
         function handler({ value, text }) { return same(value, JSON.parse(text)); }",
    );
    let nested = |depth| format!("{}{}{}", "[".repeat(depth), "{}", "]".repeat(depth));
    for text in [
        r#"[0, -0, 1, -1, 27, 2147483647, 2147483648, -2147483648, -2147483649]"#,
        r#"[9007199254740991, -9007199254740993, 999999999999999, 1000000000000000, 12345678901234567890123]"#,
        r#"[0.0, -0.0, 0.5, 1.0, 1e0, 1E2, 1e+2, 12.5e-1, 0.1, 1e-400, -1e400, 5e-324, 1.7976931348623157e308, 0e1]"#,
        r#"[true, false, null, "", {}, [], [[]], [{}], " ", {"":""}]"#,
        r#""\" \\ \/ \b \f \n \r \t \u0000 \u00fC \ud83e\udd80 \ud800 \udc00\ud800 \ud83e\u0041""#,
        "\"plain, gr\u{fc}\u{df}e, \u{65e5}\u{672c}, \u{1f980}, \u{7f}\u{2028}\"",
        r#"{"b":1,"a":2,"1":3,"0":4,"b":5,"length":6,"set":7,"__proto__":{"x":8},"constructor":9,"gr\u00fc\u00df":10}"#,
        "\t[ 1\n,\r2 , { \"a\" : [ ] , \"b\" : { } } ] ",
        &nested(10),
        &nested(63),
        &nested(64),
        &nested(65),
        &nested(120),
        &nested(125),
        &nested(126),
        &nested(127),
        &nested(128),
        r#"[4294967296, 9007199254740992, 9007199254740993, -9007199254740992, 9223372036854775807, -9223372036854775808]"#,
        r#"[9223372036854775808, -9223372036854775809, 18446744073709551615, 18446744073709551616, -18446744073709551616]"#,
        r#"[1E5, -0e5, -0.0e-5, 1.7976931348623159e308, 2.2250738585072011e-308, 8.5e-324, 2.4703282292062327e-324, 1e23]"#,
        r#"[1e400, 1]"#,
        r#"[1e99999999999999999999, -1e99999999999999999999, 0e99999999999999999999, 1e-99999999999999999999]"#,
        &format!("[{0}, -{0}e-99999, 0.{0}, 0.{1}1e100000, 1{1}e-100000]", "7".repeat(99_999), "0".repeat(99_999)),
        r#"["\u0000", "a\u0000b", "\uD83E\uDD80", "\ufffe\uffff", "\ud7ff\ue000"]"#,
        r#"["\ud800"]"#,
        r#"["\udc00"]"#,
        r#"["\ud800\ud800\udc00"]"#,
        r#"{"\ud800":1,"\udc00":2,"\ud83e\udd80":3,"a\u0000b":4,"":5}"#,
        r#"{"b":0,"10":1,"2":2,"01":3,"-1":4,"1.5":5,"1e3":6,"4294967294":7,"4294967295":8,"2147483648":9,"a":10}"#,
        r#"{"__proto__":1,"x":2,"__proto__":[3],"x":{"__proto__":null},"2":4,"1":5,"2":6}"#,
    ] {
        let event = json!({ "text": text }).to_string();
        let event = format!("{},\"value\":{text}}}", event.strip_suffix('}').expect("an object"));
        assert_eq!(call(&mut sandbox, &event).expect(text), true, "{text}");
    }
}

#[test]
fn a_good_event_that_the_guest_has_no_memory_for_is_an_error_of_the_guest() {
    let builder = SandboxBuilder::new().with_guest_heap_size(2 << 20).with_guest_input_buffer_size(4 << 20);
    let mut sandbox = load(builder, "function handler(event) { return event.length; }").expect("it loads");
    let event = json!(vec![json!({}); 100_000]).to_string();
    let error = sandbox.handle_event("handler", event, None).expect_err("it is too large");
    assert!(matches!(&error, Error::Guest { message, .. } if message.contains("memory")), "{error:?}");
    assert!(!sandbox.poisoned());
    assert_eq!(call(&mut sandbox, "[1, 2]").expect("room for this"), json!(2));
}

#[test]
fn an_event_is_refused_as_json_parse_refuses_it() {
    let mut sandbox = loaded("function handler(text) { JSON.parse(text); }");
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for text in [
        "",
        "\u{feff}1",
        "1 2",
        "[1, 2",
        "[1] trailing",
        r#"{"a":1,,}"#,
        r#"{"a":[tru]}"#,
        r#"{"__proto__":}"#,
        r#""\ud800"#,
        r#"["\ud800", x]"#,
        "[1e400, 1e]",
        &"[".repeat(127),
        &r#"{"a":"#.repeat(128),
        &"[".repeat(1000),
        &nested(100_000),
        &r#"[{"a":"#.repeat(100_000),
    ] {
        let thrown = call(&mut sandbox, &json!(text).to_string()).expect_err(text);
        let error = sandbox.handle_event("handler", text.to_string(), None).expect_err(text);
        let Error::Guest { name, message: expected, .. } = thrown else { panic!("{thrown:?}") };
        match error {
            Error::InvalidEvent(message) => assert_eq!((&*name, message), ("SyntaxError", expected), "{text}"),
            // It is JSON, but deeper than the guest's stack.
            Error::Guest { name, message, .. } => assert_eq!((&*name, message), ("RangeError", expected), "{text}"),
            other => panic!("{text}: {other:?}"),
        }
        assert!(!sandbox.poisoned(), "{text}");
    }
    // Deeper than serde_json goes.
    let depth = "function handler(event) { let depth = 0; for (; event; event = event[0]) depth++; return depth; }";
    let mut sandbox = loaded(depth);
    for depth in [127, 128, 129, 1000] {
        assert_eq!(call(&mut sandbox, &nested(depth)).expect("an array"), depth);
    }
}

#[test]
fn text_round_trips_whatever_it_holds() {
    let mut sandbox = loaded(
        "function handler(event) { return { echo: event, length: event.length, codes: [...event].map((c) => c.codePointAt(0)) }; }",
    );
    // JSON escapes what UTF-8 cannot hold; an event is such text already.
    for (event, codes) in [
        (r#""""#, vec![]),
        (r#""a\u0000b""#, vec![0x61, 0, 0x62]),
        (r#""\ud83e\udd80\ud800x\udc00""#, vec![0x1f980, 0xd800, 0x78, 0xdc00]),
        ("\"grüße 日本 🦀\u{7f}\u{2028}\"", "grüße 日本 🦀\u{7f}\u{2028}".chars().map(u32::from).collect()),
    ] {
        let result = sandbox.handle_event("handler", event.to_string(), None).expect(event);
        assert!(result.contains(&format!("\"codes\":{}", serde_json::to_string(&codes).expect("JSON"))), "{result}");
        // What comes back is the same text, though it may be escaped otherwise: compare what a parser makes of it.
        let again =
            sandbox.handle_event("handler", result[8..].split(",\"length\"").next().expect("echo").to_string(), None);
        assert_eq!(again.expect("the echo is JSON"), result);
    }
}

#[test]
fn the_clock_is_the_hosts_and_runs_without_leaving_the_vm() {
    let mut sandbox = loaded(
        "function handler() { const a = Date.now(); let b = a; while (b - a < 20) b = Date.now();
         return { a, b, zone: new Date().getTimezoneOffset(), monotonic: performance.now() <= performance.now() }; }",
    );
    let now =
        || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis() as i64;
    let before = now();
    let result = guarded(&mut sandbox, |sandbox| call(sandbox, "0")).expect("a result");
    let after = now();
    let (a, b) = (result["a"].as_i64().expect("a time"), result["b"].as_i64().expect("a time"));
    assert!(before - 1 <= a && a + 20 <= b, "{before} {a} {b} {after}");
    // The rate of the time-stamp counter is measured, so the guest's clock may be a little off.
    assert!(b <= after + 1 + (after - before) / 10, "{before} {a} {b} {after}");
    assert_eq!((&result["zone"], &result["monotonic"]), (&json!(0), &json!(true)));
}

#[test]
fn console_lines_reach_the_tracing_log_with_their_level() {
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<String>>>);
    impl<S: tracing::Subscriber> Layer<S> for Lines {
        fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
            struct Message(String);
            impl tracing::field::Visit for Message {
                fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                    if field.name() == "message" {
                        self.0 = format!("{value:?}");
                    }
                }
            }
            if event.metadata().target() == "hyperlight_js::console" {
                let mut message = Message(String::new());
                event.record(&mut message);
                self.0.lock().expect("not poisoned").push(format!("{} {}", event.metadata().level(), message.0));
            }
        }
    }

    let mut sandbox = loaded(
        "console.log('loading');
         function handler() {
             console.debug('d', 1); console.log({ a: [1] }, null, undefined); console.warn('w'); console.error(new Error('e').message);
             console.log(Symbol('s')); console.log('x'.repeat(100000)); console.log();
             return 1;
         }",
    );
    let lines = Lines::default();
    let subscriber = tracing_subscriber::registry().with(lines.clone());
    tracing::subscriber::with_default(subscriber, || assert_eq!(call(&mut sandbox, "0").expect("a result"), 1));
    let lines = lines.0.lock().expect("not poisoned");
    assert_eq!(lines[..4], ["DEBUG d 1", "INFO { a: [ 1 ] } null undefined", "WARN w", "ERROR e"]);
    assert_eq!(lines[5].len(), "INFO ".len() + (16 << 10));
    assert_eq!(lines[6], "INFO ");
}

#[test]
fn handlers_cannot_reach_what_a_guest_does_not_have() {
    let mut sandbox =
        loaded("function handler() { return ['std', 'os', 'fetch', 'Deno'].filter((name) => name in globalThis); }");
    assert_eq!(call(&mut sandbox, "0").expect("a result"), json!([]));
    // Of a process there is what programs read, and nothing of the host's.
    let mut sandbox = loaded(
        "function handler() { return ['binding', 'exit', 'kill', 'dlopen', 'mainModule'].filter((name) => name in process)
             .concat(Object.keys(process.env)); }",
    );
    assert_eq!(call(&mut sandbox, "0").expect("a result"), json!([]));
    let mut sandbox =
        loaded("async function handler() { try { await import('os'); } catch (error) { return error.message; } }");
    assert_eq!(call(&mut sandbox, "0").expect("a result"), "cannot find module 'os'");
}

#[test]
fn console_lines_go_where_the_builder_says_and_a_panic_there_harms_nothing() {
    use std::sync::{Arc, Mutex};

    let lines: Arc<Mutex<Vec<(ConsoleLevel, String)>>> = Arc::default();
    let kept = lines.clone();
    let builder = SandboxBuilder::new().with_host_print_fn(move |level, line| {
        if line == "panic" {
            panic!("told to");
        }
        kept.lock().expect("not poisoned").push((level, line.to_string()));
    });
    let source = "function handler(event) { console.warn(event); console.log('after'); return event; }";
    let mut sandbox = load(builder, source).expect("it loads");
    assert_eq!(call(&mut sandbox, r#""panic""#).expect("a result"), "panic");
    assert_eq!(call(&mut sandbox, r#""line""#).expect("a result"), "line");
    let levels: Vec<_> = lines.lock().expect("not poisoned").clone();
    let [after, warn] = [(ConsoleLevel::Info, "after".to_string()), (ConsoleLevel::Warn, "line".to_string())];
    assert_eq!(levels, [after.clone(), warn, after]);
}

#[test]
fn bytes_in_a_result_are_json_to_those_who_ask_for_json() {
    let mut sandbox = loaded("function handler() { return { a: Uint8Array.of(1, 2), b: new ArrayBuffer(1) }; }");
    let result = sandbox.handle_event("handler", "{}".to_string(), None).expect("a result");
    assert_eq!(result, r#"{"a":{"0":1,"1":2},"b":{}}"#);
}
