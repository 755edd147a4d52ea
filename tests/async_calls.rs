//! Calls as futures: no thread is held while the guest waits.

mod sandboxes;

use std::future;
use std::sync::mpsc;
use std::time::Duration;

use hyperlight_js::{CpuTimeMonitor, Error, LoadedJSSandbox, SandboxBuilder, Script, WallClockMonitor};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

const HANDLER: &str = "
    import { never, gate } from 'host:host';
    let count = 0;
    async function handler(event) {
        switch (event.do) {
            case 'count': return ++count;
            case 'gate': return await gate();
            case 'never': return await never();
            case 'sleep': return await new Promise((resolve) => setTimeout(resolve, event.ms, event.ms));
            case 'spin': for (;;);
            case 'nap and work': {
                for (let i = 0; i < 1000; i++) {
                    await new Promise((resolve) => setTimeout(resolve, 1));
                    for (const end = performance.now() + event.ms; performance.now() < end;);
                }
                return 'done';
            }
        }
    }";

fn sandbox(gate: &tokio::sync::watch::Receiver<u32>) -> LoadedJSSandbox {
    let mut proto = SandboxBuilder::new().build().expect("build");
    let gate = gate.clone();
    proto
        .host_module("host")
        .register_async("never", future::pending::<()>)
        .and_then(|module| {
            module.register_async("gate", move || {
                let mut gate = gate.clone();
                async move { *gate.wait_for(|value| *value > 0).await.expect("the test opens it") }
            })
        })
        .expect("register");
    let mut sandbox = proto.load_runtime().expect("load_runtime");
    sandbox.add_handler("handler", Script::from_content(HANDLER)).expect("add_handler");
    sandbox.get_loaded_sandbox().expect("get_loaded_sandbox")
}

fn closed() -> (tokio::sync::watch::Sender<u32>, tokio::sync::watch::Receiver<u32>) {
    tokio::sync::watch::channel(0)
}

fn executor() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("an executor")
}

async fn call(sandbox: &mut LoadedJSSandbox, event: &str) -> Result<String, Error> {
    sandbox.handle_event_async("handler", event.to_string(), None).await
}

/// Threads of the library. KVM has one of its own for each virtual machine, which never runs here.
fn threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("a list of the threads").flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.starts_with("hyperlight")).count()
}

#[test]
fn a_hundred_sandboxes_wait_at_the_same_time_without_a_thread_each() {
    let (open, gate) = closed();
    executor().block_on(async {
        let mut calls = JoinSet::new();
        for _ in 0..100 {
            let mut sandbox = sandbox(&gate);
            calls.spawn(async move { call(&mut sandbox, r#"{"do":"gate"}"#).await });
        }
        // All of them wait for the gate when as many receivers of it do.
        while open.receiver_count() < 201 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // The threads on which the guests were entered go when they have had nothing to do for some time. Should this test hang
        // here, they do not.
        while threads() > std::thread::available_parallelism().map_or(1, usize::from) + 4 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(calls.len(), 100);
        open.send(7).expect("they wait");
        while let Some(result) = calls.join_next().await {
            assert_eq!(result.expect("no panic").expect("a result"), "7");
        }
    });
}

#[test]
fn state_lives_from_call_to_call_and_both_faces_can_be_mixed() {
    let (_open, gate) = closed();
    let mut sandbox = sandbox(&gate);
    let event = r#"{"do":"count"}"#;
    executor().block_on(async {
        assert_eq!(call(&mut sandbox, event).await.expect("a result"), "1");
        assert_eq!(call(&mut sandbox, r#"{"do":"sleep","ms":2}"#).await.expect("a result"), "2");
        assert_eq!(call(&mut sandbox, event).await.expect("a result"), "2");
    });
    assert_eq!(sandbox.handle_event("handler", event.to_string(), None).expect("a result"), "3");
}

#[test]
fn limits_hold_while_the_guest_runs_and_while_it_waits() {
    let (_open, gate) = closed();
    let mut sandbox = sandbox(&gate);
    let snapshot = sandbox.snapshot().expect("a snapshot");
    let wall = WallClockMonitor::new(Duration::from_millis(50)).expect("a monitor");
    let cpu = CpuTimeMonitor::new(sandboxes::stretched(Duration::from_millis(50))).expect("a monitor");
    for (event, name) in [("never", "wall-clock"), ("spin", "wall-clock")] {
        let event = format!(r#"{{"do":"{event}"}}"#);
        let result = executor().block_on(sandbox.handle_event_async_with_monitor("handler", event, &wall, None));
        assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
        assert_eq!(sandbox.last_call_stats().and_then(|stats| stats.terminated_by), Some(name));
        assert!(sandbox.poisoned());
        sandbox.restore(snapshot.clone()).expect("restore");
    }
    // What several entries have used on several threads is added up.
    let event = r#"{"do":"nap and work","ms":30}"#.to_string();
    let result = executor().block_on(sandbox.handle_event_async_with_monitor("handler", event, &cpu, None));
    assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
    assert_eq!(sandbox.last_call_stats().and_then(|stats| stats.terminated_by), Some("cpu-time"));
    sandbox.restore(snapshot).expect("restore");
    let event = r#"{"do":"sleep","ms":200}"#.to_string();
    let result = executor().block_on(sandbox.handle_event_async_with_monitor("handler", event, &cpu, None));
    assert_eq!(result.expect("waiting is no processor time"), "200");
}

#[test]
fn dropping_the_future_stops_the_call() {
    let (_open, gate) = closed();
    let mut sandbox = sandbox(&gate);
    let snapshot = sandbox.snapshot().expect("a snapshot");
    for event in ["never", "spin"] {
        let event = format!(r#"{{"do":"{event}"}}"#);
        executor().block_on(async {
            let call = call(&mut sandbox, &event);
            assert!(tokio::time::timeout(Duration::from_millis(50), call).await.is_err());
        });
        assert!(sandbox.poisoned());
        assert!(matches!(executor().block_on(call(&mut sandbox, r#"{"do":"count"}"#)), Err(Error::Poisoned)));
        sandbox.restore(snapshot.clone()).expect("restore");
        assert_eq!(executor().block_on(call(&mut sandbox, r#"{"do":"count"}"#)).expect("a result"), "1");
    }
    // Before its first poll nothing has happened.
    drop(call(&mut sandbox, r#"{"do":"count"}"#));
    assert_eq!(executor().block_on(call(&mut sandbox, r#"{"do":"count"}"#)).expect("a result"), "2");
}

#[test]
fn kill_stops_a_call_that_waits() {
    let (_open, gate) = closed();
    let mut sandbox = sandbox(&gate);
    let handle = sandbox.interrupt_handle();
    let (done, is_done) = mpsc::channel::<()>();
    let killer = std::thread::spawn(move || {
        while is_done.try_recv() == Err(mpsc::TryRecvError::Empty) {
            handle.kill();
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    let result = executor().block_on(call(&mut sandbox, r#"{"do":"never"}"#));
    drop(done);
    killer.join().expect("no panic");
    assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
}
