//! Values of the ABI.

use arbitrary::{Arbitrary, Result, Unstructured};
use guest_abi::message::{CallContext, Details, Exception, HostFunctionNames, HostReply, ModuleReply, Place, Reply};
use guest_abi::payload::Payload;

/// One of the kinds of messages.
#[derive(Clone, Debug)]
pub enum Message {
    Context(CallContext),
    Names(HostFunctionNames),
    Payload(Payload),
    Reply(Reply),
    HostReply(HostReply),
    ModuleReply(ModuleReply),
}

impl<'a> Arbitrary<'a> for Message {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(0..=5)? {
            0 => Self::Context(CallContext {
                epoch_nanos: u.arbitrary()?,
                monotonic_nanos: u.arbitrary()?,
                tsc_hz: u.arbitrary()?,
                seed: u.arbitrary()?,
            }),
            1 => Self::Names(HostFunctionNames(u.arbitrary()?)),
            2 => Self::Payload(payload(u)?),
            3 => Self::Reply(reply(u)?),
            4 => Self::HostReply(match u.int_in_range(0..=2)? {
                0 => HostReply::Value(payload(u)?),
                1 => HostReply::Undefined,
                _ => HostReply::Failed(exception(u)?),
            }),
            _ => Self::ModuleReply(match u.int_in_range(0..=2)? {
                0 => ModuleReply::Source(u.arbitrary()?),
                1 => ModuleReply::Unknown,
                _ => ModuleReply::Failed(u.arbitrary()?),
            }),
        })
    }
}

fn payload(u: &mut Unstructured<'_>) -> Result<Payload> {
    let mut payload = Payload::from_json(u.arbitrary()?);
    for bytes in u.arbitrary_iter::<&[u8]>()? {
        payload.push(bytes?);
    }
    Ok(payload)
}

/// An exception as it is sent: nothing of it is too much.
fn exception(u: &mut Unstructured<'_>) -> Result<Exception> {
    let mut exception = any_exception(u, 0)?;
    exception.fit();
    Ok(exception)
}

fn any_exception(u: &mut Unstructured<'_>, depth: usize) -> Result<Exception> {
    let mut details = Details { properties: u.arbitrary()?, ..Details::default() };
    if depth < 10 && u.ratio(1, 3)? {
        details.cause = Some(Box::new(any_exception(u, depth + 1)?));
    }
    while depth < 10 && u.ratio(1, 3)? {
        details.errors.push(any_exception(u, depth + 1)?);
    }
    Ok(Exception { name: u.arbitrary()?, message: u.arbitrary()?, stack: u.arbitrary()?, details: Box::new(details) })
}

fn reply(u: &mut Unstructured<'_>) -> Result<Reply> {
    Ok(match u.int_in_range(0..=6)? {
        0 => Reply::Value(payload(u)?),
        1 => Reply::Undefined,
        2 => Reply::Exception(exception(u)?),
        3 => {
            let place = Place { file: u.arbitrary()?, line: u.arbitrary()?, column: u.arbitrary()? };
            Reply::Compile(exception(u)?, place)
        }
        4 => Reply::HandlerNotFound,
        5 => Reply::InvalidEvent(u.arbitrary()?),
        _ => Reply::TooLarge(u.arbitrary()?, u.arbitrary()?),
    })
}
