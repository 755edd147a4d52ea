//! What one hypervisor might get right by accident and another not: page-table bits, translations that should be
//! forgotten, descriptors, memory beyond 4 GiB, interrupts at awkward moments.
//!
//! The boundary itself is tested in `isolation.rs`. `docs/hypervisors.md` says on which hypervisors all of this runs.

#![cfg(feature = "test-guest")]

mod sandboxes;

use std::time::Duration;

use guest_abi::function::Fault;
use hyperlight_js::{Error, LoadedJSSandbox, SandboxBuilder};
use sandboxes::{call, guarded, load};

const COUNTER: &str = "let n = 0; function handler() { return ++n; }";

fn test_guest() -> LoadedJSSandbox {
    load(SandboxBuilder::new().with_test_guest(), COUNTER).expect("the test guest")
}

/// The message of the abort that a fault ends in, whether the guest has been restored before or not.
fn abort_messages(fault: Fault) -> [String; 2] {
    let mut sandbox = test_guest();
    let snapshot = sandbox.snapshot().expect("a snapshot");
    [0, 1].map(|_| {
        let error =
            guarded(&mut sandbox, |sandbox| sandbox.commit_fault(fault)).expect_err("the guest must not survive");
        sandbox.restore(snapshot.clone()).expect("a restore");
        assert_eq!(call(&mut sandbox, "0").expect("a result after a restore"), 1, "{fault:?}");
        sandbox.restore(snapshot.clone()).expect("a restore");
        match error {
            Error::GuestAbort(message) => message,
            other => panic!("{fault:?}: {other:?}"),
        }
    })
}

/// How addresses of the memory that the host and the engine share begin: arm64 has 48 bits of them, not sign-extended.
const SHARED_MEMORY: &str = if cfg!(target_arch = "x86_64") { "0xffffff" } else { "0xffff" };

#[test]
fn no_page_that_is_not_code_can_be_executed() {
    for (fault, place) in [
        (Fault::JumpToStack, "cannot execute 0x6ff"),
        (Fault::JumpToConstants, "cannot execute 0x40"),
        (Fault::JumpToTransport, &format!("cannot execute {SHARED_MEMORY}")),
    ] {
        for message in abort_messages(fault) {
            assert!(message.contains(place), "{fault:?}: {message}");
        }
    }
}

#[test]
fn opening_the_shared_memory_to_the_engine_does_not_open_what_lies_behind_it() {
    for message in abort_messages(Fault::ReadBehindTransport) {
        assert!(message.contains(&format!("cannot read {SHARED_MEMORY}")), "{message}");
    }
}

#[test]
fn exceptions_cannot_be_raised_by_name_as_if_they_had_happened() {
    // Through the gate's descriptor the kernel would take the stack for that of a page fault, with no error code on it.
    #[cfg(target_arch = "x86_64")]
    for fault in [Fault::RaisePageFault, Fault::RaiseSystemCall] {
        for message in abort_messages(fault) {
            let refused = message.contains("vector 13") || message.contains("vector 6");
            assert!(refused && message.contains("CPL 3"), "{fault:?}: {message}");
        }
    }
    // One that is not the gate's.
    #[cfg(target_arch = "aarch64")]
    for message in abort_messages(Fault::RaiseSystemCall) {
        assert!(message.contains("system call (syndrome 0x56000080)"), "{message}");
    }
}

#[test]
fn translations_of_another_snapshot_are_forgotten() {
    // Each snapshot has the same addresses on other pages, filled with other numbers.
    let source = "const pages = []; let sum = 0;
        function handler(event) {
            if (event.fill) for (let i = 0; i < 200; i++) pages[i] = new Array(500).fill(event.fill);
            return pages.reduce((sum, page) => sum + page.reduce((a, b) => a + b, 0), 0);
        }";
    let mut sandbox = load(SandboxBuilder::new(), source).expect("the handler loads");
    let mut snapshots = vec![(0, sandbox.snapshot().expect("a snapshot"))];
    for fill in 1..4 {
        let event = format!("{{\"fill\":{fill}}}");
        assert_eq!(call(&mut sandbox, &event).expect("a result"), 200 * 500 * fill);
        snapshots.push((fill, sandbox.snapshot().expect("a snapshot")));
    }
    for step in [1, 3, 2] {
        for i in 0..8 {
            let (fill, snapshot) = &snapshots[i * step % snapshots.len()];
            sandbox.restore(snapshot.clone()).expect("a restore");
            assert_eq!(call(&mut sandbox, "{}").expect("a result"), 200 * 500 * fill);
            // Written after the restore: it must not reach the snapshot.
            assert_eq!(call(&mut sandbox, "{\"fill\":9}").expect("a result"), 200 * 500 * 9);
        }
    }
}

#[test]
fn a_heap_beyond_4_gib_works_and_is_restored() {
    let builder = SandboxBuilder::new().with_test_guest().with_guest_heap_size(5 << 30);
    let mut sandbox = load(builder, COUNTER).expect("the test guest");
    let before = sandbox.snapshot().expect("a snapshot");
    assert_eq!(sandbox.commit_fault(Fault::TouchLastHeapPage).expect("a number"), 1);
    let after = sandbox.snapshot().expect("a snapshot");
    assert_eq!(sandbox.commit_fault(Fault::TouchLastHeapPage).expect("a number"), 2);
    sandbox.restore(after).expect("a restore");
    assert_eq!(sandbox.commit_fault(Fault::ReadLastHeapPage).expect("a number"), 1);
    sandbox.restore(before).expect("a restore");
    assert_eq!(sandbox.commit_fault(Fault::ReadLastHeapPage).expect("a number"), 0);
    assert_eq!(call(&mut sandbox, "0").expect("a result"), 1);
}

#[test]
fn a_guest_can_be_stopped_while_its_kernel_runs() {
    // It does little but fault pages in, so most of the time it is the kernel that runs.
    let builder = SandboxBuilder::new().with_test_guest().with_guest_heap_size(5 << 30);
    let mut sandbox = load(builder, COUNTER).expect("the test guest");
    let snapshot = sandbox.snapshot().expect("a snapshot");
    for milliseconds in [1, 3, 7, 12, 20, 33] {
        let handle = sandbox.interrupt_handle();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(milliseconds));
            // A signal that comes before the guest has started is of no use, so the guest is asked to stop until it has.
            while !handle.kill() {
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let error = sandbox.commit_fault(Fault::ExhaustHeap).expect_err("stopped");
        killer.join().expect("no panic");
        assert!(matches!(error, Error::Cancelled), "{error:?}");
        sandbox.restore(snapshot.clone()).expect("a restore");
        assert_eq!(call(&mut sandbox, "0").expect("a result"), 1);
        sandbox.restore(snapshot.clone()).expect("a restore");
    }
}
