//! The guest's own crates read anything that guest code gives them.

use guest_crypto::Generator;
use guest_crypto::key::Key;
use guest_typescript::{Language, Limits, program_to_javascript, to_javascript};
use rand::SeedableRng;

use crate::generators::text::Text;

/// As much as a process has. The inputs are too short to need more of the stack than there is.
const LIMITS: Limits = Limits { stack_end: 0, free_memory: || 1 << 30 };

/// Nothing panics, what is compiled is JavaScript, and keys that are taken can be given and taken again.
pub fn read(text: &Text) {
    match text {
        Text::Source(source) => read_source(source),
        Text::Mappings(mappings, line, column) => drop(guest_source_maps::original(mappings, *line, *column)),
        Text::Key { kind, format, seed, is_public, changes, length } => {
            let key = Key::generated(kind, &mut Generator::from_seed([*seed; 32]));
            let key = if *is_public { key.and_then(|key| key.public()) } else { key };
            let mut bytes = key.and_then(|key| key.exported(format)).unwrap_or_else(|| vec![*seed; usize::from(*seed)]);
            for (at, value) in changes {
                if let Some(byte) = bytes.get_mut(usize::from(*at)) {
                    *byte = *value;
                }
            }
            if let Some(length) = length {
                bytes.truncate(usize::from(*length));
            }
            if let Some(key) = Key::imported(kind, format, &bytes) {
                check(kind, &key);
            }
        }
        Text::Parts(kind, parts) => {
            if let Some(key) = Key::of_parts(kind, parts) {
                check(kind, &key);
            }
        }
    }
}

fn check(kind: &str, key: &Key) {
    for format in ["raw", "spki", "pkcs8"] {
        if let Some(bytes) = key.exported(format) {
            let again = Key::imported(kind, format, &bytes).expect("what was exported can be imported");
            assert_eq!(again.exported(format), Some(bytes), "{kind}, {format}");
        }
    }
    if let Some(parts) = key.parts() {
        let parts: Vec<_> = parts.into_iter().map(Some).collect();
        assert!(Key::of_parts(kind, &parts).is_some(), "{kind}: {parts:?}");
    }
}

fn read_source(source: &str) {
    let _ = guest_commonjs::exported_names(source);
    if let Some(map) = guest_source_maps::inline_map(source) {
        assert!(source.contains(map));
    }
    for language in [Language::TypeScript, Language::Jsx, Language::Tsx] {
        let _ = program_to_javascript(source, language, LIMITS);
        let Ok(script) = to_javascript(source, language, LIMITS) else { continue };
        let lines = |text: &str| text.matches(['\n', '\u{2028}']).count();
        assert_eq!(lines(&script), lines(source), "{language:?} has moved lines: {script:?}");
        // As a name it is left to the engine: the parser knows too late that the source is a module.
        if source.contains("await") {
            continue;
        }
        if let Err(mistake) = to_javascript(&script, Language::Jsx, LIMITS) {
            panic!("{language:?} has become {script:?}, which is wrong: {mistake:?}");
        }
    }
}
