//! The tags of locales, as BCP 47 and Unicode have them.

use alloc::string::String;

use icu_locale::{LanguageIdentifier, Locale, LocaleCanonicalizer, LocaleExpander};

/// A tag that is longer is none: no locale needs one, and the work grows with its length.
const LONGEST: usize = 1000;

fn parsed(tag: &str) -> Option<Locale> {
    if tag.len() > LONGEST {
        return None;
    }
    Locale::try_from_str(tag).ok()
}

/// The canonical form of a tag, if it is well-formed.
pub fn canonical(tag: &str) -> Option<String> {
    let mut locale = parsed(tag)?;
    LocaleCanonicalizer::new_extended().canonicalize(&mut locale);
    Some(locale.to_string())
}

/// A tag with the script and the region that it probably means.
pub fn maximized(tag: &str) -> Option<String> {
    changed(tag, |expander, id| {
        expander.maximize(id);
    })
}

/// A tag without what [`maximized`] would add.
pub fn minimized(tag: &str) -> Option<String> {
    changed(tag, |expander, id| {
        expander.minimize(id);
    })
}

fn changed(tag: &str, change: impl FnOnce(&LocaleExpander, &mut LanguageIdentifier)) -> Option<String> {
    let mut locale = parsed(tag)?;
    change(&LocaleExpander::new_extended(), &mut locale.id);
    Some(locale.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_become_canonical() {
        for (tag, expected) in [
            ("EN-us", Some("en-US")),
            ("iw", Some("he")),
            ("zh-cmn", None),
            ("de-de-u-co-phonebk", Some("de-DE-u-co-phonebk")),
            ("sl-rozaj-biske-1994", Some("sl-1994-biske-rozaj")),
            ("en_US", None),
            ("", None),
            ("a", None),
            ("i-klingon", None),
            ("x-private", None),
        ] {
            assert_eq!(canonical(tag).as_deref(), expected, "{tag}");
        }
        assert!(canonical(&"en-u-".repeat(500)).is_none());
    }

    #[test]
    fn likely_parts_are_added_and_removed() {
        assert_eq!(maximized("zh-TW").as_deref(), Some("zh-Hant-TW"));
        assert_eq!(maximized("de").as_deref(), Some("de-Latn-DE"));
        assert_eq!(minimized("zh-Hant-TW").as_deref(), Some("zh-TW"));
    }
}
