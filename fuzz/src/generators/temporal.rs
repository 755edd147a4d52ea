//! What guest code has `Temporal` compute: texts of dates, times, durations and time zones, numbers, fields and options. These are
//! as `Temporal`'s JavaScript hands them on: numbers are whole, and options have been read.

use arbitrary::{Arbitrary, Result, Unstructured};

/// Operations, one after the other. They take the values that those before have made.
#[derive(Debug)]
pub struct Computation(pub Vec<Operation>);

/// An operation. Values are named by any number, of which the remainder counts, among those that can be there.
#[derive(Debug)]
pub enum Operation {
    Parse { kind: u8, text: String },
    New { kind: u8, numbers: Vec<f64>, nanoseconds: String, zone: String, calendar: String },
    FromFields { kind: u8, fields: FieldsGiven, calendar: String, zone: Option<String>, options: Options },
    WithFields { value: u8, fields: FieldsGiven, options: Options },
    ToDateWith { value: u8, fields: FieldsGiven },
    ToKind { value: u8, kind: u8 },
    WithTime { value: u8, time: Option<u8> },
    InZone { value: u8, zone: String, time: Option<u8>, options: Options },
    WithCalendar { value: u8, calendar: String },
    StartOfDay { value: u8 },
    Transition { value: u8, is_next: bool },
    Plus { value: u8, duration: u8, is_before: bool, options: Options },
    Difference { value: u8, other: u8, is_since: bool, options: Options },
    Round { value: u8, relative_to: Option<u8>, options: Options },
    Total { value: u8, relative_to: Option<u8>, options: Options },
    Compare { value: u8, other: u8, relative_to: Option<u8> },
    Negated { value: u8 },
    Text { value: u8, zone: Option<String>, options: Options },
    Properties { value: u8 },
    Names { text: String, may_be_date: bool },
}

/// As `temporal/options.js` has read them.
pub type Options = Vec<Option<f64>>;

/// Fields, as the array in which `Temporal`'s JavaScript has them.
#[derive(Debug)]
pub struct FieldsGiven {
    pub numbers: [Option<f64>; 10],
    pub month_code: Option<String>,
    pub era: Option<String>,
    pub offset: Option<String>,
}

// The numbers that `temporal/values.js` has for kinds.
const DATE: u8 = 1;
const TIME: u8 = 2;
const DATE_TIME: u8 = 3;
const YEAR_MONTH: u8 = 4;
const MONTH_DAY: u8 = 5;
const ZONED: u8 = 6;
const INSTANT: u8 = 7;
const DURATION: u8 = 8;
const RELATIVE: u8 = 9;
/// More operations show nothing new.
const OPERATIONS_MAX: usize = 12;

const DATES: [&str; 20] = [
    "2024-02-29",
    "-271821-04-19",
    "-271821-04-20",
    "+275760-09-13",
    "+275760-09-14",
    "-000000-01-01",
    "0000-01-01",
    "+999999-12-31",
    "20240229",
    "1972-12-31",
    "02-29",
    "--0229",
    "2024-02",
    "202402",
    "2024-13-01",
    "1582-10-15",
    "1900-01-01",
    "2026-03-29",
    "2100-06-15",
    "1873-01-01",
];
const TIMES: [&str; 14] = [
    "T00:00",
    "T23:59:59.999999999",
    "t02:30:00",
    " 24:00",
    "T23:59:60",
    "T1230",
    "T12",
    "T12:30,5",
    "T12:30:00,123",
    "00:00:00.0000000001",
    "12:00",
    "T022959",
    "T01:59:59.5",
    "1200",
];
const OFFSETS: [&str; 12] = [
    "Z",
    "z",
    "+00:00",
    "-00:00",
    "+01:00",
    "-23:59",
    "+23:59:59.999999999",
    "-00:44:30",
    "+0530",
    "+24:00",
    "-12",
    "\u{2212}01:00",
];
const ZONES: [&str; 22] = [
    "UTC",
    "Etc/GMT+12",
    "Europe/Berlin",
    "europe/BERLIN",
    "America/New_York",
    "America/St_Johns",
    "Africa/Monrovia",
    "Asia/Kathmandu",
    "Asia/Gaza",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Europe/Dublin",
    "America/Scoresbysund",
    "+01:00",
    "-23:59",
    "+01:00:00",
    "Europe/Nowhere",
    "posixrules",
    "",
    "\u{e9}",
];
const CALENDARS: [&str; 23] = [
    "iso8601",
    "buddhist",
    "chinese",
    "coptic",
    "dangi",
    "ethioaa",
    "ethiopic",
    "ethiopic-amete-alem",
    "gregory",
    "hebrew",
    "indian",
    "islamic",
    "islamic-civil",
    "islamic-rgsa",
    "islamic-tbla",
    "islamic-umalqura",
    "japanese",
    "persian",
    "roc",
    "HEBREW",
    "islamicc",
    "",
    "julian",
];
const DURATIONS: [&str; 20] = [
    "PT0S",
    "P1Y2M3W4DT5H6M7.123456789S",
    "-P1Y",
    "+P1M",
    "p1w",
    "P4294967295Y",
    "P4294967295M",
    "-P4294967295W",
    "P4294967296D",
    "P104249991374D",
    "PT9007199254740991.999999999S",
    "-PT9007199254740991.999999999S",
    "PT9007199254740992S",
    "PT0.0000000001S",
    "PT1.5H",
    "PT0.5M",
    "P200000D",
    "P547571Y",
    "P1YT",
    "\u{2212}P1D",
];
const TOKENS: [&str; 26] = [
    "[",
    "]",
    "[!",
    "u-ca=",
    "[u-ca=",
    "[foo=bar]",
    "[!foo=bar]",
    "P",
    "T",
    "-",
    "+",
    ":",
    ".",
    ",",
    "0",
    "9",
    "Y",
    "M",
    "W",
    "D",
    "H",
    "S",
    "Z",
    "\u{2212}",
    "\u{e9}",
    "999999999999999999999",
];
const MONTH_CODES: [&str; 14] =
    ["M01", "M02", "M12", "M13", "M05L", "M06L", "M12L", "M01L", "M00", "M99", "M", "m01", "M1", "\u{e9}01"];
const ERAS: [&str; 16] = [
    "ce",
    "bce",
    "ad",
    "bc",
    "reiwa",
    "heisei",
    "meiji",
    "be",
    "am",
    "aa",
    "ah",
    "bh",
    "roc",
    "broc",
    "ap",
    "a-name-that-is-longer-than-any-of-an-era",
];
const NANOSECONDS: [&str; 10] = [
    "0",
    "-1",
    "8640000000000000000000",
    "-8640000000000000000000",
    "8640000000000000000001",
    "1700000000123456789",
    "-2208988800000000000",
    "170141183460469231731687303715884105727",
    "-170141183460469231731687303715884105728",
    "1000000000000000000000000000000000000000000",
];
const NUMBERS: [f64; 32] = [
    0.0,
    1.0,
    -1.0,
    2.0,
    12.0,
    13.0,
    23.0,
    28.0,
    29.0,
    30.0,
    31.0,
    59.0,
    60.0,
    255.0,
    256.0,
    366.0,
    999.0,
    1970.0,
    2024.0,
    65_535.0,
    -271_821.0,
    275_760.0,
    999_999.0,
    -1_000_000.0,
    2_147_483_647.0,
    -2_147_483_648.0,
    4_294_967_295.0,
    9_007_199_254_740_991.0,
    -9_007_199_254_740_991.0,
    9.223_372_036_854_776e18,
    9_007_199_254_740_992e9,
    1.797_693_134_862_315_7e308,
];

impl<'a> Arbitrary<'a> for Computation {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        // Something for the others to work with: two values of a kind and a duration.
        let kind = kind(u)?;
        let mut operations = Vec::new();
        for kind in [kind, kind, DURATION] {
            operations.push(Operation::Parse { kind, text: text(u, kind)? });
        }
        while !u.is_empty() && operations.len() < OPERATIONS_MAX {
            operations.push(operation(u)?);
        }
        Ok(Self(operations))
    }
}

fn operation(u: &mut Unstructured<'_>) -> Result<Operation> {
    Ok(match u.int_in_range(0..=25)? {
        0..=4 => {
            let kind = kind(u)?;
            Operation::Parse { kind, text: text(u, kind)? }
        }
        5 => Operation::New {
            kind: kind(u)?,
            numbers: (0..10).map(|_| number(u)).collect::<Result<_>>()?,
            nanoseconds: (*u.choose(&NANOSECONDS)?).to_string(),
            zone: one_of(u, &ZONES)?,
            calendar: one_of(u, &CALENDARS)?,
        },
        6 | 7 => Operation::FromFields {
            kind: kind(u)?,
            fields: fields(u)?,
            calendar: one_of(u, &CALENDARS)?,
            zone: some_of(u, &ZONES)?,
            options: options(u)?,
        },
        8 => Operation::WithFields { value: u.arbitrary()?, fields: fields(u)?, options: options(u)? },
        9 => Operation::ToDateWith { value: u.arbitrary()?, fields: fields(u)? },
        10 => Operation::ToKind { value: u.arbitrary()?, kind: kind(u)? },
        11 => Operation::WithTime { value: u.arbitrary()?, time: u.arbitrary()? },
        12 => Operation::InZone {
            value: u.arbitrary()?,
            zone: one_of(u, &ZONES)?,
            time: u.arbitrary()?,
            options: options(u)?,
        },
        13 => Operation::WithCalendar { value: u.arbitrary()?, calendar: one_of(u, &CALENDARS)? },
        14 => Operation::StartOfDay { value: u.arbitrary()? },
        15 => Operation::Transition { value: u.arbitrary()?, is_next: u.arbitrary()? },
        16 | 17 => Operation::Plus {
            value: u.arbitrary()?,
            duration: u.arbitrary()?,
            is_before: u.arbitrary()?,
            options: options(u)?,
        },
        18 => Operation::Difference {
            value: u.arbitrary()?,
            other: u.arbitrary()?,
            is_since: u.arbitrary()?,
            options: options(u)?,
        },
        19 => Operation::Round { value: u.arbitrary()?, relative_to: u.arbitrary()?, options: options(u)? },
        20 => Operation::Total { value: u.arbitrary()?, relative_to: u.arbitrary()?, options: options(u)? },
        21 => Operation::Compare { value: u.arbitrary()?, other: u.arbitrary()?, relative_to: u.arbitrary()? },
        22 => Operation::Negated { value: u.arbitrary()? },
        23 => Operation::Text { value: u.arbitrary()?, zone: some_of(u, &ZONES)?, options: options(u)? },
        24 => Operation::Properties { value: u.arbitrary()? },
        _ => {
            let kind = kind(u)?;
            Operation::Names { text: text(u, kind)?, may_be_date: u.arbitrary()? }
        }
    })
}

fn kind(u: &mut Unstructured<'_>) -> Result<u8> {
    u.int_in_range(DATE..=RELATIVE)
}

/// A text that may tell a value of a kind, or not.
fn text(u: &mut Unstructured<'_>, kind: u8) -> Result<String> {
    let mut text = String::new();
    if kind == DURATION {
        text.push_str(u.choose(&DURATIONS)?);
    } else {
        // Mostly what a kind needs: of a date with a time zone all, of an instant an offset, of others what they can have.
        let is_usual = u.ratio(3, 4)?;
        let has =
            |u: &mut Unstructured<'_>, kinds: &[u8]| if is_usual { Ok(kinds.contains(&kind)) } else { u.arbitrary() };
        if has(u, &[DATE, DATE_TIME, YEAR_MONTH, MONTH_DAY, ZONED, INSTANT, RELATIVE])? {
            text.push_str(u.choose(&DATES)?);
        }
        if has(u, &[TIME, INSTANT])? || (kind != TIME && u.arbitrary()?) {
            text.push_str(u.choose(&TIMES)?);
        }
        if has(u, &[INSTANT])? {
            text.push_str(u.choose(&OFFSETS)?);
        }
        if has(u, &[ZONED])? || (kind == RELATIVE && u.arbitrary()?) {
            text.push('[');
            text.push_str(u.choose(&ZONES)?);
            text.push(']');
        }
        if u.arbitrary()? {
            text.push_str("[u-ca=");
            text.push_str(u.choose(&CALENDARS)?);
            text.push(']');
        }
    }
    // Some are changed afterwards.
    for _ in 0..u.int_in_range(0..=5_u8)?.saturating_sub(3) {
        let at = text.floor_char_boundary(u.int_in_range(0..=text.len())?);
        match u.int_in_range(0..=3)? {
            0 => text.truncate(at),
            1 => text.insert(at, u.arbitrary()?),
            2 => text.insert_str(at, u.choose(&TOKENS)?),
            _ => {
                let end = text.floor_char_boundary((at + u.int_in_range(0..=6)?).min(text.len()));
                text.drain(at..end.max(at));
            }
        }
    }
    Ok(text)
}

fn one_of(u: &mut Unstructured<'_>, texts: &[&str]) -> Result<String> {
    if u.ratio(1, 16)? { u.arbitrary() } else { Ok((*u.choose(texts)?).to_string()) }
}

fn some_of(u: &mut Unstructured<'_>, texts: &[&str]) -> Result<Option<String>> {
    if u.arbitrary()? { one_of(u, texts).map(Some) } else { Ok(None) }
}

fn number(u: &mut Unstructured<'_>) -> Result<f64> {
    Ok(match u.int_in_range(0..=2)? {
        0 => *u.choose(&NUMBERS)?,
        1 => f64::from(u.arbitrary::<i16>()?),
        _ => f64::from(u.int_in_range(0..=31)?),
    })
}

fn fields(u: &mut Unstructured<'_>) -> Result<FieldsGiven> {
    const MONTH: usize = 1;
    const DAY: usize = 2;
    const ERA_YEAR: usize = 3;
    // Mostly what a date has: a year, a month or its code, and a day.
    let is_usual = u.ratio(3, 4)?;
    let has_code: bool = u.arbitrary()?;
    let mut numbers = [None; 10];
    for (i, given) in numbers.iter_mut().enumerate() {
        let is_given =
            if is_usual && i <= ERA_YEAR { i < ERA_YEAR && (i != MONTH || !has_code) } else { u.arbitrary()? };
        if is_given {
            let number = if is_usual && i > 0 { f64::from(u.int_in_range(0..=31)?) } else { number(u)? };
            // The month and the day were found to be positive.
            *given = Some(if matches!(i, MONTH | DAY) { number.abs().max(1.0) } else { number });
        }
    }
    let month_code = if has_code || !is_usual { some_of(u, &MONTH_CODES)? } else { None };
    let (era, offset) = if is_usual { (None, None) } else { (some_of(u, &ERAS)?, some_of(u, &OFFSETS)?) };
    Ok(FieldsGiven { numbers, month_code, era, offset })
}

/// As many as there are choices, each one of those that can be chosen.
fn options(u: &mut Unstructured<'_>) -> Result<Options> {
    const COUNTS: [u8; 11] = [2, 4, 4, 11, 11, 9, 0, 10, 4, 2, 3];
    const INCREMENT: usize = 6;
    const INCREMENTS: [f64; 12] = [1.0, 2.0, 3.0, 5.0, 7.0, 12.0, 30.0, 60.0, 86_400.0, 1e3, 999_999_999.0, 1e9];
    let mut options = Vec::new();
    for (i, count) in COUNTS.into_iter().enumerate() {
        let is_given = u.ratio(1, 3)?;
        options.push(match i {
            _ if !is_given => None,
            INCREMENT => Some(*u.choose(&INCREMENTS)?),
            _ => Some(f64::from(u.int_in_range(0..=count - 1)?)),
        });
    }
    Ok(options)
}
