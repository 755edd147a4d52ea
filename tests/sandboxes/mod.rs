//! Sandboxes for the tests.
#![allow(dead_code)] // each test program uses its share

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hyperlight_js::{Error, LoadedJSSandbox, SandboxBuilder, Script};
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

/// Calls the handler with an event, JSON text.
pub fn call(sandbox: &mut LoadedJSSandbox, event: &str) -> Result<Value, Error> {
    let result = sandbox.handle_event("handler", event.to_string(), None)?;
    Ok(serde_json::from_str(&result).expect("a result is JSON"))
}

/// Runs something with a sandbox, and stops the sandbox's guest should it take longer than half a minute: a test of a guest
/// that must not hang fails then, instead of hanging itself.
pub fn guarded<T>(sandbox: &mut LoadedJSSandbox, f: impl FnOnce(&mut LoadedJSSandbox) -> T) -> T {
    let handle = sandbox.interrupt_handle();
    let (done, is_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            if is_done.recv_timeout(Duration::from_secs(30)) == Err(mpsc::RecvTimeoutError::Timeout) {
                handle.kill();
            }
        });
        let result = f(sandbox);
        drop(done);
        result
    })
}
