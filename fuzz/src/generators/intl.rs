//! What guest code has `Intl` work on: tags of locales, and texts in all scripts.

use arbitrary::{Arbitrary, Result, Unstructured};

/// Something to work on, with a tag.
#[derive(Debug)]
pub enum Work {
    Tag,
    Order { sensitivity: &'static str, ignores_punctuation: Option<bool>, left: Vec<u8>, right: Vec<u8> },
    Case(String),
    Segments(Vec<u8>),
    Zone { name: String, seconds: f64 },
    Number(f64),
}

/// Work in a language.
#[derive(Debug)]
pub struct InLanguage {
    pub tag: String,
    pub work: Work,
}

const LANGUAGES: [&str; 22] = [
    "en", "de", "sv", "tr", "az", "lt", "el", "hy", "nl", "ja", "ko", "zh", "th", "vi", "ar", "he", "hi", "iw", "root",
    "und", "cmn", "sgn",
];
const SUBTAGS: [&str; 40] = [
    "-US",
    "-de",
    "-Latn",
    "-hant",
    "-419",
    "-TW",
    "-SU",
    "-YU",
    "-1994",
    "-rozaj",
    "-biske",
    "-polyton",
    "-heploc",
    "-posix",
    "-u",
    "-co",
    "-phonebk",
    "-stroke",
    "-trad",
    "-search",
    "-kn",
    "-kf",
    "-upper",
    "-false",
    "-true",
    "-nu",
    "-ca",
    "-islamicc",
    "-tz",
    "-cnckg",
    "-sd",
    "-no23",
    "-t",
    "-und",
    "-m0",
    "-x",
    "-private",
    "-a",
    "_US",
    "-",
];
const ZONES: [&str; 10] = [
    "UTC",
    "europe/BERLIN",
    "America/St_Johns",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Antarctica/Troll",
    "Etc/Unknown",
    "+01:00",
    "",
    "\u{e9}",
];
const SECONDS: [f64; 8] = [0.0, -8.64e12, 8.64e12, 253_402_300_800.0, -377_705_116_800.0, 1e300, f64::NAN, -0.5];
/// Where there are letters, marks, Hangul, Kana, ideographs, emoji, conjuncts, and what joins them.
const STARTS: [u32; 24] = [
    0x20, 0x40, 0xc0, 0x130, 0x300, 0x340, 0x370, 0x530, 0x590, 0x600, 0x900, 0xe00, 0xf40, 0x1100, 0x11a0, 0x1e00,
    0x1f80, 0x2000, 0x3040, 0x4e00, 0xac00, 0xfb00, 0x1f1e6, 0x1f3fb,
];
const JOINERS: [char; 8] =
    ['\u{200d}', '\u{200c}', '\u{fe0f}', '\u{94d}', '\u{307}', '\u{345}', '\u{e0067}', '\u{1f468}'];

impl<'a> Arbitrary<'a> for InLanguage {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let tag = tag(u)?;
        let work = match u.int_in_range(0..=6)? {
            0 => Work::Tag,
            1 | 2 => Work::Order {
                sensitivity: u.choose(&["base", "accent", "case", "variant"])?,
                ignores_punctuation: u.arbitrary()?,
                left: bytes(u)?,
                right: bytes(u)?,
            },
            3 => Work::Case(text(u)?),
            4 => Work::Segments(bytes(u)?),
            5 => Work::Zone {
                name: if u.ratio(1, 8)? { u.arbitrary()? } else { (*u.choose(&ZONES)?).to_string() },
                seconds: if u.arbitrary()? { *u.choose(&SECONDS)? } else { u.arbitrary()? },
            },
            _ => Work::Number(if u.arbitrary()? { f64::from(u.arbitrary::<i32>()?) / 1000.0 } else { u.arbitrary()? }),
        };
        Ok(Self { tag, work })
    }
}

fn tag(u: &mut Unstructured<'_>) -> Result<String> {
    if u.ratio(1, 16)? {
        return u.arbitrary();
    }
    let mut tag = (*u.choose(&LANGUAGES)?).to_string();
    for _ in 0..u.int_in_range(0..=8_u8)?.saturating_sub(2) {
        tag.push_str(u.choose(&SUBTAGS)?);
    }
    // Some are as long as what is repeated in them makes them.
    let times = if u.ratio(1, 16)? { u.int_in_range(1..=300)? } else { 0 };
    let repeated = *u.choose(&SUBTAGS)?;
    (0..times).for_each(|_| tag.push_str(repeated));
    Ok(tag)
}

/// A text that may be long, since something in it is repeated.
fn text(u: &mut Unstructured<'_>) -> Result<String> {
    let mut text = String::new();
    for _ in 0..u.int_in_range(0..=12)? {
        let character = if u.ratio(1, 3)? {
            *u.choose(&JOINERS)?
        } else {
            let code = u.choose(&STARTS)? + u.int_in_range(0..=0x5f)?;
            char::from_u32(code).unwrap_or('\u{fffd}')
        };
        let times = if u.ratio(1, 24)? { u.arbitrary::<u8>()? } else { 1 };
        text.extend((0..times).map(|_| character));
    }
    Ok(text)
}

/// The same as the engine writes it, with surrogates that are alone.
fn bytes(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    if u.ratio(1, 8)? {
        return u.arbitrary();
    }
    let mut bytes = text(u)?.into_bytes();
    if u.ratio(1, 4)? {
        bytes.extend([0xed, 0xa0 | u.int_in_range(0..=0x1f)?, 0x80]);
        bytes.extend(text(u)?.into_bytes());
    }
    Ok(bytes)
}
