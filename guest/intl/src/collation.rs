//! The order of texts.

use core::cmp::Ordering;

use icu_collator::CollatorBorrowed;
use icu_collator::options::{AlternateHandling, CaseLevel, CollatorOptions, Strength};
use icu_locale::Locale;

/// The order of texts in a locale.
pub struct Order(CollatorBorrowed<'static>);

impl Order {
    /// That of a tag with the keywords `co`, `kn` and `kf`, at a sensitivity as ECMA-402 names it. Without `punctuation` the
    /// language decides whether punctuation counts.
    pub fn new(tag: &str, sensitivity: &str, ignores_punctuation: Option<bool>) -> Option<Self> {
        let locale = Locale::try_from_str(tag).ok()?;
        let mut options = CollatorOptions::default();
        options.strength = Some(match sensitivity {
            "base" | "case" => Strength::Primary,
            "accent" => Strength::Secondary,
            _ => Strength::Tertiary,
        });
        options.case_level = (sensitivity == "case").then_some(CaseLevel::On);
        options.alternate_handling = ignores_punctuation
            .map(|ignores| if ignores { AlternateHandling::Shifted } else { AlternateHandling::NonIgnorable });
        CollatorBorrowed::try_new((&locale).into(), options).ok().map(Self)
    }

    /// Whether punctuation does not count.
    pub fn ignores_punctuation(&self) -> bool {
        self.0.resolved_options().alternate_handling == AlternateHandling::Shifted
    }

    /// Compares texts in UTF-8. What is no character stands for the replacement character.
    pub fn compare(&self, left: &[u8], right: &[u8]) -> Ordering {
        self.0.compare_utf8(left, right)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn sorted(tag: &str, sensitivity: &str, texts: &str) -> Vec<u8> {
        let order = Order::new(tag, sensitivity, None).expect("it is there");
        let mut texts: Vec<_> = texts.split(' ').collect();
        texts.sort_by(|a, b| order.compare(a.as_bytes(), b.as_bytes()));
        texts.join(" ").into_bytes()
    }

    #[test]
    fn each_language_has_its_own_order() {
        assert_eq!(sorted("de", "variant", "z ä a Z b"), "a ä b z Z".as_bytes());
        assert_eq!(sorted("sv", "variant", "z ä a Z b"), "a b z Z ä".as_bytes());
        assert_eq!(sorted("de-u-co-phonebk", "variant", "af ä ad"), "ad ä af".as_bytes());
        assert_eq!(sorted("en-u-kn", "variant", "a10 a9 a1"), "a1 a9 a10".as_bytes());
        assert_eq!(sorted("en-u-kf-upper", "variant", "b a A"), "A a b".as_bytes());
    }

    #[test]
    fn the_sensitivity_says_what_is_different() {
        let equal = |sensitivity, left: &str, right: &str| {
            Order::new("en", sensitivity, None).expect("it is there").compare(left.as_bytes(), right.as_bytes()).is_eq()
        };
        assert!(equal("base", "a", "Á"));
        assert!(equal("accent", "a", "A") && !equal("accent", "a", "á"));
        assert!(equal("case", "a", "á") && !equal("case", "a", "A"));
        assert!(!equal("variant", "a", "A"));
    }

    #[test]
    fn texts_that_are_no_texts_have_an_order() {
        let order = Order::new("ja", "variant", Some(true)).expect("it is there");
        let texts: [&[u8]; 5] =
            [b"", b"\xed\xa0\x80", b"\xff\xfe", "\u{301}\u{301}".as_bytes(), "한\u{11a8}".as_bytes()];
        for a in texts {
            for b in texts {
                assert_eq!(order.compare(a, b), order.compare(b, a).reverse());
            }
        }
    }

    #[test]
    fn texts_of_all_kinds_can_be_compared() {
        let mut state = 1_u32;
        let mut next = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        // Where letters, marks, Hangul, Kana and ideographs are, and what is no character.
        let starts = [
            0x20, 0x300, 0x600, 0x900, 0xe00, 0x1100, 0x3040, 0x4e00, 0xac00, 0xd7f0, 0xfff0, 0x1d160, 0x1f600, 0x2f800,
        ];
        let orders = ["en", "ja", "ko", "zh-u-co-stroke", "th", "vi", "de-u-co-phonebk", "en-u-kn-kf-upper"]
            .map(|tag| Order::new(tag, "case", Some(next(2) == 0)).expect("it is there"));
        for _ in 0..2000 {
            let mut text = || {
                let mut text = Vec::new();
                for _ in 0..next(8) {
                    let code = starts[next(starts.len() as u32) as usize] + next(96);
                    match char::from_u32(code) {
                        Some(character) => text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
                        None => text.push(code as u8),
                    }
                }
                text
            };
            let (left, right) = (text(), text());
            for order in &orders {
                assert_eq!(order.compare(&left, &right), order.compare(&right, &left).reverse());
                assert!(order.compare(&left, &left).is_eq());
            }
        }
    }
}
