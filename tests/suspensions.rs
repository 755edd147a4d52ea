//! Guests that suspend their calls in ways that no call comes to: typed errors, and limits that hold.

#![cfg(feature = "test-guest")]

mod sandboxes;

use std::sync::mpsc;
use std::time::Duration;

use guest_abi::function::Fault;
use hyperlight_js::{CpuTimeMonitor, Error, LoadedJSSandbox, SandboxBuilder, Script, WallClockMonitor};
use sandboxes::{call, guarded};

fn test_guest(builder: SandboxBuilder) -> LoadedJSSandbox {
    let mut proto = builder.with_test_guest().build().expect("build");
    proto.register_async("x", "x", || std::future::ready(1)).expect("register");
    let mut sandbox = proto.load_runtime().expect("load_runtime");
    let source = "let n = 0; function handler() { return ++n; }";
    sandbox.add_handler("handler", Script::from_content(source)).expect("add_handler");
    sandbox.get_loaded_sandbox().expect("loaded")
}

/// Has calls commit a fault, and does something with the sandbox that is an error; a restore mends it.
fn fails(builder: SandboxBuilder, fault: Fault, use_it: impl FnOnce(&mut LoadedJSSandbox) -> Option<Error>) -> Error {
    let mut sandbox = test_guest(builder);
    let snapshot = sandbox.snapshot().expect("a snapshot");
    assert_eq!(sandbox.commit_fault(fault).expect("a number"), 1);
    let error = guarded(&mut sandbox, use_it).unwrap_or_else(|| panic!("{fault:?} has no consequence"));
    assert!(sandbox.poisoned(), "{fault:?}");
    assert!(matches!(call(&mut sandbox, "0"), Err(Error::Poisoned)), "{fault:?}");
    sandbox.restore(snapshot).expect("a restore");
    assert_eq!(call(&mut sandbox, "0").expect("a result"), 1);
    error
}

#[test]
fn what_a_guest_claims_of_its_host_calls_is_checked() {
    for (fault, what) in [
        (Fault::SuspendForNothing, "it waits for nothing that could come"),
        (Fault::StartCallTwice, "it started a host call that it had started before"),
        (Fault::StartCallAgain, "it started a host call that it had started before"),
        (Fault::StartTooManyCalls, "a malformed reply"),
        (Fault::StartWithLongName, "the name of a module of 257 bytes"),
        (Fault::StartWithLargeArguments, "the arguments of a host function of 1048577 bytes"),
    ] {
        let error = fails(SandboxBuilder::new(), fault, |sandbox| call(sandbox, "0").err());
        assert!(matches!(&error, Error::GuestAbort(message) if message.contains(what)), "{fault:?}: {error:?}");
    }
}

#[test]
fn a_guest_that_suspends_for_ever_is_stopped_by_every_limit() {
    let call_with_wall_clock = |sandbox: &mut LoadedJSSandbox| {
        let wall = WallClockMonitor::new(Duration::from_millis(100)).expect("a monitor");
        sandbox.handle_event_with_monitor("handler", "0".to_string(), &wall, None).err()
    };
    for fault in [Fault::SuspendForEver, Fault::SuspendAtOnce, Fault::SuspendForCenturies, Fault::StartForEver] {
        let error = fails(SandboxBuilder::new(), fault, call_with_wall_clock);
        assert!(matches!(error, Error::Cancelled), "{fault:?}: {error:?}");
        let killed = |sandbox: &mut LoadedJSSandbox| {
            let handle = sandbox.interrupt_handle();
            let (done, is_done) = mpsc::channel::<()>();
            std::thread::scope(|scope| {
                scope.spawn(move || {
                    while is_done.recv_timeout(Duration::from_millis(5)) == Err(mpsc::RecvTimeoutError::Timeout) {
                        handle.kill();
                    }
                });
                let error = call(sandbox, "0").err();
                drop(done);
                error
            })
        };
        let error = fails(SandboxBuilder::new(), fault, killed);
        assert!(matches!(error, Error::Cancelled), "{fault:?}: {error:?}");
    }
    // What it takes is the guest's processor time, in however small steps.
    for fault in [Fault::SuspendForEver, Fault::SuspendAtOnce, Fault::StartForEver] {
        let error = fails(SandboxBuilder::new(), fault, |sandbox| {
            let cpu = CpuTimeMonitor::new(Duration::from_millis(100)).expect("a monitor");
            sandbox.handle_event_with_monitor("handler", "0".to_string(), &cpu, None).err()
        });
        assert!(matches!(error, Error::Cancelled), "{fault:?}: {error:?}");
    }
}

#[test]
fn a_guest_cannot_have_the_host_keep_more_results_than_it_may_have_calls_in_flight() {
    // So few results fit one message that those of the calls pile up.
    let builder = SandboxBuilder::new().with_guest_input_buffer_size(1 << 10);
    let error = fails(builder, Fault::StartForEver, |sandbox| call(sandbox, "0").err());
    let what = "it started more host calls than may be in flight";
    assert!(matches!(&error, Error::GuestAbort(message) if message.contains(what)), "{error:?}");
}
