//! What `Temporal` computes for guest code.

use guest_temporal::{
    Choices, Fields, Kind, MEMORY, Property, Result, Value, calendar_name, offset_is_valid, zone_name,
};

use crate::generators::temporal::{Computation, FieldsGiven, Operation};
use crate::memory;

const PROPERTIES: [&str; 34] = [
    "calendarId",
    "era",
    "eraYear",
    "year",
    "month",
    "monthCode",
    "day",
    "dayOfWeek",
    "dayOfYear",
    "weekOfYear",
    "yearOfWeek",
    "daysInWeek",
    "daysInMonth",
    "daysInYear",
    "monthsInYear",
    "inLeapYear",
    "hour",
    "minute",
    "second",
    "millisecond",
    "microsecond",
    "nanosecond",
    "timeZoneId",
    "offset",
    "offsetNanoseconds",
    "hoursInDay",
    "epochMilliseconds",
    "epochNanoseconds",
    "years",
    "months",
    "weeks",
    "days",
    "sign",
    "nothing",
];

/// The day before the first one of UTC.
const BEFORE_ALL_DAYS: &str = "-271821-04-19";

/// Nothing panics or takes more memory than an operation may; each value has a text, and what has that text is the same value.
pub fn compute(Computation(operations): &Computation) {
    let mut values = Vec::new();
    let refers = operations.iter().any(refers);
    for operation in operations {
        let (made, peak) = memory::peak_of(|| run(operation, &values));
        assert!(peak <= MEMORY + given(operation), "{operation:?} took {peak} bytes");
        let Some(Ok(value)) = made else { continue };
        if !(refers && matches!(value.kind(), Kind::YearMonth | Kind::MonthDay)) {
            check(&value);
        }
        values.push(value);
    }
}

/// Bytes of the text that an operation is given.
fn given(operation: &Operation) -> usize {
    match operation {
        Operation::Parse { text, .. } | Operation::Names { text, .. } => text.len(),
        _ => 0,
    }
}

/// Whether an operation constructs a month or a day that refers to any day or year. No text is made of that.
fn refers(operation: &Operation) -> bool {
    let Operation::New { kind, .. } = operation else { return false };
    matches!(Kind::new(*kind), Some(Kind::YearMonth | Kind::MonthDay))
}

/// What an operation makes. It is none if there are no values yet, or if it makes none.
fn run(operation: &Operation, values: &[Value]) -> Option<Result<Value>> {
    let among = |number: &u8, kinds: &[Kind]| {
        let fitting: Vec<_> = values.iter().filter(|value| kinds.contains(&value.kind())).collect();
        fitting.get(usize::from(*number).checked_rem(fitting.len())?).copied()
    };
    let of = |number: &u8| Some(&values[usize::from(*number).checked_rem(values.len())?]);
    let or = |number: &Option<u8>, kinds: &[Kind]| number.as_ref().and_then(|number| among(number, kinds));
    let (times, relatives) = (&[Kind::Time], &[Kind::Date, Kind::Zoned]);
    let kind = |number: &u8| Kind::new(*number).expect("a kind");
    Some(match operation {
        Operation::Parse { kind: number, text } => Value::parse(kind(number), text),
        Operation::New { kind: number, numbers, nanoseconds, zone, calendar } => {
            Value::new(kind(number), numbers, nanoseconds, zone, calendar)
        }
        Operation::FromFields { kind: number, fields, calendar, zone, options } => {
            Value::from_fields(kind(number), &fields_of(fields), calendar, zone.as_deref(), &Choices(options))
        }
        Operation::WithFields { value, fields, options } => {
            of(value)?.with_fields(&fields_of(fields), &Choices(options))
        }
        Operation::ToDateWith { value, fields } => of(value)?.to_date_with(&fields_of(fields)),
        Operation::ToKind { value, kind: number } => of(value)?.to_kind(kind(number)),
        Operation::WithTime { value, time } => of(value)?.with_time(or(time, times)),
        Operation::InZone { value, zone, time, options } => {
            of(value)?.in_zone(zone, or(time, times), &Choices(options))
        }
        Operation::WithCalendar { value, calendar } => of(value)?.with_calendar(calendar),
        Operation::StartOfDay { value } => of(value)?.start_of_day(),
        Operation::Transition { value, is_next } => of(value)?.transition(*is_next).transpose()?,
        Operation::Plus { value, duration, is_before, options } => {
            of(value)?.plus(among(duration, &[Kind::Duration])?, *is_before, &Choices(options))
        }
        Operation::Difference { value, other, is_since, options } => {
            let value = of(value)?;
            value.difference(among(other, &[value.kind()])?, *is_since, &Choices(options))
        }
        Operation::Round { value, relative_to, options } => {
            of(value)?.round(or(relative_to, relatives), &Choices(options))
        }
        Operation::Negated { value } => of(value)?.negated(),
        Operation::Total { value, relative_to, options } => {
            let _ = of(value)?.total(or(relative_to, relatives), &Choices(options));
            return None;
        }
        Operation::Compare { value, other, relative_to } => {
            let value = of(value)?;
            let other = among(other, &[value.kind()])?;
            if let (Ok(order), Ok(reverse)) = (value.compare(other), other.compare(value)) {
                assert_eq!(order, reverse.reverse());
            }
            if let (Ok(equal), Ok(also)) = (value.equals(other), other.equals(value)) {
                assert_eq!(equal, also);
            }
            let _ = value.compare_durations(other, or(relative_to, relatives));
            return None;
        }
        Operation::Text { value, zone, options } => {
            let _ = of(value)?.text(zone.as_deref(), &Choices(options));
            return None;
        }
        Operation::Properties { value } => {
            let value = of(value)?;
            for name in PROPERTIES {
                if let Ok(Property::Number(number)) = value.property(name) {
                    assert!(number.is_finite(), "{name}");
                }
            }
            let _ = value.shown_at();
            return None;
        }
        Operation::Names { text, may_be_date } => {
            let _ = offset_is_valid(text);
            if let Ok(name) = calendar_name(text, *may_be_date) {
                assert_eq!(calendar_name(&name, false).ok(), Some(name));
            }
            if let Ok(name) = zone_name(text, *may_be_date) {
                assert_eq!(zone_name(&name, false).ok(), Some(name));
            }
            return None;
        }
    })
}

fn fields_of(given: &FieldsGiven) -> Fields {
    let [year, month, day, era_year, time @ ..] = given.numbers;
    let FieldsGiven { month_code, era, offset, .. } = given;
    let (month_code, era, offset) = (month_code.clone(), era.clone(), offset.clone());
    Fields { year, month, month_code, day, era, era_year, time, offset }
}

fn check(value: &Value) {
    let choices = Choices::default();
    let Ok(resolved) = value.resolved(&choices) else { return };
    let text = resolved.text(None, &choices).expect("each value has a text");
    // West of Greenwich the first instant is on a day that no text may tell, as ECMAScript has it.
    if text.starts_with(BEFORE_ALL_DAYS) {
        return;
    }
    let again = Value::parse(resolved.kind(), &text)
        .and_then(|again| again.resolved(&choices))
        .unwrap_or_else(|error| panic!("{text} is none again: {}", error.into_message()));
    assert_eq!(again.text(None, &choices).ok().as_deref(), Some(&*text));
    if let Ok(equal) = again.equals(&resolved) {
        assert!(equal, "{text} is another value");
    }
}
