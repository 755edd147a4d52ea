//! What a call that was stopped has left in the virtual processor must not reach the next one.
//!
//! A call can be stopped while the hypervisor is about to deliver an exception to the guest. Setting the registers anew does
//! not take that back, so after a restore it hits a guest that has nothing to do with it. When that happens is up to chance;
//! here such an event is put where a stopped call would leave it.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod sandboxes;

use std::fs;
use std::os::fd::RawFd;

use hyperlight_js::LoadedJSSandbox;
use kvm_bindings::{KVM_VCPUEVENT_VALID_SHADOW, kvm_vcpu_events};
use sandboxes::{call, guarded, loaded};

const COUNTER: &str = "let n = 0; function handler() { return ++n; }";
const KVM_GET_VCPU_EVENTS: libc::Ioctl = 0x8040_ae9f_u32 as libc::Ioctl;
const KVM_SET_VCPU_EVENTS: libc::Ioctl = 0x4040_aea0;

/// The virtual processor of the only sandbox of this process.
fn virtual_processor() -> RawFd {
    let mut found: Vec<RawFd> = fs::read_dir("/proc/self/fd")
        .expect("the files of this process")
        .flatten()
        .filter(|file| fs::read_link(file.path()).is_ok_and(|link| link.to_string_lossy().contains("kvm-vcpu")))
        .map(|file| file.file_name().to_string_lossy().parse().expect("a number"))
        .collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// Has the hypervisor deliver something when the guest is entered next.
fn leave_behind(change: impl FnOnce(&mut kvm_vcpu_events)) {
    let file = virtual_processor();
    let mut events = kvm_vcpu_events::default();
    // SAFETY: the structure is the one that both calls take.
    unsafe {
        assert_eq!(libc::ioctl(file, KVM_GET_VCPU_EVENTS, &raw mut events), 0);
        events.flags &= !KVM_VCPUEVENT_VALID_SHADOW;
        change(&mut events);
        assert_eq!(libc::ioctl(file, KVM_SET_VCPU_EVENTS, &raw const events), 0);
    }
}

/// The result of the first or the second call after a restore, which something was left behind for.
fn result_of_call(sandbox: &mut LoadedJSSandbox, number: i32, change: impl FnOnce(&mut kvm_vcpu_events)) {
    for before in 1..number {
        assert_eq!(call(sandbox, "0").expect("a result"), before);
    }
    leave_behind(change);
    let result = guarded(sandbox, |sandbox| call(sandbox, "0"));
    assert_eq!(result.expect("a result"), number);
}

#[test]
fn an_event_that_was_left_behind_does_not_reach_the_next_call() {
    let mut sandbox = loaded(COUNTER);
    let snapshot = sandbox.snapshot().expect("a snapshot");
    // Vectors with their error codes: page faults of reading, writing and executing, and some others.
    let exceptions = [
        (14, Some(0)),
        (14, Some(0b101)),
        (14, Some(0b111)),
        (14, Some(0b1_0100)),
        (13, Some(0)),
        (6, None),
        (1, None),
        (0, None),
    ];
    for number in [1, 2] {
        for (vector, error) in exceptions {
            sandbox.restore(snapshot.clone()).expect("a restore");
            result_of_call(&mut sandbox, number, |events| {
                events.exception.injected = 1;
                events.exception.nr = vector;
                events.exception.has_error_code = error.is_some().into();
                events.exception.error_code = error.unwrap_or(0);
            });
        }
        // The gate: a software interrupt.
        sandbox.restore(snapshot.clone()).expect("a restore");
        result_of_call(&mut sandbox, number, |events| {
            events.interrupt.injected = 1;
            events.interrupt.nr = guest_abi::gate::VECTOR;
            events.interrupt.soft = 1;
        });
    }
}
