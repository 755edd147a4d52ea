//! Functions of the host, called from the guest.

mod sandboxes;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use hyperlight_js::{
    Bytes, Error, HostFunctionError, InterruptHandle, LoadedJSSandbox, ProtoJSSandbox, SandboxBuilder, Script,
};
use sandboxes::call;
use serde_json::{Value, json};

fn with_functions(source: &str, register: impl FnOnce(&mut ProtoJSSandbox)) -> LoadedJSSandbox {
    let mut proto = SandboxBuilder::new().build().expect("build");
    register(&mut proto);
    let mut sandbox = proto.load_runtime().expect("load_runtime");
    sandbox.add_handler("handler", Script::from_content(source)).expect("add_handler");
    sandbox.get_loaded_sandbox().expect("get_loaded_sandbox")
}

fn add(arguments: &str) -> i64 {
    let numbers: Vec<i64> = serde_json::from_str(arguments).expect("an array of numbers");
    numbers.iter().sum()
}

#[test]
fn a_guest_imports_and_calls_host_functions() {
    let source = "import * as math from 'host:math'; import { upper } from 'host:text';
        function handler(event) { return [math.add(event, 2), math.add(), upper('grüße 🦀')]; }";
    let mut sandbox = with_functions(source, |proto| {
        proto.register_raw("math", "add", |_, arguments| Ok(Some(add(&arguments).to_string()))).expect("register");
        proto.register_raw("text", "upper", |_, arguments| Ok(Some(arguments.to_uppercase()))).expect("register");
    });
    assert_eq!(call(&mut sandbox, "40").expect("a result"), json!([42, 0, ["GRÜSSE 🦀"]]));
}

#[test]
fn undefined_and_any_json_come_back() {
    let source = "import * as host from 'host:host';
        function handler(event) { const value = host.give(event); return { type: typeof value, value }; }";
    let mut sandbox = with_functions(source, |proto| {
        let give = |_: &_, arguments: String| {
            let arguments: Vec<Value> = serde_json::from_str(&arguments).expect("an array");
            Ok(arguments[0].get("json").map(Value::to_string))
        };
        proto.register_raw("host", "give", give).expect("register");
    });
    assert_eq!(call(&mut sandbox, "{}").expect("a result"), json!({ "type": "undefined" }));
    for value in [json!(null), json!({ "a": [1.5, "\u{0}"] }), json!("x".repeat(500_000)), json!(false)] {
        let event = json!({ "json": value }).to_string();
        assert_eq!(call(&mut sandbox, &event).expect("a result")["value"], value);
    }
}

#[test]
fn a_failure_can_be_caught_in_the_guest_and_is_an_exception_if_it_is_not() {
    let source = "import { fail } from 'host:host';
        function handler(event) {
            if (event) return fail();
            try { fail(); } catch (error) {
                return [error instanceof HostFunctionError, error instanceof Error, error.name, error.message, error.hostName,
                    Object.keys(error)];
            }
        }";
    let mut sandbox = with_functions(source, |proto| {
        let fail = |_: &_, _| Err(HostFunctionError { name: "TypeError".into(), ..HostFunctionError::new("näh") });
        proto.register_raw("host", "fail", fail).expect("register");
    });
    let caught = json!([true, true, "HostFunctionError", "näh", "TypeError", []]);
    assert_eq!(call(&mut sandbox, "false").expect("a result"), caught);
    match call(&mut sandbox, "true").expect_err("not caught") {
        Error::Guest { name, message, stack, .. } => {
            assert_eq!((name.as_str(), message.as_str()), ("HostFunctionError", "näh"));
            assert!(stack.contains("handler:3:"), "{stack}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(call(&mut sandbox, "false").expect("usable"), caught);
}

#[test]
fn a_failure_brings_its_properties_and_causes_to_the_guest() {
    let source = "import { fail } from 'host:host';
        function handler() {
            try { fail(); } catch (error) {
                const { cause } = error;
                return [Object.entries(error), error.code, error.message, error.hostName, error.stack.includes('handler:3:'),
                    cause instanceof HostFunctionError, cause.message, cause.hostName, cause.errno, 'cause' in cause];
            }
        }";
    let mut sandbox = with_functions(source, |proto| {
        let fail = |_: &_, _| {
            Err(HostFunctionError::new("no")
                .with_property("code", "ENOENT")
                .with_property("tries", [1, 2])
                .with_property("code", "EACCES")
                .with_property("message", "not this")
                .with_property("hostName", "nor this")
                .with_property("__proto__", "own")
                .with_cause(
                    HostFunctionError { name: "TypeError".into(), ..HostFunctionError::new("why") }
                        .with_property("errno", -2),
                ))
        };
        proto.register_raw("host", "fail", fail).expect("register");
    });
    let caught = call(&mut sandbox, "null").expect("a result");
    let entries = json!([["__proto__", "own"], ["code", "EACCES"], ["tries", [1, 2]]]);
    let mut given = caught[0].as_array().expect("entries").clone();
    given.sort_by_key(ToString::to_string);
    assert_eq!(json!(given), entries);
    assert_eq!(
        caught.as_array().expect("a list")[1..],
        [
            json!("EACCES"),
            json!("no"),
            json!("Error"),
            json!(true),
            json!(true),
            json!("why"),
            json!("TypeError"),
            json!(-2),
            json!(false)
        ]
    );
}

#[test]
fn a_panic_and_a_result_that_is_not_json_or_too_large_are_exceptions_and_harm_nothing() {
    let source = "import * as host from 'host:host';
        function handler(name) { try { return host[name](); } catch (error) { return error.message; } }";
    let mut sandbox = with_functions(source, |proto| {
        proto.register_raw("host", "panic", |_, _| panic!("told to")).expect("register");
        proto.register_raw("host", "garbage", |_, _| Ok(Some("{no json".to_string()))).expect("register");
        proto.register_raw("host", "large", |_, _| Ok(Some(format!("\"{}\"", "x".repeat(8 << 20))))).expect("register");
        proto.register_raw("host", "fine", |_, _| Ok(Some("1".to_string()))).expect("register");
    });
    let mut message = |name: &str| call(&mut sandbox, &json!(name).to_string()).expect("a result").to_string();
    for (name, expected) in [
        ("panic", "panicked"),
        ("garbage", "in JSON at position 1"),
        ("large", "8388610 bytes long, but at most 1048576 bytes fit"),
    ] {
        let text = message(name);
        assert!(text.contains(expected), "{name}: {text}");
        assert_eq!(message("fine"), "1");
    }
}

#[test]
fn a_nested_answer_does_not_need_more_stack_than_there_is() {
    // The first call that does not throw is made where the stack is just not too short for one.
    let source = "import { give } from 'host:host';
        function deepest(depth) { try { return deepest(depth); } catch { return give(depth); } }
        function handler(depth) {
            let count = 0;
            for (let value = deepest(depth); value; value = value[0] ?? value.a) count++;
            return count;
        }";
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let mut sandbox = with_functions(source, |proto| {
            let give = move |_: &_, arguments: String| {
                let [depth] = serde_json::from_str(&arguments).expect("a number");
                Ok(Some(format!("{}[]{}", open.repeat(depth), close.repeat(depth))))
            };
            proto.register_raw("host", "give", give).expect("register");
        });
        for depth in [1, 64, 126, 127, 1000] {
            assert_eq!(call(&mut sandbox, &depth.to_string()).expect("a result"), depth + 1, "{open}");
        }
    }
}

#[test]
fn arguments_beyond_the_limit_are_an_exception_with_size_and_limit() {
    let source = "import { echo } from 'host:host';
        function handler(size) { try { return echo('x'.repeat(size)).length; } catch (error) { return error.message; } }";
    let mut sandbox = with_functions(source, |proto| {
        proto
            .register_raw("host", "echo", |_, arguments| Ok(Some(arguments[1..arguments.len() - 1].to_string())))
            .expect("register");
    });
    let limit = SandboxBuilder::DEFAULT_OUTPUT_SIZE;
    let fits = limit - r#"[""]"#.len();
    assert_eq!(call(&mut sandbox, &fits.to_string()).expect("a result"), fits);
    let message = call(&mut sandbox, &(fits + 1).to_string()).expect("a result");
    assert!(message.to_string().contains(&format!("{} bytes long, but at most {limit}", limit + 1)), "{message}");
}

#[test]
fn what_is_not_registered_cannot_be_imported_nor_can_the_bridge() {
    for (import, text) in [
        ("import * as x from 'host:nope';", "cannot find module 'host:nope'"),
        ("import { nope } from 'host:math';", "nope"),
        ("import { call } from 'hyperlight:bridge';", "cannot find module 'hyperlight:bridge'"),
    ] {
        let mut proto = SandboxBuilder::new().build().expect("build");
        proto.register_raw("math", "add", |_, _| Ok(None)).expect("register");
        let mut sandbox = proto.load_runtime().expect("load_runtime");
        sandbox.add_handler("handler", Script::from_content(format!("{import} function handler() {{}}"))).expect("add");
        let error = sandbox.get_loaded_sandbox().map(drop).expect_err(import);
        assert!(matches!(error, Error::Compile { .. }) && error.to_string().contains(text), "{error}");
    }
}

#[test]
fn names_may_hold_anything_that_can_be_read() {
    let mut proto = SandboxBuilder::new().build().expect("build");
    for (module, name) in [("", "f"), ("m", ""), (" ", "f"), ("m", "a\n"), ("m\0", "f")] {
        let error = proto.register_raw(module, name, |_, _| Ok(None)).expect_err("it cannot be read");
        assert!(matches!(error, Error::InvalidArgument(_)));
    }
    let source = r#"import { "quote\"\\'" as f } from "host:a b\"c"; function handler() { return f(); }"#;
    let mut sandbox = with_functions(source, |proto| {
        proto.register_raw("a b\"c", "quote\"\\'", |_, _| Ok(Some("7".to_string()))).expect("register");
    });
    assert_eq!(call(&mut sandbox, "0").expect("a result"), 7);
}

#[test]
fn host_functions_survive_restore_and_unload_and_keep_the_hosts_state() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let source = "import { hit } from 'host:stats'; let own = 0; function handler() { return [hit(), ++own]; }";
    let mut sandbox = with_functions(source, |proto| {
        let hit = move |_: &_, _| Ok(Some((counted.fetch_add(1, Ordering::Relaxed) + 1).to_string()));
        proto.register_raw("stats", "hit", hit).expect("register");
    });
    let snapshot = sandbox.snapshot().expect("a snapshot");
    assert_eq!(call(&mut sandbox, "0").expect("a result"), json!([1, 1]));
    assert_eq!(call(&mut sandbox, "0").expect("a result"), json!([2, 2]));
    sandbox.restore(snapshot).expect("a restore");
    assert_eq!(call(&mut sandbox, "0").expect("a result"), json!([3, 1]));

    let mut unloaded = sandbox.unload().expect("unload");
    unloaded.add_handler("handler", Script::from_content(source)).expect("add_handler");
    let mut sandbox = unloaded.get_loaded_sandbox().expect("get_loaded_sandbox");
    assert_eq!(call(&mut sandbox, "0").expect("a result"), json!([4, 1]));
    assert_eq!(count.load(Ordering::Relaxed), 4);
}

#[test]
fn a_guest_that_waits_for_a_host_function_can_be_stopped() {
    let (entered, has_entered) = mpsc::channel();
    let source = "import { wait } from 'host:host'; function handler() { wait(); return 'went on'; }";
    let mut sandbox = with_functions(source, |proto| {
        let wait = move |call: &hyperlight_js::HostCall, _| {
            let (give_up, given_up) = mpsc::channel::<()>();
            call.on_cancel(move || drop(give_up));
            entered.send(()).expect("the test waits");
            assert!(given_up.recv_timeout(Duration::from_secs(30)).is_err());
            Ok(None)
        };
        proto.register_raw("host", "wait", wait).expect("register");
    });
    let snapshot = sandbox.snapshot().expect("a snapshot");
    let handle = sandbox.interrupt_handle();
    for _ in 0..3 {
        std::thread::scope(|scope| {
            let sandbox = &mut sandbox;
            let called = scope.spawn(move || call(sandbox, "0"));
            has_entered.recv().expect("the guest calls");
            assert!(handle.kill());
            assert!(matches!(called.join().expect("no panic"), Err(Error::Cancelled)));
        });
        assert!(sandbox.poisoned());
        sandbox.restore(snapshot.clone()).expect("a restore");
    }
}

#[test]
fn stopping_a_sandbox_that_is_idle_harms_no_later_call() {
    let mut sandbox = with_functions("function handler(event) { return event; }", |_| {});
    let handle = sandbox.interrupt_handle();
    for i in 0..100 {
        assert!(!handle.kill());
        assert_eq!(call(&mut sandbox, &i.to_string()).expect("a result"), i);
    }
    assert_eq!(handle.current_call(), None);
}

#[test]
fn a_request_to_stop_one_call_never_stops_the_next() {
    let handle: Arc<OnceLock<InterruptHandle>> = Arc::default();
    let (started, has_started) = mpsc::channel();
    let handle_inside = handle.clone();
    let source = "import { started } from 'host:test';
        function handler(ms) { if (ms === 1) started(); const end = Date.now() + ms; while (Date.now() < end); return ms; }";
    let mut sandbox = with_functions(source, |proto| {
        let started = move |_: &_, _| {
            let call = handle_inside.get().and_then(InterruptHandle::current_call);
            started.send(call.expect("a call is running")).expect("the test waits");
            Ok(None)
        };
        proto.register_raw("test", "started", started).expect("register");
    });
    let handle = handle.get_or_init(|| sandbox.interrupt_handle());
    let snapshot = sandbox.snapshot().expect("a snapshot");
    for round in 0..30 {
        let first = std::thread::scope(|scope| {
            let sandbox = &mut sandbox;
            let first = scope.spawn(move || call(sandbox, "1"));
            // Catches the call at a different moment each time, often just as it ends.
            let running = has_started.recv().expect("the guest calls");
            std::thread::sleep(Duration::from_micros(70 * round));
            scope.spawn(move || handle.kill_call(running));
            first.join().expect("no panic")
        });
        assert!(matches!(first, Ok(_) | Err(Error::Cancelled)), "{first:?}");
        if sandbox.poisoned() {
            sandbox.restore(snapshot.clone()).expect("a restore");
        }
        assert_eq!(call(&mut sandbox, "3").expect("the next call is not affected"), 3);
    }
}

#[test]
fn a_function_that_takes_json_refuses_bytes() {
    let source = "import { take } from 'host:host';
        function handler() {
            try { return take(1, [new Uint8Array(1)]); } catch ({ name, hostName, message }) { return { name, hostName, message }; }
        }";
    let mut sandbox = with_functions(source, |proto| {
        proto.register_raw("host", "take", |_, arguments| Ok(Some(arguments))).expect("register");
    });
    let message = "this host function takes JSON, but its arguments hold binary data";
    let expected = json!({ "name": "HostFunctionError", "hostName": "TypeError", "message": message });
    assert_eq!(call(&mut sandbox, "0").expect("a result"), expected);
}

#[test]
fn functions_take_and_give_rust_types() {
    #[derive(serde::Deserialize, serde::Serialize)]
    struct Point {
        x: f64,
        y: Option<String>,
    }
    let source = "import * as host from 'host:host';
        function handler() {
            return [host.none(), host.add(1, 2), host.flip({ x: 1.5 }), host.list(['a', 'b']), host.optional(), host.optional(7, 8)];
        }";
    let mut sandbox = with_functions(source, |proto| {
        let module = proto.host_module("host");
        module
            .register("none", || ())
            .and_then(|module| module.register("add", |a: i64, b: i64| a + b))
            .and_then(|module| module.register("flip", |p: Point| Point { x: -p.x, y: Some("y".into()) }))
            .and_then(|module| module.register("list", |list: Vec<String>| Ok::<_, HostFunctionError>(list.join("-"))))
            .expect("register");
        proto.register("host", "optional", |n: Option<u8>| n).expect("register");
    });
    let expected = json!([null, 3, { "x": -1.5, "y": "y" }, "a-b", null, 7]);
    assert_eq!(call(&mut sandbox, "0").expect("a result"), expected);
}

#[test]
fn arguments_of_another_type_and_failures_are_exceptions() {
    let source = "import * as host from 'host:host';
        function handler() {
            return [['a', 1], [1], [300, 1], [1, 0], [[], 1]].map((given) => {
                try { return host.divide(...given); } catch ({ name, hostName, message }) { return `${name} ${hostName}: ${message}`; }
            });
        }";
    let mut sandbox = with_functions(source, |proto| {
        let divide = |a: u8, b: u8| a.checked_div(b).ok_or_else(|| HostFunctionError::new("division by zero"));
        proto.register("host", "divide", divide).expect("register");
    });
    let result = call(&mut sandbox, "0").expect("a result");
    for (text, parts) in result.as_array().expect("a list").iter().zip([
        ["TypeError", "argument 1"],
        ["TypeError", "argument 2"],
        ["TypeError", "argument 1"],
        ["Error", "division by zero"],
        ["TypeError", "argument 1"],
    ]) {
        let text = text.as_str().expect("a text");
        assert!(text.starts_with("HostFunctionError") && parts.iter().all(|part| text.contains(part)), "{text}");
    }
}

#[test]
fn a_module_of_host_functions_is_given_to_several_builders() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let mut module = hyperlight_js::HostFunctionModule::new("counter");
    module
        .register("next", move || counted.fetch_add(1, Ordering::Relaxed) + 1)
        .and_then(|module| module.register_async("later", |n: u32| async move { n * 2 }))
        .expect("register");
    let source = "import { next, later } from 'host:counter'; import * as all from 'host:counter';
        async function handler() { return [next(), await later(4), Object.keys(all)]; }";
    let sandbox = |builder: SandboxBuilder, register: &dyn Fn(&mut ProtoJSSandbox)| {
        let mut proto = builder.build().expect("build");
        register(&mut proto);
        let mut sandbox = proto.load_runtime().expect("load_runtime");
        sandbox.add_handler("handler", Script::from(source)).expect("add_handler");
        sandbox.get_loaded_sandbox().expect("loaded")
    };
    let builder = SandboxBuilder::new().with_host_function_module(&module);
    // What is registered later is not in a builder that has the module already.
    module.register("more", || 1).expect("register");
    for count in 1..3 {
        let mut sandbox = sandbox(builder.clone(), &|_| ());
        assert_eq!(call(&mut sandbox, "0").expect("a result"), json!([count, 8, ["later", "next"]]));
    }
    let builder = SandboxBuilder::new().with_host_function_module(&module);
    let mut replaced = sandbox(builder, &|proto| proto.register("counter", "next", || "mine").expect("register"));
    assert_eq!(call(&mut replaced, "0").expect("a result"), json!(["mine", 8, ["later", "more", "next"]]));

    // A snapshot needs them, and a builder that starts from it can be given them again.
    let snapshot = replaced.snapshot().expect("a snapshot");
    assert!(SandboxBuilder::from_snapshot(snapshot.clone()).build().expect("build").load_runtime().is_err());
    let builder = SandboxBuilder::from_snapshot(snapshot).with_host_function_module(&module);
    let started = builder.build().expect("build").load_runtime().expect("load_runtime");
    let mut started = started.get_loaded_sandbox().expect("loaded");
    assert_eq!(call(&mut started, "0").expect("a result")[0], 3);
    assert_eq!(calls.load(Ordering::Relaxed), 3);

    assert!(hyperlight_js::HostFunctionModule::new("").register("f", || 1).is_err());
    assert!(hyperlight_js::HostFunctionModule::new("m").register("\n", || 1).is_err());
}

#[test]
fn arguments_and_results_hold_bytes() {
    #[derive(serde::Deserialize, serde::Serialize)]
    struct File {
        name: String,
        content: Option<Bytes>,
    }

    let mut proto = SandboxBuilder::new().build().expect("build");
    proto
        .host_module("files")
        .register("swap", |first: File, second: File| {
            [File { content: second.content, ..first }, File { name: second.name, content: first.content }]
        })
        .expect("register")
        .register("length", |bytes: Bytes| bytes.len())
        .expect("register")
        .register_async("zeros", |size: usize| async move { Bytes(vec![0; size]) })
        .expect("register");
    let mut sandbox = proto.load_runtime().expect("load_runtime");
    let source = "import { length, swap, zeros } from 'host:files';
        async function handler() {
            const [a, b] = swap({ name: '\\u00100', content: new Uint8Array([1, 2]) }, { name: 'b', content: null });
            const errors = [];
            for (const wrong of ['\\u00100', [1, 2], { 0: 1 }]) {
                try { length(wrong); } catch (error) { errors.push(error.hostName); }
            }
            const made = await zeros(70_000);
            return [a.name, a.content, b.name, b.content instanceof Uint8Array, [...b.content], made.length, length(made), errors];
        }";
    sandbox.add_handler("handler", Script::from_content(source)).expect("add_handler");
    let mut loaded = sandbox.get_loaded_sandbox().expect("loaded");
    let result = loaded.handle_event("handler", "null".to_string(), None).expect("a result");
    assert_eq!(result, r#"["\u00100",null,"b",true,[1,2],70000,70000,["TypeError","TypeError","TypeError"]]"#);
}
