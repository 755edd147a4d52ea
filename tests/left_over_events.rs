//! What a call that was stopped has left in the virtual processor must not reach the next one.
//!
//! A call can be stopped while the hypervisor is about to deliver an exception to the guest. Setting the registers anew does
//! not take that back, so after a restore it hits a guest that has nothing to do with it. When that happens is up to chance;
//! here such an event is put where a stopped call would leave it. So is everything else that a virtual processor has and a guest
//! might change, in every place that KVM shows: `docs/guest.md` has the list.

#![cfg(target_os = "linux")]

mod sandboxes;

#[cfg_attr(target_arch = "aarch64", path = "left_over_events/aarch64.rs")]
#[cfg_attr(target_arch = "x86_64", path = "left_over_events/x86_64.rs")]
mod processor;

use std::fs;
use std::os::fd::RawFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyperlight_js::CpuTimeMonitor;
use sandboxes::{call, guarded, loaded, stretched};

const COUNTER: &str = "let n = 0; function handler() { return ++n; }";

/// One test at a time: each has the only sandbox of this process.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

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

#[test]
fn nothing_of_a_virtual_processor_outlives_a_call_that_was_stopped() {
    let _alone = alone();
    let mut sandbox = loaded("function handler(spin) { while (spin); return 1; }");
    let snapshot = sandbox.snapshot().expect("a snapshot");
    // A call that has used so much processor time is within the guest: one that is stopped before it gets there leaves nothing.
    let monitor = CpuTimeMonitor::new(stretched(Duration::from_millis(50))).expect("a monitor");
    let result = sandbox.handle_event_with_monitor("handler", "true".to_string(), &monitor, None);
    assert!(result.is_err());
    processor::mark();
    assert!(processor::is_marked());
    sandbox.restore(snapshot).expect("a restore");
    assert!(!processor::is_marked(), "the virtual machine is another one");
    assert_eq!(guarded(&mut sandbox, |sandbox| call(sandbox, "false")).expect("a result"), 1);
}
