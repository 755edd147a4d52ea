//! Stopping calls: who may ask for it, from where, and what must not keep it from happening.

mod sandboxes;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use hyperlight_js::{CpuTimeMonitor, Error, HostCall, InterruptHandle, LoadedJSSandbox, SandboxBuilder, Script};
use hyperlight_js::{MonitorSet, WallClockMonitor};
use sandboxes::{load, loaded};

/// Long enough that only something that hangs takes longer.
const PATIENCE: Duration = Duration::from_secs(60);
const SPIN: &str = "function handler() { for (;;); }";

fn wall(milliseconds: u64) -> WallClockMonitor {
    WallClockMonitor::new(Duration::from_millis(milliseconds)).expect("a limit")
}

fn cpu(milliseconds: u64) -> CpuTimeMonitor {
    CpuTimeMonitor::new(Duration::from_millis(milliseconds)).expect("a limit")
}

/// A sandbox whose handler calls `first()`, then `second()`; and a place that its handle is in.
fn with_host(
    first: impl Fn(&HostCall, &InterruptHandle) + Send + Sync + 'static,
    second: impl Fn() + Send + Sync + 'static,
) -> LoadedJSSandbox {
    let handle = Arc::new(OnceLock::<InterruptHandle>::new());
    let mut proto = SandboxBuilder::new().build().expect("build");
    let for_first = handle.clone();
    let first = move |call: &HostCall, _| {
        first(call, for_first.get().expect("it is there before the first call"));
        Ok(None)
    };
    proto.register_raw("host", "first", first).expect("register");
    let second = move |_: &HostCall, _| {
        second();
        Ok(None)
    };
    proto.register_raw("host", "second", second).expect("register");
    let mut sandbox = proto.load_runtime().expect("load_runtime");
    let source = "import { first, second } from 'host:host'; function handler() { first(); second(); }";
    sandbox.add_handler("handler", Script::from_content(source)).expect("add_handler");
    let loaded = sandbox.get_loaded_sandbox().expect("get_loaded_sandbox");
    handle.set(loaded.interrupt_handle()).expect("it is set once");
    loaded
}

/// Makes a call on another thread. It fails the test if the call does not end.
fn ends(mut sandbox: LoadedJSSandbox, limits: Option<impl MonitorSet + 'static>) -> Result<String, Error> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let event = "null".to_string();
        let result = match limits {
            Some(limits) => sandbox.handle_event_with_monitor("handler", event, &limits, None),
            None => sandbox.handle_event("handler", event, None),
        };
        let _ = sender.send(result);
    });
    receiver.recv_timeout(PATIENCE).expect("the call ends")
}

fn is_cancelled<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
}

#[test]
fn a_host_function_can_stop_the_call_that_it_serves() {
    let later = Arc::new(AtomicUsize::new(0));
    let count = later.clone();
    let kill = |_: &HostCall, handle: &InterruptHandle| assert!(handle.kill());
    let sandbox = with_host(kill, move || {
        count.fetch_add(1, Ordering::SeqCst);
    });
    is_cancelled(ends(sandbox, None::<WallClockMonitor>));
    assert_eq!(later.load(Ordering::SeqCst), 0, "the guest went on");
}

#[test]
fn a_print_function_can_stop_the_call_that_it_serves() {
    let (handle, lines) = (Arc::new(OnceLock::<InterruptHandle>::new()), Arc::new(Mutex::new(Vec::new())));
    let (for_print, printed) = (handle.clone(), lines.clone());
    let builder = SandboxBuilder::new().with_host_print_fn(move |_, text| {
        printed.lock().expect("no panic").push(text.to_string());
        assert!(for_print.get().expect("it is there before the first call").kill());
    });
    let source = "function handler() { console.log('first'); console.log('second'); for (;;); }";
    let loaded = load(builder, source).expect("a sandbox");
    handle.set(loaded.interrupt_handle()).expect("it is set once");
    is_cancelled(ends(loaded, None::<WallClockMonitor>));
    assert_eq!(*lines.lock().expect("no panic"), ["first"]);
}

#[test]
fn what_makes_a_host_function_give_up_may_use_the_handle() {
    let (sender, receiver) = mpsc::channel();
    let receiver = Mutex::new(receiver);
    let wait = move |call: &HostCall, handle: &InterruptHandle| {
        let (sender, handle) = (sender.clone(), handle.clone());
        call.on_cancel(move || {
            let of_this_call = format!("{handle:?}").contains("Some") && handle.kill();
            sender.send(of_this_call).expect("the host function waits");
        });
        let receiver = receiver.lock().expect("no panic");
        assert!(receiver.recv_timeout(PATIENCE).expect("it is told to give up"));
    };
    is_cancelled(ends(with_host(wait, || ()), Some(wall(30))));
}

#[test]
fn what_makes_a_host_function_give_up_may_panic() {
    struct Tell(mpsc::Sender<()>);
    impl Drop for Tell {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let (sender, receiver) = mpsc::channel();
    let receiver = Mutex::new(receiver);
    let wait = move |call: &HostCall, _: &InterruptHandle| {
        let tell = Tell(sender.clone());
        call.on_cancel(move || {
            let _tell = tell;
            panic!("as told");
        });
        receiver.lock().expect("no panic").recv_timeout(PATIENCE).expect("it is told to give up");
    };
    // Then the guest computes without end: the panic must not keep it from being stopped.
    let source = "import { first } from 'host:host'; function handler() { try { first(); } catch {} for (;;); }";
    let mut sandbox = with_host(wait, || ()).unload().expect("unload");
    sandbox.add_handler("handler", Script::from_content(source)).expect("add_handler");
    is_cancelled(ends(sandbox.get_loaded_sandbox().expect("get_loaded_sandbox"), Some(wall(30))));
    // And it has not harmed the thread that it ran on.
    is_cancelled(ends(loaded(SPIN), Some(wall(30))));
}

#[test]
fn what_is_not_needed_any_more_may_use_the_handle_when_it_is_dropped() {
    struct Ask(InterruptHandle);
    impl Drop for Ask {
        fn drop(&mut self) {
            assert!(self.0.current_call().is_some());
        }
    }
    let register = |call: &HostCall, handle: &InterruptHandle| {
        for _ in 0..2 {
            let ask = Ask(handle.clone());
            call.on_cancel(move || drop(ask));
        }
    };
    assert_eq!(ends(with_host(register, || ()), Some(wall(60_000))).expect("a result"), "null");
}

#[test]
fn a_host_function_that_does_not_give_up_delays_no_other_stop() {
    // The limit has to be reached while the host function runs, not before, however slow the machine is.
    let begin = |limit| {
        let (release, is_released) = mpsc::channel::<()>();
        let (begun, has_begun) = mpsc::channel();
        let is_released = Mutex::new(is_released);
        let wait = move |_: &HostCall, _: &InterruptHandle| {
            begun.send(()).expect("the test waits");
            is_released.lock().expect("no panic").recv().expect("the test releases it");
        };
        let sandbox = with_host(wait, || ());
        let stubborn = thread::spawn(move || ends(sandbox, Some(wall(limit))));
        has_begun.recv().ok().map(|()| (release, stubborn))
    };
    let (release, stubborn) = (0..8).find_map(|doublings| begin(20 << doublings)).expect("it begins");
    for _ in 0..5 {
        is_cancelled(ends(loaded(SPIN), Some(wall(30))));
        is_cancelled(ends(loaded(SPIN), Some(cpu(30))));
    }
    release.send(()).expect("it waits");
    is_cancelled(stubborn.join().expect("no panic"));
}

#[test]
fn many_guests_are_stopped_at_once_and_the_sandboxes_serve_again() {
    let rounds = |number: u64| {
        move || {
            let mut sandbox = loaded("function handler(event) { if (event) for (;;); return 1; }");
            let snapshot = sandbox.snapshot().expect("a snapshot");
            let handle = sandbox.interrupt_handle();
            for round in 0..5 {
                let limits = (wall(10 + 7 * (number % 3)), cpu(20));
                is_cancelled(sandbox.handle_event_with_monitor("handler", "true".to_string(), &limits, None));
                assert!(!handle.kill(), "no call runs");
                sandbox.restore(snapshot.clone()).expect("a restore");
                let result = sandbox.handle_event("handler", "false".to_string(), None);
                assert_eq!(result.expect("a result"), "1", "round {round}");
            }
        }
    };
    let threads: Vec<_> = (0..12).map(|number| thread::spawn(rounds(number))).collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}

#[test]
fn the_first_reason_to_stop_a_call_is_the_one_that_counts() {
    let (begun, has_begun) = mpsc::channel();
    let wait = move |call: &HostCall, handle: &InterruptHandle| {
        let (sender, receiver) = mpsc::channel();
        call.on_cancel(move || sender.send(()).expect("the host function waits"));
        begun.send(handle.clone()).expect("the test waits");
        receiver.recv_timeout(PATIENCE).expect("it is told to give up");
        // The limit is reached while the call ends.
        thread::sleep(Duration::from_millis(400));
    };
    let mut sandbox = with_host(wait, || ());
    let killer = thread::spawn(move || has_begun.recv().expect("it begins").kill());
    is_cancelled(sandbox.handle_event_with_monitor("handler", "null".to_string(), &wall(300), None));
    assert!(killer.join().expect("no panic"));
    assert_eq!(sandbox.last_call_stats().expect("there was a call").terminated_by, None);
}
