//! What is wrong with an argument or a setting.

use std::ops::RangeInclusive;

/// Checks that a number is within its range. The unit is text after a space, or nothing.
pub(super) fn check_range(
    what: &'static str,
    value: u64,
    unit: &'static str,
    range: &RangeInclusive<u64>,
) -> Result<(), InvalidArgument> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(InvalidArgument::OutOfRange { what, value, unit, least: *range.start(), most: *range.end() })
}

/// What is wrong with an argument or a setting. Its text names the value and what would be accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidArgument {
    /// A name is empty.
    #[error("the {what}'s name must not be empty")]
    EmptyName {
        /// What it names: `handler`, `module`, `namespace`, `function` or `variable`.
        what: &'static str,
    },
    /// A name is too long.
    #[error("the {what}'s name is {size} bytes long; at most {limit} are allowed")]
    LongName {
        /// What it names.
        what: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A name has a control character in it.
    #[error("the {what}'s name {name:?} must not have control characters in it")]
    ControlCharacters {
        /// What it names.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A name is nothing but white space.
    #[error("the {what}'s name {name:?} must not be white space only")]
    WhiteSpace {
        /// What it names.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The name of a module or a namespace has a colon in it, which separates the two in a specifier.
    #[error("the {what}'s name {name:?} must not have a colon in it")]
    Colon {
        /// What it names.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The name of a handler, or of a module of host functions, begins as those of the runtime's own modules do.
    #[error("the {what}'s name is {name:?}, but names that begin with {prefix:?} are the runtime's own")]
    ReservedName {
        /// What it names.
        what: &'static str,
        /// The name.
        name: String,
        /// What it begins with.
        prefix: &'static str,
    },
    /// A namespace belongs to host functions or to the runtime.
    #[error("the namespace {namespace:?} is reserved")]
    ReservedNamespace {
        /// The namespace.
        namespace: String,
    },
    /// Something of this name was added before.
    #[error("there is a {what} named {name:?} already")]
    Taken {
        /// What has the name: `handler` or `module`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// There is nothing of this name that could be removed.
    #[error("there is no {what} named {name:?}")]
    Unknown {
        /// What was looked for: `handler` or `module`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A number is not within its range.
    #[error("the {what} is {value}{unit}; it must be between {least} and {most}")]
    OutOfRange {
        /// What it is the number of.
        what: &'static str,
        /// The number.
        value: u64,
        /// Its unit, after a space, or nothing.
        unit: &'static str,
        /// The smallest that is accepted.
        least: u64,
        /// The largest that is accepted.
        most: u64,
    },
    /// The limit of a monitor is zero: it would stop every call.
    #[error("the limit of a monitor must not be zero")]
    ZeroLimit,
    /// The settings of a sandbox that starts from a snapshot were changed.
    #[error("the settings are those of the snapshot and cannot be changed")]
    SettingsOfSnapshot,
    /// The tag of a snapshot is malformed.
    #[error(
        "the tag must be 1 to 128 ASCII letters, digits, `_`, `.` and `-`, the first of them no `.` or `-`, but it is {tag:?}"
    )]
    Tag {
        /// The tag.
        tag: String,
    },
    /// Handlers or modules cannot be added or removed, since those of the snapshot that the sandbox started from are loaded.
    #[error(
        "the sandbox started from a snapshot of loaded handlers, so nothing can be added to it until it is unloaded"
    )]
    HandlersOfSnapshot,
    /// A host function of a call is asynchronous and the sandbox's own of this name is not, or the other way round.
    #[error("host:{module} {function} is {}, but the one that the sandbox knows {}",
        if *is_async { "asynchronous" } else { "not asynchronous" }, if *is_async { "not" } else { "is" })]
    OtherKind {
        /// Its module.
        module: String,
        /// Its name.
        function: String,
        /// Whether that of the call is asynchronous.
        is_async: bool,
    },
    /// The guest says that it cannot run a program, or what is wrong with the functions of a call.
    #[error("{0}")]
    Refused(String),
    /// The environment variable `HYPERLIGHT_JS_GDB` names no port.
    #[error("HYPERLIGHT_JS_GDB={0}: not a port")]
    GdbPort(String),
}
