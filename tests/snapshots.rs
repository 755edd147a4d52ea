//! Snapshots, and what sandboxes that start from the same one share: nothing.

mod sandboxes;

use std::sync::Arc;

use hyperlight_js::{
    Error, JSSandbox, ProtoJSSandbox, SandboxBuilder, SandboxPool, SandboxStatus, Script, Snapshot, SnapshotMismatch,
    bench,
};
use sandboxes::{call, loaded};
use serde_json::json;

const COUNTER: &str = "let count = 0; function handler(event) { return { count: ++count, event }; }";

#[test]
fn a_restore_brings_back_the_state_of_the_snapshot_twenty_times_over() {
    let mut sandbox = loaded(COUNTER);
    call(&mut sandbox, "0").expect("a result");
    let snapshot = sandbox.snapshot().expect("a snapshot");
    for round in 0..20 {
        sandbox.restore(snapshot.clone()).expect("a restore");
        for count in 2..5 {
            let result = call(&mut sandbox, &round.to_string()).expect("a result");
            assert_eq!(result, json!({ "count": count, "event": round }));
        }
    }
}

#[test]
fn the_page_faults_since_a_restore_are_counted() {
    // Some megabytes, so that most of it lies beyond what is made ready for each call.
    let mut sandbox = loaded(
        "const all = Array.from({ length: 100_000 }, (_, i) => ({ i }));
         function handler(event) { if (event) for (const one of all) one.i++; return 1; }",
    );
    let snapshot = sandbox.snapshot().expect("a snapshot");
    call(&mut sandbox, "1").expect("a result");
    sandbox.restore(snapshot).expect("a restore");
    let idle = bench::guest_counters(&mut sandbox).expect("counters");
    call(&mut sandbox, "0").expect("a result");
    let called = bench::guest_counters(&mut sandbox).expect("counters");
    call(&mut sandbox, "1").expect("a result");
    let written = bench::guest_counters(&mut sandbox).expect("counters");
    // A call that writes little finds all that it writes ready, or nearly.
    assert!(0 < idle.prepared && idle.prepared < 200, "{idle:?}");
    assert_eq!([called.prepared, written.prepared], [idle.prepared; 2]);
    assert!(called.faults < 20, "{called:?}");
    let pages = |counted: &bench::GuestCounters| counted.copied + counted.copied_in_runs;
    assert!(pages(&written) > pages(&called) + 500 && written.opened > called.opened, "{called:?} {written:?}");
    // Objects that were made one after the other lie so. Where a fault costs much, they are copied in runs.
    let most = if cfg!(target_arch = "x86_64") { 250 } else { u64::MAX };
    assert!(written.copied - called.copied < most, "{called:?} {written:?}");
    assert!(written.faults >= written.opened.max(written.copied), "{written:?}");
    // What is there needs no more faults. Buffers are used in turn, so there may still be one.
    (0..100).for_each(|_| drop(call(&mut sandbox, "1").expect("a result")));
    let before = bench::guest_counters(&mut sandbox).expect("counters");
    call(&mut sandbox, "1").expect("a result");
    let after = bench::guest_counters(&mut sandbox).expect("counters");
    assert!(after.faults - before.faults < 3, "{before:?} {after:?}");
}

#[test]
fn a_program_that_allocates_in_clean_state_needs_few_faults_and_little_more_memory() {
    let mut sandbox = loaded(
        "function handler(pages) {
             const all = new Uint8Array(4096 * pages);
             for (let i = 0; i < pages; i++) all[4096 * i] = 1;
             return all.reduce((sum, byte) => sum + byte, 0);
         }",
    );
    let snapshot = sandbox.snapshot().expect("a snapshot");
    for pages in [256, 2048, 8192] {
        sandbox.restore(snapshot.clone()).expect("a restore");
        assert_eq!(call(&mut sandbox, &pages.to_string()).expect("a result"), pages);
        let counted = bench::guest_counters(&mut sandbox).expect("counters");
        // Runs grow by a quarter, to a table's worth.
        assert!(counted.mapped < 40 + pages / 512, "{counted:?}");
        assert!((pages - 64..pages * 5 / 4 + 64).contains(&counted.fresh), "{counted:?}");
    }
}

#[test]
fn a_call_that_uses_much_of_the_engine_in_clean_state_needs_few_faults() {
    // What it uses counts its uses, here and there in the heap of the boot.
    let mut sandbox = loaded(
        "function handler(orders) {
             const lines = [], total = orders.reduce((sum, { price }) => sum + price, 0);
             for (const { name, price } of orders) lines.push(name.trim().padEnd(8) + (price / total).toFixed(2));
             const stock = new Map(orders.map(({ name, price }) => [name.toUpperCase(), price]));
             return [lines.sort().join(), Object.fromEntries(stock), Math.max(...stock.values()), JSON.stringify(orders)];
         }",
    );
    let snapshot = sandbox.snapshot().expect("a snapshot");
    let orders = r#"[{"name":" apples","price":1.5},{"name":"pears ","price":4.5}]"#;
    let result = call(&mut sandbox, orders).expect("a result");
    assert_eq!(result[0], "apples  0.25,pears   0.75");
    for _ in 0..5 {
        sandbox.restore(snapshot.clone()).expect("a restore");
        assert_eq!(call(&mut sandbox, orders).expect("a result"), result);
        let counted = bench::guest_counters(&mut sandbox).expect("counters");
        // Where a fault costs much, all that such calls write is copied at once after a few. One by one it would be 20.
        if cfg!(target_arch = "x86_64") {
            assert!(counted.copied < 10 && counted.copied_in_runs > 20, "{counted:?}");
        }
        assert!(counted.copied + counted.copied_in_runs < 100, "{counted:?}");
    }
}

#[test]
fn a_working_set_is_only_a_guess() {
    // The guest's guess is of a small handler; this one begins with a heap that is quite another.
    let mut sandbox = loaded(
        "let kept = Array.from({ length: 50_000 }, (_, i) => String(i));
         function handler(event) { kept = kept.filter((_, i) => i % 2).concat(event); return [kept.length, kept[0]]; }",
    );
    for _ in 0..3 {
        let snapshot = sandbox.snapshot().expect("a snapshot");
        let result = call(&mut sandbox, "0").expect("a result");
        for _ in 0..5 {
            sandbox.restore(snapshot.clone()).expect("a restore");
            assert_eq!(call(&mut sandbox, "0").expect("a result"), result);
        }
    }
}

#[test]
fn different_snapshots_can_be_restored_in_turn() {
    let mut sandbox = loaded(COUNTER);
    let first = sandbox.snapshot().expect("a snapshot");
    for _ in 0..10 {
        call(&mut sandbox, "0").expect("a result");
    }
    let second = sandbox.snapshot().expect("a snapshot");
    for _ in 0..5 {
        for (snapshot, count) in [(&first, 1), (&second, 11)] {
            sandbox.restore(snapshot.clone()).expect("a restore");
            assert_eq!(call(&mut sandbox, "0").expect("a result")["count"], count);
        }
    }
}

#[test]
fn taking_a_snapshot_changes_nothing() {
    let mut sandbox = loaded(COUNTER);
    for count in 1..10 {
        sandbox.snapshot().expect("a snapshot");
        assert_eq!(call(&mut sandbox, "0").expect("a result")["count"], count);
    }
}

#[test]
fn two_sandboxes_never_share_state() {
    let (mut a, mut b) = (loaded(COUNTER), loaded(COUNTER));
    for count in 1..4 {
        assert_eq!(call(&mut a, "0").expect("a result")["count"], count);
    }
    assert_eq!(call(&mut b, "0").expect("a result")["count"], 1);
}

#[test]
fn random_numbers_never_repeat_between_sandboxes_calls_or_restores() {
    const SOURCE: &str =
        "const early = Math.random(); function handler(event) { return [early, Math.random(), Math.random()]; }";
    let mut seen = std::collections::HashSet::new();
    let mut expect_new = |number: &serde_json::Value| {
        let number = number.as_f64().expect("a number");
        assert!((0.0..1.0).contains(&number));
        assert!(seen.insert(number.to_bits()), "{number} came twice");
    };
    for _ in 0..5 {
        let mut sandbox = loaded(SOURCE);
        let first = call(&mut sandbox, "0").expect("a result");
        (0..3).for_each(|i| expect_new(&first[i]));
        let snapshot = sandbox.snapshot().expect("a snapshot");
        for _ in 0..3 {
            let result = call(&mut sandbox, "0").expect("a result");
            (1..3).for_each(|i| expect_new(&result[i]));
            sandbox.restore(snapshot.clone()).expect("a restore");
        }
    }
}

#[test]
fn a_snapshot_can_be_restored_into_another_sandbox_of_the_same_kind() {
    let mut first = loaded(COUNTER);
    assert_eq!(call(&mut first, "0").expect("a result")["count"], 1);
    let snapshot = first.snapshot().expect("a snapshot");
    let mut second = loaded("function handler() { return 'another handler'; }");
    second.restore(snapshot).expect("a restore");
    assert_eq!(call(&mut second, "0").expect("a result")["count"], 2);
    assert_eq!(call(&mut first, "0").expect("a result")["count"], 2);
}

#[test]
fn a_snapshot_that_does_not_fit_is_refused_and_changes_nothing() {
    let snapshot_of = |proto: ProtoJSSandbox| {
        let mut sandbox = proto.load_runtime().expect("load_runtime");
        sandbox.add_handler("handler", Script::from_content(COUNTER)).expect("add_handler");
        sandbox.get_loaded_sandbox().expect("get_loaded_sandbox").snapshot().expect("a snapshot")
    };
    let other_settings = SandboxBuilder::new().with_guest_heap_size(8 << 20).build().expect("build");
    let mut more_functions = SandboxBuilder::new().build().expect("build");
    more_functions.register_raw("math", "add", |_, _| Ok(None)).expect("register");

    let mut sandbox = loaded(COUNTER);
    assert_eq!(call(&mut sandbox, "0").expect("a result")["count"], 1);
    for (snapshot, text) in
        [(snapshot_of(other_settings), "other settings"), (snapshot_of(more_functions), "host:math add")]
    {
        let error = sandbox.restore(snapshot).expect_err("it does not fit");
        assert!(matches!(&error, Error::SnapshotMismatch(what) if what.to_string().contains(text)), "{error:?}");
        assert_eq!(sandbox.status(), SandboxStatus::Ready);
    }
    assert_eq!(call(&mut sandbox, "0").expect("a result")["count"], 2);
}

#[test]
fn a_sandbox_that_starts_from_one_whose_handlers_are_not_loaded_takes_more_of_them() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = parent.path().join("snapshots");
    let mut proto = SandboxBuilder::new().with_guest_heap_size(8 << 20).build().expect("build");
    proto.register("math", "add", |a: f64, b: f64| a + b).expect("register");
    let mut sandbox = proto.load_runtime().expect("load_runtime");
    let module = "import { add } from 'host:math'; export const next = (n) => add(n, 1);";
    sandbox.add_module("next", Script::from(module), Some("lib")).expect("add_module");
    sandbox.add_handler("bad", Script::from("throw new Error('as told');")).expect("add_handler");
    sandbox.add_handler("one", Script::from("function handler() { return 1; }")).expect("add_handler");
    let snapshot = sandbox.snapshot().expect("a snapshot");
    assert!(!snapshot.is_loaded());
    // What becomes of the sandbox does not matter.
    sandbox.clear_modules();
    drop(sandbox);
    snapshot.save(&folder, "template").expect("save");
    let saved = Arc::new(Snapshot::load(&folder, "template").expect("load"));
    assert_eq!(saved.requirements(), snapshot.requirements());
    for snapshot in [snapshot, saved] {
        let proto = SandboxBuilder::from_snapshot(snapshot.clone()).build().expect("build");
        let error = proto.load_runtime().map(drop).expect_err("a host function is missing");
        assert!(
            matches!(&error, Error::SnapshotMismatch(what) if what.to_string().contains("host:math add")),
            "{error:?}"
        );

        let mut proto = SandboxBuilder::from_snapshot(snapshot.clone()).build().expect("build");
        proto.register("math", "add", |a: f64, b: f64| a + b).expect("register");
        proto.register("math", "negated", |a: f64| -a).expect("register");
        let mut sandbox = proto.load_runtime().expect("load_runtime");
        let source = "import { next } from 'lib:next'; import { negated } from 'host:math';
            export const handler = (n) => negated(next(n));";
        sandbox.add_handler("two", Script::from(source)).expect("another handler");
        assert!(sandbox.add_handler("one", Script::from(source)).is_err(), "there is one already");
        sandbox.remove_handler("bad").expect("it is there");
        let mut loaded = sandbox.get_loaded_sandbox().expect("loaded");
        assert_eq!(loaded.handle_event("one", "0".to_string(), None).expect("a result"), "1");
        assert_eq!(loaded.handle_event("two", "1".to_string(), None).expect("a result"), "-2");

        // It is no state of loaded handlers, and a sandbox that is refused stays as it is.
        let error = loaded.restore(snapshot.clone()).expect_err("nothing is loaded in it");
        assert!(matches!(&error, Error::SnapshotMismatch(SnapshotMismatch::NotLoaded)), "{error:?}");
        assert_eq!(loaded.handle_event("two", "1".to_string(), None).expect("a result"), "-2");
        let pool = SandboxPool::from_snapshot(1, 1, snapshot);
        assert!(matches!(pool.map(drop), Err(Error::SnapshotMismatch(_))));

        let unloaded = loaded.unload().expect("unload").snapshot().expect("a snapshot");
        assert_eq!(unloaded.requirements().host_functions.len(), 2);
    }
}

#[test]
fn a_snapshot_needs_the_host_functions_that_its_guest_knows_and_no_more() {
    fn with_functions(mut proto: ProtoJSSandbox, names: &[&str]) -> JSSandbox {
        for name in names {
            proto.register("m", name, || 1).expect("register");
        }
        proto.register_async("m", "later", || async { 1 }).expect("register");
        proto.load_runtime().expect("load_runtime")
    }
    fn needs(snapshot: &Snapshot) -> Vec<(String, bool)> {
        let functions = snapshot.requirements().host_functions;
        functions
            .into_iter()
            .map(|function| (format!("{}.{}", function.module, function.name), function.is_async))
            .collect()
    }
    let needed = [("m.a".to_string(), false), ("m.later".to_string(), true)];
    let mut sandbox = with_functions(SandboxBuilder::new().build().expect("build"), &["a"]);
    sandbox.add_handler("handler", Script::from("function handler() {}")).expect("add_handler");
    let snapshot = sandbox.get_loaded_sandbox().expect("loaded").snapshot().expect("a snapshot");
    assert_eq!(needs(&snapshot), needed);
    assert!(snapshot.is_loaded());

    let proto = SandboxBuilder::from_snapshot(snapshot.clone()).build().expect("build");
    let sandbox = with_functions(proto, &["a", "b"]);
    assert_eq!(needs(&sandbox.snapshot().expect("a snapshot")), needed);
    let mut sandbox = sandbox.get_loaded_sandbox().expect("loaded");
    assert_eq!(needs(&sandbox.snapshot().expect("a snapshot")), needed);
    let mut sandbox = sandbox.unload().expect("unload").get_loaded_sandbox().expect("loaded");
    assert_eq!(needs(&sandbox.snapshot().expect("a snapshot")).len(), 3);
    sandbox.restore(snapshot).expect("restore");
    assert_eq!(needs(&sandbox.snapshot().expect("a snapshot")), needed);
    assert_eq!(needs(&loaded("function handler() {}").snapshot().expect("a snapshot")), []);
}
