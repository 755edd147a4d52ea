//! How a call is to be made, and what it may use.

use alloc::vec::Vec;

use crate::message::HostFunctionNames;

/// Options of a call of a handler, or of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallOptions {
    /// Whether to collect garbage afterwards if there may be much.
    pub gc: bool,
    /// Whether the result may hold byte arrays; if not, it is plain JSON.
    pub bytes: bool,
    /// Whether a promise that was rejected and that nobody handles fails the call; if not, it is a line of the console.
    pub rejections_fail: bool,
    /// Most bytes that JavaScript may use during the call, if that is less than in other calls.
    pub memory_limit: Option<u64>,
    /// Host functions that this call can call, beside those of the sandbox.
    pub functions: HostFunctionNames,
}

impl CallOptions {
    const GC: u8 = 1;
    const BYTES: u8 = 2;
    const REJECTIONS_FAIL: u8 = 4;
    const MEMORY_LIMIT: u8 = 8;

    /// Encodes the options.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { gc, bytes, rejections_fail, memory_limit, functions } = self;
        let flag = |is_set: &bool, flag: u8| if *is_set { flag } else { 0 };
        let flags = flag(gc, Self::GC)
            | flag(bytes, Self::BYTES)
            | flag(rejections_fail, Self::REJECTIONS_FAIL)
            | flag(&memory_limit.is_some(), Self::MEMORY_LIMIT);
        let mut encoded = functions.to_bytes();
        encoded.extend_from_slice(&memory_limit.unwrap_or(0).to_le_bytes());
        encoded.push(flags);
        encoded
    }

    /// Decodes options; `None` if they are malformed.
    pub fn from_bytes(encoded: &[u8]) -> Option<Self> {
        let (flags, encoded) = encoded.split_last()?;
        let (functions, memory_limit) = encoded.split_last_chunk()?;
        let is_set = |flag: u8| flags & flag != 0;
        if flags & !(Self::GC | Self::BYTES | Self::REJECTIONS_FAIL | Self::MEMORY_LIMIT) != 0 {
            return None;
        }
        let memory_limit = match (u64::from_le_bytes(*memory_limit), is_set(Self::MEMORY_LIMIT)) {
            (limit, true) => Some(limit),
            (0, false) => None,
            _ => return None,
        };
        Some(Self {
            gc: is_set(Self::GC),
            bytes: is_set(Self::BYTES),
            rejections_fail: is_set(Self::REJECTIONS_FAIL),
            memory_limit,
            functions: HostFunctionNames::from_bytes(functions)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::HostFunctionName;
    use alloc::vec;

    fn all() -> Vec<CallOptions> {
        let find = HostFunctionName { module: "db".into(), function: "find".into(), is_async: true };
        let mut all = vec![CallOptions::default()];
        for flags in 0..16 {
            all.push(CallOptions {
                gc: flags & 1 != 0,
                bytes: flags & 2 != 0,
                rejections_fail: flags & 4 != 0,
                memory_limit: (flags & 8 != 0).then_some(flags << 20),
                functions: HostFunctionNames(vec![find.clone(); 2]),
            });
        }
        all
    }

    #[test]
    fn options_round_trip() {
        for options in all() {
            assert_eq!(CallOptions::from_bytes(&options.to_bytes()), Some(options));
        }
    }

    #[test]
    fn what_is_cut_short_or_has_unknown_flags_is_malformed() {
        for options in all() {
            let bytes = options.to_bytes();
            for length in 0..bytes.len() {
                assert_ne!(CallOptions::from_bytes(&bytes[..length]), Some(options.clone()));
            }
        }
        assert_eq!(CallOptions::from_bytes(&[]), None);
        assert_eq!(CallOptions::from_bytes(&[0, 0, 0, 0, 0, 0, 0, 0, 16]), None);
        assert_eq!(CallOptions::from_bytes(&[1, 0, 0, 0, 0, 0, 0, 0, 0]), None);
    }
}
