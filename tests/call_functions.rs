//! Host functions of one call of a handler.

mod sandboxes;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hyperlight_js::{
    Error, HandlerCall, LoadedJSSandbox, ProtoJSSandbox, SandboxBuilder, SandboxPool, Script, WallClockMonitor,
};
use sandboxes::stretched;

fn proto() -> ProtoJSSandbox {
    SandboxBuilder::new().build().expect("build")
}

fn load(proto: ProtoJSSandbox, source: &str) -> LoadedJSSandbox {
    let mut sandbox = proto.load_runtime().expect("load_runtime");
    sandbox.add_handler("f", Script::from(source)).expect("add_handler");
    sandbox.get_loaded_sandbox().expect("loaded")
}

/// A call that can call `db.name` and `db.later`, which give this.
fn with_db(name: &'static str) -> HandlerCall {
    let mut call = HandlerCall::new("f", "null");
    let db = call.host_module("db");
    db.register("name", move || name).expect("register");
    db.register_async("later", move || async move { name }).expect("register");
    call
}

#[test]
fn a_call_has_its_functions_as_globals_and_as_imports_and_they_go_with_it() {
    let source = "async function handler() {
        const imported = await import('host:db').then((db) => db, () => undefined);
        return [typeof db, globalThis.db && [db.name(), await db.later()], imported && imported.name()];
    }";
    let mut sandbox = load(proto(), source);
    for _ in 0..2 {
        assert_eq!(sandbox.call(with_db("a"), None).expect("a"), r#"["object",["a","a"],"a"]"#);
        assert_eq!(sandbox.call(with_db("b"), None).expect("b"), r#"["object",["b","b"],"b"]"#);
        let none = sandbox.handle_event("f", "null".to_string(), None).expect("no functions");
        assert_eq!(none, r#"["undefined",null,null]"#);
        let mut other = HandlerCall::new("f", "null");
        other.host_module("db").register("name", || "other").expect("register");
        assert!(matches!(sandbox.call(other, None), Err(Error::Guest { name, .. }) if name == "TypeError"), "later");
    }
}

#[test]
fn what_a_handler_keeps_of_one_call_calls_what_the_next_was_given_or_nothing() {
    let source = "let kept;
        async function handler() {
            kept ??= { ...db, imported: (await import('host:db')).name };
            const result = (f) => { try { return f(); } catch (error) { return error.message; } };
            return [result(kept.name), result(kept.imported), await kept.later().catch((error) => error.message)];
        }";
    let mut sandbox = load(proto(), source);
    assert_eq!(sandbox.call(with_db("a"), None).expect("a"), r#"["a","a","a"]"#);
    assert_eq!(sandbox.call(with_db("b"), None).expect("b"), r#"["b","b","b"]"#);
    let nothing = "there is no such host function";
    let expected = format!(r#"["{nothing}","{nothing}","{nothing}"]"#);
    assert_eq!(sandbox.handle_event("f", "null".to_string(), None).expect("no functions"), expected);
}

#[test]
fn functions_of_a_call_come_before_those_of_the_sandbox_and_are_of_the_same_kind() {
    let mut proto = proto();
    proto.register("db", "name", || "the sandbox").expect("register");
    proto.register("db", "own", || "own").expect("register");
    let mut sandbox =
        load(proto, "import { name, own } from 'host:db'; function handler() { return [name(), own()]; }");
    assert_eq!(sandbox.handle_event("f", "null".to_string(), None).expect("a result"), r#"["the sandbox","own"]"#);
    assert_eq!(sandbox.call(with_db("the call"), None).expect("a result"), r#"["the call","own"]"#);
    assert_eq!(sandbox.handle_event("f", "null".to_string(), None).expect("a result"), r#"["the sandbox","own"]"#);
    let mut call = HandlerCall::new("f", "null");
    call.host_module("db").register_async("name", || async { 1 }).expect("register");
    match sandbox.call(call, None) {
        Err(Error::InvalidArgument(message)) => assert!(message.to_string().contains("host:db name"), "{message}"),
        other => panic!("{other:?}"),
    }
    assert!(!sandbox.poisoned());
}

#[test]
fn names_of_globals_are_refused_and_the_handler_is_not_called() {
    let mut sandbox = load(proto(), "let n = 0; globalThis.mine = 1; function handler() { return ++n; }");
    for module in ["console", "Array", "toString", "mine"] {
        let mut call = with_db("a");
        call.host_module(module).register("f", || 1).expect("register");
        assert!(matches!(sandbox.call(call, None), Err(Error::InvalidArgument(_))), "{module}");
    }
    assert_eq!(sandbox.handle_event("f", "null".to_string(), None).expect("a result"), "1");
    assert_eq!(sandbox.call(with_db("a"), None).expect("a result"), "2");
}

#[test]
fn a_call_may_make_something_else_of_its_globals() {
    let source = "function handler(event) {
        if (event === 1) globalThis.db = 'mine';
        if (event === 2) delete globalThis.db;
        if (event === 3) Object.defineProperty(globalThis, 'db', { configurable: false });
        return typeof db;
    }";
    let mut sandbox = load(proto(), source);
    let mut call = |event: &str| {
        let mut call = HandlerCall::new("f", event);
        call.host_module("db").register("name", || 1).expect("register");
        sandbox.call(call, None)
    };
    assert_eq!(call("2").expect("deleted"), r#""undefined""#);
    assert_eq!(call("0").expect("there again"), r#""object""#);
    assert_eq!(call("3").expect("for good"), r#""object""#);
    assert!(matches!(call("0"), Err(Error::InvalidArgument(_))), "it has made a global of its own of it");

    let mut sandbox = load(self::proto(), source);
    let mut call = HandlerCall::new("f", "1");
    call.host_module("db").register("name", || 1).expect("register");
    assert_eq!(sandbox.call(call, None).expect("its own"), r#""string""#);
    assert_eq!(sandbox.handle_event("f", "0".to_string(), None).expect("kept"), r#""string""#);
}

#[test]
fn a_pool_of_a_snapshot_is_given_the_functions_that_it_needs_with_each_call() {
    let mut proto = proto();
    proto.register("db", "name", || "none").expect("register");
    let source = "import { name } from 'host:db'; let kept = [];
        function handler() { kept.push(name()); return kept; }";
    let snapshot = load(proto, source).snapshot().expect("a snapshot");
    let pool = SandboxPool::from_snapshot(2, 10, snapshot).expect("a pool");
    for name in ["a", "b", "c"] {
        assert_eq!(pool.call(with_db(name), None).expect("a result"), format!(r#"["{name}"]"#));
    }
    match pool.handle_event("f", "null".to_string(), None) {
        Err(Error::Guest { name, message, .. }) => {
            assert_eq!((&*name, &*message), ("HostFunctionError", "there is no such host function"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_call_that_was_stopped_leaves_its_functions_to_nobody() {
    let counter = Arc::new(AtomicU32::new(0));
    let source = "async function handler(event) { if (event) for (;;) await db.count(); return typeof db; }";
    let mut sandbox = load(proto(), source);
    let clean = sandbox.snapshot().expect("a snapshot");
    let mut call = HandlerCall::new("f", "true");
    let counts = counter.clone();
    call.host_module("db")
        .register_async("count", move || {
            counts.fetch_add(1, Ordering::Relaxed);
            std::future::pending::<()>()
        })
        .expect("register");
    let limit = WallClockMonitor::new(stretched(Duration::from_millis(50))).expect("a monitor");
    assert!(matches!(sandbox.call_with_monitor(call, &limit, None), Err(Error::Cancelled)));
    assert_eq!((counter.load(Ordering::Relaxed), Arc::strong_count(&counter)), (1, 1), "the function is gone");
    sandbox.restore(clean).expect("restore");
    assert_eq!(sandbox.handle_event("f", "false".to_string(), None).expect("a result"), r#""undefined""#);
}

#[test]
fn a_future_that_is_dropped_drops_its_functions_when_the_sandbox_is_restored() {
    let mut sandbox = load(proto(), "async function handler() { await db.wait(); }");
    let clean = sandbox.snapshot().expect("a snapshot");
    let mark = Arc::new(());
    let mut call = HandlerCall::new("f", "null");
    let held = mark.clone();
    call.host_module("db")
        .register_async("wait", move || {
            let _held = &held;
            std::future::pending::<()>()
        })
        .expect("register");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let waited = runtime
        .block_on(async { tokio::time::timeout(Duration::from_millis(100), sandbox.call_async(call, None)).await });
    assert!(waited.is_err() && sandbox.poisoned());
    sandbox.restore(clean).expect("restore");
    assert_eq!(Arc::strong_count(&mark), 1);
}
