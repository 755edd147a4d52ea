//! Timers of guests: `setTimeout`, `setInterval`, `setImmediate`, and what takes them back.

mod sandboxes;

use std::future;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use hyperlight_js::{CpuTimeMonitor, Error, WallClockMonitor};
use sandboxes::{call, load_with, loaded, stretched};
use serde_json::json;

#[test]
fn timers_run_in_the_order_in_which_they_are_due_then_in_that_of_their_age() {
    let source = "async function handler(step) {
            const order = [];
            const note = (name) => () => order.push(name);
            setTimeout(note('20 ms'), 2 * step);
            setTimeout(note('10 ms'), step);
            setTimeout(note('10 ms, later'), step);
            const gone = setTimeout(note('taken back'), 1.5 * step);
            setImmediate(note('immediate'));
            setImmediate(() => { order.push('immediate, too'); setImmediate(note('immediate of the next round')); });
            queueMicrotask(note('job'));
            Promise.resolve().then(note('another job'));
            clearTimeout(gone);
            order.push('code');
            await new Promise((resolve) => setTimeout(resolve, 3 * step, 'x'));
            return order;
        }";
    let step = stretched(Duration::from_millis(10)).as_millis().to_string();
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
    assert_eq!(call(&mut loaded(source), &step).expect("a result"), order);
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
    assert_eq!(call(&mut loaded(source), "null").expect("a result"), 18);
}

#[test]
fn thousands_of_timers_are_due_in_order_and_can_be_taken_back() {
    let source = "async function handler(count) {
            const most = [];
            const seen = [];
            const numbers = [];
            for (let i = 0; i < count; i++) {
                const delay = 1 + (i * 7919) % 40;
                // It is due between these.
                const least = performance.now() + delay;
                numbers.push(setTimeout(() => seen.push({ i, delay, least, most: most[i] }), delay));
                most[i] = performance.now() + delay + 1e-3;
            }
            for (let i = 0; i < count; i += 3) clearTimeout(numbers[i]);
            while (seen.length < count - numbers.length / 3) await new Promise((resolve) => setTimeout(resolve, 10));
            let latest = 0;
            const tooLate = seen.filter(({ least, most }) => {
                latest = Math.max(latest, least);
                return most < latest;
            });
            const byDelay = Object.values(Object.groupBy(seen, ({ delay }) => delay));
            const isByAge = byDelay.every((same) => same.every(({ i }, at) => at === 0 || same[at - 1].i < i));
            return { tooLate, isByAge, count: seen.length, taken: seen.some(({ i }) => i % 3 === 0) };
        }";
    let result = call(&mut loaded(source), "3000").expect("a result");
    assert_eq!(result, json!({ "tooLate": [], "isByAge": true, "count": 2000, "taken": false }));
}

#[test]
fn what_a_timer_throws_ends_the_call() {
    let source = "function handler(event) {
            if (event) return 'fine';
            return new Promise(() => setTimeout(() => { throw new RangeError('from a timer'); }, 1));
        }";
    let mut sandbox = loaded(source);
    match call(&mut sandbox, "null") {
        Err(Error::Guest { name, message, .. }) => assert_eq!((&*name, &*message), ("RangeError", "from a timer")),
        other => panic!("{other:?}"),
    }
    assert_eq!(call(&mut sandbox, "true").expect("a result"), "fine");
}

#[test]
fn timers_may_be_made_by_timers_and_run_after_those_that_were_due_before_them() {
    let source = "async function handler(depth) {
            const order = [];
            await new Promise((resolve) => {
                const nest = (left, from) => {
                    order.push(from);
                    if (left === 0) return resolve();
                    // All three are due when this one is: the youngest comes last, immediates come before it.
                    setTimeout(() => order.push(`first ${left}`), 0);
                    setTimeout(nest, 0, left - 1, `nested ${left}`);
                    setImmediate(() => order.push(`immediate ${left}`));
                };
                setTimeout(nest, 0, depth, 'outermost');
            });
            return order;
        }";
    let expected: Vec<String> = std::iter::once("outermost".to_string())
        .chain(
            (1..=50)
                .rev()
                .flat_map(|left| [format!("immediate {left}"), format!("first {left}"), format!("nested {left}")]),
        )
        .collect();
    assert_eq!(call(&mut loaded(source), "50").expect("a result"), json!(expected));
}

#[test]
fn callbacks_get_the_arguments_that_were_given_and_no_this() {
    let source = "async function handler(time) {
            const seen = [];
            const told = (name) => function (...given) { seen.push([name, this === undefined, given]); };
            const numbers = [
                setTimeout(told('timeout'), 1, 'a', undefined, { b: 1 }),
                setTimeout(told('no more')),
                setTimeout(told('text'), '1', 1),
                setTimeout(told('object'), { valueOf: () => 1 }, 2),
                setTimeout(told('none'), NaN),
                setTimeout(told('negative'), -5),
                setTimeout(told('too long'), 2 ** 31),
                setImmediate(told('immediate'), 3, 4),
            ];
            let intervals = 0;
            const interval = setInterval((...given) => { intervals += given.length; if (intervals === 4) clearInterval(interval); }, 1, 5, 6);
            await new Promise((resolve) => setTimeout(resolve, time));
            const areNumbers = numbers.every((number) => Number.isInteger(number) && number > 0) && new Set(numbers).size === numbers.length;
            return { seen: seen.sort(), intervals, areNumbers };
        }";
    let time = stretched(Duration::from_millis(30)).as_millis().to_string();
    let result = call(&mut loaded(source), &time).expect("a result");
    let seen = json!([
        ["immediate", true, [3, 4]],
        ["negative", true, []],
        ["no more", true, []],
        ["none", true, []],
        ["object", true, [2]],
        ["text", true, [1]],
        ["timeout", true, ["a", null, { "b": 1 }]],
        ["too long", true, []],
    ]);
    assert_eq!(result, json!({ "seen": seen, "intervals": 4, "areNumbers": true }));
}

#[test]
fn what_is_no_callback_or_no_delay_is_refused_and_what_is_no_timer_is_not_taken_back() {
    let source = "async function handler() {
            const refused = [];
            for (const make of [setTimeout, setInterval, setImmediate]) {
                for (const wrong of [undefined, null, 'code()', {}, 1]) {
                    try { make(wrong, 1); } catch (error) { refused.push(error.name); }
                }
            }
            for (const delay of [1n, Symbol(), { valueOf() { throw new RangeError('asked'); } }]) {
                try { setTimeout(() => {}, delay); } catch (error) { refused.push(error.name); }
            }
            let ran = 0;
            const number = setTimeout(() => { ran += 1; }, 1);
            for (const clear of [clearTimeout, clearInterval, clearImmediate]) {
                for (const wrong of [undefined, null, {}, String(number), NaN, -1, 0.5, number + 1, 2 ** 32, 2 ** 53, Symbol()]) clear(wrong);
                clear();
            }
            await new Promise((resolve) => setTimeout(resolve, 10));
            // Once it has run it is none any more.
            clearTimeout(number);
            return { refused, ran };
        }";
    // A number can be made of a BigInt.
    let refused = [vec!["TypeError"; 16], vec!["RangeError"]].concat();
    let result = call(&mut loaded(source), "null").expect("a result");
    assert_eq!(result, json!({ "refused": refused, "ran": 1 }));
}

#[test]
fn a_timer_or_an_immediate_may_take_back_another_that_is_due_with_it() {
    let source = "async function handler() {
            const seen = [];
            const later = {};
            setTimeout(() => { seen.push('timer'); clearTimeout(later.timer); clearInterval(later.interval); }, 1);
            later.timer = setTimeout(() => seen.push('taken back'), 1);
            later.interval = setInterval(() => seen.push('taken back'), 1);
            setImmediate(() => { seen.push('immediate'); clearImmediate(later.immediate); });
            later.immediate = setImmediate(() => seen.push('taken back'));
            for (const end = performance.now() + 5; performance.now() < end;);
            await new Promise((resolve) => setTimeout(resolve, 10));
            return seen;
        }";
    assert_eq!(call(&mut loaded(source), "null").expect("a result"), json!(["immediate", "timer"]));
}

#[test]
fn what_an_interval_or_an_immediate_throws_ends_the_call_and_nothing_of_it_runs_later() {
    let source = "let ran = 0;
        function handler(event) {
            if (event === 'ran') return ran;
            const callback = () => { ran += 1; if (ran % 3 === 0) throw new RangeError(event); };
            event === 'interval' ? setInterval(callback, 1) : [1, 2, 3, 4].forEach(() => setImmediate(callback));
            return new Promise(() => {});
        }";
    let mut sandbox = loaded(source);
    for (ran, event) in [(3, "interval"), (6, "immediate")] {
        match call(&mut sandbox, &json!(event).to_string()) {
            Err(Error::Guest { name, message, .. }) => assert_eq!((&*name, &*message), ("RangeError", event)),
            other => panic!("{other:?}"),
        }
        assert_eq!(call(&mut sandbox, "\"ran\"").expect("a result"), ran);
    }
}

#[test]
fn an_interval_for_ever_in_tiny_steps_is_stopped_by_every_limit() {
    let source = "function handler(event) {
            const busy = event === 'busy' ? 0.5 : 0;
            setInterval(() => { for (const end = performance.now() + busy; performance.now() < end;); }, 0);
            return new Promise(() => {});
        }";
    let mut sandbox = loaded(source);
    let snapshot = sandbox.snapshot().expect("a snapshot");
    let wall = WallClockMonitor::new(Duration::from_millis(100)).expect("a monitor");
    let stopped = sandbox.handle_event_with_monitor("handler", "null".to_string(), &wall, None);
    assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
    sandbox.restore(snapshot.clone()).expect("restore");
    let cpu = CpuTimeMonitor::new(Duration::from_millis(100)).expect("a monitor");
    let stopped = sandbox.handle_event_with_monitor("handler", "\"busy\"".to_string(), &cpu, None);
    assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
    sandbox.restore(snapshot).expect("restore");
    let handle = sandbox.interrupt_handle();
    let (done, is_done) = mpsc::channel::<()>();
    let killer = std::thread::spawn(move || {
        while is_done.recv_timeout(Duration::from_millis(5)) == Err(mpsc::RecvTimeoutError::Timeout) {
            handle.kill();
        }
    });
    assert!(matches!(call(&mut sandbox, "null"), Err(Error::Cancelled)));
    drop(done);
    killer.join().expect("no panic");
}

#[test]
fn what_runs_over_and_over_keeps_neither_timers_nor_results_of_the_host_from_their_turn() {
    let source = "import { later } from 'host:host';
        async function handler(how) {
            let isOver = false;
            const promise = how.endsWith('timer') ? new Promise((resolve) => setTimeout(resolve, 5)) : later();
            promise.then(() => { isOver = true; });
            const again = () => { if (!isOver) setImmediate(again); };
            if (how.startsWith('immediates')) again();
            // It takes longer than until it is due again.
            else setInterval(() => { for (const end = performance.now() + 2; performance.now() < end;); }, 1);
            await promise;
            return how;
        }";
    let mut sandbox = load_with(source, |proto| {
        let later = || {
            let polled = Mutex::new(0);
            // Ready when the guest has been resumed some times without it.
            future::poll_fn(move |context| {
                let mut polled = polled.lock().expect("no panic");
                *polled += 1;
                context.waker().wake_by_ref();
                if *polled > 3 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
            })
        };
        proto.register_async("host", "later", later).expect("register");
    });
    for how in ["immediates and a timer", "immediates and a call", "intervals and a timer", "intervals and a call"] {
        let result = sandboxes::guarded(&mut sandbox, |sandbox| call(sandbox, &json!(how).to_string()));
        assert_eq!(result.expect("it ends"), how);
    }
}

#[test]
fn a_timer_that_is_taken_back_makes_room_for_another() {
    let source = "function handler(count) {
            const numbers = Array.from({ length: count }, (_, i) => (i % 2 ? setTimeout : setImmediate)(() => {}, 1e6));
            const refused = [];
            for (const make of [setTimeout, setInterval, setImmediate, (f) => AbortSignal.timeout(1e6)]) {
                try { make(() => {}, 1e6); } catch (error) { refused.push(error.name); }
            }
            clearImmediate(numbers[0]);
            clearTimeout(numbers[1]);
            setInterval(() => {}, 1e6);
            AbortSignal.timeout(1e6);
            try { setTimeout(() => {}); } catch (error) { refused.push(error.name); }
            return refused;
        }";
    assert_eq!(call(&mut loaded(source), "10000").expect("a result"), json!(vec!["RangeError"; 5]));
}
