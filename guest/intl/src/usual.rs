//! What programs ask most often, in English and without any data: the order of texts in ASCII, and numbers with separators. To
//! answer it in the general way takes a guest in clean state milliseconds, since all of that is new to it.

use alloc::format;
use alloc::string::String;
use core::cmp::Ordering;

/// The characters of ASCII that can be seen, in the order of English. A letter is followed by its capital, which is the same but
/// for the case.
const ORDER: &[u8] =
    b" _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789aAbBcCdDeEfFgGhHiIjJkKlLmMnNoOpPqQrRsStTuUvVwWxXyYzZ";

/// The place of each in [`ORDER`], from 1.
const PLACES: [u8; 128] = {
    let mut places = [0; 128];
    let mut i = 0;
    while i < ORDER.len() {
        places[ORDER[i] as usize] = i as u8 + 1;
        i += 1;
    }
    places
};

/// How two texts compare in English, if they have no other characters.
pub fn compare(left: &[u8], right: &[u8]) -> Option<Ordering> {
    if left.iter().chain(right).any(|character| place(character) == 0) {
        return None;
    }
    let without_case = |character: &u8| place(&character.to_ascii_lowercase());
    let order = left.iter().map(without_case).cmp(right.iter().map(without_case));
    // The case counts only if nothing else is different.
    Some(order.then_with(|| left.iter().map(place).cmp(right.iter().map(place))))
}

/// 0 for others.
fn place(character: &u8) -> u8 {
    PLACES.get(usize::from(*character)).copied().unwrap_or(0)
}

/// A number as English shows it, if it has no more digits than are shown.
pub fn number(number: f64) -> Option<String> {
    if number.abs() >= 1e15 || (number == 0.0 && number.is_sign_negative()) || number.is_nan() {
        return None;
    }
    let text = format!("{number}");
    let (integer, fraction) = text.split_once('.').map_or((&*text, None), |(integer, rest)| (integer, Some(rest)));
    let (sign, digits) = integer.strip_prefix('-').map_or(("", integer), |digits| ("-", digits));
    let mut shown = String::from(sign);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            shown.push(',');
        }
        shown.push(digit);
    }
    if let Some(fraction) = fraction {
        if fraction.len() > 3 {
            return None;
        }
        shown.push('.');
        shown.push_str(fraction);
    }
    Some(shown)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::collation::Order;

    #[test]
    fn texts_of_ascii_have_the_order_that_all_texts_have() {
        let order = Order::new("en-US", "variant", None).expect("it is there");
        let mut state = 1_u32;
        let mut next = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        for left in 0x20..0x7f {
            for right in 0x20..0x7f {
                assert_eq!(compare(&[left], &[right]), Some(order.compare(&[left], &[right])), "{left} {right}");
            }
        }
        for _ in 0..50_000 {
            // Of few characters, so that many begin alike.
            let from = 0x20 + next(91);
            let mut text =
                || -> Vec<u8> { (0..next(6)).map(|_| (from + next(4)) as u8 ^ (next(2) * 0x20) as u8).collect() };
            let (left, right) = (text(), text());
            let is_seen = |text: &[u8]| text.iter().all(|character| (0x20..0x7f).contains(character));
            let expected = (is_seen(&left) && is_seen(&right)).then(|| order.compare(&left, &right));
            assert_eq!(compare(&left, &right), expected, "{left:?} {right:?}");
        }
    }

    #[test]
    fn other_texts_are_left_to_others() {
        for text in ["é", "\u{7f}", "\t", "\0", "a\u{301}"] {
            assert_eq!(compare(text.as_bytes(), b"a"), None);
            assert_eq!(compare(b"a", text.as_bytes()), None);
        }
    }

    #[test]
    fn numbers_have_separators() {
        for (value, shown) in [
            (0.0, "0"),
            (-1.0, "-1"),
            (999.0, "999"),
            (1000.0, "1,000"),
            (-1_234_567.5, "-1,234,567.5"),
            (0.125, "0.125"),
            (999_999_999_999_999.0, "999,999,999,999,999"),
        ] {
            assert_eq!(number(value).as_deref(), Some(shown));
        }
        for value in [-0.0, 0.1235, 1e-7, 1e15, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX] {
            assert_eq!(number(value), None, "{value}");
        }
    }
}
