//! What a guest is told of a program that it runs once, beside the options of the call.

use alloc::string::String;
use alloc::vec::Vec;

use crate::message::{Reader, put_text};
use crate::payload::Payload;
use crate::source::Language;

/// A program, and what it may use beside the language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgramMessage {
    /// Its source.
    pub source: String,
    /// What that is written in. Of a module its name says so.
    pub language: Language,
    /// What it is given; without one `undefined`.
    pub input: Option<Payload>,
    /// Modules that it can import: their specifiers and their sources.
    pub modules: Vec<(String, String)>,
    /// It is only there to have its modules imported: another can be run after it, which finds them.
    pub is_preparation: bool,
}

impl ProgramMessage {
    /// Encodes the program.
    pub fn into_bytes(self) -> Vec<u8> {
        let Self { source, language, input, modules, is_preparation } = self;
        let mut bytes = Vec::with_capacity(source.len() + 64);
        put_text(&mut bytes, &source);
        bytes.push(language.code());
        bytes.push(u8::from(is_preparation));
        bytes.push(u8::from(input.is_some()));
        put_bytes(&mut bytes, &input.map(Payload::into_bytes).unwrap_or_default());
        for (specifier, source) in &modules {
            put_text(&mut bytes, specifier);
            put_text(&mut bytes, source);
        }
        bytes
    }

    /// Decodes a program; `None` if it is malformed.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let source = reader.text()?;
        let language = Language::from_code(*reader.take(1)?.first()?)?;
        let is_preparation = match reader.take(1)? {
            [0] => false,
            [1] => true,
            _ => return None,
        };
        let flag = reader.take(1)?;
        let input = bytes_of(&mut reader)?;
        let input = match flag {
            [0] if input.is_empty() => None,
            [1] => Some(Payload::from_bytes(input.to_vec())?),
            _ => return None,
        };
        let mut modules = Vec::new();
        while !reader.0.is_empty() {
            modules.push((reader.text()?, reader.text()?));
        }
        Some(Self { source, language, input, modules, is_preparation })
    }
}

fn put_bytes(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
    bytes.extend_from_slice(part);
}

fn bytes_of<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let size = usize::try_from(reader.u64()?).ok()?;
    reader.take(size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn programs() -> Vec<ProgramMessage> {
        let mut input = Payload::from_json("[1,\"\\u00100\"]".into());
        input.push(&[0, 255]);
        vec![
            ProgramMessage::default(),
            ProgramMessage { source: "1 + 1".into(), language: Language::Tsx, ..ProgramMessage::default() },
            ProgramMessage { input: Some(Payload::from_json("null".into())), ..ProgramMessage::default() },
            ProgramMessage {
                source: "n\u{e4}h".into(),
                language: Language::TypeScript,
                input: Some(input),
                modules: vec![("a".into(), "export default 1".into()), (String::new(), String::new())],
                is_preparation: true,
            },
        ]
    }

    #[test]
    fn programs_round_trip() {
        for program in programs() {
            assert_eq!(ProgramMessage::from_bytes(&program.clone().into_bytes()), Some(program));
        }
    }

    #[test]
    fn what_is_cut_short_is_malformed_or_another_program_but_never_a_panic() {
        for program in programs() {
            let bytes = program.clone().into_bytes();
            for length in 0..bytes.len() {
                assert_ne!(ProgramMessage::from_bytes(&bytes[..length]), Some(program.clone()));
                for value in [0, 1, 0x7f, 0xff] {
                    let mut changed = bytes.clone();
                    changed[length] = value;
                    let _ = ProgramMessage::from_bytes(&changed);
                }
            }
        }
    }
}
