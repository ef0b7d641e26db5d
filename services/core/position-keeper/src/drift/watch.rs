//! The watch over a portfolio's bounds: what is said once, again, and when it is over.
//!
//! A breach opens an episode (OPEN). While it lasts, WORSE is said when the largest |drift| has grown by
//! another quarter of that line's trip level since it was last said, or when a line, a group or cash is out that
//! was not, or not on that side; and REARM when the re-arm time has
//! passed and a line is still out. CLEAR ends the episode when every line is inside its clear level.
//! A new policy ends the episode: what is out by the new rules opens another, else CLEAR is said.
//! UNPRICED is said once when a price is missing or stale; until all are back nothing else is judged.

use super::bounds::Standing;
use crate::prices::InstrumentIx;
use domain::enums::{DriftCause, DriftKind};
use domain::{Fraction, InstrumentId, SmolStr};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A drift event that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Why.
    pub cause: DriftCause,
    /// The id of the command, refresh, order, action or policy version.
    pub id: Option<SmolStr>,
    /// The instrument of an action.
    pub instrument: Option<InstrumentId>,
    /// Whether it was answered on a book that lacked a price or a rate: then it is answered once more when none lacks.
    pub told: bool,
}

impl Request {
    /// A request of something that names no instrument.
    pub fn new(cause: DriftCause, id: Option<SmolStr>) -> Self {
        Self { cause, id, instrument: None, told: false }
    }
}

/// What has bounds of its own, and the side on which it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edge {
    /// What.
    pub of: Bounded,
    /// Whether it stands above its target.
    pub is_over: bool,
}

/// What has bounds of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Bounded {
    /// A line.
    Line(InstrumentIx),
    /// The group of that place among the targets.
    Group(u32),
    /// Cash.
    Cash,
}

/// What the watch remembers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Watch {
    /// Number of the newest episode; 0 before the first.
    pub episode: i64,
    /// The largest |drift| said of the open episode; `None` when there is none.
    pub open: Option<Fraction>,
    /// What was out when something was said in it, and has not come back inside its clear level since.
    pub told: BTreeSet<Edge>,
    /// Whether UNPRICED was said and still holds.
    pub unpriced: bool,
    /// Whether the re-arm time has passed since something was last said.
    pub rearmed: bool,
    /// Whether the open episode is one of rules that hold no more.
    pub outlived: bool,
}

/// What the watch is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Worst standing.
    pub worst: Standing,
    /// Largest |drift|, and the trip level of its line.
    pub extent: (Fraction, Fraction),
    /// What does not stand inside its clear level. Empty where nothing is out and no episode is open.
    pub unclear: Vec<(Edge, Standing)>,
}

impl Look {
    fn breached(&self) -> impl Iterator<Item = Edge> + '_ {
        self.unclear.iter().filter(|(_, standing)| *standing == Standing::Breached).map(|(edge, _)| *edge)
    }
}

/// What follows from a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Say {
    /// The event to publish.
    pub event: Option<DriftKind>,
    /// Whether the re-arm time begins anew.
    pub rearm: bool,
    /// Whether there is no episode to re-arm any more.
    pub disarm: bool,
}

impl Watch {
    /// A price is missing or stale.
    pub fn unpriced(&mut self) -> Say {
        let news = !std::mem::replace(&mut self.unpriced, true);
        Say { event: news.then_some(DriftKind::Unpriced), ..Say::default() }
    }
    /// Every price is there: judges a look.
    pub fn look(&mut self, look: Look) -> Say {
        self.unpriced = false;
        let rearmed = std::mem::take(&mut self.rearmed);
        let outlived = std::mem::take(&mut self.outlived);
        let unclear: BTreeSet<Edge> = look.unclear.iter().map(|(edge, _)| *edge).collect();
        self.told.retain(|told| unclear.contains(told));
        match (self.open, look.worst) {
            (open, Standing::Breached) if open.is_none() || outlived => {
                self.episode += 1;
                self.tell(&look, DriftKind::Open)
            }
            (None, _) => Say::default(),
            (Some(_), worst) if worst == Standing::Clear || outlived => {
                (self.open, self.told) = (None, BTreeSet::new());
                Say { event: Some(DriftKind::Clear), rearm: false, disarm: true }
            }
            (Some(last), worst) => {
                if grown(last, look.extent) || look.breached().any(|edge| !self.told.contains(&edge)) {
                    return self.tell(&look, DriftKind::Worse);
                }
                let again = rearmed && worst == Standing::Breached;
                Say { event: again.then_some(DriftKind::Rearm), rearm: rearmed, disarm: false }
            }
        }
    }
    fn tell(&mut self, look: &Look, event: DriftKind) -> Say {
        self.open = Some(look.extent.0);
        self.told.extend(look.breached());
        Say { event: Some(event), rearm: true, disarm: false }
    }
    /// Other rules hold: the next look ends the open episode, and says a breach of the new ones anew.
    pub fn follow(&mut self) {
        (self.outlived, self.rearmed, self.told) = (self.open.is_some(), false, BTreeSet::new());
    }
    /// Every price is there, and no equity by which weights could be judged: the next gap is said again.
    pub fn priced(&mut self) {
        self.unpriced = false;
    }
    /// There are no rules any more: the episode is over without a word.
    pub fn close(&mut self) {
        *self = Watch { episode: self.episode, ..Watch::default() };
    }
}

/// Whether |drift| has grown by a quarter of the trip level.
fn grown(last: Fraction, (drift, trip): (Fraction, Fraction)) -> bool {
    let quarter = Fraction::from_units(trip.units() / 4);
    last.checked_add(quarter).is_ok_and(|level| drift > last && drift >= level)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(watch: &mut Watch, worst: Standing, drift: &str) -> Option<DriftKind> {
        watch.look(Look { worst, extent: (drift.parse().unwrap(), "0.04".parse().unwrap()), unclear: Vec::new() }).event
    }

    #[test]
    fn an_episode_opens_worsens_and_clears() {
        let mut watch = Watch::default();
        assert_eq!(look(&mut watch, Standing::Between, "0.039"), None);
        assert_eq!(look(&mut watch, Standing::Breached, "0.041"), Some(DriftKind::Open));
        assert_eq!(look(&mut watch, Standing::Breached, "0.0509"), None);
        assert_eq!(look(&mut watch, Standing::Breached, "0.051"), Some(DriftKind::Worse));
        assert_eq!(look(&mut watch, Standing::Between, "0.035"), None);
        assert_eq!(look(&mut watch, Standing::Breached, "0.045"), None, "hysteresis: the episode is still open");
        assert_eq!(look(&mut watch, Standing::Clear, "0.01"), Some(DriftKind::Clear));
        assert_eq!(look(&mut watch, Standing::Breached, "0.041"), Some(DriftKind::Open));
        assert_eq!(watch.episode, 2);
    }

    #[test]
    fn another_line_that_goes_out_or_the_same_on_the_other_side_is_worse() {
        let mut watch = Watch::default();
        let edge = |of, is_over, standing| (Edge { of, is_over }, standing);
        let line = |n, is_over, standing| edge(Bounded::Line(InstrumentIx(n)), is_over, standing);
        let (out, between) = (Standing::Breached, Standing::Between);
        let mut look = |unclear: &[(Edge, Standing)]| {
            let worst = unclear.iter().map(|(_, standing)| *standing).max().unwrap_or(Standing::Clear);
            let extent = ("0.05".parse().unwrap(), "0.04".parse().unwrap());
            watch.look(Look { worst, extent, unclear: unclear.to_vec() }).event
        };
        assert_eq!(look(&[line(1, true, out)]), Some(DriftKind::Open));
        assert_eq!(look(&[line(1, true, out), line(2, false, between)]), None);
        assert_eq!(look(&[line(1, true, out), line(2, false, out)]), Some(DriftKind::Worse));
        assert_eq!(look(&[line(1, true, between), line(2, false, out)]), None);
        assert_eq!(look(&[line(1, true, out), line(2, false, out)]), None, "it was told, and did not clear in between");
        assert_eq!(look(&[line(2, false, out)]), None);
        assert_eq!(look(&[line(1, true, out), line(2, false, out)]), Some(DriftKind::Worse), "it had cleared");
        assert_eq!(look(&[line(1, false, out), line(2, false, out)]), Some(DriftKind::Worse));
        assert_eq!(look(&[line(1, false, out), edge(Bounded::Cash, true, out)]), Some(DriftKind::Worse));
        assert_eq!(look(&[]), Some(DriftKind::Clear));
        assert_eq!(look(&[edge(Bounded::Group(0), true, out)]), Some(DriftKind::Open));
    }

    #[test]
    fn a_standing_breach_is_said_again_only_while_it_is_out() {
        let mut watch = Watch::default();
        look(&mut watch, Standing::Breached, "0.05");
        watch.rearmed = true;
        assert_eq!(look(&mut watch, Standing::Breached, "0.05"), Some(DriftKind::Rearm));
        watch.rearmed = true;
        assert_eq!(look(&mut watch, Standing::Between, "0.035"), None);
        assert_eq!(look(&mut watch, Standing::Breached, "0.05"), None);
    }

    #[test]
    fn unpriced_is_said_once_for_each_gap() {
        let mut watch = Watch::default();
        assert_eq!(watch.unpriced().event, Some(DriftKind::Unpriced));
        assert_eq!(watch.unpriced().event, None);
        assert_eq!(look(&mut watch, Standing::Clear, "0"), None);
        assert_eq!(watch.unpriced().event, Some(DriftKind::Unpriced));
    }
}
