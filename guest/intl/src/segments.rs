//! Where texts can be divided.

use alloc::vec::Vec;

use icu_segmenter::options::{SentenceBreakInvariantOptions, WordBreakInvariantOptions};
use icu_segmenter::{GraphemeClusterSegmenter, SentenceSegmenter, WordSegmenter};

/// What a text is divided into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Granularity {
    Grapheme,
    Sentence,
    Word,
}

/// Calls a function with each boundary after the first, in UTF-16 units, and whether what is before it is a word.
pub fn each(text: &[u16], granularity: Granularity, mut found: impl FnMut(usize, bool)) {
    match granularity {
        Granularity::Grapheme => {
            GraphemeClusterSegmenter::new().segment_utf16(text).skip(1).for_each(|end| found(end, false));
        }
        Granularity::Sentence => {
            let segmenter = SentenceSegmenter::new(SentenceBreakInvariantOptions::default());
            segmenter.segment_utf16(text).skip(1).for_each(|end| found(end, false));
        }
        Granularity::Word => {
            let segmenter = WordSegmenter::new_for_non_complex_scripts(WordBreakInvariantOptions::default());
            let words = segmenter.segment_utf16(text).iter_with_word_type().skip(1);
            words.for_each(|(end, kind)| found(end, kind.is_word_like()));
        }
    }
}

/// The UTF-16 units of a text in UTF-8 in which a surrogate that is alone has three bytes, as the engine writes them. `None` if
/// there is no memory.
pub fn units(bytes: &[u8]) -> Option<Vec<u16>> {
    let mut units = Vec::new();
    units.try_reserve_exact(bytes.len()).ok()?;
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        units.extend(chunk.valid().encode_utf16());
        at += chunk.valid().len();
        // Each of the three bytes of a surrogate is invalid by itself. The first one tells them all.
        if let [0xed, ..] = chunk.invalid()
            && let Some([_, second, third]) = bytes.get(at..at + 3)
        {
            units.push(0xd000 | (u16::from(second & 0x3f) << 6) | u16::from(third & 0x3f));
        }
        at += chunk.invalid().len();
    }
    Some(units)
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    fn pieces(text: &str, granularity: Granularity) -> Vec<String> {
        let text = units(text.as_bytes()).expect("it is there");
        let mut start = 0;
        let mut pieces = Vec::new();
        each(&text, granularity, |end, _| {
            pieces.push(String::from_utf16_lossy(&text[start..end]));
            start = end;
        });
        assert_eq!(start, text.len());
        pieces
    }

    #[test]
    fn texts_are_divided() {
        assert_eq!(pieces("e\u{301}👨‍👩‍👧!", Granularity::Grapheme), ["e\u{301}", "👨‍👩‍👧", "!"]);
        assert_eq!(pieces("Hello, it's 3.5!", Granularity::Word), ["Hello", ",", " ", "it's", " ", "3.5", "!"]);
        assert_eq!(pieces("One. Two? Yes", Granularity::Sentence), ["One. ", "Two? ", "Yes"]);
        assert!(pieces("", Granularity::Word).is_empty());
    }

    #[test]
    fn words_are_told_from_what_is_between_them() {
        let text = units("go, 3".as_bytes()).expect("it is there");
        let mut words = Vec::new();
        each(&text, Granularity::Word, |end, is_word| words.push((end, is_word)));
        assert_eq!(words, [(2, true), (3, false), (4, false), (5, true)]);
    }

    #[test]
    fn surrogates_that_are_alone_are_units() {
        assert_eq!(units(b"a\xed\xa0\x80b\xed\xbf\xbf").expect("it is there"), [0x61, 0xd800, 0x62, 0xdfff]);
        assert_eq!(units("a\u{10000}".as_bytes()).expect("it is there"), [0x61, 0xd800, 0xdc00]);
    }
}
