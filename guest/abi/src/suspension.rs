//! What host and guest tell each other of a call that waits: the guest what it waits for, the host what has come of it.
//!
//! A guest that can go on only when the host does something ends its entry with a [`Suspension`]. The host does what that
//! asks for and enters the guest again with the [`HostResults`] that have come meanwhile, until the call has ended.

use alloc::string::String;
use alloc::vec::Vec;

use crate::message::{HostReply, Reader, put_text};
use crate::payload::Payload;

/// What a suspended call waits for, beside the host calls that it was suspended for before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suspension {
    /// The host calls that were started since the last entry, in their order.
    pub started: Vec<StartedCall>,
    /// The guest wants to be entered again at once, with whatever there is: it has something to run, or has started more host calls
    /// than fit one message.
    pub at_once: bool,
    /// Nanoseconds from now until the next timer is due, if there is one.
    pub timer: Option<u64>,
}

/// A call of an asynchronous host function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartedCall {
    /// Identifies the call among those of the sandbox: each is larger than all before it.
    pub number: u64,
    /// Name of the function's module.
    pub module: String,
    /// Name of the function.
    pub function: String,
    /// The array of its arguments.
    pub arguments: Payload,
}

/// What has come of host calls since the last entry, in the order in which it came: the calls' numbers and their results.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostResults(pub Vec<(u64, HostReply)>);

impl StartedCall {
    /// Size of its encoding in bytes, at most.
    pub fn size(&self) -> usize {
        32 + self.module.len() + self.function.len() + self.arguments.size() + 8
    }
}

impl Suspension {
    /// Most calls that one message can hold: as many as can be in flight.
    pub const STARTED_MAX: usize = 1_000;

    const AT_ONCE: u8 = 1;
    const HAS_TIMER: u8 = 2;

    /// Encodes the suspension.
    pub fn into_bytes(self) -> Vec<u8> {
        let mut flags = 0;
        if self.at_once {
            flags |= Self::AT_ONCE;
        }
        if self.timer.is_some() {
            flags |= Self::HAS_TIMER;
        }
        let mut bytes = Vec::with_capacity(24 + self.started.iter().map(StartedCall::size).sum::<usize>());
        bytes.push(flags);
        bytes.extend_from_slice(&self.timer.unwrap_or(0).to_le_bytes());
        bytes.extend_from_slice(&(self.started.len() as u64).to_le_bytes());
        for call in self.started {
            bytes.extend_from_slice(&call.number.to_le_bytes());
            put_text(&mut bytes, &call.module);
            put_text(&mut bytes, &call.function);
            put_bytes(&mut bytes, &call.arguments.into_bytes());
        }
        bytes
    }

    /// Decodes a suspension; `None` if it is malformed or has too many calls. Beside what the calls hold, it takes as much as so
    /// many calls.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let [flags] = *reader.take(1)? else { return None };
        let timer = reader.u64()?;
        let timer = if flags & Self::HAS_TIMER != 0 { Some(timer) } else { None };
        if flags & !(Self::AT_ONCE | Self::HAS_TIMER) != 0 {
            return None;
        }
        let count = usize::try_from(reader.u64()?).ok()?;
        if count > Self::STARTED_MAX {
            return None;
        }
        let mut started = Vec::with_capacity(count);
        for _ in 0..count {
            started.push(StartedCall {
                number: reader.u64()?,
                module: reader.text()?,
                function: reader.text()?,
                arguments: Payload::from_bytes(bytes_of(&mut reader)?)?,
            });
        }
        if !reader.0.is_empty() {
            return None;
        }
        Some(Self { started, at_once: flags & Self::AT_ONCE != 0, timer })
    }
}

impl HostResults {
    /// Encodes the results.
    pub fn into_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (number, reply) in self.0 {
            bytes.extend_from_slice(&number.to_le_bytes());
            put_bytes(&mut bytes, &reply.into_bytes());
        }
        bytes
    }

    /// Decodes the results; `None` if they are malformed.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let mut results = Vec::new();
        while !reader.0.is_empty() {
            results.push((reader.u64()?, HostReply::from_bytes(bytes_of(&mut reader)?).ok()?));
        }
        Some(Self(results))
    }
}

fn put_bytes(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
    bytes.extend_from_slice(part);
}

fn bytes_of(reader: &mut Reader<'_>) -> Option<Vec<u8>> {
    let size = usize::try_from(reader.u64()?).ok()?;
    Some(reader.take(size)?.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Exception;
    use alloc::vec;

    fn suspensions() -> Vec<Suspension> {
        let mut arguments = Payload::from_json("[1,\"\\u00100\"]".into());
        arguments.push(&[0, 255]);
        let call = StartedCall { number: 1, module: "db".into(), function: "find".into(), arguments };
        let other = StartedCall {
            number: u64::MAX,
            module: "n\u{e4}h".into(),
            function: String::new(),
            arguments: Payload::default(),
        };
        vec![
            Suspension::default(),
            Suspension { timer: Some(u64::MAX), ..Suspension::default() },
            Suspension { started: vec![call.clone()], at_once: true, timer: None },
            Suspension { started: vec![call, other], at_once: false, timer: Some(0) },
        ]
    }

    #[test]
    fn suspensions_round_trip_and_are_no_larger_than_they_say() {
        for suspension in suspensions() {
            let most: usize = 24 + suspension.started.iter().map(StartedCall::size).sum::<usize>();
            let bytes = suspension.clone().into_bytes();
            assert!(bytes.len() <= most);
            assert_eq!(Suspension::from_bytes(&bytes), Some(suspension));
        }
    }

    #[test]
    fn what_is_cut_short_or_changed_is_malformed_or_another_suspension_but_never_a_panic() {
        for suspension in suspensions() {
            let bytes = suspension.into_bytes();
            for length in 0..bytes.len() {
                let _ = Suspension::from_bytes(&bytes[..length]);
                for value in [0, 1, 0x7f, 0xff] {
                    let mut changed = bytes.clone();
                    changed[length] = value;
                    let _ = Suspension::from_bytes(&changed);
                }
            }
        }
        assert_eq!(Suspension::from_bytes(&[]), None);
        assert_eq!(Suspension::from_bytes(&[4, 0, 0, 0, 0, 0, 0, 0, 0]), None);
    }

    #[test]
    fn results_round_trip() {
        let results = HostResults(vec![
            (1, HostReply::Value(Payload::from_json("{}".into()))),
            (u64::MAX, HostReply::Undefined),
            (2, HostReply::Failed(Exception::new("Error", "no"))),
        ]);
        let bytes = results.clone().into_bytes();
        for length in 1..bytes.len() {
            assert_ne!(HostResults::from_bytes(&bytes[..length]), Some(results.clone()));
        }
        assert_eq!(HostResults::from_bytes(&bytes), Some(results));
    }
}
