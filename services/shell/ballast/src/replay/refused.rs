//! A line that a replay refused and whose dead letter its output leaves out, in words for whoever wrote it.

use domain::reason::DeadLetterCode;

/// Refusals that are told one by one.
const MOST: usize = 20;

/// One refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The line, from 1, where the record is one.
    pub line: Option<i64>,
    /// Why.
    pub code: DeadLetterCode,
    /// Why, in words.
    pub text: String,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line} was refused: {}: {}", self.code, self.text),
            None => write!(f, "a record was refused: {}: {}", self.code, self.text),
        }
    }
}

/// The first refusals, and how many more there were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unseen {
    /// The first ones.
    pub first: Vec<Refused>,
    /// Those after them.
    pub more: u64,
}

impl Unseen {
    pub(super) fn take(&mut self, refused: Refused) {
        if self.first.len() < MOST {
            self.first.push(refused);
        } else {
            self.more += 1;
        }
    }
}
