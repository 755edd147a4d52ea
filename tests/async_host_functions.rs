//! Guests that await: asynchronous host functions, timers, immediates.

mod sandboxes;

use std::future::{self, Future};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::time::Duration;

use hyperlight_js::{
    CpuTimeMonitor, Error, HostFunctionError, LoadedJSSandbox, ProtoJSSandbox, SandboxBuilder, Script,
    UnhandledRejections, WallClockMonitor,
};
use sandboxes::call;
use serde_json::json;

fn with_functions(source: &str, register: impl FnOnce(&mut ProtoJSSandbox)) -> LoadedJSSandbox {
    let mut proto = SandboxBuilder::new().build().expect("build");
    register(&mut proto);
    let mut sandbox = proto.load_runtime().expect("load_runtime");
    sandbox.add_handler("handler", Script::from_content(source)).expect("add_handler");
    sandbox.get_loaded_sandbox().expect("get_loaded_sandbox")
}

fn without_functions(source: &str) -> LoadedJSSandbox {
    with_functions(source, |_| {})
}

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
    let mut sandbox = with_functions(source, |proto| {
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
    let mut sandbox = with_functions(source, |proto| {
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
    let mut sandbox = with_functions(source, |proto| {
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
    let mut sandbox = with_functions(source, |proto| {
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
    let mut sandbox = with_functions(source, |proto| {
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
    let mut sandbox = without_functions(source);
    let cpu = CpuTimeMonitor::new(Duration::from_millis(500)).expect("a monitor");
    let waited = sandbox.handle_event_with_monitor("handler", "700".to_string(), &cpu, None).expect("a result");
    assert_eq!(waited, "\"waited\"");
    let wall = WallClockMonitor::new(Duration::from_millis(50)).expect("a monitor");
    let stopped = sandbox.handle_event_with_monitor("handler", "3600000".to_string(), &wall, None);
    assert!(matches!(stopped, Err(Error::Cancelled)));
    assert_eq!(sandbox.last_call_stats().and_then(|stats| stats.terminated_by), Some("wall-clock"));
}

#[test]
fn timers_run_in_the_order_in_which_they_are_due_then_in_that_of_their_age() {
    let source = "async function handler() {
            const order = [];
            const note = (name) => () => order.push(name);
            setTimeout(note('20 ms'), 20);
            setTimeout(note('10 ms'), 10);
            setTimeout(note('10 ms, later'), 10);
            const gone = setTimeout(note('taken back'), 15);
            setImmediate(note('immediate'));
            setImmediate(() => { order.push('immediate, too'); setImmediate(note('immediate of the next round')); });
            queueMicrotask(note('job'));
            Promise.resolve().then(note('another job'));
            clearTimeout(gone);
            order.push('code');
            await new Promise((resolve) => setTimeout(resolve, 30, 'x'));
            return order;
        }";
    let order = json!([
        "code",
        "job",
        "another job",
        "immediate",
        "immediate, too",
        "immediate of the next round",
        "10 ms",
        "10 ms, later",
        "20 ms"
    ]);
    assert_eq!(call(&mut without_functions(source), "null").expect("a result"), order);
}

#[test]
fn an_interval_runs_until_it_is_taken_back_by_itself_too() {
    let source = "async function handler() {
            let runs = 0;
            await new Promise((resolve) => {
                const number = setInterval((a, b) => { runs += a * b; if (runs === 18) { clearInterval(number); resolve(); } }, 1, 2, 3);
            });
            await new Promise((resolve) => setTimeout(resolve, 20));
            return runs;
        }";
    assert_eq!(call(&mut without_functions(source), "null").expect("a result"), 18);
}

#[test]
fn thousands_of_timers_are_due_in_order_and_can_be_taken_back() {
    let source = "async function handler(count) {
            const seen = [];
            const numbers = [];
            for (let i = 0; i < count; i++) {
                const delay = 1 + (i * 7919) % 40;
                numbers.push(setTimeout(() => seen.push([delay, i]), delay));
            }
            for (let i = 0; i < count; i += 3) clearTimeout(numbers[i]);
            await new Promise((resolve) => setTimeout(resolve, 100));
            const sorted = seen.every(([delay, i], at) => at === 0 || seen[at - 1][0] < delay || (seen[at - 1][0] === delay && seen[at - 1][1] < i));
            return { sorted, count: seen.length, taken: seen.some(([, i]) => i % 3 === 0) };
        }";
    let result = call(&mut without_functions(source), "3000").expect("a result");
    assert_eq!(result["count"], 2000);
    assert_eq!(result["taken"], false);
}

#[test]
fn what_a_timer_throws_ends_the_call() {
    let source = "function handler(event) {
            if (event) return 'fine';
            return new Promise(() => setTimeout(() => { throw new RangeError('from a timer'); }, 1));
        }";
    let mut sandbox = without_functions(source);
    match call(&mut sandbox, "null") {
        Err(Error::Guest { name, message, .. }) => assert_eq!((&*name, &*message), ("RangeError", "from a timer")),
        other => panic!("{other:?}"),
    }
    assert_eq!(call(&mut sandbox, "true").expect("a result"), "fine");
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
    let mut sandbox = with_functions(source, |proto| {
        proto.register_async("host", "never", future::pending::<()>).expect("register");
    });
    let result = call(&mut sandbox, "null").expect("a result");
    assert_eq!(result["timers"], json!([10_000, "RangeError"]));
    assert_eq!(result["last"], json!(["HostFunctionError", "RangeError"]));
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
    let mut sandbox = with_functions(source, |proto| {
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
    let mut sandbox = with_functions(source, |proto| {
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
    let mut sandbox = without_functions(source);
    assert_eq!(call(&mut sandbox, "\"thenable\"").expect("a result"), "later");
    assert_eq!(call(&mut sandbox, "\"nested\"").expect("a result"), "deep");
    assert_eq!(call(&mut sandbox, "null").expect("a result"), json!({ "then": "a property" }));
    for (event, expected) in [("\"rejects\"", "TypeError"), ("\"getter\"", "RangeError")] {
        assert!(matches!(call(&mut sandbox, event), Err(Error::Guest { name, .. }) if name == expected));
    }
}

#[test]
fn a_promise_that_nothing_can_settle_fails_the_call_at_once() {
    let mut sandbox =
        without_functions("function handler() { setTimeout(() => {}, 1); return new Promise(() => {}); }");
    match call(&mut sandbox, "null") {
        Err(Error::Guest { message, .. }) => assert!(message.contains("never be settled"), "{message}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn synchronous_and_asynchronous_functions_live_in_one_module() {
    let source = "import { now, later } from 'host:host';
        async function handler() { const promise = later(1); return [now(2), promise instanceof Promise, await promise]; }";
    let mut sandbox = with_functions(source, |proto| {
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
    let mut sandbox = with_functions(source, |proto| {
        proto.register_async("host", "echo", |number: u32| async move { number }).expect("register");
    });
    assert_eq!(call(&mut sandbox, "null").expect("a result"), 36);
}

#[test]
fn rejections_that_nobody_handles_are_lines_of_the_console() {
    let source = "async function handler(event) {
            if (event === 'handled late') {
                const promise = Promise.reject(new Error('late'));
                setTimeout(() => promise.catch(() => {}), 1);
                await new Promise((resolve) => setTimeout(resolve, 5));
            }
            if (event === 'unhandled') {
                Promise.reject(new TypeError('lost'));
                (async () => { throw 'a text'; })();
                Promise.reject(1).catch(() => {});
            }
            if (event === 'many') for (let i = 0; i < 1000; i++) Promise.reject(i);
            if (event === 'rejects') throw new RangeError('the call itself');
            return 'done';
        }";
    let (mut sandbox, lines) = with_lines(source);
    let mut lines_of = |event: &str| {
        let result = call(&mut sandbox, event);
        (result.is_ok(), std::mem::take(&mut *lines.lock().expect("no panic")))
    };
    assert_eq!(lines_of("\"handled late\""), (true, vec![]));
    let lost =
        vec!["Error Unhandled rejection: TypeError: lost".to_string(), "Error Unhandled rejection: a text".to_string()];
    assert_eq!(lines_of("\"unhandled\""), (true, lost));
    assert_eq!(lines_of("\"rejects\""), (false, vec![]));
    let (is_ok, many) = lines_of("\"many\"");
    assert!(is_ok && many.len() == 17 && many[16] == "Error Unhandled rejections beside these: 984", "{many:?}");
    assert_eq!(lines_of("null"), (true, vec![]));
}

/// A line of the console for each that a guest writes, with its first line only.
fn with_lines(source: &str) -> (LoadedJSSandbox, Arc<Mutex<Vec<String>>>) {
    with_lines_and(|builder| builder, source)
}

fn with_lines_and(
    set: impl FnOnce(SandboxBuilder) -> SandboxBuilder,
    source: &str,
) -> (LoadedJSSandbox, Arc<Mutex<Vec<String>>>) {
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let written = lines.clone();
    let builder = SandboxBuilder::new().with_host_print_fn(move |level, text| {
        written.lock().expect("no panic").push(format!("{level:?} {}", text.lines().next().unwrap_or_default()));
    });
    (sandboxes::load(set(builder), source).expect("the handler loads"), lines)
}

#[test]
fn rejections_that_nobody_handles_fail_the_call_if_they_shall() {
    let source = "import { waitUntil } from 'hyperlight:context';
        async function handler(event) {
            switch (event) {
                case 'handled late': {
                    const promise = Promise.reject(new Error('late'));
                    setTimeout(() => promise.catch(() => {}), 1);
                    await new Promise((resolve) => setTimeout(resolve, 5));
                    break;
                }
                case 'unhandled':
                    Promise.reject(new TypeError('lost', { cause: new Error('why') }));
                    (async () => { throw 'another'; })();
                    break;
                case 'text': Promise.reject('a text'); break;
                case 'in the end': queueMicrotask(() => Promise.reject(new RangeError('last'))); return;
                case 'kept': waitUntil(new Promise((_, reject) => setTimeout(reject, 1, new RangeError('kept')))); break;
                case 'rejects': Promise.reject(new TypeError('lost')); throw new RangeError('the call itself');
            }
            return 'done';
        }";
    let (mut sandbox, lines) =
        with_lines_and(|builder| builder.with_unhandled_rejections(UnhandledRejections::Error), source);
    let mut failure = |event: &str| {
        let error = match call(&mut sandbox, event) {
            Ok(result) => (result.to_string(), String::new()),
            Err(Error::Guest { name, message, .. }) => (name, message),
            Err(other) => panic!("{other:?}"),
        };
        assert!(!sandbox.poisoned());
        (error, std::mem::take(&mut *lines.lock().expect("no panic")))
    };
    let failed = |name: &str, message: &str, lines: &[&str]| {
        ((name.to_string(), message.to_string()), lines.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(failure("\"handled late\""), failed("\"done\"", "", &[]));
    assert_eq!(failure("\"unhandled\""), failed("TypeError", "lost", &["Error Unhandled rejection: another"]));
    assert_eq!(failure("\"text\""), failed("", "a text", &[]));
    assert_eq!(failure("\"in the end\""), failed("RangeError", "last", &[]));
    assert_eq!(failure("\"kept\""), failed("RangeError", "kept", &[]));
    let own = failed("RangeError", "the call itself", &["Error Unhandled rejection: TypeError: lost"]);
    assert_eq!(failure("\"rejects\""), own);
    assert_eq!(failure("null"), failed("\"done\"", "", &[]));

    let builder = SandboxBuilder::new().with_unhandled_rejections(UnhandledRejections::Error);
    let loaded = sandboxes::load(builder, "function handler() {}\nPromise.reject(new TypeError('lost'));");
    assert!(matches!(loaded, Err(Error::Compile { name, line: 2, .. }) if name == "TypeError"));
}

#[test]
fn a_promise_keeps_the_call_open_after_its_result_is_known() {
    let source = "import { waitUntil } from 'hyperlight:context';
        import { later, note } from 'host:host';
        const sleep = (ms, value) => new Promise((resolve) => setTimeout(resolve, ms, value));
        let count = 0;
        async function work() {
            for (let i = 0; i < 3; i++) count += await later(1);
            await sleep(1);
            // One more, which is given when the others are settled already.
            waitUntil(sleep(1).then(() => { count += 10; note('done'); }));
        }
        export function handler(event) {
            const result = { count };
            switch (event) {
                case 'plain': waitUntil(work()); break;
                case 'promise': return sleep(1).then(() => { waitUntil(work()); return result; });
                case 'throws': waitUntil(work()); throw new RangeError('as told');
                case 'in a job': Promise.resolve().then(() => waitUntil(work())); break;
                case 'changes': waitUntil(sleep(1).then(() => { result.count = 'changed'; })); break;
                case 'no promise': for (const value of [undefined, 1, {}, { then: 1 }]) waitUntil(value); break;
                case 'thenable': waitUntil({ then(resolve) { setTimeout(() => { count += 100; resolve(); }, 1); } });
            }
            return result;
        }";
    let noted = Arc::new(AtomicUsize::new(0));
    let mut sandbox = with_functions(source, |proto| {
        let noted = noted.clone();
        proto.register_async("host", "later", |number: u32| async move { number }).expect("register");
        proto.register("host", "note", move |_: String| noted.fetch_add(1, Ordering::SeqCst)).expect("register");
    });
    let mut count = |event: &str| call(&mut sandbox, event).map(|result| result["count"].clone());
    assert_eq!(count("\"plain\"").expect("a result"), 0);
    assert_eq!(count("\"promise\"").expect("a result"), 13);
    assert!(matches!(count("\"throws\""), Err(Error::Guest { name, .. }) if name == "RangeError"));
    assert_eq!(count("\"in a job\"").expect("a result"), 39);
    assert_eq!(noted.load(Ordering::SeqCst), 4);
    assert_eq!(count("\"changes\"").expect("a result"), 52, "the result is what it was when it was known");
    assert_eq!(count("\"no promise\"").expect("a result"), 52);
    assert_eq!(count("\"thenable\"").expect("a result"), 52);
    assert_eq!(count("null").expect("a result"), 152);
}

#[test]
fn what_becomes_of_a_promise_that_keeps_the_call_open_is_not_the_calls_error() {
    let source = "import { waitUntil } from 'hyperlight:context';
        const fail = () => new Promise((_, reject) => setTimeout(reject, 1, new TypeError('too late')));
        export function handler(event) {
            if (event === 'throws') setTimeout(() => { throw new RangeError('from a timer'); }, 0);
            const promise = event === 'never' ? new Promise(() => setTimeout(() => {}, 1)) : fail();
            if (event === 'handled') promise.catch(() => {});
            waitUntil(promise);
            return event;
        }";
    let (mut sandbox, lines) = with_lines(source);
    let mut lines_of = |event: &str| {
        let result = call(&mut sandbox, event);
        (result.is_ok(), std::mem::take(&mut *lines.lock().expect("no panic")))
    };
    assert_eq!(lines_of("\"rejects\""), (true, vec!["Error Unhandled rejection: TypeError: too late".to_string()]));
    assert_eq!(lines_of("\"handled\""), (true, vec![]));
    let (is_ok, never) = lines_of("\"never\"");
    assert!(is_ok && never.len() == 1 && never[0].contains("can never be settled"), "{never:?}");
    // What a timer throws ends a call at any time.
    assert_eq!(lines_of("\"throws\""), (false, vec![]));
}

#[test]
fn a_call_that_is_kept_open_can_be_stopped_and_has_its_limits() {
    let source = "import { waitUntil } from 'hyperlight:context';
        function handler() { waitUntil(new Promise((resolve) => setTimeout(resolve, 3600000))); return 'known'; }";
    let mut sandbox = without_functions(source);
    let wall = WallClockMonitor::new(Duration::from_millis(50)).expect("a monitor");
    let stopped = sandbox.handle_event_with_monitor("handler", "null".to_string(), &wall, None);
    assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
    assert!(sandbox.poisoned());
}

#[test]
fn any_number_of_promises_keep_a_call_open_one_after_the_other() {
    let source = "import { waitUntil } from 'hyperlight:context';
        let settled = 0;
        export async function handler(count) {
            if (count === 0) return settled;
            Object.defineProperty(Array.prototype, 3, { set() { throw new Error('never called'); }, configurable: true });
            waitUntil(new Promise((resolve) => setTimeout(resolve, 2)));
            // A few are pending at a time: all of them together would use up the heap.
            for (let i = 0; i < count; i++) {
                const { promise, resolve } = Promise.withResolvers();
                waitUntil(promise.then(() => { settled += 1; return 'x'.repeat(10000) + i; }));
                queueMicrotask(resolve);
                if (i % 8 === 0) await null;
            }
            return 'known';
        }";
    let mut sandbox =
        sandboxes::load(SandboxBuilder::new().with_guest_heap_size(8 << 20), source).expect("the handler loads");
    assert_eq!(call(&mut sandbox, "1500").expect("a result"), "known");
    assert_eq!(call(&mut sandbox, "0").expect("a result"), 1500);
}

#[test]
fn a_large_result_is_kept_while_large_messages_come_and_go() {
    let source = "import { waitUntil } from 'hyperlight:context';
        import { echo } from 'host:host';
        let echoed = 0;
        export function handler(size) {
            if (size === 0) return echoed;
            const text = 'x'.repeat(size);
            waitUntil((async () => { for (let i = 0; i < 5; i++) echoed += (await echo(text)).length; })());
            return text;
        }";
    let mut proto = SandboxBuilder::new()
        .with_guest_input_buffer_size(4 << 20)
        .with_guest_output_buffer_size(4 << 20)
        .build()
        .expect("build");
    proto.register_async("host", "echo", |text: String| async { text }).expect("register");
    let mut sandbox = proto.load_runtime().expect("load_runtime");
    sandbox.add_handler("handler", Script::from_content(source)).expect("add_handler");
    let mut sandbox = sandbox.get_loaded_sandbox().expect("the handler loads");
    let size = (4 << 20) - 1000;
    assert_eq!(call(&mut sandbox, &size.to_string()).expect("a result").as_str().map(str::len), Some(size));
    assert_eq!(call(&mut sandbox, "0").expect("a result"), 5 * size);
}
