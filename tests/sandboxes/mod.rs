//! Sandboxes for the tests.
#![allow(dead_code)] // each test program uses its share

use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use hyperlight_js::{Error, LoadedJSSandbox, ProtoJSSandbox, SandboxBuilder, Script};
use serde_json::Value;

/// A sandbox with one handler, named `handler`.
pub fn loaded(source: &str) -> LoadedJSSandbox {
    load(SandboxBuilder::new(), source).expect("the handler loads")
}

/// What becomes of a handler, with these settings.
pub fn load(builder: SandboxBuilder, source: &str) -> Result<LoadedJSSandbox, Error> {
    let mut sandbox = builder.build()?.load_runtime()?;
    sandbox.add_handler("handler", Script::from_content(source))?;
    sandbox.get_loaded_sandbox()
}

/// A sandbox with one handler, named `handler`, and what is registered.
pub fn load_with(source: &str, register: impl FnOnce(&mut ProtoJSSandbox)) -> LoadedJSSandbox {
    let mut proto = SandboxBuilder::new().build().expect("build");
    register(&mut proto);
    let mut sandbox = proto.load_runtime().expect("load_runtime");
    sandbox.add_handler("handler", Script::from_content(source)).expect("add_handler");
    sandbox.get_loaded_sandbox().expect("get_loaded_sandbox")
}

/// The same, and the lines of the console, of each of them the level and the first line.
pub fn with_lines(source: &str) -> (LoadedJSSandbox, Arc<Mutex<Vec<String>>>) {
    with_lines_and(|builder| builder, source)
}

/// The same with other settings.
pub fn with_lines_and(
    set: impl FnOnce(SandboxBuilder) -> SandboxBuilder,
    source: &str,
) -> (LoadedJSSandbox, Arc<Mutex<Vec<String>>>) {
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let written = lines.clone();
    let builder = SandboxBuilder::new().with_host_print_fn(move |level, text| {
        written.lock().expect("no panic").push(format!("{level:?} {}", text.lines().next().unwrap_or_default()));
    });
    (load(set(builder), source).expect("the handler loads"), lines)
}

/// Calls the handler with an event, JSON text.
pub fn call(sandbox: &mut LoadedJSSandbox, event: &str) -> Result<Value, Error> {
    let result = sandbox.handle_event("handler", event.to_string(), None)?;
    Ok(serde_json::from_str(&result).expect("a result is JSON"))
}

/// A time in which something surely happens, or ten times that where time is stretched by emulation.
pub fn stretched(time: Duration) -> Duration {
    if std::env::var_os("TIME_IS_STRETCHED").is_some() { time * 10 } else { time }
}

/// Runs something with a sandbox, and stops the sandbox's guest should it take longer than half a minute, or ten times that where
/// time is stretched by emulation: a test of a guest that must not hang fails then, instead of hanging itself.
pub fn guarded<T>(sandbox: &mut LoadedJSSandbox, f: impl FnOnce(&mut LoadedJSSandbox) -> T) -> T {
    let limit = stretched(Duration::from_secs(30));
    let handle = sandbox.interrupt_handle();
    let (done, is_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            if is_done.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
                handle.kill();
            }
        });
        let result = f(sandbox);
        drop(done);
        result
    })
}
