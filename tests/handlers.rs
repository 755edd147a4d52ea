//! Handlers: what they are given, what they give back, and what lives between calls.

use hyperlight_js::{Error, LoadedJSSandbox, SandboxBuilder, Script};

fn loaded(source: &str) -> LoadedJSSandbox {
    let mut sandbox = SandboxBuilder::new().build().expect("build").load_runtime().expect("load_runtime");
    sandbox.add_handler("handler", Script::from_content(source)).expect("add_handler");
    sandbox.get_loaded_sandbox().expect("get_loaded_sandbox")
}

fn call(sandbox: &mut LoadedJSSandbox, event: &str) -> String {
    sandbox.handle_event("handler", event.to_string(), None).expect("handle_event")
}

#[test]
fn an_event_goes_in_and_a_result_comes_out() {
    let mut sandbox = loaded("function handler(event) { event.message = 'Hello, ' + event.name + '!'; return event; }");
    assert_eq!(call(&mut sandbox, r#"{"name":"World"}"#), r#"{"name":"World","message":"Hello, World!"}"#);
}
