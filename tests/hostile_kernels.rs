//! A guest that has taken over its own kernel can leave the virtual machine in any way there is. What it leaves there must not
//! reach the state that is restored next, which may be somebody else's.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod hostile;
mod sandboxes;

use std::process::{Command, Stdio};

use hostile::{Places, with_kernel};
use hyperlight_js::Error;
use sandboxes::{call, guarded, loaded};

const COUNTER: &str = "let n = 0; function handler() { return ++n; }";
const NOP: u8 = 0x90;
const LOOP: [u8; 2] = [0xeb, 0xfe];

/// Restores a guest with such a kernel and calls it, then a clean state; again, since the first may have harmed the VM.
fn leaves_nothing(code: impl Fn(&Places) -> Vec<u8>) {
    let mut sandbox = loaded(COUNTER);
    assert_eq!(call(&mut sandbox, "0").expect("a result"), 1);
    let clean = sandbox.snapshot().expect("a snapshot");
    let hostile = with_kernel(&mut sandbox, &code);
    for round in 0..2 {
        sandbox.restore(hostile.clone()).expect("a restore");
        let error = guarded(&mut sandbox, |sandbox| call(sandbox, "0")).expect_err("it does not answer");
        assert!(matches!(error, Error::GuestAbort(_)), "{error:?}");
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
    [vec![NOP; distance], instructions.concat(), LOOP.to_vec()].concat()
}

/// `mov rbx, ADDRESS`
fn load_rbx(address: u64) -> Vec<u8> {
    [&[0x48, 0xbb][..], &address.to_le_bytes()].concat()
}

#[test]
fn a_port_that_is_being_read() {
    // in eax, 0x80
    for distance in [0, 0x30] {
        leaves_nothing(|_| behind(distance, &[&[0xe5, 0x80]]));
    }
}

#[test]
fn a_port_that_is_being_read_into_memory() {
    // mov edx, 0x80; lea rdi, [rsp - 64]; mov ecx, 1; rep insd
    let code: [&[u8]; 4] =
        [&[0xba, 0x80, 0, 0, 0], &[0x48, 0x8d, 0x7c, 0x24, 0xc0], &[0xb9, 1, 0, 0, 0], &[0xf3, 0x6d]];
    leaves_nothing(|_| behind(0x30, &code));
}

#[test]
fn memory_that_there_is_not_being_read() {
    for distance in [0x30, 0x100] {
        // mov rax, [rbx]
        leaves_nothing(|places| behind(distance, &[&load_rbx(places.no_memory), &[0x48, 0x8b, 0x03]]));
    }
}

#[test]
fn memory_that_there_is_not_being_written() {
    // mov [rbx], rax
    leaves_nothing(|places| behind(0x30, &[&load_rbx(places.no_memory), &[0x48, 0x89, 0x03]]));
    // mov rdi, rbx; mov ecx, 100; rep stosq
    let fill: &[u8] = &[0x48, 0x89, 0xdf, 0xb9, 100, 0, 0, 0, 0xf3, 0x48, 0xab];
    leaves_nothing(|places| behind(0x30, &[&load_rbx(places.no_memory), fill]));
}

#[test]
fn a_port_that_there_is_not_being_written() {
    // mov edx, 0x1234; out dx, eax
    leaves_nothing(|_| behind(0x30, &[&[0xba, 0x34, 0x12, 0, 0], &[0xef]]));
    // mov ecx, 100; lea rsi, [rsp - 64]; rep outsd
    let many: &[u8] = &[0xb9, 100, 0, 0, 0, 0x48, 0x8d, 0x74, 0x24, 0xc0, 0xf3, 0x6f];
    leaves_nothing(|_| behind(0x30, &[&[0xba, 0x34, 0x12, 0, 0], many]));
}

#[test]
fn something_that_is_no_character_for_the_debug_port() {
    // mov eax, 0xd800; out 103, eax
    leaves_nothing(|_| behind(0, &[&[0xb8, 0, 0xd8, 0, 0], &[0xe7, 103]]));
}

#[test]
fn an_answer_that_never_came() {
    // out 108, eax
    leaves_nothing(|_| behind(0, &[&[0xe7, 108]]));
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
    // mov al, 'A'; out 103, al
    leaves_nothing(|_| behind(0, &[&[0xb0, b'A'], &[0xe6, 103]]));
}
