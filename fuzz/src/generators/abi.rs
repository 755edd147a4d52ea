//! Values of the ABI.

use arbitrary::{Arbitrary, Result, Unstructured};
use guest_abi::call_options::CallOptions;
use guest_abi::function::ConsoleLevel;
use guest_abi::host_request::HostRequest;
use guest_abi::message::{
    CallContext, Exception, HostFunctionName, HostFunctionNames, HostReply, ModuleReply, Place, Reply,
};
use guest_abi::payload::Payload;
use guest_abi::program::ProgramMessage;
use guest_abi::source::Language;
use guest_abi::suspension::{HostResults, StartedCall, Suspension};

/// One of the kinds of messages.
#[derive(Clone, Debug)]
pub enum Message {
    Context(CallContext),
    Names(HostFunctionNames),
    Payload(Payload),
    Reply(Reply),
    HostReply(HostReply),
    ModuleReply(ModuleReply),
    /// One that need not fit.
    Exception(Exception),
    HostResults(HostResults),
    Program(ProgramMessage),
    CallOptions(CallOptions),
}

impl<'a> Arbitrary<'a> for Message {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(0..=9)? {
            0 => Self::Context(CallContext {
                epoch_nanos: u.arbitrary()?,
                monotonic_nanos: u.arbitrary()?,
                tsc_hz: u.arbitrary()?,
                seed: u.arbitrary()?,
            }),
            1 => Self::Names(names(u)?),
            2 => Self::Payload(payload(u)?),
            3 => Self::Reply(reply(u)?),
            4 => Self::HostReply(host_reply(u)?),
            5 => Self::Exception(exception(u, 0)?),
            6 => {
                let mut results = Vec::new();
                for _ in 0..u.int_in_range(0..=3)? {
                    results.push((u.arbitrary()?, host_reply(u)?));
                }
                Self::HostResults(HostResults(results))
            }
            7 => Self::Program(ProgramMessage {
                source: u.arbitrary()?,
                language: *u.choose(&Language::ALL)?,
                input: if u.arbitrary()? { Some(payload(u)?) } else { None },
                modules: u.arbitrary()?,
                is_preparation: u.arbitrary()?,
            }),
            8 => Self::CallOptions(CallOptions {
                gc: u.arbitrary()?,
                bytes: u.arbitrary()?,
                rejections_fail: u.arbitrary()?,
                memory_limit: u.arbitrary()?,
                functions: names(u)?,
            }),
            _ => Self::ModuleReply(match u.int_in_range(0..=2)? {
                0 => ModuleReply::Source {
                    name: u.arbitrary()?,
                    source: u.arbitrary()?,
                    language: *u.choose(&Language::ALL)?,
                },
                1 => ModuleReply::Unknown,
                _ => ModuleReply::Failed(u.arbitrary()?),
            }),
        })
    }
}

fn names(u: &mut Unstructured<'_>) -> Result<HostFunctionNames> {
    let name = |(module, function, is_async)| HostFunctionName { module, function, is_async };
    let names = u.arbitrary_iter::<(String, String, bool)>()?.map(|parts| parts.map(name));
    Ok(HostFunctionNames(names.collect::<Result<_>>()?))
}

fn host_reply(u: &mut Unstructured<'_>) -> Result<HostReply> {
    Ok(match u.int_in_range(0..=2)? {
        0 => HostReply::Value(payload(u)?),
        1 => HostReply::Undefined,
        _ => HostReply::Failed(fitting(u)?),
    })
}

fn suspension(u: &mut Unstructured<'_>) -> Result<Suspension> {
    let mut started = Vec::new();
    for _ in 0..u.int_in_range(0..=3)? {
        let (number, module, function) = u.arbitrary()?;
        started.push(StartedCall { number, module, function, arguments: payload(u)? });
    }
    Ok(Suspension { started, at_once: u.arbitrary()?, timer: u.arbitrary()? })
}

fn payload(u: &mut Unstructured<'_>) -> Result<Payload> {
    let mut payload = Payload::from_json(u.arbitrary()?);
    for bytes in u.arbitrary_iter::<&[u8]>()? {
        payload.push(bytes?);
    }
    Ok(payload)
}

/// An exception as it is sent: nothing of it is too much.
/// With causes and errors a little deeper than is allowed.
fn exception(u: &mut Unstructured<'_>, depth: usize) -> Result<Exception> {
    let mut exception =
        Exception { stack: u.arbitrary()?, ..Exception::new(u.arbitrary::<&str>()?, u.arbitrary::<&str>()?) };
    exception.details.properties = u.arbitrary()?;
    if depth <= Exception::DEPTH_MAX && u.arbitrary()? {
        exception.details.cause = Some(Box::new(self::exception(u, depth + 1)?));
    }
    while depth <= Exception::DEPTH_MAX
        && exception.details.errors.len() <= Exception::ERRORS_MAX
        && u.int_in_range(0..=3)? == 3
    {
        exception.details.errors.push(self::exception(u, depth + 1)?);
    }
    Ok(exception)
}

/// Most exceptions have to fit to be taken.
fn fitting(u: &mut Unstructured<'_>) -> Result<Exception> {
    let mut exception = exception(u, 0)?;
    exception.fit();
    Ok(exception)
}

fn reply(u: &mut Unstructured<'_>) -> Result<Reply> {
    Ok(match u.int_in_range(0..=9)? {
        0 => Reply::Value(payload(u)?),
        1 => Reply::Undefined,
        2 => Reply::Exception(fitting(u)?),
        3 => {
            let place = Place { file: u.arbitrary()?, line: u.arbitrary()?, column: u.arbitrary()? };
            Reply::Compile(fitting(u)?, place)
        }
        4 => Reply::HandlerNotFound,
        5 => Reply::InvalidEvent(u.arbitrary()?),
        6 => Reply::Suspended(suspension(u)?),
        7 => Reply::Refused(u.arbitrary()?),
        8 => Reply::HostRequest(host_request(u)?),
        _ => Reply::TooLarge(u.arbitrary()?, u.arbitrary()?),
    })
}

fn host_request(u: &mut Unstructured<'_>) -> Result<HostRequest> {
    Ok(match u.int_in_range(0..=2)? {
        0 => HostRequest::Function { module: u.arbitrary()?, function: u.arbitrary()?, arguments: u.arbitrary()? },
        1 => HostRequest::Module { specifier: u.arbitrary()?, importer: u.arbitrary()? },
        _ => HostRequest::ConsoleLine(ConsoleLevel::from_int(u.arbitrary()?), u.arbitrary()?),
    })
}
