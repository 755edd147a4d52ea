//! Faults on demand, for the tests of the isolation boundary. Only the test guest has them.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::hint::black_box;
use core::mem;
use core::sync::atomic::{AtomicI32, Ordering};

use guest_abi::counters::WORDS;
use guest_abi::function::{ConsoleLevel, Fault};
use guest_abi::gate::COUNTER;
use guest_abi::host_request::HostRequest;
use guest_abi::memory::{
    HEAP_SIZE_MAX, HEAP_START, KERNEL_START, KERNEL_TABLES, PAGE_SIZE, PREFAULT_CODE, PREFAULT_PLAN, SCRATCH_END,
    STACK_TOP, THREAD_AREA,
};
use guest_abi::message::{Exception, Place, Reply, TEXT_SIZE_MAX};
use guest_abi::payload::Payload;
use hyperlight_common::flatbuffer_wrappers::function_types::ReturnValue;
use hyperlight_common::flatbuffer_wrappers::guest_error::{ErrorCode, GuestError};

use crate::transport::{TRANSPORT, Transport};
use crate::{amplified, arch, gate, heap, suspension_faults};

/// Largest result, and largest arguments of a host function, with the default settings.
const OUTPUT_SIZE: usize = 1 << 20;
/// Longest name of a module or a host function.
const NAME_SIZE_MAX: usize = 256;

/// The fault to commit with the next reply to the call of a handler, or 0.
static NEXT_REPLY: AtomicI32 = AtomicI32::new(0);

/// Commits a fault. Most do not come back.
pub fn commit(fault: i32) -> Result<ReturnValue, GuestError> {
    if (Fault::LargeResult as i32..=Fault::MalformedReply as i32).contains(&fault) || fault == Fault::RefuseCall as i32
    {
        NEXT_REPLY.store(fault, Ordering::Relaxed);
        return Ok(number(1));
    }
    if suspension_faults::begin(fault) {
        return Ok(number(1));
    }
    if fault == Fault::LongGuestError as i32 {
        return Err(GuestError::new(ErrorCode::UnknownError, "x".repeat(1 << 20)));
    }
    if let Some(call) = host_request(fault) {
        let answer = TRANSPORT.with(|transport| transport.ask(call));
        return Ok(number(i32::from(answer.is_ok())));
    }
    amplify(fault);
    if let Some(answer) = arch::faults::commit(fault) {
        return Ok(number(answer));
    }
    Ok(commit_privileged(fault))
}

/// Sends the message that grows, if a fault is about it.
fn amplify(fault: i32) {
    let is = |wanted: Fault| fault == wanted as i32;
    let is_reply = is(Fault::AmplifyReply);
    if is_reply || is(Fault::AmplifyAndNotify) || is(Fault::AmplifyAndHalt) {
        let kind = if is_reply { 2 } else { 1 };
        let send = |transport: &mut Transport| {
            transport.send_raw(&amplified::message(kind, transport.call(), 1060, 2_000_000))
        };
        TRANSPORT.with(send).expect("it fits the buffers");
        gate::enter(if is(Fault::AmplifyAndNotify) { 1 } else { guest_abi::gate::HALT }, 0);
    }
}

/// A reply that is a number.
fn number(number: i32) -> ReturnValue {
    ReturnValue::VecBytes(Reply::Value(Payload::from_json(number.to_string())).into_bytes())
}

/// What the host is asked for that a fault is about.
fn host_request(fault: i32) -> Option<HostRequest> {
    let is = |wanted: Fault| fault == wanted as i32;
    let text = |length: usize| "x".repeat(length);
    let bytes = |size: usize| Payload::from_json("1".repeat(size)).into_bytes();
    let function = |module, function, arguments| Some(HostRequest::Function { module, function, arguments });
    let module = |specifier, importer| Some(HostRequest::Module { specifier, importer });
    match () {
        () if is(Fault::LongConsoleLine) => Some(HostRequest::ConsoleLine(ConsoleLevel::Info, text(TEXT_SIZE_MAX + 1))),
        () if is(Fault::LargeArguments) => function(text(1), text(1), bytes(OUTPUT_SIZE + 1)),
        () if is(Fault::MalformedArguments) => function(text(1), text(1), vec![0xff]),
        () if is(Fault::LongFunctionName) => function(text(1), text(NAME_SIZE_MAX + 1), bytes(1)),
        () if is(Fault::LongModuleName) => function(text(NAME_SIZE_MAX + 1), text(1), bytes(1)),
        () if is(Fault::LongSpecifier) => module(text(TEXT_SIZE_MAX + 1), text(1)),
        () if is(Fault::LongImporter) => module(text(1), text(TEXT_SIZE_MAX + 1)),
        () => None,
    }
}

/// What a call of a handler replies if a fault is to be committed with it.
pub fn reply() -> Option<Vec<u8>> {
    let fault = NEXT_REPLY.swap(0, Ordering::Relaxed);
    let is = |wanted: Fault| fault == wanted as i32;
    let long = || "x".repeat(TEXT_SIZE_MAX + 1);
    let reply = match () {
        () if is(Fault::LargeResult) => Reply::Value(Payload::from_json("1".repeat(OUTPUT_SIZE + 1))),
        () if is(Fault::LongErrorName) => Reply::Exception(Exception { name: long(), ..Exception::default() }),
        () if is(Fault::LongErrorMessage) => Reply::Exception(Exception { message: long(), ..Exception::default() }),
        () if is(Fault::LongErrorStack) => Reply::Exception(Exception { stack: long(), ..Exception::default() }),
        () if is(Fault::LongPlace) => Reply::Compile(Exception::default(), Place { file: long(), line: 1, column: 1 }),
        () if is(Fault::LongEventError) => Reply::InvalidEvent(long()),
        () if is(Fault::NotTooLarge) => Reply::TooLarge(1, OUTPUT_SIZE as u64),
        () if is(Fault::MalformedReply) => return Some(vec![0xff]),
        () if is(Fault::RefuseCall) => Reply::Refused(String::from("no")),
        () => return None,
    };
    Some(reply.into_bytes())
}

/// Commits a fault that is about what code at CPL 3 can do.
fn commit_privileged(fault: i32) -> ReturnValue {
    let is = |wanted: Fault| fault == wanted as i32;
    // SAFETY: none of this is sound. That the kernel and the host survive it is what is tested.
    unsafe {
        if is(Fault::WriteToCode) {
            write(commit as *const () as u64);
        } else if is(Fault::WriteToConstants) {
            static CONSTANT: u64 = 7;
            write(black_box(&raw const CONSTANT) as u64);
        } else if is(Fault::JumpToData) {
            write(HEAP_START + PAGE_SIZE * 64);
            jump(HEAP_START + PAGE_SIZE * 64);
        } else if is(Fault::TouchGuardPage) {
            write(STACK_TOP - stack_size() - 8);
        } else if is(Fault::ReadKernelMemory) {
            read(KERNEL_START);
        } else if is(Fault::WriteKernelMemory) {
            write(KERNEL_TABLES);
        } else if is(Fault::ReadPageTables) {
            // Scratch memory past the transport arena, where the host puts them.
            read(SCRATCH_END - PAGE_SIZE);
        } else if is(Fault::BadGateOperation) {
            gate::enter(77, 0);
        } else if is(Fault::ReadNull) {
            read(0);
        } else if is(Fault::ReadNonCanonical) {
            read(0x8000_0000_0000_0000);
        } else if is(Fault::Panic) {
            panic!("told to panic");
        } else if is(Fault::HaltWithoutReply) {
            gate::enter(guest_abi::gate::HALT, 0);
        } else if is(Fault::ClaimToBeReady) {
            gate::enter(guest_abi::gate::READY, 0);
        } else if is(Fault::GateForNothing) {
            gate::enter(0, 0);
        } else if is(Fault::NotifyHost) {
            gate::enter(1, 0);
        } else if is(Fault::ExhaustStack) {
            return number(recurse(0));
        } else if is(Fault::ExhaustHeap) {
            for page in 0..HEAP_SIZE_MAX / PAGE_SIZE {
                write(HEAP_START + page * PAGE_SIZE + 64);
            }
        } else if is(Fault::GarbageReply) {
            return ReturnValue::String(String::from("not a number"));
        } else if is(Fault::JumpToStack) {
            let mut code = [0xc3u8; 16];
            jump(black_box(&raw mut code) as u64);
        } else if is(Fault::JumpToConstants) {
            static CODE: [u8; 16] = [0xc3; 16];
            jump(black_box(&raw const CODE) as u64);
        } else if is(Fault::JumpToTransport) {
            let end = TRANSPORT.with(|transport| transport.end_address());
            write(end - PAGE_SIZE);
            jump(end - PAGE_SIZE);
        } else if is(Fault::ReadBehindTransport) {
            let end = TRANSPORT.with(|transport| transport.end_address());
            write(end - 1);
            read(end);
        } else if is(Fault::TouchLastHeapPage) {
            let last = last_heap_page() as *mut u8;
            last.write_volatile(last.read_volatile() + 1);
            return number(i32::from(last.read_volatile()));
        } else if is(Fault::WithholdBuffers) {
            TRANSPORT.with(|transport| transport.withhold_buffers());
        } else if is(Fault::ReadLastHeapPage) {
            return number(i32::from((last_heap_page() as *const u8).read_volatile()));
        } else if is(Fault::RunPrefault) {
            jump(PREFAULT_CODE);
        } else if is(Fault::ClaimToBePrefault) {
            gate::enter(guest_abi::gate::PREFAULTED, 0);
        } else if is(Fault::ClaimToBeFilled) {
            gate::enter(guest_abi::gate::FILLED, 0);
        } else if is(Fault::WritePlan) {
            write(PREFAULT_PLAN);
        } else if is(Fault::PlanForeignPages) {
            let again = [PREFAULT_PLAN, THREAD_AREA].map(|address| [(address / PAGE_SIZE) as u32; 600]);
            let pages = || (1..u32::MAX).step_by(1 << 20).chain(again.into_iter().flatten());
            gate::set_working_sets([pages(), pages(), pages()]);
            return number(1);
        } else if is(Fault::CounterOutOfRange) {
            gate::enter(COUNTER, WORDS as u32);
        }
    }
    number(-1)
}

/// Size of the stack with the default settings.
fn stack_size() -> u64 {
    1 << 20
}

/// Far above what the allocator uses, so that nothing else is there; its own mark is at the very end of the page.
fn last_heap_page() -> u64 {
    HEAP_START + heap::size() - PAGE_SIZE
}

unsafe fn jump(address: u64) {
    // SAFETY: as in `commit_privileged`.
    unsafe { mem::transmute::<*const (), extern "C" fn()>(address as *const ())() };
}

unsafe fn read(address: u64) {
    // SAFETY: as in `commit_privileged`.
    unsafe { (address as *const u8).read_volatile() };
}

unsafe fn write(address: u64) {
    // SAFETY: as in `commit_privileged`.
    unsafe { (address as *mut u8).write_volatile(0xc3) };
}

#[inline(never)]
fn recurse(depth: i32) -> i32 {
    let frame = [depth; 64];
    if black_box(&frame)[3] < 0 {
        return depth;
    }
    recurse(depth + 1) + frame[black_box(3)]
}
