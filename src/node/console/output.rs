//! Lines that guest code writes to its console, on their way to the process's standard output and standard error.
//!
//! Nobody knows when, or whether, these are read. So one thread, the writer, writes the lines of all sandboxes, and it alone
//! waits: no guest does, and no call. Each sandbox's lines wait in a list of their own; the writer takes some of each in
//! turn. It writes what it has taken completely, also to pipes that do not block, and a process that exits gives it a
//! [second](EXIT_WAIT) to finish.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::lines::Lines;
use super::stream::Stream;
use crate::ConsoleLevel;
#[cfg(unix)]
use crate::node::panic::catch_panic;

/// Most lines that are written before other sandboxes have their turn.
const LINES_AT_A_TIME: usize = 64;
/// How long a process that exits waits for lines to be written.
const EXIT_WAIT: Duration = Duration::from_secs(1);

static WRITER: Writer = Writer::new(begin_thread);

/// The lines of one sandbox, or of the log.
#[derive(Default)]
pub struct Output {
    waiting: Mutex<OutputLines>,
}

#[derive(Default)]
struct OutputLines {
    lines: Lines,
    /// Whether the writer knows of them.
    is_known: bool,
}

/// Writes the lines of all outputs.
struct Writer {
    state: Mutex<State>,
    /// There is something to write.
    work: Condvar,
    /// There is nothing to write.
    idle: Condvar,
    /// Begins its thread.
    begin: fn() -> io::Result<()>,
}

struct State {
    /// Outputs with lines that wait.
    turns: VecDeque<Arc<Output>>,
    has_thread: bool,
    /// Whether lines that were taken are being written.
    is_writing: bool,
}

impl Output {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Adds a line and returns at once.
    pub fn add(self: &Arc<Self>, level: ConsoleLevel, text: &str) {
        self.add_line(level, text, &WRITER);
    }

    fn add_line(self: &Arc<Self>, level: ConsoleLevel, text: &str, writer: &Writer) {
        let is_known = {
            let mut waiting = self.lock();
            waiting.lines.add(level, text.to_string());
            std::mem::replace(&mut waiting.is_known, true)
        };
        writer.wake((!is_known).then_some(self));
    }

    /// Takes some lines: the text for one of the streams. `None` if there are no more.
    fn take(&self) -> Option<(Stream, Vec<u8>)> {
        let mut waiting = self.lock();
        let mut taken: Option<(Stream, Vec<u8>)> = None;
        for _ in 0..LINES_AT_A_TIME {
            // One that goes to the other stream is next.
            if let (Some((stream, _)), Some(next)) = (&taken, waiting.lines.next_level())
                && Stream::of(next) != *stream
            {
                break;
            }
            let Some((level, text)) = waiting.lines.take() else { break };
            let (_, bytes) = taken.get_or_insert_with(|| (Stream::of(level), Vec::new()));
            bytes.extend_from_slice(text.as_bytes());
            bytes.push(b'\n');
        }
        if taken.is_none() {
            waiting.is_known = false;
        }
        taken
    }

    fn lock(&self) -> MutexGuard<'_, OutputLines> {
        // No code runs under the lock that could leave the list half changed.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    const fn new(begin: fn() -> io::Result<()>) -> Self {
        let state = State { turns: VecDeque::new(), has_thread: false, is_writing: false };
        Self { state: Mutex::new(state), work: Condvar::new(), idle: Condvar::new(), begin }
    }

    /// There are lines, perhaps of an output that the writer does not know of yet. If no thread can be had they wait until
    /// there is one, or until the process exits.
    fn wake(&self, output: Option<&Arc<Output>>) {
        let mut state = self.lock();
        state.turns.extend(output.cloned());
        if !state.has_thread {
            state.has_thread = (self.begin)().is_ok();
        }
        if output.is_some() {
            self.work.notify_one();
        }
    }

    /// Writes all that comes.
    fn run(&self) {
        let mut state = self.lock();
        loop {
            while state.turns.is_empty() {
                self.idle.notify_all();
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state = self.write_some(state, None);
        }
    }

    /// Writes some lines of the output whose turn it is.
    fn write_some<'a>(&'a self, mut state: MutexGuard<'a, State>, until: Option<Instant>) -> MutexGuard<'a, State> {
        let Some(output) = state.turns.pop_front() else { return state };
        state.is_writing = true;
        drop(state);
        let taken = output.take();
        let has_more = taken.is_some();
        if let Some((stream, lines)) = taken {
            // Lines that nobody can take are lost: the reader has gone, or there is none.
            let _ = stream.write(&lines, until);
        }
        state = self.lock();
        state.is_writing = false;
        state.turns.extend(has_more.then_some(output));
        state
    }

    /// Waits until all that there is now has been written, but not for ever. Without a thread this one writes.
    fn finish(&self) {
        let end = Instant::now() + EXIT_WAIT;
        let mut state = self.lock();
        if state.has_thread {
            let is_busy = |state: &mut State| state.is_writing || !state.turns.is_empty();
            drop(self.idle.wait_timeout_while(state, EXIT_WAIT, is_busy));
            return;
        }
        while !state.turns.is_empty() && Instant::now() < end {
            state = self.write_some(state, Some(end));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code runs under the lock that could leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins the thread of the writer, and has the process wait for it when it exits.
fn begin_thread() -> io::Result<()> {
    static EXIT: Once = Once::new();

    EXIT.call_once(exit::wait_for_writer);
    thread::Builder::new().name("hyperlight-output".to_string()).spawn(|| WRITER.run()).map(drop)
}

#[cfg(unix)]
mod exit {
    use super::*;

    pub fn wait_for_writer() {
        // SAFETY: the function may be called at any time, on any thread. The addon's code stays loaded until the process
        // ends: see `load`.
        unsafe { libc::atexit(finish) };
    }

    extern "C" fn finish() {
        let _ = catch_panic(|| {
            WRITER.finish();
            Ok(())
        });
    }
}

#[cfg(not(unix))]
mod exit {
    /// The other threads have ended when a library hears of the end of its process.
    pub fn wait_for_writer() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(output: &Output) -> Vec<(Stream, String)> {
        let text = |(stream, bytes)| (stream, String::from_utf8(bytes).expect("text"));
        std::iter::from_fn(|| output.take().map(text)).collect()
    }

    fn no_thread() -> io::Result<()> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    #[test]
    fn lines_are_taken_in_their_order_whatever_stream_they_are_for() {
        let (output, writer) = (Output::new(), Writer::new(no_thread));
        for (level, text) in [
            (ConsoleLevel::Debug, "1"),
            (ConsoleLevel::Info, "2\n2"),
            (ConsoleLevel::Error, "3"),
            (ConsoleLevel::Warn, "4"),
            (ConsoleLevel::Info, "5"),
        ] {
            output.add_line(level, text, &writer);
        }
        let expected = [(Stream::Output, "1\n2\n2\n"), (Stream::Error, "3\n4\n"), (Stream::Output, "5\n")];
        assert_eq!(lines(&output), expected.map(|(stream, text)| (stream, text.to_string())));
    }

    #[test]
    fn sandboxes_take_turns() {
        let (flood, quiet, writer) = (Output::new(), Output::new(), Writer::new(no_thread));
        for _ in 0..10 * LINES_AT_A_TIME {
            flood.add_line(ConsoleLevel::Info, "", &writer);
        }
        quiet.add_line(ConsoleLevel::Info, "", &writer);
        let turns: Vec<_> = writer.lock().turns.iter().map(Arc::as_ptr).collect();
        assert_eq!(turns, [Arc::as_ptr(&flood), Arc::as_ptr(&quiet)]);
        assert_eq!(flood.take().map(|(_, text)| text.len()), Some(LINES_AT_A_TIME));
    }

    #[test]
    fn without_a_thread_a_line_is_added_all_the_same_and_the_next_asks_for_one_again() {
        static ASKED: Mutex<u32> = Mutex::new(0);
        fn begin() -> io::Result<()> {
            *ASKED.lock().expect("not poisoned") += 1;
            no_thread()
        }
        let (output, writer) = (Output::new(), Writer::new(begin));
        for _ in 0..3 {
            output.add_line(ConsoleLevel::Info, "line", &writer);
        }
        assert_eq!(*ASKED.lock().expect("not poisoned"), 3);
        assert_eq!(writer.lock().turns.len(), 1);
        assert_eq!(lines(&output), [(Stream::Output, "line\n".repeat(3))]);
    }
}
