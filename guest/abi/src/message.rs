//! What travels in the arguments and results of guest functions.
//!
//! Numbers are little endian. Texts inside a message are UTF-8 behind a 32-bit length. Everything that comes out of the
//! guest is untrusted, so decoding checks every length and every text and never panics.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

pub use crate::exception::{Details, Exception};
use crate::host_request::HostRequest;
use crate::own_modules;
use crate::payload::Payload;
use crate::source::Language;
use crate::suspension::Suspension;

/// Longest text of one kind that a guest sends beside values, in bytes: a line of its console, an error's name, message or
/// stack, the specifier of a module. The guest keeps it, and the host checks it.
pub const TEXT_SIZE_MAX: usize = 16 << 10;

/// What the host sends along with every call, so that the guest need not leave the VM for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallContext {
    /// Nanoseconds since the Unix epoch at the time of the call.
    pub epoch_nanos: u64,
    /// Nanoseconds of a clock that is never set back, from an arbitrary start. Another process may have another start.
    pub monotonic_nanos: u64,
    /// Ticks of the time-stamp counter per second.
    pub tsc_hz: u64,
    /// Fresh randomness: the seed of this call's random numbers.
    pub seed: [u8; 32],
}

impl CallContext {
    /// Size of an encoded context in bytes.
    pub const SIZE: usize = 56;

    /// Encodes the context.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..8].copy_from_slice(&self.epoch_nanos.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.monotonic_nanos.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.tsc_hz.to_le_bytes());
        bytes[24..].copy_from_slice(&self.seed);
        bytes
    }

    /// Decodes a context; `None` if `bytes` has another length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::SIZE] = bytes.try_into().ok()?;
        let mut reader = Reader(bytes);
        Some(Self {
            epoch_nanos: reader.u64()?,
            monotonic_nanos: reader.u64()?,
            tsc_hz: reader.u64()?,
            seed: reader.take(32)?.try_into().ok()?,
        })
    }
}

/// A place in a handler's source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Name of the handler or module.
    pub file: String,
    /// Line, from 1; 0 if it is not known.
    pub line: u32,
    /// Column, from 1; 0 if it is not known.
    pub column: u32,
}

/// How an entry into the guest ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It gave this value.
    Value(Payload),
    /// It gave `undefined`, or something else that JSON cannot express.
    Undefined,
    /// The guest's code threw, or its promise was rejected.
    Exception(Exception),
    /// The source could not be compiled, linked or evaluated.
    Compile(Exception, Place),
    /// There is no handler of that name.
    HandlerNotFound,
    /// The event is not JSON; the text says where.
    InvalidEvent(String),
    /// The result does not fit the output buffer: its size and the limit, both in bytes.
    TooLarge(u64, u64),
    /// The call has not ended: it waits for the host.
    Suspended(Suspension),
    /// The program was not run: what is wrong with what comes with it.
    Refused(String),
    /// The function has not ended: it is in the midst of something for which it needs the host.
    HostRequest(HostRequest),
}

/// How a host function ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostReply {
    /// It gave this value.
    Value(Payload),
    /// It gave `undefined`, or something else that JSON cannot express.
    Undefined,
    /// It failed.
    Failed(Exception),
}

/// What the host knows of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleReply {
    /// It has been found.
    Source {
        /// The name that it goes by, under which others may have imported it; empty if that is the one that was asked for.
        name: String,
        /// Its source.
        source: String,
        /// What that is written in.
        language: Language,
    },
    /// There is none of that name.
    Unknown,
    /// It could not be had: the reason.
    Failed(String),
}

/// The host functions of a sandbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostFunctionNames(pub Vec<HostFunctionName>);

impl HostFunctionNames {
    /// Those that are the user's.
    pub fn of_user(&self) -> impl Iterator<Item = &HostFunctionName> {
        self.0.iter().filter(|name| !name.module.starts_with(own_modules::PREFIX))
    }

    /// Whether there are some of this module.
    #[must_use]
    pub fn has_module(&self, module: &str) -> bool {
        self.0.iter().any(|name| name.module == module)
    }
}

/// A host function, as the guest knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFunctionName {
    /// Name of its module.
    pub module: String,
    /// Its own name.
    pub function: String,
    /// Whether guest code gets a promise for its result at once, instead of waiting for the result.
    pub is_async: bool,
}

/// A reply that breaks the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedReply;

impl core::fmt::Display for MalformedReply {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the guest sent a malformed reply")
    }
}

impl core::error::Error for MalformedReply {}

// The status is the last byte of a reply: neither side has to move the text of a value to add or remove it.
mod status {
    pub const VALUE: u8 = 0;
    pub const UNDEFINED: u8 = 1;
    pub const EXCEPTION: u8 = 2;
    pub const COMPILE: u8 = 3;
    pub const HANDLER_NOT_FOUND: u8 = 4;
    pub const INVALID_EVENT: u8 = 5;
    pub const TOO_LARGE: u8 = 6;
    pub const SUSPENDED: u8 = 7;
    pub const REFUSED: u8 = 8;
    pub const HOST_REQUEST: u8 = 9;
}

impl Reply {
    /// Encodes the reply. An exception must [fit](Exception::fit).
    pub fn into_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let status = match self {
            Self::Value(payload) => {
                bytes = payload.into_bytes();
                status::VALUE
            }
            Self::Undefined => status::UNDEFINED,
            Self::Exception(exception) => {
                put_exception(&mut bytes, &exception);
                status::EXCEPTION
            }
            Self::Compile(exception, place) => {
                put_exception(&mut bytes, &exception);
                put_text(&mut bytes, &place.file);
                bytes.extend_from_slice(&place.line.to_le_bytes());
                bytes.extend_from_slice(&place.column.to_le_bytes());
                status::COMPILE
            }
            Self::HandlerNotFound => status::HANDLER_NOT_FOUND,
            Self::InvalidEvent(message) => {
                bytes = message.into_bytes();
                status::INVALID_EVENT
            }
            Self::TooLarge(size, limit) => {
                bytes.extend_from_slice(&size.to_le_bytes());
                bytes.extend_from_slice(&limit.to_le_bytes());
                status::TOO_LARGE
            }
            Self::Suspended(suspension) => {
                bytes = suspension.into_bytes();
                status::SUSPENDED
            }
            Self::Refused(message) => {
                bytes = message.into_bytes();
                status::REFUSED
            }
            Self::HostRequest(call) => {
                bytes = call.into_bytes();
                status::HOST_REQUEST
            }
        };
        bytes.push(status);
        bytes
    }

    /// Decodes a reply.
    ///
    /// # Errors
    /// [`MalformedReply`] for an unknown status, a wrong length, text that is not UTF-8, or an exception with causes
    /// and errors beyond the limits. Whether its texts fit is another question.
    pub fn from_bytes(mut bytes: Vec<u8>) -> Result<Self, MalformedReply> {
        let status = bytes.pop().ok_or(MalformedReply)?;
        match status {
            status::VALUE => return Payload::from_bytes(bytes).map(Self::Value).ok_or(MalformedReply),
            status::SUSPENDED => {
                return Suspension::from_bytes(&bytes).map(Self::Suspended).ok_or(MalformedReply);
            }
            status::HOST_REQUEST => return HostRequest::from_bytes(bytes).map(Self::HostRequest).ok_or(MalformedReply),
            status::INVALID_EVENT => {
                return String::from_utf8(bytes).map(Self::InvalidEvent).map_err(|_| MalformedReply);
            }
            status::REFUSED => return String::from_utf8(bytes).map(Self::Refused).map_err(|_| MalformedReply),
            _ => {}
        }
        let mut reader = Reader(&bytes);
        let reply = reader.reply(status).ok_or(MalformedReply)?;
        if reader.0.is_empty() { Ok(reply) } else { Err(MalformedReply) }
    }
}

impl HostReply {
    /// Encodes the reply.
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Value(payload) => Reply::Value(payload).into_bytes(),
            Self::Undefined => Reply::Undefined.into_bytes(),
            Self::Failed(exception) => Reply::Exception(exception).into_bytes(),
        }
    }

    /// Decodes a reply.
    ///
    /// # Errors
    /// [`MalformedReply`] as for a [`Reply`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, MalformedReply> {
        match Reply::from_bytes(bytes)? {
            Reply::Value(payload) => Ok(Self::Value(payload)),
            Reply::Undefined => Ok(Self::Undefined),
            Reply::Exception(exception) => Ok(Self::Failed(exception)),
            _ => Err(MalformedReply),
        }
    }
}

impl ModuleReply {
    const UNKNOWN: u8 = 0;
    const FAILED: u8 = 1;
    /// That of a source in the language with the code 0. That of another is so much higher.
    const SOURCE: u8 = 2;

    /// Encodes the reply.
    pub fn into_bytes(self) -> Vec<u8> {
        let (text, status) = match self {
            Self::Source { name, mut source, language } => {
                source.push_str(&name);
                let mut bytes = source.into_bytes();
                bytes.extend_from_slice(&(name.len() as u32).to_le_bytes());
                bytes.push(Self::SOURCE + language.code());
                return bytes;
            }
            Self::Unknown => (String::new(), Self::UNKNOWN),
            Self::Failed(reason) => (reason, Self::FAILED),
        };
        let mut bytes = text.into_bytes();
        bytes.push(status);
        bytes
    }

    /// Decodes a reply; `None` if it is malformed.
    pub fn from_bytes(mut bytes: Vec<u8>) -> Option<Self> {
        let status = bytes.pop()?;
        if let Some(language) = status.checked_sub(Self::SOURCE) {
            let language = Language::from_code(language)?;
            let name_size = u32::from_le_bytes(bytes.split_off(bytes.len().checked_sub(4)?).try_into().ok()?);
            let name = bytes.split_off(bytes.len().checked_sub(name_size as usize)?);
            let (name, source) = (String::from_utf8(name).ok()?, String::from_utf8(bytes).ok()?);
            return Some(Self::Source { name, source, language });
        }
        let text = String::from_utf8(bytes).ok()?;
        match status {
            Self::UNKNOWN if text.is_empty() => Some(Self::Unknown),
            Self::FAILED => Some(Self::Failed(text)),
            _ => None,
        }
    }
}

impl HostFunctionNames {
    /// Encodes the list.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for HostFunctionName { module, function, is_async } in &self.0 {
            put_text(&mut bytes, module);
            put_text(&mut bytes, function);
            bytes.push(u8::from(*is_async));
        }
        bytes
    }

    /// Decodes a list; `None` if it is malformed.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let mut names = Vec::new();
        while !reader.0.is_empty() {
            let (module, function) = (reader.text()?, reader.text()?);
            let is_async = match reader.take(1)? {
                [0] => false,
                [1] => true,
                _ => return None,
            };
            names.push(HostFunctionName { module, function, is_async });
        }
        Some(Self(names))
    }
}

pub(crate) fn put_text(bytes: &mut Vec<u8>, text: &str) {
    // A text of 4 GiB cannot exist: the heap is smaller than the length field's range only by configuration, so cut.
    let text = &text.as_bytes()[..text.len().min(u32::MAX as usize)];
    bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
    bytes.extend_from_slice(text);
}

fn put_exception(bytes: &mut Vec<u8>, exception: &Exception) {
    let Exception { name, message, stack, details } = exception;
    let Details { properties, cause, errors } = &**details;
    for text in [name, message, stack, properties] {
        put_text(bytes, text);
    }
    // Both are few: the exception fits.
    bytes.push(u8::from(cause.is_some()));
    bytes.push(errors.len() as u8);
    for exception in cause.as_deref().into_iter().chain(errors) {
        put_exception(bytes, exception);
    }
}

/// Reads a message from its start.
pub(crate) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(length)?;
        self.0 = tail;
        Some(head)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    pub fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    pub fn text(&mut self) -> Option<String> {
        let length = self.u32()? as usize;
        Some(String::from(core::str::from_utf8(self.take(length)?).ok()?))
    }

    fn u8(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    fn exception(&mut self) -> Option<Exception> {
        self.nested_exception(&mut 0, 0)
    }

    fn nested_exception(&mut self, count: &mut usize, depth: usize) -> Option<Exception> {
        *count += 1;
        if *count > Exception::COUNT_MAX || depth > Exception::DEPTH_MAX {
            return None;
        }
        let mut exception = Exception {
            name: self.text()?,
            message: self.text()?,
            stack: self.text()?,
            details: Box::new(Details { properties: self.text()?, ..Details::default() }),
        };
        let (causes, errors) = (self.u8()?, usize::from(self.u8()?));
        if causes > 1 || errors > Exception::ERRORS_MAX {
            return None;
        }
        if causes == 1 {
            exception.details.cause = Some(Box::new(self.nested_exception(count, depth + 1)?));
        }
        for _ in 0..errors {
            exception.details.errors.push(self.nested_exception(count, depth + 1)?);
        }
        Some(exception)
    }

    fn reply(&mut self, status: u8) -> Option<Reply> {
        Some(match status {
            status::UNDEFINED => Reply::Undefined,
            status::EXCEPTION => Reply::Exception(self.exception()?),
            status::COMPILE => {
                let exception = self.exception()?;
                Reply::Compile(exception, Place { file: self.text()?, line: self.u32()?, column: self.u32()? })
            }
            status::HANDLER_NOT_FOUND => Reply::HandlerNotFound,
            status::TOO_LARGE => Reply::TooLarge(self.u64()?, self.u64()?),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn replies() -> Vec<Reply> {
        let exception = Exception { stack: "at f\n".into(), ..Exception::new("TypeError", "näh \0 \u{1f980}") };
        let mut detailed = Exception::new("AggregateError", "");
        detailed.details.properties = r#"{"code":"ENOENT"}"#.into();
        detailed.details.cause = Some(Box::new(exception.clone()));
        detailed.details.errors = vec![Exception::default(), exception.clone()];
        vec![
            Reply::Value(Payload::from_json("{\"a\":\"\\ud800\"}".into())),
            Reply::Value(Payload::default()),
            Reply::Undefined,
            Reply::Exception(exception.clone()),
            Reply::Exception(Exception::default()),
            Reply::Exception(detailed.clone()),
            Reply::Compile(detailed, Place::default()),
            Reply::Compile(exception, Place { file: "greet".into(), line: 3, column: u32::MAX }),
            Reply::HandlerNotFound,
            Reply::InvalidEvent("at 4".into()),
            Reply::TooLarge(u64::MAX, 0),
            Reply::Refused("a name".into()),
        ]
    }

    #[test]
    fn replies_round_trip() {
        for reply in replies() {
            assert_eq!(Reply::from_bytes(reply.clone().into_bytes()), Ok(reply));
        }
    }

    #[test]
    fn a_reply_cut_short_or_stretched_is_malformed_or_another_reply_but_never_a_panic() {
        for reply in replies() {
            let bytes = reply.into_bytes();
            let (status, body) = bytes.split_last().expect("a status");
            // A payload has tests of its own.
            let is_text = matches!(*status, status::VALUE | status::INVALID_EVENT | status::REFUSED);
            for length in 0..body.len() {
                let mut cut = body[..length].to_vec();
                cut.push(*status);
                let decoded = Reply::from_bytes(cut);
                assert!(is_text || decoded == Err(MalformedReply), "{decoded:?}");
            }
            let mut stretched = body.to_vec();
            stretched.extend_from_slice(&[0, *status]);
            assert!(is_text || Reply::from_bytes(stretched) == Err(MalformedReply));
        }
    }

    #[test]
    fn lengths_beyond_the_message_are_malformed() {
        let mut bytes = u32::MAX.to_le_bytes().to_vec();
        bytes.extend_from_slice(b"abc");
        bytes.push(status::EXCEPTION);
        assert_eq!(Reply::from_bytes(bytes), Err(MalformedReply));
    }

    #[test]
    fn text_that_is_not_utf8_is_malformed() {
        assert_eq!(Reply::from_bytes(vec![0xed, 0xa0, 0x80, 0, status::VALUE]), Err(MalformedReply));
        assert_eq!(Reply::from_bytes(vec![0xff, status::INVALID_EVENT]), Err(MalformedReply));
        let mut bytes = vec![1, 0, 0, 0, 0xff];
        bytes.extend_from_slice(&[0; 14]);
        bytes.push(status::EXCEPTION);
        assert_eq!(Reply::from_bytes(bytes), Err(MalformedReply));
    }

    #[test]
    fn causes_and_errors_beyond_the_limits_are_malformed() {
        let with = |details| Exception { details: Box::new(details), ..Exception::default() };
        let errors = |count, error: &Exception| (0..count).map(|_| error.clone()).collect::<Vec<_>>();
        let most = with(Details { errors: errors(Exception::ERRORS_MAX, &Exception::default()), ..Details::default() });
        let many =
            with(Details { errors: errors(Exception::ERRORS_MAX + 1, &Exception::default()), ..Details::default() });
        let wide = with(Details { errors: errors(4, &most), ..Details::default() });
        let nested = |levels| {
            let deeper = |inner| with(Details { cause: Some(Box::new(inner)), ..Details::default() });
            (0..levels).fold(Exception::default(), |inner, _| deeper(inner))
        };
        for fitting in [most, nested(Exception::DEPTH_MAX)] {
            assert_eq!(
                Reply::from_bytes(Reply::Exception(fitting.clone()).into_bytes()),
                Ok(Reply::Exception(fitting))
            );
        }
        for exception in [many, wide, nested(Exception::DEPTH_MAX + 1)] {
            assert!(!exception.fits());
            assert_eq!(Reply::from_bytes(Reply::Exception(exception).into_bytes()), Err(MalformedReply));
        }
        // Two causes.
        let mut bytes = vec![0; 16];
        bytes.extend_from_slice(&[2, 0]);
        bytes.extend_from_slice(&[0; 36]);
        bytes.push(status::EXCEPTION);
        assert_eq!(Reply::from_bytes(bytes), Err(MalformedReply));
        // Nesting without end takes no stack.
        let mut bytes = Vec::new();
        for _ in 0..100_000 {
            bytes.extend_from_slice(&[0; 16]);
            bytes.extend_from_slice(&[1, 0]);
        }
        bytes.push(status::EXCEPTION);
        assert_eq!(Reply::from_bytes(bytes), Err(MalformedReply));
    }

    #[test]
    fn unknown_status_and_empty_reply_are_malformed() {
        assert_eq!(Reply::from_bytes(vec![]), Err(MalformedReply));
        for status in (status::TOO_LARGE + 1..=u8::MAX).filter(|status| *status != status::REFUSED) {
            assert_eq!(Reply::from_bytes(vec![status]), Err(MalformedReply));
        }
    }

    #[test]
    fn host_replies_and_names_round_trip() {
        for reply in [
            HostReply::Value(Payload::from_json("[1]".into())),
            HostReply::Undefined,
            HostReply::Failed(Exception::new("TypeError", "no")),
        ] {
            assert_eq!(HostReply::from_bytes(reply.clone().into_bytes()), Ok(reply));
        }
        assert_eq!(HostReply::from_bytes(Reply::HandlerNotFound.into_bytes()), Err(MalformedReply));

        let names = HostFunctionNames(vec![
            HostFunctionName { module: "math".into(), function: "add".into(), is_async: false },
            HostFunctionName { module: "ü".into(), function: String::new(), is_async: true },
        ]);
        let bytes = names.to_bytes();
        assert_eq!(HostFunctionNames::from_bytes(&bytes), Some(names));
        assert_eq!(HostFunctionNames::from_bytes(&[]), Some(HostFunctionNames::default()));
        assert_eq!(HostFunctionNames::from_bytes(&bytes[..bytes.len() - 1]), None);
    }

    #[test]
    fn module_replies_round_trip_and_others_are_malformed() {
        let source = |name: &str, language| ModuleReply::Source { name: name.into(), source: "x".into(), language };
        let sources = Language::ALL.into_iter().flat_map(|language| [source("", language), source("lib:ü", language)]);
        for reply in sources.chain([ModuleReply::Unknown, ModuleReply::Failed("no".into())]) {
            assert_eq!(ModuleReply::from_bytes(reply.clone().into_bytes()), Some(reply));
        }
        let long_name = vec![b'x', 2, 0, 0, 0, 2];
        let cut_name = "xü".bytes().chain([1, 0, 0, 0, 3]).collect();
        for bytes in
            [vec![], vec![6], vec![2], vec![0, 0, 0, 2], vec![0xff, 0, 0, 0, 0, 2], vec![b'x', 0], long_name, cut_name]
        {
            assert_eq!(ModuleReply::from_bytes(bytes), None);
        }
    }

    #[test]
    fn contexts_round_trip_and_other_lengths_are_refused() {
        let context = CallContext { epoch_nanos: 1, monotonic_nanos: 2, tsc_hz: u64::MAX, seed: [7; 32] };
        let bytes = context.to_bytes();
        assert_eq!(CallContext::from_bytes(&bytes), Some(context));
        assert_eq!(CallContext::from_bytes(&bytes[1..]), None);
        assert_eq!(CallContext::from_bytes(&[]), None);
    }
}
