//! What a guest asks its host for in the midst of a call.
//!
//! The entry into the guest ends with a [`HostRequest`] as its reply, as if it were a result. The host does what that asks for
//! and enters the guest again with its [reply](crate::function::HOST_REPLY); the guest goes on where it was. So the host hears of
//! nothing before the guest has been left, and what it hears it decodes itself.

use alloc::string::String;
use alloc::vec::Vec;

use crate::function::ConsoleLevel;

/// What the guest asks for. It does nothing until it has the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostRequest {
    /// To call a function that the user has registered. The answer is a [`HostReply`](crate::message::HostReply).
    Function {
        /// Name of the function's module.
        module: String,
        /// Name of the function.
        function: String,
        /// The array of its arguments, an encoded [`Payload`](crate::payload::Payload).
        arguments: Vec<u8>,
    },
    /// For the source of a module that was not added. The answer is a [`ModuleReply`](crate::message::ModuleReply).
    Module {
        /// Its specifier.
        specifier: String,
        /// Name of the module that imports it.
        importer: String,
    },
    /// To take one line that guest code wrote to its console. The answer is empty.
    ConsoleLine(ConsoleLevel, String),
}

// The last byte of an encoded call says what comes before it.
const FUNCTION: u8 = 0;
const MODULE: u8 = 1;
const CONSOLE_LINE: u8 = 2;

/// Size of the length behind a text.
const LENGTH: usize = size_of::<u32>();

impl HostRequest {
    /// Encodes the call. What is large comes first, so that it need not be moved.
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Function { module, function, arguments } => with_texts(arguments, &module, &function, FUNCTION),
            Self::Module { specifier, importer } => with_texts(Vec::new(), &specifier, &importer, MODULE),
            Self::ConsoleLine(level, line) => {
                let mut bytes = line.into_bytes();
                bytes.extend_from_slice(&[level as u8, CONSOLE_LINE]);
                bytes
            }
        }
    }

    /// Decodes a call; `None` if it is malformed. Whether the arguments are is another question.
    pub fn from_bytes(mut bytes: Vec<u8>) -> Option<Self> {
        match bytes.pop()? {
            FUNCTION => {
                let (function, module) = (pop_text(&mut bytes)?, pop_text(&mut bytes)?);
                Some(Self::Function { module, function, arguments: bytes })
            }
            MODULE => {
                let (importer, specifier) = (pop_text(&mut bytes)?, pop_text(&mut bytes)?);
                bytes.is_empty().then_some(Self::Module { specifier, importer })
            }
            CONSOLE_LINE => {
                let level = ConsoleLevel::from_int(bytes.pop()?.into());
                Some(Self::ConsoleLine(level, String::from_utf8(bytes).ok()?))
            }
            _ => None,
        }
    }
}

fn with_texts(mut bytes: Vec<u8>, first: &str, second: &str, kind: u8) -> Vec<u8> {
    // Two more for what stands behind it in a reply.
    bytes.reserve_exact(first.len() + second.len() + 2 * LENGTH + 2);
    for text in [first, second] {
        bytes.extend_from_slice(text.as_bytes());
        bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
    }
    bytes.push(kind);
    bytes
}

/// Takes a text off the end, where its length stands behind it.
fn pop_text(bytes: &mut Vec<u8>) -> Option<String> {
    let (rest, length) = bytes.split_last_chunk::<LENGTH>()?;
    let start = rest.len().checked_sub(u32::from_le_bytes(*length) as usize)?;
    let text = String::from(core::str::from_utf8(&rest[start..]).ok()?);
    bytes.truncate(start);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn calls() -> Vec<HostRequest> {
        vec![
            HostRequest::Function { module: "db".into(), function: "find".into(), arguments: b"[1]\0".to_vec() },
            HostRequest::Function { module: String::new(), function: "n\u{e4}h".into(), arguments: vec![] },
            HostRequest::Module { specifier: "./x".into(), importer: "user:y".into() },
            HostRequest::ConsoleLine(ConsoleLevel::Warn, "n\u{e4}h".into()),
            HostRequest::ConsoleLine(ConsoleLevel::Debug, String::new()),
        ]
    }

    #[test]
    fn calls_round_trip() {
        for call in calls() {
            assert_eq!(HostRequest::from_bytes(call.clone().into_bytes()), Some(call));
        }
    }

    #[test]
    fn what_is_cut_short_or_changed_is_malformed_or_another_call_but_never_a_panic() {
        for call in calls() {
            let bytes = call.clone().into_bytes();
            for at in 0..bytes.len() {
                assert_ne!(HostRequest::from_bytes(bytes[..at].to_vec()), Some(call.clone()));
                assert_ne!(HostRequest::from_bytes(bytes[at + 1..].to_vec()), Some(call.clone()));
                for value in [0, 1, 2, 0x7f, 0xff] {
                    let mut changed = bytes.clone();
                    changed[at] = value;
                    let _ = HostRequest::from_bytes(changed);
                }
            }
        }
        for bytes in [vec![], vec![3], vec![CONSOLE_LINE], vec![0xff, 0, CONSOLE_LINE], vec![0; 4]] {
            assert_eq!(HostRequest::from_bytes(bytes.clone()), None, "{bytes:?}");
        }
    }

    #[test]
    fn lengths_beyond_the_message_are_malformed() {
        let mut bytes = b"abc".to_vec();
        bytes.extend_from_slice(&u32::MAX.to_le_bytes());
        bytes.push(FUNCTION);
        assert_eq!(HostRequest::from_bytes(bytes), None);
        // A specifier with something in front of it.
        assert_eq!(HostRequest::from_bytes(with_texts(vec![0], "a", "b", MODULE)), None);
    }
}
