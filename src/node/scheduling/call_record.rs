//! What is noted of a call while it goes on, for its receipt.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::jobs::Source;
use crate::ConsoleLevel;

/// What a line takes beside its text.
const LINE_OVERHEAD: usize = 32;

/// Is called when a call begins, with the source of the jobs that its sandbox causes on the JavaScript thread.
type AtBegin = Box<dyn FnOnce(Source) + Send>;

/// The lines of its console and its host calls. What it takes is limited: lines by their size, host calls by the number of
/// functions that there are.
pub struct CallRecord {
    began: Instant,
    /// `None` if its lines go where they went without a record.
    console_size_max: Option<usize>,
    at_begin: Mutex<Option<AtBegin>>,
    snapshot_digest: OnceLock<Option<String>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    lines: Vec<Line>,
    size: usize,
    dropped: u64,
    host_calls: BTreeMap<String, HostCallTotal>,
}

/// A line of the console.
#[derive(Clone)]
pub struct Line {
    pub level: ConsoleLevel,
    pub text: String,
    /// Time since the call was asked for.
    pub at: Duration,
}

/// Calls of one host function.
#[derive(Clone, Copy, Default)]
pub struct HostCallTotal {
    pub count: u64,
    /// How long those took that have ended.
    pub time: Duration,
}

impl CallRecord {
    /// A record of lines that take at most so many bytes, or of none.
    pub fn new(console_size_max: Option<usize>) -> Self {
        Self {
            began: Instant::now(),
            console_size_max,
            at_begin: Mutex::default(),
            snapshot_digest: OnceLock::new(),
            state: Mutex::default(),
        }
    }

    /// Has something called when the call begins.
    pub fn at_begin(&self, call: impl FnOnce(Source) + Send + 'static) {
        *self.at_begin.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(call));
    }

    /// The call begins in a sandbox whose jobs have this source, in the state of a snapshot with this digest.
    pub fn begins(&self, source: Source, snapshot_digest: Option<&str>) {
        // A call begins once.
        let _ = self.snapshot_digest.set(snapshot_digest.map(str::to_string));
        let at_begin = self.at_begin.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(call) = at_begin {
            call(source);
        }
    }

    /// Whether it takes the lines of the console, so that they need not go elsewhere.
    pub fn takes_lines(&self) -> bool {
        self.console_size_max.is_some()
    }

    /// Digest of the snapshot that the call began with, if it has one.
    pub fn snapshot_digest(&self) -> Option<&str> {
        self.snapshot_digest.get()?.as_deref()
    }

    /// Notes a line, if there is room. Once there was none, later ones are only counted.
    pub fn add_line(&self, level: ConsoleLevel, text: &str) {
        let Some(size_max) = self.console_size_max else { return };
        let mut state = self.lock();
        let size = state.size + text.len() + LINE_OVERHEAD;
        if state.dropped > 0 || size > size_max {
            state.dropped += 1;
            return;
        }
        state.size = size;
        state.lines.push(Line { level, text: text.to_string(), at: self.began.elapsed() });
    }

    /// A host function is called.
    pub fn call_begins(&self, function: &str) {
        let mut state = self.lock();
        match state.host_calls.get_mut(function) {
            Some(total) => total.count += 1,
            None => {
                let first = HostCallTotal { count: 1, ..HostCallTotal::default() };
                state.host_calls.insert(function.to_string(), first);
            }
        }
    }

    /// It has taken this time.
    pub fn call_ends(&self, function: &str, time: Duration) {
        if let Some(total) = self.lock().host_calls.get_mut(function) {
            total.time += time;
        }
    }

    /// Takes the lines, and how many were dropped.
    pub fn take_lines(&self) -> (Vec<Line>, u64) {
        let mut state = self.lock();
        (std::mem::take(&mut state.lines), state.dropped)
    }

    /// Calls of host functions so far, by their names.
    pub fn host_calls(&self) -> BTreeMap<String, HostCallTotal> {
        self.lock().host_calls.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code runs under the lock that could leave the record half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_beyond_the_limit_are_counted_and_those_before_it_are_kept() {
        let record = CallRecord::new(Some(2 * (LINE_OVERHEAD + 1)));
        for text in ["a", "bb", "c", "d"] {
            record.add_line(ConsoleLevel::Info, text);
        }
        let (lines, dropped) = record.take_lines();
        assert_eq!((lines.len(), lines[0].text.as_str(), dropped), (1, "a", 3));
    }
}
