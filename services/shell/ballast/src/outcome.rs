//! How a command on a portfolio ends, as a shell sees it. The words stand in the output; this is the exit status.

use std::process::ExitCode;

/// The ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// What was asked for was done, or answered.
    Done,
    /// The service refused it, or what it began has failed.
    Refused,
    /// There is no such portfolio or rebalance, or nothing to decide.
    NothingThere,
    /// No answer came in time; what was sent may still be followed.
    TimedOut,
}

impl Outcome {
    /// The exit status.
    pub fn status(self) -> u8 {
        match self {
            Outcome::Done => 0,
            Outcome::Refused => 3,
            Outcome::NothingThere => 4,
            Outcome::TimedOut => 5,
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        ExitCode::from(outcome.status())
    }
}
