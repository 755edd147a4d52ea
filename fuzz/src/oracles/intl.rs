//! What `Intl` works out for guest code.

use guest_intl::collation::Order;
use guest_intl::segments::{self, Granularity};
use guest_intl::zone::{self, Zone};
use guest_intl::{WORK_FACTOR, casing, locale, usual};

use crate::generators::intl::{InLanguage, Work};
use crate::memory;

/// What is taken whatever the text is: the runtime has this much before it begins.
const ROOM: usize = 64 << 10;

/// Nothing panics or takes more memory than was asked for; orders are orders, and segments are all of a text.
pub fn work(InLanguage { tag, work }: &InLanguage) {
    let (length, ((), peak)) = match work {
        Work::Tag => (tag.len(), memory::peak_of(|| tags(tag))),
        Work::Order { sensitivity, ignores_punctuation, left, right } => {
            let compare = || {
                let Some(order) = Order::new(tag, sensitivity, *ignores_punctuation) else { return };
                let result = order.compare(left, right);
                assert_eq!(result, order.compare(right, left).reverse());
                assert!(order.compare(left, left).is_eq());
            };
            (left.len().max(right.len()), memory::peak_of(compare))
        }
        Work::Case(text) => {
            let change = || {
                let (upper, lower) = (casing::upper(text, tag), casing::lower(text, tag));
                assert_eq!(upper.is_some(), lower.is_some());
            };
            (text.len(), memory::peak_of(change))
        }
        Work::Segments(bytes) => (bytes.len(), memory::peak_of(|| divide(bytes))),
        Work::Zone { name, seconds } => {
            let ask = || {
                let zone = Zone::new(name);
                assert_eq!(zone.is_some(), zone::name(name).is_some());
                if let Some(zone) = zone {
                    assert!(zone.at(*seconds).seconds.abs() < 86_400);
                }
            };
            (name.len(), memory::peak_of(ask))
        }
        Work::Number(number) => (0, memory::peak_of(|| drop(usual::number(*number)))),
    };
    assert!(peak <= ROOM + WORK_FACTOR * length, "{work:?} took {peak} bytes");
}

fn tags(tag: &str) {
    let Some(canonical) = locale::canonical(tag) else { return };
    assert_eq!(locale::canonical(&canonical).as_ref(), Some(&canonical));
    let maximized = locale::maximized(&canonical).expect("it is a tag");
    assert_eq!(locale::maximized(&maximized).as_ref(), Some(&maximized));
    let minimized = locale::minimized(&canonical).expect("it is a tag");
    assert_eq!(locale::maximized(&minimized), Some(maximized), "{minimized} is less than {canonical}");
}

fn divide(bytes: &[u8]) {
    let units = segments::units(bytes).expect("there is memory");
    for granularity in [Granularity::Grapheme, Granularity::Sentence, Granularity::Word] {
        let mut last = 0;
        segments::each(&units, granularity, |end, _| {
            assert!(end > last && end <= units.len(), "{granularity:?}: {end} is after {last}");
            last = end;
        });
        assert_eq!(last, units.len(), "{granularity:?}");
    }
}
