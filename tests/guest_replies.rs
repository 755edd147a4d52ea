//! What a guest promises not to say, the host does not believe: each limit that the guest keeps is checked when it does not.

#![cfg(feature = "test-guest")]

mod sandboxes;

use std::fs;
use std::sync::{Arc, Mutex};

use guest_abi::function::Fault;
use hyperlight_js::{Error, LoadedJSSandbox, SandboxBuilder, Script};
use sandboxes::{call, guarded};

/// A test guest with a host function and a module loader that note what reaches them, and the notes.
fn test_guest() -> (LoadedJSSandbox, Arc<Mutex<Vec<String>>>) {
    let notes: Arc<Mutex<Vec<String>>> = Arc::default();
    let note = |notes: &Arc<Mutex<Vec<String>>>| {
        let notes = notes.clone();
        move |text: &str| notes.lock().expect("no panic").push(text.to_string())
    };
    let printed = note(&notes);
    let builder = SandboxBuilder::new().with_test_guest().with_host_print_fn(move |_, line| printed(line));
    let mut proto = builder.build().expect("build");
    let (called, asked) = (note(&notes), note(&notes));
    let function = move |_: &_, arguments: String| {
        called(&arguments);
        Ok(None)
    };
    proto.register_raw("x", "x", function).expect("register");
    proto.set_module_loader(move |specifier, _| {
        asked(specifier);
        None
    });
    let mut sandbox = proto.load_runtime().expect("load_runtime");
    let source = "let n = 0; function handler() { return ++n; }";
    sandbox.add_handler("handler", Script::from_content(source)).expect("add_handler");
    (sandbox.get_loaded_sandbox().expect("loaded"), notes)
}

/// Checks that what a fault leads to is an abort that says this, that nobody got what the guest said, and that a restore
/// mends it.
fn is_refused(fault: Fault, commit: impl Fn(&mut LoadedJSSandbox) -> Option<Error>, what: &str) {
    let (mut sandbox, notes) = test_guest();
    let snapshot = sandbox.snapshot().expect("a snapshot");
    let error = guarded(&mut sandbox, commit).unwrap_or_else(|| panic!("{fault:?} is not refused"));
    assert!(matches!(&error, Error::GuestAbort(message) if message.contains(what)), "{fault:?}: {error:?}");
    assert!(error.to_string().len() < 2048, "{fault:?}");
    assert!(sandbox.poisoned());
    assert!(notes.lock().expect("no panic").is_empty(), "{fault:?}");
    sandbox.restore(snapshot).expect("a restore");
    assert_eq!(call(&mut sandbox, "0").expect("a result"), 1);
}

#[test]
fn calls_of_the_host_that_break_a_limit_end_the_guest_s_call() {
    for (fault, what) in [
        (Fault::LongConsoleLine, "a line of the console of 16385 bytes"),
        (Fault::LargeArguments, "the arguments of a host function of 1048577 bytes"),
        (Fault::MalformedArguments, "malformed arguments"),
        (Fault::LongFunctionName, "the name of a host function of 257 bytes"),
        (Fault::LongModuleName, "the name of a module of 257 bytes"),
        (Fault::LongSpecifier, "a specifier of 16385 bytes"),
        (Fault::LongImporter, "the name of a module of 16385 bytes"),
        (Fault::LongGuestError, "xxx"),
    ] {
        is_refused(fault, |sandbox| sandbox.commit_fault(fault).err(), what);
    }
}

#[test]
fn replies_that_break_a_limit_abort() {
    for (fault, what) in [
        (Fault::LargeResult, "a result of 1048577 bytes"),
        (Fault::LongErrorName, "an error's name of 16385 bytes"),
        (Fault::LongErrorMessage, "an error's message of 16385 bytes"),
        (Fault::LongErrorStack, "an error's stack of 16385 bytes"),
        (Fault::LongPlace, "the name of a source of 16385 bytes"),
        (Fault::LongEventError, "an error's message of 16385 bytes"),
        (Fault::NotTooLarge, "over the limit"),
        (Fault::MalformedReply, "a malformed reply"),
        (Fault::RefuseCall, "it answered an event with something else"),
    ] {
        let commit = |sandbox: &mut LoadedJSSandbox| {
            assert_eq!(sandbox.commit_fault(fault).expect("it lives on"), 1);
            call(sandbox, "0").err()
        };
        is_refused(fault, commit, what);
    }
}

#[test]
fn a_guest_has_no_way_to_have_the_host_s_library_read_what_it_asks_for() {
    let (mut sandbox, notes) = test_guest();
    let snapshot = sandbox.snapshot().expect("a snapshot");
    let Err(Error::GuestAbort(what)) = sandbox.commit_fault(Fault::NotifyHost) else { panic!("it aborts") };
    assert!(what.contains("the gate has no operation 1"), "{what}");
    assert!(notes.lock().expect("no panic").is_empty());
    sandbox.restore(snapshot).expect("a restore");
    assert_eq!(call(&mut sandbox, "0").expect("a result"), 1);

    // A snapshot lists the functions of its sandbox.
    let folder = tempfile::tempdir().expect("a temporary folder");
    sandbox.snapshot().expect("a snapshot").save(folder.path(), None).expect("save");
    let blobs = fs::read_dir(folder.path().join("blobs").join("sha256")).expect("blobs");
    let config = blobs
        .filter_map(|blob| serde_json::from_slice(&fs::read(blob.expect("a blob").path()).expect("read")).ok())
        .find(|blob: &serde_json::Value| blob["host_functions"].is_array())
        .expect("a configuration");
    let functions = config["host_functions"].as_array().expect("a list");
    let mut names: Vec<&str> =
        functions.iter().map(|function| function["function_name"].as_str().expect("a name")).collect();
    names.sort_unstable();
    // hyperlight-host brings its own; ours is in its place and does nothing.
    assert_eq!(names, ["HostPrint"]);
}

#[test]
fn a_specifier_that_is_too_long_is_an_error_in_the_guest_and_does_not_reach_the_host() {
    let mut proto = SandboxBuilder::new().build().expect("build");
    proto.set_module_loader(|specifier, _| {
        assert!(specifier.len() <= 16 << 10);
        Some(Script::from_content(format!("export default {};", specifier.len())))
    });
    let mut sandbox = proto.load_runtime().expect("load_runtime");
    let source = "function handler(size) {
        return import('x'.repeat(size)).then((module) => module.default, (error) => error.name);
    }";
    sandbox.add_handler("handler", Script::from_content(source)).expect("add_handler");
    let mut sandbox = sandbox.get_loaded_sandbox().expect("loaded");
    assert_eq!(call(&mut sandbox, "16384").expect("a result"), 16384);
    assert_eq!(call(&mut sandbox, "16385").expect("a result"), "ReferenceError");
}
