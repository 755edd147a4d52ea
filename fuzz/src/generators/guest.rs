//! What a hostile guest does in a call: messages to the host, most of them right but for some of their bytes, and other things.

use arbitrary::{Arbitrary, Result, Unstructured};
use flatbuffers::FlatBufferBuilder;
use guest_abi::function::ConsoleLevel;
use guest_abi::gate::{self, port};
use guest_abi::heap_report::HeapReport;
use guest_abi::host_request::HostRequest;
use guest_abi::message::Reply;
use guest_abi::payload::Payload;
use hyperlight_common::flatbuffer_wrappers::function_call::{FunctionCall, FunctionCallType};
use hyperlight_common::flatbuffer_wrappers::function_types::{
    FunctionCallResult, ParameterValue, ReturnType, ReturnValue,
};
use hyperlight_common::flatbuffer_wrappers::guest_error::{ErrorCode, GuestError};
use hyperlight_common::transport::{EncodedMessage, ExternalValues, MsgKind};
use hyperlight_common::virtq::{DescFlags, Descriptor};

use super::abi;
use crate::hostile_guest::{Instruction, Level, Transport};

/// One thing after the other.
#[derive(Debug)]
pub struct Behaviour(Vec<Act>);

/// Where the number of a call is in its message.
const CORRELATION: u64 = 4;
/// The port by which a kernel has the host look into the queue of messages to it. Ours does not use it.
const NOTIFY: u16 = 109;
/// Functions of the host that guests may have called by messages of their own, once, and the one that there is.
const FUNCTIONS: [&str; 3] = ["HostPrint", "CallHost", "LoadModule"];
/// Most acts of a behaviour.
const ACTS_MAX: usize = 32;

impl<'a> Arbitrary<'a> for Behaviour {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut acts = Vec::new();
        while !u.is_empty() && acts.len() < ACTS_MAX {
            // Most of what is between guest and host are messages.
            acts.push(if u.ratio(2, 3)? { Act::Send(u.arbitrary()?) } else { u.arbitrary()? });
        }
        Ok(Self(acts))
    }
}

/// Something that is rarely there: mostly all shall be right but for one thing.
#[derive(Debug)]
struct Rarely<T>(Option<T>);

impl<'a, T: Arbitrary<'a>> Arbitrary<'a> for Rarely<T> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        // At the end of the bytes all are zero.
        Ok(Self(if u.int_in_range(0..=15)? == 15 { Some(u.arbitrary()?) } else { None }))
    }
}

#[derive(Arbitrary, Debug)]
enum Act {
    Send(Message),
    /// With an operation of the gate.
    Gate(u8, u32),
    Write(Place, Vec<u8>),
    Fill(Place, u16, u8),
    Read(Place),
    Machine(Machine),
}

/// What only the kernel may do.
#[derive(Arbitrary, Debug)]
enum Machine {
    Output(Port, u32),
    Input(Port),
    InputString(Port, Place, u8),
    OutputString(Port, Place, u8),
    Halt,
    WriteModelSpecificRegister(u32, u64),
    PageTables(Place),
    Jump(Place),
    Undefined,
}

#[derive(Arbitrary, Debug)]
enum Port {
    Halt,
    Notify,
    Abort,
    Other(u16),
}

#[derive(Arbitrary, Debug)]
enum Place {
    RingToHost(u16),
    RingToGuest(u16),
    Mailbox(u8),
    PoolToHost(u16),
    PoolToGuest(u16),
    EndOfScratch(u16),
    Anywhere(u64),
}

#[derive(Arbitrary, Debug)]
struct Message {
    body: Body,
    /// Which call it answers, or which one it is.
    correlation: Rarely<u32>,
    /// Instead of the right kind.
    kind: Rarely<u8>,
    /// Changes of its bytes, by their places.
    damage: Rarely<Vec<(u16, u8)>>,
    /// Added to the length that the descriptor gives.
    length: Rarely<i32>,
    /// Instead of the right address.
    place: Rarely<Place>,
    /// Changed in the descriptor's flags.
    flags: Rarely<u16>,
    /// Whether there is room for an answer.
    room: Rarely<bool>,
    /// The host is not told.
    quiet: Rarely<()>,
}

#[derive(Arbitrary, Debug)]
enum Body {
    /// The entry ends with something that the host is asked for.
    CallHost(String, String, Vec<u8>),
    /// With arguments that are a payload.
    CallHostWithPayload(String, Value),
    LoadModule(String, String),
    Console(i32, String),
    /// To hyperlight-host, which a kernel of its own may have it read.
    Call(String, Vec<Parameter>),
    CallOurs(u8, Vec<Parameter>),
    /// The same argument over and over.
    Repeat(String, u16),
    Reply(abi::Message),
    Answer(Return),
    Error(u64, String),
    Raw(Vec<u8>),
}

/// The ABI's messages, with what a host function is given among them.
type Value = abi::Message;

#[derive(Arbitrary, Debug)]
enum Parameter {
    Int(i32),
    ULong(u64),
    Double(f64),
    Bool(bool),
    Text(String),
    Bytes(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
enum Return {
    Int(i32),
    ULong(u64),
    Text(String),
    Bool(bool),
    Bytes(Vec<u8>),
    Void,
}

impl Behaviour {
    /// What a guest does that keeps to the protocol: it writes a line to its console.
    pub fn console_line(line: &str) -> Self {
        Self(vec![Act::Send(Message::from(Body::Console(ConsoleLevel::Info as i32, line.to_string())))])
    }

    /// The same: it gives a result.
    pub fn result(result: &str) -> Self {
        let reply = Reply::Value(Payload::from_json(result.to_string()));
        Self(vec![Act::Send(Message::from(Body::Reply(abi::Message::Reply(reply))))])
    }

    /// The script for it, in a guest whose kernel may be its own.
    pub fn script(&self, transport: &Transport, level: Level) -> Vec<Instruction> {
        let mut writer = Writer { transport, level, script: Vec::new(), next: 0, wraps: false, buffer: 0 };
        self.0.iter().for_each(|act| writer.act(act));
        writer.leave(gate::HALT, port::HALT);
        writer.script
    }
}

struct Writer<'a> {
    transport: &'a Transport,
    level: Level,
    script: Vec<Instruction>,
    /// The descriptor to use next, and whether the ring has been used up an odd number of times.
    next: u16,
    wraps: bool,
    /// Where in the pool there is room, in bytes.
    buffer: u64,
}

impl Writer<'_> {
    fn act(&mut self, act: &Act) {
        let instruction = match act {
            Act::Send(message) => return self.send(message),
            Act::Gate(operation, argument) => Instruction::Gate(u32::from(*operation), *argument),
            Act::Write(place, bytes) => Instruction::Copy(self.address(place), bytes.clone()),
            Act::Fill(place, count, byte) => Instruction::Fill(self.address(place), (*count).into(), *byte),
            Act::Read(place) => Instruction::Read(self.address(place)),
            Act::Machine(machine) => match machine {
                Machine::Output(port, number) => Instruction::Output(port.number(), *number),
                Machine::Input(port) => Instruction::Input(port.number()),
                Machine::InputString(port, place, count) => {
                    Instruction::InputString(port.number(), self.address(place), (*count).into())
                }
                Machine::OutputString(port, place, count) => {
                    Instruction::OutputString(port.number(), self.address(place), (*count).into())
                }
                Machine::Halt => Instruction::Halt,
                Machine::WriteModelSpecificRegister(number, value) => {
                    Instruction::WriteModelSpecificRegister(*number, *value)
                }
                Machine::PageTables(place) => Instruction::PageTables(self.address(place)),
                Machine::Jump(place) => Instruction::Jump(self.address(place)),
                Machine::Undefined => Instruction::Undefined,
            },
        };
        self.script.push(instruction);
    }

    fn address(&self, place: &Place) -> u64 {
        let arena = &self.transport.arena;
        match *place {
            Place::RingToHost(offset) => arena.g2h_ring_addr() + u64::from(offset % (16 * self.transport.ring_size)),
            Place::RingToGuest(offset) => arena.h2g_ring_addr() + u64::from(offset % 1024),
            Place::Mailbox(offset) => arena.mbx_addr() + u64::from(offset % 8),
            Place::PoolToHost(offset) => arena.g2h_pool_addr() + u64::from(offset),
            Place::PoolToGuest(offset) => arena.h2g_pool_addr() + u64::from(offset),
            Place::EndOfScratch(offset) => guest_abi::memory::SCRATCH_END - 1 - u64::from(offset),
            Place::Anywhere(address) => address,
        }
    }

    fn send(&mut self, message: &Message) {
        let Some((kind, mut bytes)) = message.encoded() else { return };
        for (at, byte) in message.damage.0.iter().flatten() {
            if let Some(place) = usize::from(*at).checked_rem(bytes.len()).and_then(|at| bytes.get_mut(at)) {
                *place = *byte;
            }
        }
        let at = self.transport.arena.g2h_pool_addr() + self.buffer;
        let length = (bytes.len() as i64 + i64::from(message.length.0.unwrap_or(0))) as u32;
        let address = message.place.0.as_ref().map_or(at, |place| self.address(place));
        self.buffer = (self.buffer + bytes.len() as u64).next_multiple_of(64) % 0x8000;
        self.script.push(Instruction::Copy(at, bytes));
        if kind == MsgKind::Response && message.correlation.0.is_none() {
            // The call that it answers says its number in the same place.
            self.script.push(Instruction::Move(
                self.transport.arena.h2g_pool_addr() + CORRELATION,
                at + CORRELATION,
                4,
            ));
        }
        let room = message.room.0.unwrap_or(kind == MsgKind::Request);
        let first = self.next;
        let id = first;
        let follows = if room { DescFlags::NEXT } else { DescFlags::empty() };
        let descriptor = self.descriptor(address, length, id, follows, message.flags.0.unwrap_or(0));
        if room {
            let room = self.transport.arena.g2h_pool_addr() + 0x10000;
            let descriptor = self.descriptor(room, 0x8000, id, DescFlags::WRITE, 0);
            self.script.push(descriptor);
        }
        // The first comes last: with it all are there.
        self.script.push(descriptor);
        if message.quiet.0.is_none() && kind == MsgKind::Request {
            // There is no operation of the gate for it.
            if self.level == Level::Kernel {
                self.script.push(Instruction::Output(NOTIFY, 0));
            }
        }
    }

    /// Goes to the host: the runtime through the gate, the kernel itself by a port.
    fn leave(&mut self, operation: u32, port: u16) {
        self.script.push(match self.level {
            Level::Runtime => Instruction::Gate(operation, 0),
            Level::Kernel => Instruction::Output(port, 0),
        });
    }

    fn descriptor(&mut self, address: u64, length: u32, id: u16, flags: DescFlags, changed: u16) -> Instruction {
        let available = if self.wraps { DescFlags::USED } else { DescFlags::AVAIL };
        let mut bytes = address.to_le_bytes().to_vec();
        bytes.extend(length.to_le_bytes());
        bytes.extend(id.to_le_bytes());
        bytes.extend(((flags | available).bits() ^ changed).to_le_bytes());
        let size = size_of::<Descriptor>() as u64;
        let place = self.transport.arena.g2h_ring_addr() + u64::from(self.next) * size;
        self.next += 1;
        if self.next == self.transport.ring_size {
            self.next = 0;
            self.wraps = !self.wraps;
        }
        Instruction::Copy(place, bytes)
    }
}

impl Port {
    fn number(&self) -> u16 {
        match *self {
            Self::Halt => port::HALT,
            Self::Notify => NOTIFY,
            Self::Abort => port::ABORT,
            Self::Other(number) => number,
        }
    }
}

impl From<Body> for Message {
    fn from(body: Body) -> Self {
        Self {
            body,
            correlation: Rarely(None),
            kind: Rarely(None),
            damage: Rarely(None),
            length: Rarely(None),
            place: Rarely(None),
            flags: Rarely(None),
            room: Rarely(None),
            quiet: Rarely(None),
        }
    }
}

impl Message {
    fn encoded(&self) -> Option<(MsgKind, Vec<u8>)> {
        let mut builder = FlatBufferBuilder::new();
        let mut values = ExternalValues::new();
        let (kind, call, answer);
        let control: &[u8] = match &self.body {
            Body::Raw(bytes) => {
                kind = MsgKind::Log;
                bytes
            }
            Body::Call(..) | Body::CallOurs(..) | Body::Repeat(..) => {
                kind = MsgKind::Request;
                call = self.body.call()?;
                call.encode(&mut builder, &mut values).ok()?
            }
            _ => {
                kind = MsgKind::Response;
                answer = FunctionCallResult::new(self.body.answer());
                answer.encode(&mut builder, &mut values).ok()?
            }
        };
        let correlation = self.correlation.0.unwrap_or((kind == MsgKind::Request).into());
        let message = EncodedMessage::new(kind, correlation, control, values)?;
        let mut bytes = message.chunks().collect::<Vec<_>>().concat();
        if let (Some(kind), Some(first)) = (self.kind.0, bytes.first_mut()) {
            *first = kind;
        }
        Some((kind, bytes))
    }
}

impl Body {
    fn call(&self) -> Option<FunctionCall> {
        let values = |parameters: &[Parameter]| parameters.iter().map(Parameter::value).collect();
        let (name, parameters) = match self {
            Self::Call(name, parameters) => (name.as_str(), values(parameters)),
            Self::CallOurs(number, parameters) => {
                (FUNCTIONS[usize::from(*number) % FUNCTIONS.len()], values(parameters))
            }
            Self::Repeat(argument, count) => {
                (FUNCTIONS[0], vec![ParameterValue::String(argument.clone()); usize::from(*count % 512)])
            }
            _ => return None,
        };
        let result = ReturnType::VecBytes;
        Some(FunctionCall::new(name.to_string(), Some(parameters), FunctionCallType::Host, result))
    }

    fn answer(&self) -> std::result::Result<ReturnValue, GuestError> {
        // Behind each reply there are two numbers; what they are does not matter.
        let reply = |mut reply: Vec<u8>| {
            HeapReport { used: u64::MAX, peak: 1 }.append_to(&mut reply);
            ReturnValue::VecBytes(reply)
        };
        let asked = |call| reply(Reply::HostRequest(call).into_bytes());
        let function = |module: &str, function: &str, arguments| {
            asked(HostRequest::Function { module: module.to_string(), function: function.to_string(), arguments })
        };
        Ok(match self {
            Self::CallHost(module, name, arguments) => function(module, name, arguments.clone()),
            Self::CallHostWithPayload(name, value) => function("host", name, bytes(value)),
            Self::LoadModule(specifier, importer) => {
                asked(HostRequest::Module { specifier: specifier.clone(), importer: importer.clone() })
            }
            Self::Console(level, line) => asked(HostRequest::ConsoleLine(ConsoleLevel::from_int(*level), line.clone())),
            Self::Reply(message) => reply(bytes(message)),
            Self::Answer(Return::Int(number)) => ReturnValue::Int(*number),
            Self::Answer(Return::ULong(number)) => ReturnValue::ULong(*number),
            Self::Answer(Return::Text(text)) => ReturnValue::String(text.clone()),
            Self::Answer(Return::Bool(value)) => ReturnValue::Bool(*value),
            Self::Answer(Return::Bytes(bytes)) => ReturnValue::VecBytes(bytes.clone()),
            Self::Error(code, text) => return Err(GuestError::new(ErrorCode::from(*code), text.clone())),
            _ => ReturnValue::Void(()),
        })
    }
}

impl Parameter {
    fn value(&self) -> ParameterValue {
        match self {
            Self::Int(number) => ParameterValue::Int(*number),
            Self::ULong(number) => ParameterValue::ULong(*number),
            Self::Double(number) => ParameterValue::Double(*number),
            Self::Bool(value) => ParameterValue::Bool(*value),
            Self::Text(text) => ParameterValue::String(text.clone()),
            Self::Bytes(bytes) => ParameterValue::VecBytes(bytes.clone()),
        }
    }
}

fn bytes(message: &abi::Message) -> Vec<u8> {
    match message.clone() {
        abi::Message::Context(context) => context.to_bytes().to_vec(),
        abi::Message::Names(names) => names.to_bytes(),
        abi::Message::Payload(payload) => payload.into_bytes(),
        abi::Message::Reply(reply) => reply.into_bytes(),
        abi::Message::HostReply(reply) => reply.into_bytes(),
        abi::Message::HostResults(results) => results.into_bytes(),
        abi::Message::Program(program) => program.into_bytes(),
        abi::Message::CallOptions(options) => options.to_bytes(),
        abi::Message::ModuleReply(reply) => reply.into_bytes(),
        // One that breaks the limits.
        abi::Message::Exception(exception) => Reply::Exception(exception).into_bytes(),
    }
}
