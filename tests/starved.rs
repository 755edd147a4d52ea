//! A process that can have no more threads: what runs can be stopped all the same, pools keep their sandboxes, and what cannot
//! begin says so.
//!
//! Root may have any number of threads, so the part that matters runs in a process of another user.

#![cfg(target_os = "linux")]

mod sandboxes;

use std::fs;
use std::future::{Future, pending};
use std::process::Command;
use std::thread;
use std::time::Duration;

use hyperlight_js::{CpuTimeMonitor, Error, ExecutionMonitor, SandboxBuilder, SandboxPool, Script, WallClockMonitor};
use sandboxes::{call, loaded};

/// A user who has no other process: the limit is one of all processes of a user.
const NOBODY_ELSE: [&str; 4] = ["--reuid=54321", "--regid=54321", "--clear-groups", "--inh-caps=-all,+dac_override"];
const SOURCE: &str = "function handler(event) { if (event) for (;;); return 1; }";

/// Lets this process have no more threads than it has, or so many more.
fn allow(more: usize) {
    let threads = fs::read_dir("/proc/self/task").expect("the threads of this process").count() + more;
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the structure is the one that both calls take.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_NPROC, &raw mut limit), 0);
        limit.rlim_cur = threads as libc::rlim_t;
        assert_eq!(libc::setrlimit(libc::RLIMIT_NPROC, &raw const limit), 0);
    }
    let another = thread::Builder::new().spawn(|| ());
    assert_eq!(another.map(|thread| thread.join().expect("no panic")).is_ok(), more > 0, "the limit counts");
}

fn wall(milliseconds: u64) -> WallClockMonitor {
    WallClockMonitor::new(Duration::from_millis(milliseconds)).expect("a limit")
}

#[test]
fn without_a_thread_to_be_had_limits_hold_and_pools_go_on() {
    // SAFETY: it only asks.
    let is_root = unsafe { libc::geteuid() } == 0;
    let mut command = if is_root { Command::new("setpriv") } else { Command::new("unshare") };
    if is_root {
        command.args(NOBODY_ELSE).arg("--ambient-caps=-all,+dac_override").arg("--");
    } else {
        // A namespace of its own, in which nothing else is counted.
        command.args(["--user", "--"]);
    }
    let program = std::env::current_exe().expect("this program");
    let ended = command.arg(program).args(["--ignored", "--exact", "in_a_process_of_its_own"]).output();
    let ended = ended.expect("setpriv or unshare");
    let text = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
#[ignore = "the test above runs it"]
fn in_a_process_of_its_own() {
    let mut sandbox = loaded(SOURCE);
    let snapshot = sandbox.snapshot().expect("a snapshot");
    assert_eq!(call(&mut sandbox, "false").expect("a result"), 1);
    let pool = SandboxPool::from_snapshot(2, 10, snapshot.clone()).expect("a pool");
    let mut waiting = SandboxBuilder::new().build().expect("build").load_runtime().expect("load_runtime");
    waiting.add_handler("handler", Script::from_content(SOURCE)).expect("add_handler");
    allow(0);

    let event = || "true".to_string();
    for _ in 0..3 {
        let result = sandbox.handle_event_with_monitor("handler", event(), &wall(30), None);
        assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
        sandbox.restore(snapshot.clone()).expect("a restore");
        let cpu = CpuTimeMonitor::new(Duration::from_millis(30)).expect("a limit");
        let result = sandbox.handle_event_with_monitor("handler", event(), &(wall(60_000), cpu), None);
        assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
        sandbox.restore(snapshot.clone()).expect("a restore");
    }

    assert_eq!(call(&mut sandbox, "false").expect("a result"), 1);

    // Its sandboxes are renewed on this thread, if there is really no other.
    for _ in 0..6 {
        let result = pool.handle_event_with_monitor("handler", event(), &wall(20), None);
        assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
        assert_eq!(pool.handle_event("handler", "false".to_string(), None).expect("a result"), "1");
    }
    while pool.ready() < 2 {
        thread::yield_now();
    }
    assert_eq!(pool.size(), 2);

    // A monitor of one's own needs a thread.
    struct Never;
    impl ExecutionMonitor for Never {
        fn get_monitor(&self) -> hyperlight_host::Result<impl Future<Output = ()> + Send + 'static> {
            Ok(pending())
        }
        fn name(&self) -> &'static str {
            "never"
        }
    }
    let result = sandbox.handle_event_with_monitor("handler", "false".to_string(), &Never, None);
    assert!(matches!(result, Err(Error::Monitor(_))), "{result:?}");
    assert_eq!(call(&mut sandbox, "false").expect("it was not run, and nothing was poisoned"), 1);

    // And so does, on x86-64, a virtual machine that is entered for the first time.
    let result = waiting.get_loaded_sandbox_with_monitor(&wall(60_000));
    let needs_thread = cfg!(target_arch = "x86_64");
    assert_eq!(matches!(result, Err(Error::NoThread { .. })), needs_thread, "{result:?}");
    assert_eq!(result.is_ok(), !needs_thread, "{result:?}");

    allow(8);
    let result = sandbox.handle_event_with_monitor("handler", "false".to_string(), &Never, None);
    assert_eq!(result.expect("it is watched now"), "1");
    assert_eq!(call(&mut loaded(SOURCE), "false").expect("a new sandbox"), 1);
}
