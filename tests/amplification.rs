//! A message of a hostile guest never makes the host take memory out of proportion to it.

#![cfg(all(feature = "test-guest", target_os = "linux"))]

extern crate alloc;

#[path = "../guest/runtime/src/amplified.rs"]
mod amplified;
mod sandboxes;

use std::process::Command;

use guest_abi::function::Fault;
use hyperlight_common::flatbuffer_wrappers::function_call::FunctionCall;
use hyperlight_common::flatbuffer_wrappers::function_types::ParameterValue;
use hyperlight_common::virtq::Segments;
use hyperlight_js::{Error, SandboxBuilder, Script};
use sandboxes::{call, guarded};

/// What the host's peak may grow by: eight times the message, of 2 MB, which a guest has made and put into the shared buffers by
/// then: its memory is the process's too. Decoded the message takes 2 GB.
const GROWTH_MAX: usize = 16 << 20;

#[test]
fn decoded_the_message_is_as_many_strings_as_it_has_arguments() {
    let message = amplified::message(1, 1, 1060, 100);
    let call = FunctionCall::decode(&message[amplified::HEADER_SIZE..], &mut Segments::default()).expect("a call");
    let arguments = call.parameters.expect("arguments");
    assert_eq!(arguments.len(), 1060);
    let is_the_string =
        |argument: &ParameterValue| matches!(argument, ParameterValue::String(text) if text.len() == 100);
    assert!(arguments.iter().all(is_the_string));
}

#[test]
fn a_large_string_that_a_message_names_a_thousand_times_is_never_decoded() {
    // The peak is that of a process.
    let this = std::env::current_exe().expect("this program");
    let arguments = ["--exact", "the_message_is_sent", "--ignored", "--nocapture"];
    let output = Command::new(this).args(arguments).output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
}

#[test]
#[ignore = "another test runs it in a process of its own"]
fn the_message_is_sent() {
    let mut proto = SandboxBuilder::new().with_test_guest().build().expect("build");
    proto.host_module("m").register("f", |number: i32| number).expect("register");
    let mut sandbox = proto.load_runtime().expect("load_runtime");
    let source = "let n = 0; function handler() { return ++n; }";
    sandbox.add_handler("handler", Script::from_content(source)).expect("add_handler");
    let mut sandbox = sandbox.get_loaded_sandbox().expect("loaded");
    let snapshot = sandbox.snapshot().expect("a snapshot");
    for (fault, what) in [
        // In the queue, with the host asked to look there in the midst of the entry.
        (Fault::AmplifyAndNotify, "the gate has no operation 1"),
        // In the queue when the entry ends, in place of the reply: as a request, and as what it is not.
        (Fault::AmplifyAndHalt, ""),
        (Fault::AmplifyReply, ""),
    ] {
        let before = peak();
        let error = guarded(&mut sandbox, |sandbox| sandbox.commit_fault(fault)).expect_err("it is no reply");
        assert!(matches!(&error, Error::GuestAbort(message) if message.contains(what)), "{fault:?}: {error:?}");
        let growth = peak() - before;
        println!("{fault:?}: the peak grew by {growth} bytes; {error}");
        assert!(growth <= GROWTH_MAX, "{fault:?}: the peak grew by {growth} bytes");
        sandbox.restore(snapshot.clone()).expect("a restore");
        assert_eq!(call(&mut sandbox, "0").expect("a result"), 1);
    }
}

/// The most memory that this process has had, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("the status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak");
    let kibibytes: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kibibytes << 10
}
