//! A closed step: what the shell commits in one transaction, BEGIN first, DONE last.

use crate::role::Counts;
use domain::dead_letter::DeadLetter;
use domain::progress::{Begin, Done};
use domain::{SmolStr, Timestamp, Topic};
use std::collections::BTreeMap;

/// An output as bytes, with what its headers need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Topic; for a dead letter the topic that the input came from.
    pub topic: Topic,
    /// Place within the step.
    pub index: i64,
    /// Partition: the lane's own, or the input's for a dead letter.
    pub partition: i32,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Value.
    pub value: Option<Vec<u8>>,
    /// Clock of the step's last window.
    pub time: Timestamp,
    /// The trace that led here, where an input carried one (W3C traceparent).
    pub traceparent: Option<SmolStr>,
    /// What stands in the headers of a dead letter (its value is moved to `value`).
    pub dead_letter: Option<Box<DeadLetter>>,
}

impl Encoded {
    /// The name of the topic that it is published to.
    pub fn name(&self) -> &'static str {
        if self.dead_letter.is_some() { self.topic.dead_letters() } else { self.topic.name() }
    }
}

/// A closed step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Opens it: windows, settings, schemas.
    pub begin: Begin,
    /// Its outputs, in order.
    pub outputs: Vec<Encoded>,
    /// Closes it: digest and counts.
    pub done: Done,
    /// What it did with its inputs.
    pub counts: Counts,
    /// Records that were left without effect, by topic: their id was known with the same content, or they repeat an output
    /// of ours.
    pub known: BTreeMap<Topic, i64>,
}
