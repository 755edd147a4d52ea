//! A host that is out of memory or of file descriptors: the guest is not blamed for it.
//!
//! What is set for a process or a thread does not go away, so the parts that matter run in processes of their own.

#![cfg(target_os = "linux")]

mod sandboxes;

use std::process::Command;
use std::thread;

use hyperlight_js::{Error, SandboxBuilder, Snapshot};
use sandboxes::{call, load, loaded};

const COUNTER: &str = "let count = 0; function handler() { return ++count; }";

fn run_alone(test: &str) {
    let program = std::env::current_exe().expect("this program");
    let ended = Command::new(program).args(["--ignored", "--exact", test]).output().expect("it runs");
    let text = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&ended.stderr));
}

/// Has `KVM_RUN` fail with an error on this thread from now on.
fn have_kvm_run_fail(errno: i32) {
    const KVM_RUN: u32 = 0xae80;
    let (load, equal, end) = (
        libc::BPF_LD | libc::BPF_W | libc::BPF_ABS,
        libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
        libc::BPF_RET | libc::BPF_K,
    );
    let step = |code: u32, jt: u8, jf: u8, k: u32| libc::sock_filter { code: code as u16, jt, jf, k };
    // The system call's number is at offset 0, the lower half of its second argument at 24.
    let mut steps = [
        step(load, 0, 0, 0),
        step(equal, 0, 3, libc::SYS_ioctl as u32),
        step(load, 0, 0, 24),
        step(equal, 0, 1, KVM_RUN),
        step(end, 0, 0, libc::SECCOMP_RET_ERRNO | errno as u32),
        step(end, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: steps.len() as u16, filter: steps.as_mut_ptr() };
    // SAFETY: the program is complete and outlives the call, which copies it.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program), 0);
    }
}

#[test]
fn a_hypervisor_without_memory_is_no_fault_of_the_guest() {
    run_alone("calls_fail_for_want_of_memory");
}

#[test]
#[ignore = "the test above runs it"]
fn calls_fail_for_want_of_memory() {
    let mut sandbox = loaded(COUNTER);
    let snapshot = sandbox.snapshot().expect("a snapshot");
    for errno in [libc::ENOMEM, libc::ENFILE] {
        assert_eq!(call(&mut sandbox, "0").expect("a result"), 1);
        // On a thread of its own, which is the only one where it fails.
        let result = thread::scope(|scope| {
            let failing = scope.spawn(|| {
                have_kvm_run_fail(errno);
                call(&mut sandbox, "0")
            });
            failing.join().expect("no panic")
        });
        let error = result.expect_err("the guest could not run");
        let system = std::io::Error::from_raw_os_error(errno).to_string();
        assert!(matches!(&error, Error::Internal(_)) && error.to_string().contains(&system), "{error:?}");
        assert!(sandbox.poisoned(), "nobody knows how far the call had come");
        sandbox.restore(snapshot.clone()).expect("a restore");
    }
    // What a guest can bring about stays its fault.
    let result = thread::scope(|scope| {
        let failing = scope.spawn(|| {
            have_kvm_run_fail(libc::EFAULT);
            call(&mut sandbox, "0")
        });
        failing.join().expect("no panic")
    });
    assert!(matches!(result, Err(Error::GuestAbort(_))), "{result:?}");
    sandbox.restore(snapshot).expect("a restore");
    assert_eq!(call(&mut sandbox, "0").expect("a result"), 1);
}

/// Lets this process have no more of something than it has.
fn limit(what: libc::__rlimit_resource_t, most: u64) {
    let limit = libc::rlimit { rlim_cur: most, rlim_max: libc::RLIM_INFINITY };
    let mut before = limit;
    // SAFETY: the structure is the one that both calls take.
    unsafe {
        assert_eq!(libc::getrlimit(what, &raw mut before), 0);
        let limit = libc::rlimit { rlim_max: before.rlim_max, ..limit };
        assert_eq!(libc::setrlimit(what, &raw const limit), 0);
    }
}

#[test]
fn the_stock_is_given_up_for_a_sandbox_that_is_needed_now() {
    run_alone("a_sandbox_takes_the_files_of_the_stock");
}

#[test]
#[ignore = "the test above runs it"]
fn a_sandbox_takes_the_files_of_the_stock() {
    let other = || SandboxBuilder::new().with_guest_heap_size(3 << 20);
    other().prewarm().expect("it boots");
    SandboxBuilder::new().prewarm_sandboxes(8).expect("a stock");
    let open = std::fs::read_dir("/proc/self/fd").expect("the files of this process").count() as u64;
    limit(libc::RLIMIT_NOFILE, open);
    assert_eq!(call(&mut load(other(), COUNTER).expect("there is room now"), "0").expect("a result"), 1);
    assert_eq!(call(&mut loaded(COUNTER), "0").expect("a result"), 1);
}

#[test]
fn a_process_that_was_forked_off_does_not_use_the_stock() {
    run_alone("a_fork_makes_a_sandbox_of_its_own");
}

#[test]
#[ignore = "the test above runs it"]
fn a_fork_makes_a_sandbox_of_its_own() {
    SandboxBuilder::new().prewarm_sandboxes(2).expect("a stock");
    // SAFETY: the child makes a sandbox and ends; the locks that it needs for that are held by no other thread now.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let works = call(&mut loaded(COUNTER), "0").is_ok_and(|count| count == 1)
            && SandboxBuilder::new().prewarm_sandboxes(1).is_ok();
        // SAFETY: it ends this process.
        unsafe { libc::_exit(if works { 0 } else { 1 }) };
    }
    let mut status = 0;
    // SAFETY: the child is this process's.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, "{status}");
    assert_eq!(call(&mut loaded(COUNTER), "0").expect("one of the stock"), 1);
}

#[test]
fn a_process_without_files_or_address_space_has_sandboxes_that_work_and_gets_no_new_ones() {
    run_alone("new_sandboxes_fail_for_want_of_files");
    run_alone("new_sandboxes_fail_for_want_of_address_space");
}

fn only_new_ones_fail(exhaust: impl FnOnce(), relieve: impl FnOnce()) {
    let mut sandbox = loaded(COUNTER);
    let snapshot = sandbox.snapshot().expect("a snapshot");
    let proto = SandboxBuilder::new().build().expect("build");
    exhaust();
    let error = proto.load_runtime().map(drop).expect_err("there is no room for another");
    assert!(matches!(error, Error::Internal(_)), "{error:?}");
    for _ in 0..3 {
        assert_eq!(call(&mut sandbox, "0").expect("a result"), 1);
        sandbox.restore(snapshot.clone()).expect("a restore");
    }
    let error = Snapshot::load("nowhere", None).expect_err("there is none");
    assert!(matches!(error, Error::Internal(_) | Error::SnapshotFolder { .. }), "{error:?}");
    relieve();
    assert_eq!(call(&mut loaded(COUNTER), "0").expect("a new sandbox"), 1);
}

#[test]
#[ignore = "a test above runs it"]
fn new_sandboxes_fail_for_want_of_files() {
    let open = std::fs::read_dir("/proc/self/fd").expect("the files of this process").count() as u64;
    let more = || limit(libc::RLIMIT_NOFILE, 1_000);
    only_new_ones_fail(|| limit(libc::RLIMIT_NOFILE, open.min(3)), more);
}

#[test]
#[ignore = "a test above runs it"]
fn new_sandboxes_fail_for_want_of_address_space() {
    let exhaust = || {
        let pages: u64 = std::fs::read_to_string("/proc/self/statm")
            .expect("the memory of this process")
            .split(' ')
            .next()
            .and_then(|pages| pages.parse().ok())
            .expect("a number");
        // Enough for what is small.
        limit(libc::RLIMIT_AS, pages * 4096 + (16 << 20));
    };
    only_new_ones_fail(exhaust, || limit(libc::RLIMIT_AS, libc::RLIM_INFINITY));
}
