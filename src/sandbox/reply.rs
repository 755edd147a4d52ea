//! What a guest says, checked.
//!
//! A guest keeps the limits that are promised of it: its runtime cuts lines and texts, and refuses results that are too large.
//! A guest that has been taken over does not. So every value from a guest passes one function of this file before anything
//! is done with it, and a value that breaks a limit ends the call: no guest that works as it should sends one.

use std::fmt::{self, Display, Write};

use guest_abi::function::ConsoleLevel;
use guest_abi::heap_report::HeapReport;
use guest_abi::host_request::HostRequest;
use guest_abi::message::{Exception, Place, Reply, TEXT_SIZE_MAX};
use guest_abi::payload::Payload;
use guest_abi::suspension::StartedCall;
use serde::de::IgnoredAny;

use super::name::SIZE_MAX as NAME_SIZE_MAX;
use super::stats::GuestCounters;

/// Longest text about a failure that comes from `hyperlight-host`, in bytes: a guest may have had a share in it.
const FAILURE_SIZE_MAX: usize = 1 << 10;

/// How a guest has broken the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Breach(pub String);

type Checked<T> = Result<T, Breach>;

/// What a guest asks its host for in the midst of a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CheckedRequest {
    /// To call a host function.
    Function { module: String, function: String, arguments: Payload },
    /// For the source of a module.
    Module { specifier: String, importer: String },
    /// To take a line of its console.
    ConsoleLine(ConsoleLevel, String),
}

/// What a guest says of its heap, which comes behind a reply and is taken from there. It may say anything; it is made to fit a heap
/// of this size.
pub(super) fn heap_use(bytes: &mut Vec<u8>, heap_size: u64) -> Checked<HeapReport> {
    let HeapReport { used, peak } =
        HeapReport::take_from(bytes).ok_or_else(|| Breach("the guest sent a reply that is too short".to_string()))?;
    let peak = peak.clamp(1, heap_size);
    Ok(HeapReport { used: used.min(peak), peak })
}

/// The reply of a guest function. Results have at most `output_size` bytes. What it asks the host for passes [`request`].
pub(super) fn reply(bytes: Vec<u8>, output_size: usize) -> Checked<Reply> {
    let reply = Reply::from_bytes(bytes).map_err(|error| Breach(error.to_string()))?;
    match &reply {
        Reply::Value(value) => at_most("a result", value.size(), output_size)?,
        Reply::Exception(thrown) => exception(thrown)?,
        Reply::Compile(thrown, Place { file, line: _, column: _ }) => {
            exception(thrown)?;
            text("the name of a source", file)?;
        }
        Reply::InvalidEvent(message) | Reply::Refused(message) => text("an error's message", message)?,
        Reply::TooLarge(size, limit) if *limit != output_size as u64 || size <= limit => {
            return Err(Breach(format!("the guest says that a result of {size} bytes is over the limit of {limit}")));
        }
        Reply::Suspended(suspension) => {
            for StartedCall { module, function, arguments, number: _ } in &suspension.started {
                names(module, function)?;
                at_most("the arguments of a host function", arguments.size(), output_size)?;
            }
        }
        Reply::Undefined | Reply::HandlerNotFound | Reply::TooLarge(..) | Reply::HostRequest(_) => {}
    }
    Ok(reply)
}

fn exception(thrown: &Exception) -> Checked<()> {
    let mut all = vec![thrown];
    while let Some(Exception { name, message, stack, details }) = all.pop() {
        text("an error's name", name)?;
        text("an error's message", message)?;
        text("an error's stack", stack)?;
        let properties = &details.properties;
        at_most("an error's properties", properties.len(), Exception::PROPERTIES_SIZE_MAX)?;
        let is_object = properties.starts_with('{') && serde_json::from_str::<IgnoredAny>(properties).is_ok();
        if !properties.is_empty() && !is_object {
            return Err(Breach("the guest sent properties of an error that are no JSON object".to_string()));
        }
        all.extend(details.cause.as_deref().into_iter().chain(&details.errors));
    }
    if thrown.fits() { Ok(()) } else { Err(Breach("the guest sent an error of which there is too much".to_string())) }
}

/// What the guest asks its host for. Arguments of host functions have at most `output_size` bytes.
pub(super) fn request(call: HostRequest, output_size: usize) -> Checked<CheckedRequest> {
    match call {
        HostRequest::Function { module, function, arguments } => {
            names(&module, &function)?;
            let malformed = || Breach("the guest sent malformed arguments of a host function".to_string());
            let arguments = Payload::from_bytes(arguments).ok_or_else(malformed)?;
            at_most("the arguments of a host function", arguments.size(), output_size)?;
            Ok(CheckedRequest::Function { module, function, arguments })
        }
        HostRequest::Module { specifier, importer } => {
            text("a specifier", &specifier)?;
            text("the name of a module", &importer)?;
            Ok(CheckedRequest::Module { specifier, importer })
        }
        HostRequest::ConsoleLine(level, line) => {
            text("a line of the console", &line)?;
            Ok(CheckedRequest::ConsoleLine(level, line))
        }
    }
}

/// What a guest's kernel has counted.
pub(super) fn counters(bytes: &[u8]) -> Checked<GuestCounters> {
    let malformed = || Breach("the guest sent something else than its counters".to_string());
    GuestCounters::from_bytes(bytes).ok_or_else(malformed)
}

fn names(module: &str, function: &str) -> Checked<()> {
    at_most("the name of a module", module.len(), NAME_SIZE_MAX)?;
    at_most("the name of a host function", function.len(), NAME_SIZE_MAX)
}

/// What a failure says that `hyperlight-host` reports of a call, as much of it as is of use.
pub(super) fn failure(error: &impl Display) -> String {
    let mut short = Short(String::new());
    // An error here means that the text is longer, and no more of it is formatted.
    let _ = write!(short, "{error}");
    short.0
}

struct Short(String);

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = FAILURE_SIZE_MAX - self.0.len();
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        if text.len() > room { Err(fmt::Error) } else { Ok(()) }
    }
}

fn text(what: &str, text: &str) -> Checked<()> {
    at_most(what, text.len(), TEXT_SIZE_MAX)
}

fn at_most(what: &str, size: usize, limit: usize) -> Checked<()> {
    if size <= limit {
        return Ok(());
    }
    Err(Breach(format!("the guest sent {what} of {size} bytes, but at most {limit} are allowed")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(module: &str, function: &str, arguments: Vec<u8>) -> HostRequest {
        HostRequest::Function { module: module.to_string(), function: function.to_string(), arguments }
    }

    #[test]
    fn what_is_at_its_limit_passes_and_a_byte_more_does_not() {
        let long = |more: usize| "x".repeat(TEXT_SIZE_MAX + more);
        let thrown = |name, message, stack| Exception { name, message, stack, ..Exception::default() };
        let (none, place) = (String::new, |file| Place { file, line: 1, column: 1 });
        for kind in 0..7 {
            let make = |more: usize| match kind {
                0 => Reply::Value(Payload::from_json("x".repeat(100 + more))),
                1 => Reply::Exception(thrown(long(more), none(), none())),
                2 => Reply::Exception(thrown(none(), long(more), none())),
                3 => Reply::Exception(thrown(none(), none(), long(more))),
                4 => Reply::Compile(thrown(none(), long(more), none()), place(none())),
                5 => Reply::Compile(thrown(none(), none(), none()), place(long(more))),
                _ => Reply::InvalidEvent(long(more)),
            };
            assert_eq!(reply(make(0).into_bytes(), 100), Ok(make(0)), "{kind}");
            let Breach(what) = reply(make(1).into_bytes(), 100).expect_err("too large");
            assert!(what.contains("the guest sent "), "{kind}: {what}");
        }
        for (more, passes) in [(0, true), (1, false)] {
            let name = "x".repeat(NAME_SIZE_MAX + more);
            let arguments = || Payload::from_json("x".repeat(100)).into_bytes();
            assert_eq!(request(function(&name, "f", arguments()), 100).is_ok(), passes);
            assert_eq!(request(function("m", &name, arguments()), 100).is_ok(), passes);
            assert_eq!(request(function("m", "f", arguments()), 100 - more).is_ok(), passes);
            let module = |specifier, importer| HostRequest::Module { specifier, importer };
            assert_eq!(request(module(long(more), "i".into()), 100).is_ok(), passes);
            assert_eq!(request(module("s".into(), long(more)), 100).is_ok(), passes);
            assert_eq!(request(HostRequest::ConsoleLine(ConsoleLevel::Info, long(more)), 100).is_ok(), passes);
        }
    }

    #[test]
    fn what_a_guest_says_of_its_heap_is_made_to_fit() {
        let said = |used, peak| {
            let mut bytes = vec![7];
            HeapReport { used, peak }.append_to(&mut bytes);
            let heap = heap_use(&mut bytes, 1000).expect("it is there");
            assert_eq!(bytes, [7]);
            (heap.used, heap.peak)
        };
        assert_eq!(said(10, 20), (10, 20));
        assert_eq!(said(30, 20), (20, 20));
        assert_eq!(said(u64::MAX, u64::MAX), (1000, 1000));
        assert_eq!(said(0, 0), (0, 1));
        assert!(heap_use(&mut vec![0; HeapReport::SIZE - 1], 1000).is_err());
    }

    #[test]
    fn what_is_malformed_or_contradicts_the_settings_is_a_breach() {
        assert!(reply(vec![], 100).is_err());
        assert!(reply(vec![0xff], 100).is_err());
        assert!(request(function("m", "f", vec![]), 100).is_err());
        assert!(counters(&[0; 8]).is_err() && counters(&[]).is_err() && counters(&[0; 41]).is_err());
        assert!(counters(&[0; 8 * guest_abi::counters::Counter::COUNT]).is_ok());
        let too_large = |size, limit| reply(Reply::TooLarge(size, limit).into_bytes(), 100);
        assert_eq!(too_large(101, 100), Ok(Reply::TooLarge(101, 100)));
        assert!(too_large(100, 100).is_err() && too_large(101, 99).is_err());
    }

    #[test]
    fn what_is_known_of_an_error_is_a_json_object_and_not_too_much_also_in_its_causes() {
        let with_properties = |properties: &str| {
            let mut error = Exception::default();
            error.details.properties = properties.to_string();
            error
        };
        let with_errors = |errors| {
            let mut error = Exception::default();
            error.details.errors = errors;
            error
        };
        let check = |error: Exception| reply(Reply::Exception(error).into_bytes(), 100).map(drop);
        for (properties, passes) in [
            ("", true),
            ("{}", true),
            (r#"{"code":"\ud800"}"#, true),
            ("[]", false),
            ("{", false),
            ("{}}", false),
            (" {}", false),
            ("1", false),
            (&format!("{{{}", "\"a\":{".repeat(3000)), false),
        ] {
            assert_eq!(check(with_properties(properties)).is_ok(), passes, "{properties}");
            assert_eq!(check(with_errors(vec![with_properties(properties)])).is_ok(), passes, "{properties}");
        }
        let half = format!("{{\"a\":\"{}\"}}", "x".repeat(Exception::PROPERTIES_SIZE_MAX / 2));
        assert_eq!(check(with_properties(&half)), Ok(()));
        assert!(check(with_errors(vec![with_properties(&half); 2])).is_err());
        let long = Exception::new("", "x".repeat(TEXT_SIZE_MAX));
        assert_eq!(check(with_errors(vec![long.clone(); 6])), Ok(()));
        assert!(check(with_errors(vec![long; 7])).is_err());
    }

    #[test]
    fn the_text_of_a_failure_is_cut_between_characters() {
        assert_eq!(failure(&"short"), "short");
        assert_eq!(failure(&format_args!("a{}{}", "ü".repeat(600), "z")).len(), FAILURE_SIZE_MAX - 1);
    }
}
