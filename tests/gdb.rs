//! A debugger at work in a guest, as far as the protocol of gdb goes.
#![cfg(feature = "gdb")]

mod sandboxes;

use std::io::{BufReader, Bytes, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use guest_abi::memory::KERNEL_START;
use sandboxes::{call, loaded};

#[test]
fn a_debugger_finds_the_guest_stopped_in_its_kernel_steps_and_lets_it_go_on() {
    let port = TcpListener::bind("localhost:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
    // SAFETY: this is the only test of its program, so no other thread reads the environment.
    unsafe { std::env::set_var("HYPERLIGHT_JS_GDB", port.to_string()) };
    let guest = thread::spawn(|| {
        let mut sandbox = loaded("function handler(event) { return event + 1; }");
        call(&mut sandbox, "41").expect("a result")
    });

    let mut debugger = Debugger::connect(port);
    assert!(debugger.ask("?").starts_with(['S', 'T']), "the guest has stopped");
    let start = debugger.instruction_pointer();
    assert!(start >= KERNEL_START, "{start:#x}");
    assert_ne!(debugger.ask(&format!("m{start:x},8")), "0000000000000000", "the kernel's code can be read");
    assert!(debugger.ask("vCont;s:p1.1").starts_with(['S', 'T']), "the guest has stopped again");
    assert_ne!(debugger.instruction_pointer(), start);
    assert_eq!(debugger.ask("D"), "OK");
    assert_eq!(guest.join().expect("no panic"), 42);
}

struct Debugger {
    output: TcpStream,
    input: Bytes<BufReader<TcpStream>>,
}

impl Debugger {
    fn connect(port: u16) -> Self {
        let start = Instant::now();
        let output = loop {
            match TcpStream::connect(("localhost", port)) {
                Ok(stream) => break stream,
                Err(error) => assert!(start.elapsed() < Duration::from_secs(30), "{error}"),
            }
            thread::sleep(Duration::from_millis(10));
        };
        output.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
        let input = BufReader::new(output.try_clone().expect("a second handle")).bytes();
        Self { output, input }
    }

    /// Sends a packet and gives the content of the answer.
    fn ask(&mut self, request: &str) -> String {
        let sum = request.bytes().fold(0_u8, u8::wrapping_add);
        write!(self.output, "${request}#{sum:02x}").expect("sent");
        let mut bytes = self.input.by_ref().map(|byte| byte.expect("an answer"));
        bytes.by_ref().find(|byte| *byte == b'$');
        let mut answer = String::new();
        while let Some(byte) = bytes.next().filter(|byte| *byte != b'#') {
            match (byte, answer.chars().last()) {
                // The last character so many more times.
                (b'*', Some(last)) => (29..bytes.next().expect("a count")).for_each(|_| answer.push(last)),
                _ => answer.push(char::from(byte)),
            }
        }
        let _sum = (bytes.next(), bytes.next());
        self.output.write_all(b"+").expect("acknowledged");
        answer
    }

    /// After the 16 general registers, 8 bytes each.
    fn instruction_pointer(&mut self) -> u64 {
        let registers = self.ask("g");
        let digits = &registers[16 * 16..17 * 16];
        u64::from_str_radix(digits, 16).expect("digits").swap_bytes()
    }
}
