//! What commands print, on standard output and beside it on standard error. Whoever reads may leave before
//! the end (`| head`): that ends a command quietly and is no failure of it. Logs are telemetry's.

use std::fmt::Display;
use std::io::{self, BufWriter, ErrorKind, StdoutLock, Write, stderr, stdout};

/// Nobody reads what is printed any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nobody reads the output any more")]
pub struct ReaderLeft;

/// Prints a text and ends the line.
pub fn line(text: impl Display) -> io::Result<()> {
    writeln!(stdout(), "{text}").map_err(told)
}

/// Prints the last of a command, which ends as it would have ended with a reader.
pub fn last(text: impl Display) -> io::Result<()> {
    match line(text) {
        Err(error) if is_left(&error) => Ok(()),
        printed => printed,
    }
}

/// Says something beside the output; where nobody listens it is lost.
pub fn aside(text: impl Display) {
    _ = writeln!(stderr(), "{text}");
}

/// A count with its noun: `1 record`, `2 records`.
pub fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// An error with what is behind it, each said once: many an error says its cause's words itself.
pub fn causes(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |told, cause| {
        let words = cause.to_string();
        if told.contains(&words) {
            return told;
        }
        if told.is_empty() { words } else { format!("{told}: {words}") }
    })
}

/// Whether a command failed only because nobody reads what it prints. A broken connection to a server is none
/// of that, though it has the same name.
pub fn reader_left(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(is_left))
}

fn is_left(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<ReaderLeft>())
}

fn told(error: io::Error) -> io::Error {
    if error.kind() == ErrorKind::BrokenPipe { io::Error::new(ErrorKind::BrokenPipe, ReaderLeft) } else { error }
}

/// Standard output for many lines.
pub struct Lines(BufWriter<StdoutLock<'static>>);

impl Lines {
    /// Takes standard output for itself.
    pub fn open() -> Self {
        Self(BufWriter::new(stdout().lock()))
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(told)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(told)
    }
}
