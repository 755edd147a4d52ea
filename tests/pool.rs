//! Pools of sandboxes.

mod sandboxes;

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use hyperlight_js::{
    Error, InvalidArgument, LoadedJSSandbox, PoolFailure, SandboxBuilder, SandboxPool, WallClockMonitor,
};
use sandboxes::{load, loaded, stretched};

const COUNTER: &str = "let count = 0;
    globalThis.seen = [];
    function handler(event) {
        seen.push(event);
        count++;
        switch (event.act) {
            case 'throw': throw new Error('as told');
            case 'spin': for (;;);
            case 'hoard': for (const all = []; ; ) all.push(new Array(1000).fill(0));
            case 'pollute': Object.prototype.polluted = 1; Array.prototype.push = null; JSON.stringify = null; break;
        }
        return { count, seen: seen.length, polluted: typeof {}.polluted };
    }";
const CLEAN: &str = r#"{"count":1,"seen":1,"polluted":"undefined"}"#;

fn pool(size: usize, max_queue: usize) -> SandboxPool {
    SandboxPool::new(size, max_queue, || load(SandboxBuilder::new(), COUNTER)).expect("a pool")
}

fn request(pool: &SandboxPool, act: &str) -> Result<String, Error> {
    let limit = if act == "spin" { Duration::from_millis(20) } else { stretched(Duration::from_secs(30)) };
    let limit = WallClockMonitor::new(limit).expect("a limit");
    pool.handle_event_with_monitor("handler", format!(r#"{{"act":"{act}"}}"#), &limit, None)
}

#[test]
fn no_request_sees_what_another_has_left() {
    let pool = pool(2, 100);
    let results: Vec<_> = thread::scope(|scope| {
        let request_some = |worker: usize| {
            let pool = &pool;
            move || {
                let acts = ["", "throw", "", "pollute", "", "spin", "", "hoard"];
                (0..25)
                    .map(|i| acts[(i + worker) % acts.len()])
                    .map(|act| (act, request(pool, act)))
                    .collect::<Vec<_>>()
            }
        };
        let workers: Vec<_> = (0..4).map(|worker| scope.spawn(request_some(worker))).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect()
    });
    for (act, result) in results {
        match (act, result) {
            ("", Ok(result)) => assert_eq!(result, CLEAN),
            ("throw" | "hoard", Err(Error::Guest { .. })) | ("spin", Err(Error::Cancelled)) => {}
            // It breaks what turns its own result into text.
            ("pollute", _) => {}
            (act, result) => panic!("{act}: {result:?}"),
        }
    }
    assert_eq!(pool.size(), 2);
}

#[test]
fn requests_wait_for_a_sandbox_and_are_refused_when_too_many_do() {
    let pool = pool(1, 1);
    let (begun, has_begun) = mpsc::channel();
    let (release, is_released) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let (pool, begun) = (&pool, begun);
        scope.spawn(move || {
            pool.with_sandbox(|_| {
                begun.send(()).expect("the test waits");
                is_released.recv().expect("the test releases it");
            })
        });
        has_begun.recv().expect("it begins");
        let waiting = scope.spawn(|| request(pool, ""));
        while pool.waiting() == 0 {
            thread::yield_now();
        }
        assert_eq!((pool.size(), pool.ready()), (1, 0));
        assert!(matches!(request(pool, ""), Err(Error::PoolFull(1))));
        release.send(()).expect("it waits");
        assert_eq!(waiting.join().expect("no panic").expect("a result"), CLEAN);
    });
}

#[test]
fn a_closed_pool_refuses_requests_and_lets_those_end_that_run() {
    let pool = pool(1, 10);
    let barrier = Barrier::new(2);
    thread::scope(|scope| {
        let running = scope.spawn(|| {
            pool.with_sandbox(|sandbox| {
                barrier.wait();
                barrier.wait();
                sandbox.handle_event("handler", "{}".to_string(), None)
            })
        });
        barrier.wait();
        let waiting = scope.spawn(|| request(&pool, ""));
        while pool.waiting() == 0 {
            thread::yield_now();
        }
        pool.close();
        assert!(matches!(waiting.join().expect("no panic"), Err(Error::PoolClosed)));
        assert!(matches!(request(&pool, ""), Err(Error::PoolClosed)));
        barrier.wait();
        assert_eq!(running.join().expect("no panic").expect("it had begun").expect("a result"), CLEAN);
    });
}

#[test]
fn a_panic_in_the_use_of_a_sandbox_does_not_cost_the_pool_a_member() {
    let pool = pool(1, 10);
    thread::scope(|scope| {
        let used = scope.spawn(|| pool.with_sandbox(|_| panic!("as told")));
        assert!(used.join().is_err());
    });
    assert_eq!(request(&pool, "").expect("a result"), CLEAN);
}

#[test]
fn a_pool_that_cannot_make_a_sandbox_says_why_and_tries_again() {
    let (tell, told) = mpsc::channel::<Option<&str>>();
    let pool = SandboxPool::new(1, 10, move || match told.try_recv() {
        Ok(None) => panic!("as told"),
        Ok(Some(reason)) => Err(InvalidArgument::Refused(reason.to_string()).into()),
        Err(_) => load(SandboxBuilder::new(), COUNTER),
    })
    .expect("a pool");
    // The snapshot of the pool's sandbox does not fit into this one.
    let other = load(SandboxBuilder::new().with_guest_heap_size(32 << 20), COUNTER).expect("a sandbox");
    tell.send(Some("out of order")).expect("it listens");
    tell.send(None).expect("it listens");
    pool.with_sandbox(|sandbox| *sandbox = other).expect("a sandbox");
    while pool.size() > 0 {
        thread::yield_now();
    }
    match request(&pool, "") {
        Err(Error::PoolPrepare(PoolFailure::Panicked)) => {}
        result => panic!("{result:?}"),
    }
    assert_eq!(request(&pool, "").expect("a result"), CLEAN);
}

#[test]
fn a_pool_starts_from_a_snapshot() {
    let mut sandbox = loaded(COUNTER);
    sandbox.handle_event("handler", "{}".to_string(), None).expect("a result");
    let pool = SandboxPool::from_snapshot(2, 10, sandbox.snapshot().expect("a snapshot")).expect("a pool");
    for _ in 0..6 {
        assert_eq!(request(&pool, "").expect("a result"), r#"{"count":2,"seen":2,"polluted":"undefined"}"#);
    }
}

#[test]
fn a_pool_of_a_snapshot_has_a_console_and_a_limit_of_values_of_its_own() {
    let source = "function handler({ name }) { console.log(name, 1); console.error(name, 2); return [name]; }";
    let (sender, lines) = mpsc::channel();
    let snapshot = loaded(source).snapshot().expect("a snapshot");
    let pool = SandboxPool::from_snapshot_with(2, 10, snapshot, move |builder| {
        let sender = sender.clone();
        let print = move |_, text: &str| sender.send(text.to_string()).expect("the test listens");
        builder.with_host_print_fn(print).with_max_output_values(1)
    })
    .expect("a pool");
    for name in ["a", "b", "c"] {
        let event = format!(r#"{{"name":"{name}"}}"#);
        match pool.handle_event("handler", event, None) {
            Err(Error::TooManyValues { count: 2, limit: 1, .. }) => {}
            other => panic!("{other:?}"),
        }
        let lines: Vec<String> = lines.try_iter().collect();
        assert_eq!(lines, [format!("{name} 1"), format!("{name} 2")]);
    }
}

#[test]
fn the_sandboxes_of_a_pool_draw_different_random_numbers_each_time() {
    let source = "function handler() { return [Math.random(), crypto.randomUUID()]; }";
    let pool = SandboxPool::new(2, 10, || load(SandboxBuilder::new(), source)).expect("a pool");
    let results = (0..20).map(|_| pool.handle_event("handler", "0".to_string(), None).expect("a result"));
    assert_eq!(results.collect::<HashSet<_>>().len(), 20);
}

#[test]
fn what_prepare_fails_with_fails_the_pool_and_bad_sizes_are_refused() {
    let made = Arc::new(AtomicUsize::new(0));
    let prepare = |fails_at: usize| {
        let made = made.clone();
        move || -> Result<LoadedJSSandbox, Error> {
            let source = if made.fetch_add(1, Ordering::Relaxed) == fails_at { "no code" } else { COUNTER };
            load(SandboxBuilder::new(), source)
        }
    };
    assert!(matches!(SandboxPool::new(3, 10, prepare(1)), Err(Error::Compile { .. })));
    assert_eq!(made.load(Ordering::Relaxed), 2);
    for size in [0, 1025] {
        assert!(matches!(SandboxPool::new(size, 10, prepare(usize::MAX)), Err(Error::InvalidArgument(_))));
    }
}

/// Nobody watches how long it takes to renew a sandbox, so none of the code in it may run meanwhile.
#[test]
fn none_of_the_guests_code_runs_before_the_request_comes() {
    const WATCHED: &str = "
        let used = 0;
        const { defineProperty, getOwnPropertyDescriptor } = Object;
        function watch(object, name) {
            let { value, get } = getOwnPropertyDescriptor(object, name) ?? {};
            defineProperty(object, name, {
                get() { used++; return get ? get.call(this) : value; },
                set(other) { used++; defineProperty(this, name, { value: other, writable: true, configurable: true }); },
                configurable: true,
            });
        }
        const names = [Symbol.iterator, Symbol.species, 'toJSON', 'then', 'constructor', 'valueOf', 'toString', 'length',
            'name', 'price', 'cost', 'text', 'list', 'a', 'map', 'filter', 'reduce', 'toUpperCase', 'call', 'apply', 0, 1];
        const prototypes = [Object, Array, String, Number, Boolean, Promise].map(({ prototype }) => prototype);
        for (const prototype of [...prototypes, Promise, Object.getPrototypeOf(async () => {})]) {
            for (const name of names) {
                if (getOwnPropertyDescriptor(prototype, name)?.configurable !== false) watch(prototype, name);
            }
        }
        function handler() {
            const before = used;
            used = 0;
            return before;
        }";
    let mut sandbox = load(SandboxBuilder::new(), WATCHED).expect("a sandbox");
    let call =
        |sandbox: &mut LoadedJSSandbox| sandbox.handle_event("handler", "null".to_string(), None).expect("a count");
    let loading = call(&mut sandbox);
    assert_eq!(call(&mut sandbox), "0", "a call itself uses none of it");
    let pool = SandboxPool::new(1, 1, || load(SandboxBuilder::new(), WATCHED)).expect("a pool");
    for _ in 0..3 {
        assert_eq!(pool.with_sandbox(call).expect("a sandbox"), loading);
    }
}
