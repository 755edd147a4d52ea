//! Metrics and spans: what a program that watches its sandboxes gets to know.

mod sandboxes;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyperlight_js::metrics::{
    CALL_DURATION, CALL_HEAP_PEAK, HANDLER_CALL_DURATION, HOST_CALLS, LOADS, MONITOR_TERMINATIONS, POOL_READY,
    POOL_WAIT, POOL_WAITING, RESTORES, SANDBOXES, SANDBOXES_ACTIVE, UNLOADS,
};
use hyperlight_js::{Error, JSSandbox, SandboxBuilder, SandboxPool, Script, Snapshot, WallClockMonitor};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use sandboxes::{call, load, loaded};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

const SPIN: &str = "function handler(spin) { for (; spin;); return 'secret'; }";

/// A limit that is reached soon.
fn soon() -> WallClockMonitor {
    WallClockMonitor::new(Duration::from_millis(30)).expect("a limit")
}

/// A limit that is not reached.
fn late() -> WallClockMonitor {
    WallClockMonitor::new(Duration::from_secs(60)).expect("a limit")
}

fn with_handler(source: &str) -> JSSandbox {
    let mut sandbox = SandboxBuilder::new().build().expect("build").load_runtime().expect("load_runtime");
    sandbox.add_handler("handler", Script::from_content(source)).expect("add_handler");
    sandbox
}

/// The metrics that something leads to: counters and gauges have their value, histograms the number of their samples.
struct Metrics {
    recorder: DebuggingRecorder,
    counted: BTreeMap<String, f64>,
}

impl Metrics {
    fn new() -> Self {
        Self { recorder: DebuggingRecorder::new(), counted: BTreeMap::new() }
    }

    fn of<T>(&mut self, f: impl FnOnce() -> T) -> T {
        let result = metrics::with_local_recorder(&self.recorder, f);
        for (key, _, description, value) in self.recorder.snapshotter().snapshot().into_vec() {
            let is_own = key.key().name().starts_with("hyperlight_js_");
            assert!(!is_own || description.is_some(), "{key:?} is not described");
            let labels: Vec<_> = key.key().labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
            let name = format!("{}{{{}}}", key.key().name(), labels.join(","));
            // The recorder forgets what it has given, gauges included.
            *self.counted.entry(name).or_default() += match value {
                DebugValue::Counter(count) => count as f64,
                DebugValue::Gauge(value) => value.into_inner(),
                DebugValue::Histogram(samples) => samples.len() as f64,
            };
        }
        result
    }

    /// A metric's value; 0 if there is none.
    fn get(&self, name: &str, labels: &str) -> f64 {
        self.counted.get(&format!("{name}{{{labels}}}")).copied().unwrap_or_default()
    }

    /// Active sandboxes of each kind, and how many there have been.
    fn sandboxes(&self, name: &str) -> [f64; 3] {
        ["proto", "js", "loaded"].map(|kind| self.get(name, &format!("kind={kind}")))
    }

    #[cfg(feature = "function_call_metrics")]
    fn calls(&self, handler: &str, outcome: &str) -> f64 {
        self.get(HANDLER_CALL_DURATION, &format!("handler={handler},outcome={outcome}"))
    }
}

#[test]
fn a_sandbox_counts_as_what_it_is_and_no_more_as_what_it_was() {
    let mut metrics = Metrics::new();
    let proto = metrics.of(|| SandboxBuilder::new().build().expect("build"));
    assert_eq!(metrics.sandboxes(SANDBOXES_ACTIVE), [1.0, 0.0, 0.0]);
    let mut js = metrics.of(|| proto.load_runtime().expect("load_runtime"));
    assert_eq!(metrics.sandboxes(SANDBOXES_ACTIVE), [0.0, 1.0, 0.0]);
    js.add_handler("handler", Script::from_content(SPIN)).expect("add_handler");
    let loaded = metrics.of(|| js.get_loaded_sandbox().expect("get_loaded_sandbox"));
    assert_eq!(metrics.sandboxes(SANDBOXES_ACTIVE), [0.0, 0.0, 1.0]);
    assert_eq!((metrics.get(LOADS, ""), metrics.get(UNLOADS, "")), (1.0, 0.0));
    let js = metrics.of(|| loaded.unload().expect("unload"));
    assert_eq!(metrics.sandboxes(SANDBOXES_ACTIVE), [0.0, 1.0, 0.0]);
    assert_eq!((metrics.get(LOADS, ""), metrics.get(UNLOADS, "")), (1.0, 1.0));
    metrics.of(|| drop(js));
    assert_eq!(metrics.sandboxes(SANDBOXES_ACTIVE), [0.0, 0.0, 0.0]);
    assert_eq!(metrics.sandboxes(SANDBOXES), [1.0, 2.0, 1.0]);
}

#[test]
fn a_sandbox_that_is_older_than_the_recorder_is_never_taken_off_the_active_ones() {
    let older = loaded(SPIN);
    let mut metrics = Metrics::new();
    metrics.of(|| drop(older));
    assert_eq!(metrics.sandboxes(SANDBOXES_ACTIVE), [0.0, 0.0, 0.0]);
    // The other way round, the end is counted though it comes on a thread that knows nothing of the recorder.
    let newer = metrics.of(|| loaded(SPIN));
    assert_eq!(metrics.sandboxes(SANDBOXES_ACTIVE), [0.0, 0.0, 1.0]);
    std::thread::spawn(move || drop(newer)).join().expect("no panic");
    metrics.of(|| ());
    assert_eq!(metrics.sandboxes(SANDBOXES_ACTIVE), [0.0, 0.0, 0.0]);
}

#[test]
fn what_fails_to_load_is_no_load_and_leaves_nothing_active() {
    let mut metrics = Metrics::new();
    metrics.of(|| {
        let refused = load(SandboxBuilder::new(), "function handler() { return 1 +; }").map(drop);
        assert!(matches!(refused, Err(Error::Compile { .. })), "{refused:?}");
        let refused = SandboxBuilder::new().with_guest_heap_size(1).build().map(drop);
        assert!(matches!(refused, Err(Error::InvalidArgument(_))), "{refused:?}");
    });
    assert_eq!(metrics.sandboxes(SANDBOXES_ACTIVE), [0.0, 0.0, 0.0]);
    assert_eq!(metrics.sandboxes(SANDBOXES), [1.0, 1.0, 0.0]);
    assert_eq!(metrics.get(LOADS, ""), 0.0);
}

#[test]
fn a_monitor_counts_when_it_has_stopped_guest_code_and_only_then() {
    let mut metrics = Metrics::new();
    let terminations = |metrics: &Metrics| metrics.get(MONITOR_TERMINATIONS, "monitor=wall-clock");
    metrics.of(|| {
        let mut sandbox = loaded(SPIN);
        sandbox.handle_event_with_monitor("handler", "false".into(), &late(), None).expect("a result");
    });
    assert_eq!(terminations(&metrics), 0.0);
    metrics.of(|| {
        let mut sandbox = loaded(SPIN);
        for error in ["cancelled", "poisoned"] {
            let result = sandbox.handle_event_with_monitor("handler", "true".into(), &soon(), None);
            assert!(matches!(result, Err(Error::Cancelled | Error::Poisoned)), "{error}: {result:?}");
        }
    });
    assert_eq!(terminations(&metrics), 1.0);
    metrics.of(|| {
        with_handler("function handler() {} for (;;);")
            .get_loaded_sandbox_with_monitor(&soon())
            .expect_err("it never ends")
    });
    assert_eq!(terminations(&metrics), 2.0);
    assert_eq!(metrics.sandboxes(SANDBOXES_ACTIVE), [0.0, 0.0, 0.0]);
}

#[test]
fn calls_restores_and_host_calls_are_counted() {
    let mut metrics = Metrics::new();
    let sandbox = metrics.of(|| {
        let mut proto = SandboxBuilder::new().build().expect("build");
        proto.register("m", "one", || 1).expect("register");
        let mut js = proto.load_runtime().expect("load_runtime");
        let source = "import { one } from 'host:m'; function handler() { return one() + one(); }";
        js.add_handler("handler", Script::from_content(source)).expect("add_handler");
        let mut sandbox = js.get_loaded_sandbox().expect("get_loaded_sandbox");
        let clean = sandbox.snapshot().expect("snapshot");
        sandbox.handle_event("handler", "0".to_string(), None).expect("a result");
        sandbox.handle_event("nobody", "0".to_string(), None).expect_err("there is none");
        sandbox.restore(clean).expect("restore");
        sandbox
    });
    let calls = |outcome: &str| metrics.get(CALL_DURATION, &format!("outcome={outcome}"));
    assert_eq!((calls("ok"), calls("handler_not_found")), (1.0, 1.0));
    assert_eq!((metrics.get(HOST_CALLS, ""), metrics.get(RESTORES, "")), (2.0, 1.0));
    assert!(metrics.get(CALL_HEAP_PEAK, "") >= 1.0);
    drop(sandbox);
}

#[test]
fn a_pool_counts_as_long_as_there_is_one() {
    let mut metrics = Metrics::new();
    let pool = metrics.of(|| {
        let prepare = || load(SandboxBuilder::new(), "function handler() { return 1; }");
        SandboxPool::new(2, 1, prepare).expect("a pool")
    });
    assert_eq!(metrics.get(POOL_READY, ""), 2.0);
    metrics.of(|| {
        pool.with_sandbox(|_| {
            assert_eq!(pool.ready(), 1);
        })
        .expect("a sandbox");
    });
    while pool.ready() < 2 {
        std::thread::yield_now();
    }
    metrics.of(|| ());
    assert_eq!((metrics.get(POOL_READY, ""), metrics.get(POOL_WAITING, "")), (2.0, 0.0));
    assert_eq!(metrics.get(POOL_WAIT, ""), 1.0);
    metrics.of(|| drop(pool));
    assert_eq!(metrics.get(POOL_READY, ""), 0.0);
}

#[test]
#[cfg(feature = "function_call_metrics")]
fn calls_are_timed_by_handler_and_outcome() {
    let mut metrics = Metrics::new();
    metrics.of(|| {
        let mut sandbox = loaded("function handler(event) { if (event === 1) throw 1; for (; event === 2;); }");
        for (name, event) in [("handler", "0"), ("handler", "0"), ("handler", "1"), ("handler", "{"), ("nobody", "0")] {
            let _ = sandbox.handle_event(name, event.to_string(), None);
        }
        for result in ["cancelled", "poisoned"] {
            sandbox.handle_event_with_monitor("handler", "2".into(), &soon(), None).expect_err(result);
        }
    });
    assert_eq!(metrics.calls("handler", "ok"), 2.0);
    for (handler, outcome) in [
        ("handler", "guest_error"),
        ("handler", "invalid_event"),
        ("handler", "cancelled"),
        ("", "handler_not_found"),
        ("", "poisoned"),
    ] {
        assert_eq!(metrics.calls(handler, outcome), 1.0, "{outcome}: {:?}", metrics.counted);
    }
    assert!(!format!("{:?}", metrics.counted).contains("nobody"), "callers cannot make up labels");
}

#[test]
#[cfg(not(feature = "function_call_metrics"))]
fn calls_are_not_timed_unless_the_feature_is_on() {
    let mut metrics = Metrics::new();
    metrics.of(|| call(&mut loaded(SPIN), "false").expect("a result"));
    assert!(!metrics.counted.keys().any(|name| name.starts_with(HANDLER_CALL_DURATION)), "{:?}", metrics.counted);
}

/// Spans that have ended: level, name and fields.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<String>>>);

#[derive(Default)]
struct Fields(Vec<String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.push(format!("{field}={value:?}"));
    }
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        context.span(id).expect("the span").extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).expect("the span");
        values.record(span.extensions_mut().get_mut::<Fields>().expect("its fields"));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).expect("the span");
        if span.metadata().target().starts_with("hyperlight_js::") {
            let fields = span.extensions().get::<Fields>().expect("its fields").0.join(" ");
            let text = format!("{} {} {fields}", span.metadata().level(), span.name());
            self.0.lock().expect("not poisoned").push(text.trim_end().to_string());
        }
    }
}

fn spans_of(f: impl FnOnce()) -> Vec<String> {
    let spans = Spans::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(spans.clone()), f);
    let spans = spans.0.lock().expect("not poisoned");
    spans.clone()
}

#[test]
fn each_operation_has_a_span() {
    let folder = tempfile::tempdir().expect("a folder");
    let spans = spans_of(|| {
        let mut sandbox = loaded(SPIN);
        call(&mut sandbox, "false").expect("a result");
        let snapshot = sandbox.snapshot().expect("a snapshot");
        let digest = snapshot.save(folder.path().join("snapshot"), None).expect("saved");
        Snapshot::load(folder.path().join("snapshot"), digest.as_str()).expect("loaded");
        sandbox.restore(snapshot).expect("restored");
        sandbox.handle_event_with_monitor("handler", "false".into(), &late(), Some(false)).expect("a result");
        sandbox.unload().expect("unloaded");
        with_handler(SPIN).get_loaded_sandbox_with_monitor(&late()).expect("loaded");
    });
    assert_eq!(
        spans,
        [
            "DEBUG build",
            "DEBUG load_runtime",
            "INFO get_loaded_sandbox handlers=1 modules=0",
            r#"INFO handle_event handler="handler" event.size=5 gc=true result.size=8"#,
            "DEBUG snapshot",
            "DEBUG snapshot.save",
            "DEBUG snapshot.load",
            "DEBUG restore",
            r#"INFO handle_event handler="handler" event.size=5 gc=false result.size=8"#,
            "DEBUG unload",
            "DEBUG build",
            "DEBUG load_runtime",
            "INFO get_loaded_sandbox handlers=1 modules=0",
        ]
    );
}

#[test]
fn the_span_of_what_failed_says_so_with_the_kind_of_error_and_nothing_of_the_guests() {
    let spans = spans_of(|| {
        let mut sandbox = loaded("function handler(event) { if (event) for (;;); throw new Error('secret'); }");
        call(&mut sandbox, "0").expect_err("thrown");
        sandbox.handle_event("n".repeat(1000), "0".into(), None).expect_err("the name is too long");
        sandbox.handle_event_with_monitor("handler", "1".into(), &soon(), None).expect_err("stopped");
        call(&mut sandbox, "0").expect_err("poisoned");
        sandbox.snapshot().expect_err("poisoned");
        with_handler("function handler() {} for (;;);").get_loaded_sandbox_with_monitor(&soon()).expect_err("stopped");
        Snapshot::load("nowhere", None).expect_err("there is none");
    });
    let failed = |kind: &str| format!(r#"otel.status_code="ERROR" error.type="{kind}""#);
    let called = |name: &str| format!(r#"INFO handle_event handler="{name}" event.size=1 gc=true"#);
    let failures: Vec<_> = spans.into_iter().filter(|span| span.contains("otel.status_code")).collect();
    assert_eq!(
        failures,
        [
            format!("{} {}", called("handler"), failed("guest_error")),
            format!("{} {}", called(&"n".repeat(256)), failed("invalid_argument")),
            format!(r#"{} monitor="wall-clock" {}"#, called("handler"), failed("cancelled")),
            format!("{} {}", called("handler"), failed("poisoned")),
            format!("DEBUG snapshot {}", failed("poisoned")),
            format!(r#"INFO get_loaded_sandbox handlers=1 modules=0 monitor="wall-clock" {}"#, failed("cancelled")),
            format!("DEBUG snapshot.load {}", failed("snapshot_folder")),
        ]
    );
}

#[test]
fn a_kill_has_a_span_if_there_was_a_call_to_stop() {
    let spans = Spans::default();
    let subscriber = tracing_subscriber::registry().with(spans.clone());
    let mut sandbox = loaded(SPIN);
    let handle = sandbox.interrupt_handle();
    assert!(spans_of(|| assert!(!handle.kill())).is_empty(), "nothing runs yet");
    let killer = std::thread::spawn(move || {
        tracing::subscriber::with_default(subscriber, || {
            while !handle.kill() {
                std::thread::yield_now();
            }
        });
    });
    while !killer.is_finished() {
        let _ = sandbox.handle_event("handler", "true".to_string(), None);
    }
    killer.join().expect("no panic");
    assert_eq!(*spans.0.lock().expect("not poisoned"), ["DEBUG kill"]);
}

#[test]
fn a_span_of_the_callers_is_left_alone_also_where_ours_are_not_asked_for() {
    let spans = Spans::default();
    let only_own = filter_fn(|metadata| metadata.name() == "own");
    tracing::subscriber::with_default(tracing_subscriber::registry().with(spans.clone()).with(only_own), || {
        let own = tracing::info_span!(
            target: "hyperlight_js::own",
            "own",
            "otel.status_code" = tracing::field::Empty,
            monitor = tracing::field::Empty
        );
        own.in_scope(|| {
            with_handler("function handler() {} for (;;);")
                .get_loaded_sandbox_with_monitor(&soon())
                .expect_err("stopped")
        });
    });
    assert_eq!(*spans.0.lock().expect("not poisoned"), ["INFO own"]);
}
