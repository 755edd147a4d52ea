//! Source maps (ECMA-426) at the end of the sources that they belong to: where a source has one, and which original place a place in
//! that source comes from.
//!
//! What a map says is guest code's word. Nothing here allocates, and a mapping is found in one pass over the text of all of them.

#![no_std]

const COMMENT: &str = "//# sourceMappingURL=data:application/json";
const BASE64: &str = ";base64,";
/// Bits of a number in one character of the mappings; the next one says that the number goes on.
const BITS: u32 = 5;

/// The map at the end of a source, in Base64, if there is one.
pub fn inline_map(source: &str) -> Option<&str> {
    let last = source.trim_end().rsplit(['\n', '\r', '\u{2028}', '\u{2029}']).next()?;
    let (parameters, map) = last.trim_start().strip_prefix(COMMENT)?.split_once(BASE64)?;
    let are_parameters = parameters.is_empty() || parameters.starts_with(';') && !parameters.contains(',');
    are_parameters.then_some(map)
}

/// A place in an original source. Line and column begin at 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Original {
    /// Index in the map's list of sources.
    pub source: usize,
    pub line: u32,
    pub column: u32,
}

/// Where a place in the generated source comes from, by the `mappings` of a map: the last mapping of that line that does not begin
/// behind it. Line and column begin at 1. `None` if that mapping has no original, or what stands before it is not valid.
pub fn original(mappings: &[u8], line: u32, column: u32) -> Option<Original> {
    let (line, column) = (i64::from(line) - 1, i64::from(column) - 1);
    // All fields but the first go on from the line before.
    let [mut source, mut original_line, mut original_column] = [0_i64; 3];
    let mut found = None;
    for (number, segments) in (0..=line).zip(mappings.split(|byte| *byte == b';')) {
        let mut generated = 0;
        for segment in segments.split(|byte| *byte == b',').filter(|segment| !segment.is_empty()) {
            let mut fields = Fields(segment);
            generated = fields.add_to(generated)?;
            if number == line && generated > column {
                return found;
            }
            let has_original = !fields.0.is_empty();
            if has_original {
                source = fields.add_to(source)?;
                original_line = fields.add_to(original_line)?;
                original_column = fields.add_to(original_column)?;
            }
            if number == line {
                found = has_original.then(|| place(source, original_line, original_column)).flatten();
            }
        }
    }
    found
}

fn place(source: i64, line: i64, column: i64) -> Option<Original> {
    let from_one = |number: i64| u32::try_from(number).ok()?.checked_add(1);
    Some(Original { source: usize::try_from(source).ok()?, line: from_one(line)?, column: from_one(column)? })
}

/// The numbers of a segment that have not been read.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    /// The next number added to another one; `None` if there is none or it is not valid.
    fn add_to(&mut self, to: i64) -> Option<i64> {
        let mut number = 0_i64;
        for shift in (0..).step_by(BITS as usize) {
            let (first, rest) = self.0.split_first()?;
            self.0 = rest;
            let digit = digit(*first)?;
            // A number has at most 32 bits.
            if shift > 30 {
                return None;
            }
            number |= (digit & 31) << shift;
            if digit & 32 == 0 {
                break;
            }
        }
        // The lowest bit is the sign.
        let difference = if number & 1 == 0 { number >> 1 } else { -(number >> 1) };
        to.checked_add(difference)
    }
}

fn digit(character: u8) -> Option<i64> {
    Some(i64::from(match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(source: usize, line: u32, column: u32) -> Option<Original> {
        Some(Original { source, line, column })
    }

    #[test]
    fn a_map_is_found_at_the_end_of_a_source_only() {
        let comment = "//# sourceMappingURL=data:application/json;base64,e30=";
        let with_charset = "//# sourceMappingURL=data:application/json;charset=utf-8;base64,e30=";
        for (source, map) in [
            ("", None),
            ("f()", None),
            (comment, Some("e30=")),
            (&["f()\n", comment, "\n \n"].concat(), Some("e30=")),
            (&["f()\r\n  ", with_charset].concat(), Some("e30=")),
            (&[comment, "\nf()"].concat(), None),
            (&["f() ", comment].concat(), None),
            ("//# sourceMappingURL=order.js.map", None),
            ("//# sourceMappingURL=data:application/json,%7B%7D;base64,e30=", None),
            ("//# sourceMappingURL=data:application/jsonp;base64,", None),
        ] {
            assert_eq!(inline_map(source), map, "{source}");
        }
    }

    #[test]
    fn a_place_is_that_of_the_mapping_before_it() {
        // Line 1: column 0 from 0:1:1, column 8 from 0:1:5. Line 2: none. Line 3: column 4 from 1:11:1, column 6 from nowhere.
        let mappings = b"AAAA,QAAI;;ICUJ,E";
        assert_eq!(original(mappings, 1, 1), at(0, 1, 1));
        assert_eq!(original(mappings, 1, 8), at(0, 1, 1));
        assert_eq!(original(mappings, 1, 9), at(0, 1, 5));
        assert_eq!(original(mappings, 1, 1000), at(0, 1, 5));
        assert_eq!(original(mappings, 2, 1), None);
        assert_eq!(original(mappings, 3, 4), None);
        assert_eq!(original(mappings, 3, 5), at(1, 11, 1));
        assert_eq!(original(mappings, 3, 7), None);
        assert_eq!(original(mappings, 4, 1), None);
        assert_eq!(original(mappings, 0, 0), None);
        assert_eq!(original(b"", 1, 1), None);
    }

    #[test]
    fn what_is_not_valid_gives_no_place() {
        for mappings in [
            &b"AAA"[..],             // a field is missing
            b"AAAA,*AAA",            // no character of a number
            b"AAAg",                 // the number goes on
            b"AAgggggggggggggggggA", // more than 32 bits
            b"ADAA",                 // no source has a number below 0
            b"AADA",                 // nor is there such a line
            b"AAAD",
        ] {
            assert_eq!(original(mappings, 1, 1000), None, "{}", mappings.escape_ascii());
        }
    }
    #[test]
    fn numbers_may_have_several_characters() {
        assert_eq!(original(b"gBAgkh9BA", 1, 17), at(0, 1_000_001, 1));
        assert_eq!(original(b"gBAgkh9BA", 1, 16), None);
    }
}
