//! A line that still waits at the end of a replay, and what it waits for, in words for whoever wrote it.

use engine::waiting::Waiter;

/// A line that holds others up, or that awaits an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its number, from 1.
    pub line: i64,
    /// The record.
    pub waiter: Waiter,
}

impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Waiter { place: (topic, ..), portfolio, need, behind, .. } = &self.waiter;
        write!(f, "line {} ({topic}, portfolio {portfolio:?}) still waits for {need}", self.line)?;
        match behind {
            0 => Ok(()),
            1 => write!(f, "; 1 more waits behind it"),
            more => write!(f, "; {more} more wait behind it"),
        }
    }
}
