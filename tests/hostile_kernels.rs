//! A guest that has taken over its own kernel can leave the virtual machine in any way there is. What it leaves there must not
//! reach the state that is restored next, which may be somebody else's.

#![cfg(target_os = "linux")]

mod hostile;
mod sandboxes;

/// The code, and what only one architecture has.
#[cfg_attr(target_arch = "aarch64", path = "hostile_kernels/aarch64.rs")]
#[cfg_attr(target_arch = "x86_64", path = "hostile_kernels/x86_64.rs")]
mod code;

use std::process::{Command, Stdio};

use hostile::{Places, with_kernel};
use hyperlight_js::{Error, LoadedJSSandbox};
use sandboxes::{call, guarded, loaded};

const COUNTER: &str = "let n = 0; function handler() { return ++n; }";

/// Ports of hyperlight-host: one for characters, one for the end of an entry, and one that there is not.
const DEBUG_PORT: u16 = 103;
const HALT_PORT: u16 = 108;
const NO_PORT: u16 = 0x123;

/// Restores a guest with such a kernel and calls it, then a clean state; again, since the first may have harmed the VM.
fn leaves_nothing(code: impl Fn(&Places) -> Vec<u8>) {
    ends_and_leaves_nothing(
        |sandbox| guarded(sandbox, |sandbox| call(sandbox, "0").map(drop)),
        |error| matches!(error, Error::GuestAbort(_)),
        code,
    );
}

/// The same for a kernel with which a call ends otherwise.
fn ends_and_leaves_nothing(
    call_hostile: impl Fn(&mut LoadedJSSandbox) -> Result<(), Error>,
    is_expected: impl Fn(&Error) -> bool,
    code: impl Fn(&Places) -> Vec<u8>,
) {
    let mut sandbox = loaded(COUNTER);
    assert_eq!(call(&mut sandbox, "0").expect("a result"), 1);
    let clean = sandbox.snapshot().expect("a snapshot");
    let hostile = with_kernel(&mut sandbox, &code);
    for round in 0..2 {
        sandbox.restore(hostile.clone()).expect("a restore");
        let error = call_hostile(&mut sandbox).expect_err("it does not answer");
        assert!(is_expected(&error), "{error:?}");
        assert!(sandbox.poisoned());
        sandbox.restore(clean.clone()).expect("a restore");
        for count in 2..4 {
            let result = guarded(&mut sandbox, |sandbox| call(sandbox, "0"));
            assert_eq!(result.expect("a result"), count, "round {round}");
        }
    }
}

/// The instructions, some way into the code that is entered: there the clean state has code that must not be affected.
fn behind(distance: usize, instructions: &[&[u8]]) -> Vec<u8> {
    [code::nothing(distance), instructions.concat(), code::endless_loop()].concat()
}

#[test]
fn a_port_that_is_being_read() {
    for distance in [0, 0x30] {
        leaves_nothing(|_| behind(distance, &[&code::read_port(0x80)]));
    }
}

#[test]
fn memory_that_there_is_not_being_read() {
    for distance in [0x30, 0x100] {
        leaves_nothing(|places| behind(distance, &[&code::read_memory(places.no_memory)]));
    }
}

#[test]
fn memory_that_there_is_not_being_written() {
    leaves_nothing(|places| behind(0x30, &[&code::write_memory(places.no_memory)]));
}

#[test]
fn a_port_that_there_is_not_being_written() {
    leaves_nothing(|_| behind(0x30, &[&code::write_port(NO_PORT, 0)]));
}

#[test]
fn something_that_is_no_character_for_the_debug_port() {
    leaves_nothing(|_| behind(0, &[&code::write_port(DEBUG_PORT, 0xd800)]));
}

#[test]
fn an_answer_that_never_came() {
    leaves_nothing(|_| behind(0, &[&code::write_port(HALT_PORT, 0)]));
}

#[test]
fn a_character_for_the_debug_port_where_standard_error_takes_none() {
    // It needs a process whose standard error fails.
    let this = std::env::current_exe().expect("this program");
    let arguments = ["--exact", "a_character_for_the_debug_port", "--ignored", "--nocapture"];
    let mut child = Command::new(this)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stderr.take());
    drop(child.stdin.take()); // it waits for this
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{output:?}");
}

#[test]
#[ignore = "another test runs it in a process of its own"]
fn a_character_for_the_debug_port() {
    std::io::stdin().read_line(&mut String::new()).expect("the end of the input");
    leaves_nothing(|_| behind(0, &[&code::write_port(DEBUG_PORT, u32::from(b'A'))]));
}
