//! What the Rust API costs. `docs/benchmarks.md` says how to read it.

use std::hint::black_box;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Bencher, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use guest_abi::message::Reply;
use guest_abi::payload::Payload;
use hyperlight_js::{Error, JSSandbox, LoadedJSSandbox, SandboxBuilder, Script, Snapshot, bench};

const MIB: u64 = 1 << 20;

/// Sizes of the guest's heap: names and bytes.
const HEAPS: [(&str, u64); 4] =
    [("default", SandboxBuilder::DEFAULT_HEAP_SIZE), ("8 MB", 8 * MIB), ("64 MB", 64 * MIB), ("256 MB", 256 * MIB)];

const ECHO: &str = "function handler(event) { return event; }";
const EVENT: &str = r#"{"name":"World","list":[1,2,3]}"#;

fn sandbox(heap_size: u64) -> JSSandbox {
    let builder = SandboxBuilder::new().with_guest_heap_size(heap_size);
    builder.build().expect("build").load_runtime().expect("load_runtime")
}

fn loaded(heap_size: u64, source: &str) -> LoadedJSSandbox {
    let mut sandbox = sandbox(heap_size);
    sandbox.add_handler("handler", Script::from_content(source)).expect("add_handler");
    sandbox.get_loaded_sandbox().expect("get_loaded_sandbox")
}

fn call(sandbox: &mut LoadedJSSandbox) -> String {
    sandbox.handle_event("handler", EVENT.to_string(), None).expect("a result")
}

/// Runs a benchmark for each size of the heap.
fn for_each_heap(criterion: &mut Criterion, group: &str, name: &str, run: impl Fn(&mut Bencher<'_>, u64)) {
    let mut group = criterion.benchmark_group(group);
    for (size, bytes) in HEAPS {
        group.bench_with_input(BenchmarkId::new(name, size), &bytes, |bencher, bytes| run(bencher, *bytes));
    }
    group.finish();
}

fn floor(criterion: &mut Criterion) {
    let mut sandbox = loaded(SandboxBuilder::DEFAULT_HEAP_SIZE, ECHO);
    criterion.benchmark_group("floor").bench_function("round trip", |bencher| {
        bencher.iter(|| bench::round_trip(&mut sandbox).expect("a round trip"));
    });
}

fn sandboxes(criterion: &mut Criterion) {
    // The state of a booted guest is kept for each configuration, so each of these has one of its own.
    let mut heap_size = SandboxBuilder::DEFAULT_HEAP_SIZE;
    criterion.benchmark_group("sandboxes").sample_size(10).bench_function("boot", |bencher| {
        bencher.iter_batched(
            || {
                heap_size += 4096;
                heap_size
            },
            sandbox,
            BatchSize::PerIteration,
        );
    });
    for_each_heap(criterion, "sandboxes", "from the warm snapshot", |bencher, heap_size| {
        bencher.iter_with_large_drop(|| sandbox(heap_size));
    });
    for_each_heap(criterion, "sandboxes", "from a loaded snapshot", |bencher, heap_size| {
        let snapshot = loaded(heap_size, ECHO).snapshot().expect("a snapshot");
        bencher.iter_with_large_drop(|| {
            let proto = SandboxBuilder::from_snapshot(snapshot.clone()).build().expect("build");
            proto.load_runtime().expect("load_runtime").get_loaded_sandbox().expect("get_loaded_sandbox")
        });
    });
    for_each_heap(criterion, "sandboxes", "create", |bencher, heap_size| {
        bencher.iter_with_large_drop(|| loaded(heap_size, ECHO));
    });
    for_each_heap(criterion, "sandboxes", "create and drop", |bencher, heap_size| {
        bencher.iter(|| loaded(heap_size, ECHO));
    });
    for_each_heap(criterion, "sandboxes", "create, call once and drop", |bencher, heap_size| {
        bencher.iter(|| call(&mut loaded(heap_size, ECHO)));
    });
}

fn guest_calls(criterion: &mut Criterion) {
    for_each_heap(criterion, "guest calls", "call", |bencher, heap_size| {
        let mut sandbox = loaded(heap_size, ECHO);
        bencher.iter(|| call(&mut sandbox));
    });
    for_each_heap(criterion, "guest calls", "call without garbage collection", |bencher, heap_size| {
        let mut sandbox = loaded(heap_size, ECHO);
        bencher.iter(|| sandbox.handle_event("handler", EVENT.to_string(), Some(false)).expect("a result"));
    });
    for_each_heap(criterion, "guest calls", "call with restore", |bencher, heap_size| {
        let mut sandbox = loaded(heap_size, ECHO);
        let snapshot = sandbox.snapshot().expect("a snapshot");
        bencher.iter(|| {
            call(&mut sandbox);
            sandbox.restore(snapshot.clone()).expect("restore");
        });
    });
    for_each_heap(criterion, "guest calls", "call with host function", |bencher, heap_size| {
        let mut proto = SandboxBuilder::new().with_guest_heap_size(heap_size).build().expect("build");
        proto.register("math", "add", |a: i64, b: i64| a + b).expect("register");
        let mut sandbox = proto.load_runtime().expect("load_runtime");
        let source = "import { add } from 'host:math'; function handler() { return add(1, 41); }";
        sandbox.add_handler("handler", Script::from_content(source)).expect("add_handler");
        let mut sandbox = sandbox.get_loaded_sandbox().expect("get_loaded_sandbox");
        bencher.iter(|| call(&mut sandbox));
    });
    let mut group = criterion.benchmark_group("guest calls");
    group.bench_function("call from another thread", call_from_another_thread);
    group.sample_size(10).bench_function("interrupt latency", interrupt_latency);
    group.finish();
}

/// The first call on a thread that has not called this sandbox before.
fn call_from_another_thread(bencher: &mut Bencher<'_>) {
    let sandbox = Mutex::new(loaded(SandboxBuilder::DEFAULT_HEAP_SIZE, ECHO));
    let timed_call = || {
        let mut sandbox = sandbox.lock().expect("no panic");
        let start = Instant::now();
        black_box(call(&mut sandbox));
        start.elapsed()
    };
    bencher.iter_custom(|iterations| {
        (0..iterations)
            .map(|_| {
                timed_call();
                thread::scope(|scope| scope.spawn(timed_call).join().expect("no panic"))
            })
            .sum()
    });
}

/// From `kill()` to the end of the call that it stops.
fn interrupt_latency(bencher: &mut Bencher<'_>) {
    let mut sandbox = loaded(SandboxBuilder::DEFAULT_HEAP_SIZE, "function handler() { for (;;); }");
    let snapshot = sandbox.snapshot().expect("a snapshot");
    bencher.iter_custom(|iterations| {
        let mut total = Duration::ZERO;
        for _ in 0..iterations {
            sandbox.restore(snapshot.clone()).expect("restore");
            let (handle, barrier) = (sandbox.interrupt_handle(), Arc::new(Barrier::new(2)));
            let killer = {
                let barrier = barrier.clone();
                thread::spawn(move || {
                    barrier.wait();
                    // The guest is to be running by then.
                    thread::sleep(Duration::from_millis(10));
                    let killed = Instant::now();
                    assert!(handle.kill(), "there was no call to stop");
                    killed
                })
            };
            barrier.wait();
            let result = sandbox.handle_event("handler", "null".to_string(), None);
            let ended = Instant::now();
            assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
            total += ended.duration_since(killer.join().expect("no panic"));
        }
        total
    });
}

fn snapshots(criterion: &mut Criterion) {
    for_each_heap(criterion, "snapshots", "create", |bencher, heap_size| {
        let mut sandbox = loaded(heap_size, ECHO);
        bencher.iter_custom(|iterations| {
            let timed = |sandbox: &mut LoadedJSSandbox| {
                call(sandbox);
                let start = Instant::now();
                black_box(sandbox.snapshot().expect("a snapshot"));
                start.elapsed()
            };
            (0..iterations).map(|_| timed(&mut sandbox)).sum()
        });
    });
    for_each_heap(criterion, "snapshots", "restore", |bencher, heap_size| {
        let mut sandbox = loaded(heap_size, ECHO);
        let snapshot = sandbox.snapshot().expect("a snapshot");
        bencher.iter_custom(|iterations| {
            let timed = |sandbox: &mut LoadedJSSandbox| {
                call(sandbox);
                let start = Instant::now();
                sandbox.restore(snapshot.clone()).expect("restore");
                start.elapsed()
            };
            (0..iterations).map(|_| timed(&mut sandbox)).sum()
        });
    });
    let folder = tempfile::tempdir().expect("a temporary folder");
    let snapshot = loaded(SandboxBuilder::DEFAULT_HEAP_SIZE, ECHO).snapshot().expect("a snapshot");
    let mut group = criterion.benchmark_group("snapshots");
    group
        .bench_function("save", |bencher| bencher.iter(|| snapshot.save(folder.path().join("s"), None).expect("save")));
    group.bench_function("load", |bencher| {
        bencher.iter(|| Snapshot::load(folder.path().join("s"), None).expect("load"));
    });
    group.finish();
}

fn large_parameters(criterion: &mut Criterion) {
    const SIZE: usize = 50 << 20;
    let builder = SandboxBuilder::new().with_guest_heap_size(512 * MIB).with_guest_input_buffer_size(64 << 20);
    let mut sandbox = builder.build().expect("build").load_runtime().expect("load_runtime");
    sandbox
        .add_handler("handler", Script::from_content("function handler(text) { return text.length; }"))
        .expect("add_handler");
    let mut sandbox = sandbox.get_loaded_sandbox().expect("get_loaded_sandbox");
    let event = format!("\"{}\"", "x".repeat(SIZE));
    let mut group = criterion.benchmark_group("large parameters");
    group.throughput(Throughput::Bytes(SIZE as u64)).sample_size(10).bench_function("50 MB in", |bencher| {
        bencher.iter_batched(
            || event.clone(),
            |event| sandbox.handle_event("handler", event, None).expect("a result"),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn serialization(criterion: &mut Criterion) {
    const SIZE: usize = 10 << 20;
    let payload = || {
        let mut payload = Payload::from_json("x".repeat(SIZE));
        payload.push(&vec![1; SIZE]);
        payload
    };
    let encoded = Reply::Value(payload()).into_bytes();
    let mut group = criterion.benchmark_group("serialization");
    group.throughput(Throughput::Bytes(2 * SIZE as u64));
    group.bench_function("encode", |bencher| {
        bencher.iter_batched(payload, |payload| Reply::Value(payload).into_bytes(), BatchSize::PerIteration);
    });
    group.bench_function("decode", |bencher| {
        bencher.iter_batched(|| encoded.clone(), Reply::from_bytes, BatchSize::PerIteration);
    });
    group.finish();
}

fn sample_workloads(criterion: &mut Criterion) {
    let mut sandbox = loaded(
        SandboxBuilder::DEFAULT_HEAP_SIZE,
        "function handler(rows) { return rows.filter((row) => row.id % 2 === 0).map(({ id, name }) => ({ id, name })); }",
    );
    // 24 KB of rows, of which about 8 KB come back.
    let row = |id| format!(r#"{{"id":{id},"name":"the name of row {id}","note":"not asked for"}}"#);
    let rows: Vec<String> = (0..400).map(row).collect();
    let event = format!("[{}]", rows.join(","));
    criterion.benchmark_group("sample workloads").bench_function("24 KB in, 8 KB out", |bencher| {
        bencher.iter(|| sandbox.handle_event("handler", event.clone(), None).expect("a result"));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3)).sample_size(30);
    targets = floor, sandboxes, guest_calls, snapshots, large_parameters, serialization, sample_workloads
}
criterion_main!(benches);
