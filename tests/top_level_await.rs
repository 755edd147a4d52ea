//! Modules that await while they are evaluated.

mod sandboxes;

use std::future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use hyperlight_js::{Error, JSSandbox, LoadedJSSandbox, ProtoJSSandbox, SandboxBuilder, Script, WallClockMonitor};
use sandboxes::call;
use serde_json::json;

fn sandbox(source: &str, register: impl FnOnce(&mut ProtoJSSandbox)) -> JSSandbox {
    let mut proto = SandboxBuilder::new().build().expect("build");
    register(&mut proto);
    let mut sandbox = proto.load_runtime().expect("load_runtime");
    sandbox.add_handler("handler", Script::from_content(source)).expect("add_handler");
    sandbox
}

fn load(source: &str) -> Result<LoadedJSSandbox, Error> {
    sandbox(source, |_| {}).get_loaded_sandbox()
}

fn message(result: Result<LoadedJSSandbox, Error>) -> (String, String, u32) {
    match result {
        Err(Error::Compile { name, message, line, .. }) => (name, message, line),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_module_awaits_host_functions_and_timers() {
    let source = "import { get } from 'host:config';
        import { table } from 'user:table';
        const [a, b] = await Promise.all([get('a'), get('b')]);
        const { promise, resolve } = Promise.withResolvers();
        setTimeout(resolve, 5, 'waited');
        const waited = await promise;
        let calls = 0;
        export async function handler() { return [a, b, table, waited, await get('c'), ++calls]; }";
    let mut sandbox = sandbox(source, |proto| {
        proto.register_async("config", "get", |key: String| async move { format!("{key}!") }).expect("register");
    });
    let module = "import { get } from 'host:config'; export const table = await get('table');";
    sandbox.add_module("table", Script::from_content(module), None).expect("add_module");
    // The second handler finds what the first has evaluated.
    let second = "import { table } from 'user:table'; function handler() { return table; }";
    sandbox.add_handler("second", Script::from_content(second)).expect("add_handler");
    let mut loaded = sandbox.get_loaded_sandbox().expect("the handlers load");
    assert_eq!(call(&mut loaded, "null").expect("a result"), json!(["a!", "b!", "table!", "waited", "c!", 1]));
    assert_eq!(loaded.handle_event("second", "null".into(), None).expect("a result"), "\"table!\"");
    let snapshot = loaded.snapshot().expect("a snapshot");
    assert_eq!(call(&mut loaded, "null").expect("a result")[5], 2);
    loaded.restore(snapshot).expect("a restore");
    assert_eq!(call(&mut loaded, "null").expect("a result")[5], 2);
}

#[test]
fn what_an_evaluation_leaves_behind_is_cancelled() {
    let source = "import { never, count } from 'host:host';
        let late = 0;
        const more = () => { late += 1; count(); };
        setTimeout(more, 1);
        setInterval(more, 1);
        setImmediate(more);
        never().then(more);
        await new Promise((resolve) => setImmediate(resolve));
        const during = late;
        export async function handler() {
            await new Promise((resolve) => setTimeout(resolve, 10));
            return [during, late];
        }";
    let counted = Arc::new(AtomicUsize::new(0));
    let sandbox = sandbox(source, |proto| {
        let counted = counted.clone();
        proto.register_async("host", "never", future::pending::<()>).expect("register");
        proto.register("host", "count", move || counted.fetch_add(1, Ordering::SeqCst)).expect("register");
    });
    let mut sandbox = sandbox.get_loaded_sandbox().expect("the handler loads");
    let counted_at_end = counted.load(Ordering::SeqCst);
    let result = call(&mut sandbox, "null").expect("a result");
    assert_eq!(result[0], result[1], "nothing has run since");
    assert_eq!(counted.load(Ordering::SeqCst), counted_at_end);
}

/// Tells when it is dropped.
struct InFlight(mpsc::Sender<&'static str>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.send("dropped").expect("the test waits");
    }
}

#[test]
fn a_host_call_in_flight_is_dropped_when_the_evaluation_ends() {
    let time = sandboxes::stretched(Duration::from_millis(20)).as_millis();
    let source = format!(
        "import {{ never }} from 'host:host';
        let settled = false;
        never().finally(() => {{ settled = true; }});
        await new Promise((resolve) => setTimeout(resolve, {time}));
        export function handler() {{ return settled; }}"
    );
    let (sender, events) = mpsc::channel();
    let sandbox = sandbox(&source, |proto| {
        let never = move || {
            let in_flight = InFlight(sender.clone());
            async move {
                in_flight.0.send("begun").expect("the test waits");
                future::pending::<()>().await;
            }
        };
        proto.register_async("host", "never", never).expect("register");
    });
    let mut sandbox = sandbox.get_loaded_sandbox().expect("the handler loads");
    assert_eq!(events.try_iter().collect::<Vec<_>>(), ["begun", "dropped"]);
    assert_eq!(call(&mut sandbox, "null").expect("a result"), false);
}

#[test]
fn an_evaluation_that_waits_for_what_can_never_come_fails_at_once() {
    let endings = [
        "await new Promise(() => {});",
        "setTimeout(() => {}, 1); await new Promise(() => {});",
        "const { promise } = Promise.withResolvers(); await promise;",
    ];
    for source in endings {
        let (_, message, _) = message(load(&format!("{source} function handler() {{}}")));
        assert!(message.contains("never be settled"), "{message}");
    }
}

#[test]
fn what_fails_after_an_await_is_an_error_of_the_module_with_its_place() {
    let sleep = "await new Promise((resolve) => setTimeout(resolve, 1));";
    let thrown = message(load(&format!("{sleep}\nfunction handler() {{}}\nthrow new RangeError('at last');")));
    assert_eq!(thrown, ("RangeError".to_string(), "at last".to_string(), 3));
    let by_a_timer = "await new Promise(() => setTimeout(() => { throw new TypeError('by a timer'); }, 1));";
    let thrown = message(load(&format!("function handler() {{}}\n{by_a_timer}")));
    assert_eq!(thrown, ("TypeError".to_string(), "by a timer".to_string(), 2));
    let thrown = message(load(&format!("export let handler = {sleep}")));
    assert_eq!((&*thrown.0, &*thrown.1), ("SyntaxError", "'handler' is not a function"));
    // The function may be what was awaited.
    let source = "export const handler = await new Promise((resolve) => setTimeout(resolve, 1, () => 'made'));";
    assert_eq!(call(&mut load(source).expect("the handler loads"), "null").expect("a result"), "made");
}

#[test]
fn an_evaluation_that_waits_for_the_host_can_be_stopped() {
    let source = "import { never } from 'host:host'; await never(); function handler() {}";
    let (began, has_begun) = mpsc::channel();
    let waits = sandbox(source, |proto| {
        let never = move || {
            began.send(()).expect("the test waits");
            future::pending::<()>()
        };
        proto.register_async("host", "never", never).expect("register");
    });
    let handle = waits.interrupt_handle();
    let killer = std::thread::spawn(move || {
        has_begun.recv().expect("the evaluation begins");
        handle.kill()
    });
    assert!(matches!(waits.get_loaded_sandbox(), Err(Error::Cancelled)));
    assert!(killer.join().expect("no panic"));

    let sleeps = sandbox("await new Promise((resolve) => setTimeout(resolve, 3600000)); function handler() {}", |_| {});
    let wall = WallClockMonitor::new(Duration::from_millis(50)).expect("a monitor");
    assert!(matches!(sleeps.get_loaded_sandbox_with_monitor(&wall), Err(Error::Cancelled)));
}

#[test]
fn rejections_that_nobody_handles_are_lines_of_the_console_when_the_evaluation_ends() {
    let lines: Arc<std::sync::Mutex<Vec<String>>> = Arc::default();
    let written = lines.clone();
    let builder = SandboxBuilder::new().with_host_print_fn(move |_, text| {
        written.lock().expect("no panic").push(text.lines().next().unwrap_or_default().to_string());
    });
    let source = "Promise.reject(new Error('lost')); await 1; function handler() {}";
    sandboxes::load(builder, source).expect("the handler loads");
    assert_eq!(*lines.lock().expect("no panic"), ["Unhandled rejection: Error: lost"]);
}
