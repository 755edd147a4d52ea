//! The log on standard error, which the environment variable `HYPERLIGHT_JS_LOG` turns on.

use std::cell::RefCell;
use std::env::{self, VarError};
use std::sync::{Arc, LazyLock, OnceLock};
use std::{fmt, io};

use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{FmtSpan, Format, FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::{LookupSpan, Registry};

use super::output::Output;
use crate::ConsoleLevel;
use crate::sandbox::trace::{self, OneLine};

const VARIABLE: &str = "HYPERLIGHT_JS_LOG";

/// What guests write to standard error is in the log whatever the filter says, unless it speaks of that itself. Beside the
/// log it could pass for a part of it. What hyperlight-host passes on from guests is not: ours send nothing that way, but one
/// that has been taken over could, without any limit.
const GUESTS: &str = "hyperlight_js::console=warn,hyperlight_guest=off";

static IS_ON: OnceLock<bool> = OnceLock::new();

thread_local! {
    /// Of whom the events of the log speak, if that is a guest.
    static OUTPUT_OF_EVENTS: RefCell<Option<Arc<Output>>> = const { RefCell::new(None) };
}

/// Where events of the log go: they wait to be written as lines of guests do. An event is one write.
struct LogWriter;

impl io::Write for LogWriter {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        static LOG: LazyLock<Arc<Output>> = LazyLock::new(Output::new);

        let text = String::from_utf8_lossy(event);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        // What a sandbox has to say there counts as its own.
        let output = OUTPUT_OF_EVENTS.with_borrow(Clone::clone).unwrap_or_else(|| LOG.clone());
        output.add(ConsoleLevel::Error, text);
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether there is a log.
fn is_on() -> bool {
    IS_ON.get().is_some_and(|is_on| *is_on)
}

/// Turns on the log if that is asked for. Only the first call of a process does anything. Returns what the user must be told.
pub fn begin() -> Option<String> {
    let mut complaint = None;
    IS_ON.get_or_init(|| match filter(env::var(VARIABLE)) {
        Ok(Some(filter)) => turn_on(filter),
        Ok(None) => false,
        Err(text) => {
            complaint = Some(text);
            false
        }
    });
    complaint
}

/// Adds a line of a guest to its output. If there is a log, what would stand beside that goes through it: it must be told from
/// it.
pub fn add_line(output: &Arc<Output>, level: ConsoleLevel, text: &str) {
    match level {
        ConsoleLevel::Warn | ConsoleLevel::Error if is_on() => {
            let outer = OUTPUT_OF_EVENTS.replace(Some(output.clone()));
            trace::console_line(level, text);
            OUTPUT_OF_EVENTS.set(outer);
        }
        _ => output.add(level, text),
    }
}

fn turn_on(filter: Targets) -> bool {
    tracing::subscriber::set_global_default(subscriber(filter, || LogWriter)).is_ok()
}

fn subscriber(
    filter: Targets,
    writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static,
) -> impl Subscriber + Send + Sync {
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(false)
        .with_span_events(FmtSpan::CLOSE)
        // It would report that standard error takes nothing to standard error, and panic.
        .log_internal_errors(false)
        .event_format(LinePerEvent(Format::default().with_ansi(false)));
    Registry::default().with(filter).with(lines)
}

/// What to log; `None` for nothing.
fn filter(setting: Result<String, VarError>) -> Result<Option<Targets>, String> {
    let setting = match setting {
        Ok(setting) => setting,
        Err(VarError::NotPresent) => return Ok(None),
        Err(VarError::NotUnicode(setting)) => return Err(complaint(&setting, "not Unicode")),
    };
    let parse = |text: &str| text.parse::<Targets>().map_err(|error| complaint(&setting, &error.to_string()));
    let targets = parse(&setting)?;
    let mut levels = targets.iter().map(|(_, level)| level).chain(targets.default_level());
    if setting.trim().is_empty() || levels.all(|level| level == LevelFilter::OFF) {
        return Ok(None);
    }
    parse(&format!("{GUESTS},{setting}")).map(Some)
}

fn complaint(setting: &impl fmt::Debug, reason: &str) -> String {
    OneLine(&format!("{VARIABLE} is {setting:?}, which is no filter ({reason}); there is no log")).to_string()
}

/// Formats each event as one line, whatever is in it.
struct LinePerEvent(Format);

impl<S, N> FormatEvent<S, N> for LinePerEvent
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut text = String::new();
        self.0.format_event(context, Writer::new(&mut text), event)?;
        writeln!(writer, "{}", OneLine(text.strip_suffix('\n').unwrap_or(&text)))
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn nothing_is_logged_unless_it_is_asked_for() {
        for setting in [Err(VarError::NotPresent), Ok(""), Ok("  "), Ok("off"), Ok("hyperlight_js=off")] {
            assert!(matches!(filter(setting.map(str::to_string)), Ok(None)));
        }
        for setting in ["info", "hyperlight_js=debug,hyperlight_host=warn", "off,hyperlight_js=info"] {
            assert!(matches!(filter(Ok(setting.to_string())), Ok(Some(_))), "{setting}");
        }
    }

    #[test]
    fn a_bad_setting_is_complained_about_in_one_line() {
        for setting in [Ok("hyperlight_js=lo\nud".to_string()), Err(VarError::NotUnicode(OsString::from("a\nb")))] {
            let text = filter(setting).expect_err("a complaint");
            assert!(text.starts_with("HYPERLIGHT_JS_LOG is \"") && text.ends_with("there is no log"), "{text}");
            assert!(!text.contains('\n'), "{text}");
        }
    }

    #[test]
    fn an_event_is_one_line_whatever_it_holds() {
        #[derive(Clone, Default)]
        struct Output(Arc<Mutex<Vec<u8>>>);
        impl io::Write for Output {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.lock().expect("not poisoned").write(bytes)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        let output = Output::default();
        let writer = output.clone();
        let subscriber = subscriber(Targets::new().with_default(LevelFilter::TRACE), move || writer.clone());
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("span", field = %"a\nb").entered();
            tracing::info!(debug = ?"c\nd", "e\r\n\u{1b}[2J\u{2028}\n\n");
            drop(span);
        });
        let text = String::from_utf8(output.0.lock().expect("not poisoned").clone()).expect("text");
        let lines: Vec<_> = text.split_inclusive('\n').collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].contains(r"span{field=a\nb}: ") && lines[0].contains(r"e\r\n") && lines[0].ends_with('\n'));
        assert!(lines[1].contains("close time.busy="), "{text}");
        assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{text:?}");
    }
}
