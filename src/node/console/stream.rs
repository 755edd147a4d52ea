//! The process's standard output and standard error. Either may be a pipe that does not block, or that nobody reads.

use std::io;
#[cfg(unix)]
use std::thread;
#[cfg(unix)]
use std::time::Duration;
use std::time::Instant;

use crate::ConsoleLevel;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Output,
    Error,
}

impl Stream {
    /// Where lines of a level go.
    pub fn of(level: ConsoleLevel) -> Self {
        match level {
            ConsoleLevel::Debug | ConsoleLevel::Info => Self::Output,
            ConsoleLevel::Warn | ConsoleLevel::Error => Self::Error,
        }
    }
}

#[cfg(unix)]
impl Stream {
    /// Writes all of the text, however often it has to wait for the reader.
    pub fn write(self, text: &[u8], until: Option<Instant>) -> io::Result<()> {
        let file = match self {
            Self::Output => libc::STDOUT_FILENO,
            Self::Error => libc::STDERR_FILENO,
        };
        write_all(file, text, until)
    }
}

/// As much as a pipe takes at once without blocking, if it takes anything.
#[cfg(unix)]
const PIECE: usize = 4096;

/// Writes to a file, whether or not that blocks.
#[cfg(unix)]
fn write_all(file: libc::c_int, mut text: &[u8], until: Option<Instant>) -> io::Result<()> {
    while !text.is_empty() {
        wait_until_ready(file, until)?;
        let piece = &text[..text.len().min(PIECE)];
        // SAFETY: the piece is as long as it says.
        match usize::try_from(unsafe { libc::write(file, piece.as_ptr().cast(), piece.len()) }) {
            Ok(written) => text = &text[written..],
            Err(_) => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => {}
                // It is ready for less than there is.
                error if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(Duration::from_millis(1)),
                error => return Err(error),
            },
        }
    }
    Ok(())
}

#[cfg(unix)]
fn wait_until_ready(file: libc::c_int, until: Option<Instant>) -> io::Result<()> {
    let milliseconds = |end: Instant| end.saturating_duration_since(Instant::now()).as_millis() as libc::c_int;
    let mut ready = libc::pollfd { fd: file, events: libc::POLLOUT, revents: 0 };
    // SAFETY: there is one entry.
    match unsafe { libc::poll(&raw mut ready, 1, until.map_or(-1, milliseconds)) } {
        0 => Err(io::ErrorKind::TimedOut.into()),
        // If it failed, so does writing.
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
impl Stream {
    pub fn write(self, text: &[u8], _: Option<Instant>) -> io::Result<()> {
        use io::Write;
        match self {
            Self::Output => {
                let mut output = io::stdout().lock();
                output.write_all(text)?;
                output.flush()
            }
            Self::Error => io::stderr().write_all(text),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Read;
    use std::os::fd::{AsRawFd, OwnedFd};

    use super::*;

    #[test]
    fn a_pipe_gets_all_whether_it_blocks_or_not_and_a_reader_who_has_gone_ends_it() {
        let text: Vec<u8> = (0..1 << 20).map(|i| (i % 251) as u8).collect();
        for flags in [0, libc::O_NONBLOCK] {
            let (mut reader, writer) = io::pipe().expect("a pipe");
            let writer = OwnedFd::from(writer);
            // SAFETY: it is open.
            assert_eq!(unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_SETFL, flags) }, 0);
            let read = thread::spawn(move || {
                let mut read = Vec::new();
                reader.read_to_end(&mut read).expect("it can be read");
                read
            });
            write_all(writer.as_raw_fd(), &text, None).expect("it can be written");
            drop(writer);
            assert!(read.join().expect("no panic") == text);
        }
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let gone = write_all(writer.as_raw_fd(), &text, None).expect_err("nobody reads");
        assert_eq!(gone.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn waiting_for_a_reader_has_an_end_if_one_is_set() {
        let (_reader, writer) = io::pipe().expect("a pipe");
        let until = Some(Instant::now() + Duration::from_millis(20));
        let stalled = write_all(writer.as_raw_fd(), &[0; 1 << 20], until).expect_err("nobody reads");
        assert_eq!(stalled.kind(), io::ErrorKind::TimedOut);
    }
}
