//! Upper and lower case in a language.

use alloc::borrow::Cow;

use icu_casemap::CaseMapper;
use icu_locale::Locale;

/// A text in upper case.
pub fn upper<'a>(text: &'a str, tag: &str) -> Option<Cow<'a, str>> {
    let locale = Locale::try_from_str(tag).ok()?;
    Some(CaseMapper::new().uppercase_to_string(text, &locale.id))
}

/// A text in lower case.
pub fn lower<'a>(text: &'a str, tag: &str) -> Option<Cow<'a, str>> {
    let locale = Locale::try_from_str(tag).ok()?;
    Some(CaseMapper::new().lowercase_to_string(text, &locale.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_have_their_own_letters() {
        assert_eq!(upper("istanbul ß", "tr").as_deref(), Some("İSTANBUL SS"));
        assert_eq!(upper("istanbul", "de").as_deref(), Some("ISTANBUL"));
        assert_eq!(lower("IĞDIR", "tr").as_deref(), Some("ığdır"));
        assert_eq!(upper("άδικος", "el").as_deref(), Some("ΑΔΙΚΟΣ"));
        assert_eq!(lower("Ì", "lt").as_deref(), Some("i\u{307}\u{300}"));
    }
}
