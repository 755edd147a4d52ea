//! What a guest says of the memory that its JavaScript uses, and limits of that for one call.

use hyperlight_js::{Error, HandlerCall, HeapUse, LoadedJSSandbox, Program, SandboxBuilder, Script, Snapshot};

const MIB: u64 = 1 << 20;
const HOLD: &str = "function handler(mebibytes) { return new Uint8Array(mebibytes << 20).length; }";

fn load(source: &str) -> LoadedJSSandbox {
    let mut sandbox = SandboxBuilder::new().build().and_then(|proto| proto.load_runtime()).expect("a sandbox");
    sandbox.add_handler("f", Script::from(source)).expect("add_handler");
    sandbox.get_loaded_sandbox().expect("loaded")
}

fn heap(sandbox: &LoadedJSSandbox) -> HeapUse {
    sandbox.last_call_stats().and_then(|stats| stats.heap).expect("the guest has said it")
}

#[test]
fn the_peak_is_what_a_handler_has_held_and_what_is_used_after_it_is_what_it_keeps() {
    let mut sandbox = load(HOLD);
    for mebibytes in [0, 8, 32, 0] {
        let value = sandbox.handle_event("f", mebibytes.to_string(), None).expect("a result");
        assert_eq!(value, (mebibytes << 20).to_string());
        let HeapUse { used, peak, .. } = heap(&sandbox);
        assert!((mebibytes * MIB..(mebibytes + 1) * MIB).contains(&peak), "{mebibytes} MiB: {peak}");
        assert!(0 < used && used < MIB, "{used}");
    }
}

#[test]
fn a_limit_of_memory_is_that_of_one_call() {
    let mut sandbox = load(HOLD);
    let call = || HandlerCall::new("f", "8");
    for _ in 0..2 {
        assert_eq!(sandbox.call(call().with_memory_limit(9 * MIB), None).expect("enough"), (8 * MIB).to_string());
        match sandbox.call(call().with_memory_limit(8 * MIB), None) {
            Err(Error::Guest { name, message, .. }) => {
                assert_eq!((&*name, &*message), ("InternalError", "out of memory"))
            }
            other => panic!("{other:?}"),
        }
        assert!(heap(&sandbox).peak < 8 * MIB);
        assert_eq!(sandbox.call(call(), None).expect("as always"), (8 * MIB).to_string());
    }
    // Nothing can be done with so little, and nothing is lost.
    assert!(matches!(sandbox.call(call().with_memory_limit(1), None), Err(Error::Guest { .. })));
    assert!(!sandbox.poisoned());
    let program = Program::new("new Uint8Array(8 << 20).length").with_memory_limit(8 * MIB);
    assert!(matches!(sandbox.run(program, None), Err(Error::Guest { .. })));
    assert_eq!(sandbox.call(call(), None).expect("as always"), (8 * MIB).to_string());
}

#[test]
fn a_sandbox_knows_the_digest_of_its_snapshot_once_that_has_one() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = parent.path().join("snapshots");
    let mut sandbox = load(HOLD);
    assert_eq!(sandbox.snapshot_digest(), None);
    let snapshot = sandbox.snapshot().expect("a snapshot");
    sandbox.restore(snapshot.clone()).expect("restore");
    assert_eq!(sandbox.snapshot_digest(), None);
    let digest = snapshot.save(&folder, "a").expect("save");
    assert_eq!(sandbox.snapshot_digest(), Some(&*digest));
    let loaded = std::sync::Arc::new(Snapshot::load(&folder, "a").expect("load"));
    let mut other = SandboxBuilder::from_snapshot(loaded)
        .build()
        .and_then(|proto| proto.load_runtime())
        .and_then(|sandbox| sandbox.get_loaded_sandbox())
        .expect("a sandbox");
    assert_eq!(other.snapshot_digest(), Some(&*digest));
    let later = other.snapshot().expect("a snapshot");
    other.restore(later).expect("restore");
    assert_eq!(other.snapshot_digest(), None);
    let unloaded = sandbox.unload().expect("unload");
    assert_eq!(unloaded.get_loaded_sandbox().expect("loaded").snapshot_digest(), None);
}
