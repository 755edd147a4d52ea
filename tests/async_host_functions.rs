//! Guests that await: asynchronous host functions.

mod sandboxes;

use std::future::{self, Future};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::time::Duration;

use hyperlight_js::{CpuTimeMonitor, Error, HostFunctionError, SandboxBuilder, Script, WallClockMonitor};
use sandboxes::{call, load_with, loaded, stretched};
use serde_json::json;

/// A future that is ready when as many of its kind wait as there are to be.
struct Meeting {
    expected: usize,
    state: Mutex<(usize, Vec<Waker>)>,
}

impl Meeting {
    fn of(expected: usize) -> Arc<Self> {
        Arc::new(Self { expected, state: Mutex::default() })
    }

    fn arrive(self: &Arc<Self>) -> impl Future<Output = ()> + Send + use<> {
        let meeting = self.clone();
        meeting.state.lock().expect("no panic").0 += 1;
        future::poll_fn(move |context| {
            let mut state = meeting.state.lock().expect("no panic");
            if state.0 >= meeting.expected {
                state.1.drain(..).for_each(Waker::wake);
                return Poll::Ready(());
            }
            state.1.push(context.waker().clone());
            Poll::Pending
        })
    }
}

#[test]
fn all_calls_of_asynchronous_host_functions_are_at_work_at_the_same_time() {
    // Each waits for all of the others, so it would hang if they came one after the other.
    let source = "import { meet } from 'host:host';
        async function handler(count) { return await Promise.all(Array.from({ length: count }, (_, i) => meet(i))); }";
    let mut sandbox = load_with(source, |proto| {
        let meeting = Meeting::of(100);
        let meet = move |number: u32| {
            let arrived = meeting.arrive();
            async move {
                arrived.await;
                number * 2
            }
        };
        proto.register_async("host", "meet", meet).expect("register");
    });
    let doubled: Vec<u32> = (0..100).map(|number| number * 2).collect();
    assert_eq!(call(&mut sandbox, "100").expect("a result"), json!(doubled));
}

#[test]
fn results_settle_in_the_order_in_which_they_come_and_jobs_run_between_them() {
    let source = "import { wait } from 'host:host';
        async function handler() {
            const order = [];
            const one = async (name) => { order.push(await wait(name)); await null; order.push(name + ' went on'); };
            await Promise.all(['a', 'b', 'c'].map(one));
            return order;
        }";
    let mut sandbox = load_with(source, |proto| {
        // They become ready last to first, one after the other.
        let turn = Arc::new(AtomicUsize::new(3));
        let wait = move |name: String| {
            let (turn, mine) = (turn.clone(), usize::from(name.as_bytes()[0] - b'a') + 1);
            async move {
                future::poll_fn(|context| {
                    if turn.compare_exchange(mine, mine - 1, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                        return Poll::Ready(());
                    }
                    context.waker().wake_by_ref();
                    Poll::Pending
                })
                .await;
                name
            }
        };
        proto.register_async("host", "wait", wait).expect("register");
    });
    let order = json!(["c", "c went on", "b", "b went on", "a", "a went on"]);
    assert_eq!(call(&mut sandbox, "null").expect("a result"), order);
}

#[test]
fn failures_and_panics_reject_the_promise() {
    let source = "import { fail, panic } from 'host:host';
        async function handler() {
            const seen = [];
            for (const f of [fail, panic, () => fail(1)]) {
                try { await f(); } catch (e) { seen.push([e instanceof HostFunctionError, e.hostName, e.message]); }
            }
            return seen;
        }";
    let mut sandbox = load_with(source, |proto| {
        let fail = |why: Option<bool>| async move {
            let _ = why;
            Err::<(), _>(HostFunctionError { name: "RangeError".to_string(), ..HostFunctionError::new("too far") })
        };
        proto.register_async("host", "fail", fail).expect("register");
        #[allow(unreachable_code, reason = "it panics")]
        let panic = || async { panic!("a host function of a test") as () };
        proto.register_async("host", "panic", panic).expect("register");
    });
    let seen = call(&mut sandbox, "null").expect("a result");
    assert_eq!(seen[0], json!([true, "RangeError", "too far"]));
    assert_eq!(seen[1], json!([true, "Error", "the host function panicked"]));
    assert_eq!(seen[2][1], "TypeError");
}

#[test]
fn a_call_that_has_ended_leaves_nothing_behind() {
    let source = "import { never, count } from 'host:host';
        let late = 0;
        export function handler(event) {
            if (event === 'late') return late;
            setTimeout(() => { late += 1; count(); }, 1);
            setInterval(() => { late += 1; count(); }, 1);
            setImmediate(() => { late += 1; count(); });
            never().then(() => late += 1);
            return 'early';
        }";
    let counted = Arc::new(AtomicUsize::new(0));
    let mut sandbox = load_with(source, |proto| {
        let counted = counted.clone();
        proto.register_async("host", "never", future::pending::<()>).expect("register");
        proto.register("host", "count", move || counted.fetch_add(1, Ordering::SeqCst)).expect("register");
    });
    for _ in 0..3 {
        assert_eq!(call(&mut sandbox, "null").expect("a result"), "early");
    }
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(call(&mut sandbox, "\"late\"").expect("a result"), 0);
    assert_eq!(counted.load(Ordering::SeqCst), 0);
}

#[test]
fn a_call_that_waits_for_the_host_can_be_stopped() {
    let source = "import { never } from 'host:host';
        async function handler() { await never(); }";
    let (began, has_begun) = mpsc::channel();
    let mut sandbox = load_with(source, |proto| {
        let began = Mutex::new(began);
        let never = move || {
            began.lock().expect("no panic").send(()).expect("the test waits");
            future::pending::<()>()
        };
        proto.register_async("host", "never", never).expect("register");
    });
    let snapshot = sandbox.snapshot().expect("a snapshot");
    let handle = sandbox.interrupt_handle();
    let killer = std::thread::spawn(move || {
        has_begun.recv().expect("the call begins");
        handle.kill()
    });
    assert!(matches!(call(&mut sandbox, "null"), Err(Error::Cancelled)));
    assert!(killer.join().expect("no panic"));
    assert!(sandbox.poisoned());
    sandbox.restore(snapshot).expect("restore");
    assert!(!sandbox.poisoned());
}

#[test]
fn waiting_counts_as_wall_clock_time_and_not_as_processor_time() {
    let source =
        "async function handler(ms) { await new Promise((resolve) => setTimeout(resolve, ms)); return 'waited'; }";
    let mut sandbox = loaded(source);
    let cpu = CpuTimeMonitor::new(stretched(Duration::from_millis(500))).expect("a monitor");
    let time = stretched(Duration::from_millis(700)).as_millis().to_string();
    let waited = sandbox.handle_event_with_monitor("handler", time, &cpu, None).expect("a result");
    assert_eq!(waited, "\"waited\"");
    let wall = WallClockMonitor::new(Duration::from_millis(50)).expect("a monitor");
    let stopped = sandbox.handle_event_with_monitor("handler", "3600000".to_string(), &wall, None);
    assert!(matches!(stopped, Err(Error::Cancelled)));
    assert_eq!(sandbox.last_call_stats().and_then(|stats| stats.terminated_by), Some("wall-clock"));
}

#[test]
fn there_may_be_ten_thousand_timers_and_a_thousand_calls_in_flight() {
    let source = "import { never } from 'host:host';
        async function handler() {
            let timers = 0, calls = 0;
            try { for (;;) { setTimeout(() => {}, 1e6); timers += 1; } } catch (e) { timers = [timers, e.name]; }
            const all = Array.from({ length: 1001 }, () => never());
            const last = await all[1000].catch((e) => [e.name, e.hostName]);
            return { timers, last };
        }";
    let mut sandbox = load_with(source, |proto| {
        proto.register_async("host", "never", future::pending::<()>).expect("register");
    });
    let result = call(&mut sandbox, "null").expect("a result");
    assert_eq!(result["timers"], json!([10_000, "RangeError"]));
    assert_eq!(result["last"], json!(["HostFunctionError", "RangeError"]));
}

#[test]
fn a_builder_limits_the_calls_of_host_functions_in_total_and_in_flight() {
    let source = "import { now, later, never } from 'host:host';
        async function handler(names) {
            const call = async (name) => { await { now, later, never }[name](); return 'made'; };
            const all = names.map((name) => call(name).catch((e) => [e.name, e.hostName]));
            return Promise.all(names.includes('never') ? all.slice(2) : all);
        }";
    let builder = SandboxBuilder::new().with_max_host_calls(4).with_max_host_calls_in_flight(2);
    let mut proto = builder.build().expect("build");
    proto.host_module("host").register("now", || ()).expect("register");
    proto.register_async("host", "later", || future::ready(())).expect("register");
    proto.register_async("host", "never", future::pending::<()>).expect("register");
    let mut sandbox = proto.load_runtime().expect("load_runtime");
    sandbox.add_handler("handler", Script::from_content(source)).expect("add_handler");
    let mut sandbox = sandbox.get_loaded_sandbox().expect("get_loaded_sandbox");

    let refused = json!(["HostFunctionError", "RangeError"]);
    let result = call(&mut sandbox, r#"["now", "now", "later", "now", "later"]"#).expect("a result");
    assert_eq!(result, json!(["made", "made", "made", "made", refused]));
    assert_eq!(sandbox.last_call_stats().map(|stats| stats.host_calls), Some(5));
    let result = call(&mut sandbox, r#"["never", "never", "later"]"#).expect("a result");
    assert_eq!(result, json!([refused]));
    let result = call(&mut sandbox, r#"["later", "later"]"#).expect("a result");
    assert_eq!(result, json!(["made", "made"]));

    for builder in
        [SandboxBuilder::new().with_max_host_calls(1 << 32), SandboxBuilder::new().with_max_host_calls_in_flight(1_001)]
    {
        let refused = builder.build().map(|_| ());
        assert!(matches!(refused, Err(Error::InvalidArgument(_))), "{refused:?}");
    }
}

#[test]
fn using_up_the_heap_with_timers_and_calls_can_be_caught() {
    let source = "import { never } from 'host:host';
        async function handler() {
            const seen = [];
            try { for (;;) setTimeout(() => {}, 1e6, 'x'.repeat(1e5) + seen.length + Math.random()); } catch (e) { seen.push(e.name); }
            for (let i = 0; i < 300; i++) {
                try { await Promise.race([never('x'.repeat(1e6)), null]); } catch (e) { seen.push(e.name); break; }
            }
            return seen;
        }";
    let mut sandbox = load_with(source, |proto| {
        proto.register_async("host", "never", |_: String| future::pending::<()>()).expect("register");
    });
    assert!(call(&mut sandbox, "null").expect("a result").as_array().is_some_and(|seen| !seen.is_empty()));
}

#[test]
fn many_large_arguments_and_results_take_several_messages() {
    let source = "import { echo } from 'host:host';
        async function handler(count) {
            const texts = Array.from({ length: count }, (_, i) => String(i).repeat(300000));
            const echoed = await Promise.all(texts.map((text) => echo(text)));
            return echoed.every((text, i) => text === texts[i]);
        }";
    let mut sandbox = load_with(source, |proto| {
        proto.register_async("host", "echo", |text: String| async { text }).expect("register");
    });
    assert_eq!(call(&mut sandbox, "9").expect("a result"), true);
}

#[test]
fn what_a_handler_returns_is_awaited_if_it_is_thenable() {
    let source = "function handler(event) {
            switch (event) {
                case 'thenable': return { then(resolve) { setTimeout(resolve, 1, 'later'); } };
                case 'nested': return Promise.resolve({ then: (resolve) => resolve(Promise.resolve('deep')) });
                case 'rejects': return { then(_, reject) { reject(new TypeError('no')); } };
                case 'getter': return { get then() { throw new RangeError('asked'); } };
                default: return { then: 'a property' };
            }
        }";
    let mut sandbox = loaded(source);
    assert_eq!(call(&mut sandbox, "\"thenable\"").expect("a result"), "later");
    assert_eq!(call(&mut sandbox, "\"nested\"").expect("a result"), "deep");
    assert_eq!(call(&mut sandbox, "null").expect("a result"), json!({ "then": "a property" }));
    for (event, expected) in [("\"rejects\"", "TypeError"), ("\"getter\"", "RangeError")] {
        assert!(matches!(call(&mut sandbox, event), Err(Error::Guest { name, .. }) if name == expected));
    }
}

#[test]
fn a_promise_that_nothing_can_settle_fails_the_call_at_once() {
    let mut sandbox = loaded("function handler() { setTimeout(() => {}, 1); return new Promise(() => {}); }");
    match call(&mut sandbox, "null") {
        Err(Error::Guest { message, .. }) => assert!(message.contains("never be settled"), "{message}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn synchronous_and_asynchronous_functions_live_in_one_module() {
    let source = "import { now, later } from 'host:host';
        async function handler() { const promise = later(1); return [now(2), promise instanceof Promise, await promise]; }";
    let mut sandbox = load_with(source, |proto| {
        proto.register("host", "now", |number: u32| number * 10).expect("register");
        proto.register_async("host", "later", |number: u32| async move { number * 100 }).expect("register");
    });
    assert_eq!(call(&mut sandbox, "null").expect("a result"), json!([20, true, 100]));
}

#[test]
fn what_guest_code_has_changed_does_not_reach_the_event_loop() {
    let source = "import { echo } from 'host:host';
        async function handler() {
            const broken = () => { throw new Error('never called'); };
            Object.defineProperty(Array.prototype, 7, { set: broken, configurable: true });
            Object.defineProperty(Object.prototype, 'resolve', { set: broken, configurable: true });
            globalThis.Promise = globalThis.Number = globalThis.HostFunctionError = broken;
            Object.defineProperty = Reflect.apply = Array.prototype.push = Function.prototype.call = broken;
            const all = [];
            for (let i = 0; i < 9; i++) all[100 + i] = echo(i);
            let sum = 0;
            for (let i = 0; i < 9; i++) { setTimeout(() => {}, i); setImmediate(() => {}); sum += await all[100 + i]; }
            return sum;
        }";
    let mut sandbox = load_with(source, |proto| {
        proto.register_async("host", "echo", |number: u32| async move { number }).expect("register");
    });
    assert_eq!(call(&mut sandbox, "null").expect("a result"), 36);
}
