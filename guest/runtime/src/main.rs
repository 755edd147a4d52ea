//! The guest runtime: QuickJS at CPL 3.
//!
//! The kernel enters the program three ways, told apart by the argument of [`run`]: to boot, for a call from the host, and
//! for the first call after a restore. Each entry starts on an empty stack and ends by halting, but for one that has to wait for
//! the host in its midst: see [`context`].
//!
//! - [`transport`] exchanges messages with the host through shared rings.
//! - [`engine`] is JavaScript: handlers, events, exceptions, the console, the clock, random numbers.
//! - [`context`] is where every entry begins, and how one goes on where the last one ended.
//! - [`gate`] is the way into the kernel, [`heap`] the memory allocator, [`c_library`] what QuickJS needs from libc and a
//!   guest without an operating system must give it.
//! - [`arch`] is what differs between processor architectures.
//!
//! What the code relies on:
//! - There is one thread and no interrupt, so a value is only ever used by the entry that is running.
//! - Nothing that was decided during boot may need to differ between sandboxes: they are all clones of one booted guest. Time
//!   and randomness come with each call.
#![no_main]

extern crate alloc;

mod allocator;
#[cfg(feature = "commit-faults")]
mod amplified;
mod arch;
mod c_library;
mod context;
mod engine;
#[cfg(feature = "commit-faults")]
mod faults;
mod gate;
mod global;
mod heap;
#[cfg(feature = "commit-faults")]
mod suspension_faults;
mod transport;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use guest_abi::abort::AbortCode;
use guest_abi::boot::{BootInfo, entry};
use guest_abi::call_options::CallOptions;
use guest_abi::function::{
    ADD_HANDLER, ADD_MODULE, ADD_PIECE, CALL_HANDLER, COPIED_PAGES, COUNTERS, RESUME, ROUND_TRIP, RUN, SET_ENVIRONMENT,
    SET_HOST_FUNCTIONS, SET_WORKING_SETS, WARM_UP,
};
use guest_abi::memory::PAGE_SIZE;
use guest_abi::message::{CallContext, HostFunctionNames, Reply};
use guest_abi::payload::Payload;
use guest_abi::program::ProgramMessage;
use guest_abi::source::Language;
use guest_abi::suspension::HostResults;
use guest_abi::{VERSION, VERSION_ADVICE};
use hyperlight_common::flatbuffer_wrappers::function_types::{ParameterValue, ReturnValue};
use hyperlight_common::flatbuffer_wrappers::guest_error::{ErrorCode, GuestError};

use engine::Engine;
use global::Global;
use transport::{Request, TRANSPORT, Transport};

/// The engine, in use for the whole of a call.
static ENGINE: Global<Engine> = Global::new();
/// What has come of a source that is larger than a message.
static PIECES: Global<Vec<u8>> = Global::new();

extern "C" fn run(argument: u64) {
    match argument {
        entry::CALL => serve(),
        entry::CALL_AFTER_RESTORE => {
            TRANSPORT.with(Transport::after_restore);
            serve();
        }
        info => {
            // SAFETY: any other argument is the address of what the kernel put on the stack.
            let info = unsafe { (info as *const BootInfo).read() };
            boot(&info);
        }
    }
}

fn boot(info: &BootInfo) {
    let kernel = info.version;
    assert!(kernel == VERSION, "the runtime has version {VERSION}, the kernel {kernel}: {VERSION_ADVICE}");
    heap::claim(info.settings.heap_size);
    c_library::set_up_thread_area();
    std::panic::set_hook(Box::new(|info| gate::abort(AbortCode::Runtime, format_args!("{info}"))));
    ENGINE.set(Engine::new(&info.settings));
    let mut transport = Transport::new(&info.scratch);
    transport.checkpoint();
    TRANSPORT.set(transport);
    PIECES.set(Vec::new());
    gate::enter(guest_abi::gate::READY, 0);
}

/// Serves one message from the host.
fn serve() {
    match TRANSPORT.with(Transport::receive) {
        Request::Checkpoint => TRANSPORT.with(Transport::checkpoint),
        Request::Call { function, arguments } => {
            let answer = call(&function, arguments);
            TRANSPORT.with(|transport| transport.answer(answer));
        }
    }
}

fn call(function: &str, arguments: Vec<ParameterValue>) -> Result<ReturnValue, GuestError> {
    let reply = if function == CALL_HANDLER.name || function == WARM_UP.name {
        let [
            ParameterValue::VecBytes(context),
            ParameterValue::VecBytes(options),
            ParameterValue::String(name),
            ParameterValue::VecBytes(event),
        ] = exactly(arguments)?
        else {
            return Err(wrong_arguments());
        };
        let (context, options) = context_and_options(&context, &options)?;
        // SAFETY: the host has encoded it.
        let event = unsafe { Payload::from_bytes_unchecked(event) }.ok_or_else(wrong_arguments)?;
        let reply = ENGINE.with(|engine| {
            if function == WARM_UP.name {
                engine.warm_up(&context, &event)
            } else {
                engine.call_handler(&context, &name, event, options)
            }
        });
        #[cfg(feature = "commit-faults")]
        if let Some(faulty) = faults::reply().or_else(suspension_faults::reply) {
            return Ok(with_heap_use(faulty));
        }
        reply
    } else if function == RUN.name {
        let [ParameterValue::VecBytes(context), ParameterValue::VecBytes(options), ParameterValue::VecBytes(program)] =
            exactly(arguments)?
        else {
            return Err(wrong_arguments());
        };
        let (context, options) = context_and_options(&context, &options)?;
        let program = ProgramMessage::from_bytes(&with_pieces(program)).ok_or_else(wrong_arguments)?;
        ENGINE.with(|engine| engine.run_program(&context, program, options))
    } else if function == RESUME.name {
        let [ParameterValue::VecBytes(context), ParameterValue::VecBytes(results)] = exactly(arguments)? else {
            return Err(wrong_arguments());
        };
        let context = CallContext::from_bytes(&context).ok_or_else(wrong_arguments)?;
        let results = HostResults::from_bytes(&results).ok_or_else(wrong_arguments)?;
        #[cfg(feature = "commit-faults")]
        if let Some(faulty) = suspension_faults::reply() {
            return Ok(with_heap_use(faulty));
        }
        ENGINE.with(|engine| engine.resume(&context, results))
    } else if function == ADD_HANDLER.name {
        let [
            ParameterValue::VecBytes(context),
            ParameterValue::String(name),
            ParameterValue::String(source),
            ParameterValue::Int(language),
            ParameterValue::Bool(rejections_fail),
        ] = exactly(arguments)?
        else {
            return Err(wrong_arguments());
        };
        let context = CallContext::from_bytes(&context).ok_or_else(wrong_arguments)?;
        let source = source_with_pieces(source)?;
        let language = language_of(language)?;
        ENGINE.with(|engine| engine.add_handler(&context, name, source, language, rejections_fail))
    } else if function == ADD_MODULE.name {
        let [ParameterValue::String(specifier), ParameterValue::String(source), ParameterValue::Int(language)] =
            exactly(arguments)?
        else {
            return Err(wrong_arguments());
        };
        let source = source_with_pieces(source)?;
        let language = language_of(language)?;
        ENGINE.with(|engine| engine.add_module(specifier, source, language));
        return Ok(ReturnValue::Void(()));
    } else if function == ADD_PIECE.name {
        let [ParameterValue::VecBytes(piece)] = exactly(arguments)? else { return Err(wrong_arguments()) };
        PIECES.with(|pieces| pieces.extend_from_slice(&piece));
        return Ok(ReturnValue::Void(()));
    } else if function == SET_HOST_FUNCTIONS.name {
        let [ParameterValue::VecBytes(names)] = exactly(arguments)? else { return Err(wrong_arguments()) };
        let names = HostFunctionNames::from_bytes(&names).ok_or_else(wrong_arguments)?;
        ENGINE.with(|engine| engine.set_host_functions(&names));
        return Ok(ReturnValue::Void(()));
    } else if function == SET_ENVIRONMENT.name {
        let [ParameterValue::String(variables)] = exactly(arguments)? else { return Err(wrong_arguments()) };
        ENGINE.with(|engine| engine.set_environment(&variables));
        return Ok(ReturnValue::Void(()));
    } else if function == ROUND_TRIP.name {
        return Ok(ReturnValue::Void(()));
    } else if function == COUNTERS.name {
        return Ok(ReturnValue::VecBytes(gate::counters().iter().flat_map(|count| count.to_le_bytes()).collect()));
    } else if function == COPIED_PAGES.name {
        let pages = gate::copied_pages().flat_map(|address| ((address / PAGE_SIZE) as u32).to_le_bytes());
        return Ok(ReturnValue::VecBytes(pages.collect()));
    } else if function == SET_WORKING_SETS.name {
        let [
            ParameterValue::VecBytes(without_handlers),
            ParameterValue::VecBytes(with_handlers),
            ParameterValue::VecBytes(further),
        ] = exactly(arguments)?
        else {
            return Err(wrong_arguments());
        };
        gate::set_working_sets([&without_handlers, &with_handlers, &further].map(|pages| numbers(pages)));
        return Ok(ReturnValue::Void(()));
    } else {
        #[cfg(feature = "commit-faults")]
        if function == guest_abi::function::COMMIT_FAULT.name {
            let [ParameterValue::Int(fault)] = exactly(arguments)? else { return Err(wrong_arguments()) };
            return faults::commit(fault).map(|answer| match answer {
                ReturnValue::VecBytes(reply) => with_heap_use(reply),
                other => other,
            });
        }
        return Err(GuestError::new(ErrorCode::GuestFunctionNotFound, String::from(function)));
    };
    Ok(with_heap_use(Reply::into_bytes(reply)))
}

/// What has come in pieces, and the rest behind it.
fn with_pieces(rest: Vec<u8>) -> Vec<u8> {
    let mut whole = PIECES.with(core::mem::take);
    if whole.is_empty() {
        return rest;
    }
    whole.extend_from_slice(&rest);
    whole
}

fn source_with_pieces(rest: String) -> Result<String, GuestError> {
    if PIECES.with(|pieces| pieces.is_empty()) {
        return Ok(rest);
    }
    String::from_utf8(with_pieces(rest.into_bytes())).map_err(|_| wrong_arguments())
}

/// The answer that is a reply.
fn with_heap_use(mut reply: Vec<u8>) -> ReturnValue {
    allocator::heap_use().append_to(&mut reply);
    ReturnValue::VecBytes(reply)
}

/// What comes with a call of a handler and with a program.
fn context_and_options(context: &[u8], options: &[u8]) -> Result<(CallContext, CallOptions), GuestError> {
    let context = CallContext::from_bytes(context).ok_or_else(wrong_arguments)?;
    Ok((context, CallOptions::from_bytes(options).ok_or_else(wrong_arguments)?))
}

/// Numbers of 32 bits.
fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.as_chunks().0.iter().map(|number| u32::from_le_bytes(*number))
}

fn exactly<const N: usize>(arguments: Vec<ParameterValue>) -> Result<[ParameterValue; N], GuestError> {
    arguments.try_into().map_err(|_| wrong_arguments())
}

fn language_of(code: i32) -> Result<Language, GuestError> {
    u8::try_from(code).ok().and_then(Language::from_code).ok_or_else(wrong_arguments)
}

fn wrong_arguments() -> GuestError {
    GuestError::new(ErrorCode::GuestFunctionParameterTypeMismatch, String::from("wrong arguments"))
}
