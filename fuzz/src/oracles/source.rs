//! Sources of handlers and modules, whatever they are.

use std::time::{Duration, Instant};

use hyperlight_js::{Error, SandboxBuilder, SandboxStatus, Script, WallClockMonitor};

use crate::generators::source::Sources;

/// A program that does not end.
const TIMEOUT: Duration = Duration::from_millis(500);
/// All of it takes longer only if something hangs.
const HANG: Duration = Duration::from_secs(30);

/// A source is compiled and runs, or is refused with an error that lies within it; what it does ends as an ordinary error, or
/// at the limit of its time. No source brings its guest down.
pub fn sources(Sources { handler, module }: &Sources) {
    let begin = Instant::now();
    let mut proto = SandboxBuilder::new().build().expect("a sandbox");
    proto.register("h", "f", |text: String| text).expect("a host function");
    let mut sandbox = proto.load_runtime().expect("a runtime");
    sandbox.add_module("m", Script::from_content(module.as_str()), None).expect("a module");
    sandbox.add_handler("handler", Script::from_content(handler.as_str())).expect("a handler");
    let monitor = WallClockMonitor::new(TIMEOUT).expect("a limit");
    match sandbox.get_loaded_sandbox_with_monitor(&monitor) {
        Ok(mut sandbox) => {
            let result = sandbox.handle_event_with_monitor("handler", "{\"a\":[1]}".to_string(), &monitor, None);
            let status = match result {
                Ok(_)
                | Err(
                    Error::Guest { .. } | Error::PayloadTooLarge { what: "result", .. } | Error::TooManyValues { .. },
                ) => SandboxStatus::Ready,
                Err(Error::Cancelled) => SandboxStatus::Poisoned,
                Err(other) => panic!("a call: {other:?}"),
            };
            assert_eq!(sandbox.status(), status);
        }
        Err(Error::Compile { .. } | Error::Cancelled) => {}
        Err(other) => panic!("loading: {other:?}"),
    }
    assert!(begin.elapsed() < HANG, "it took {:?}", begin.elapsed());
}
