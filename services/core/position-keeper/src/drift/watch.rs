//! The watch over a portfolio's bounds: what is said once, again, and when it is over.
//!
//! A breach opens an episode (OPEN). While it lasts, WORSE is said when a line, a group or cash is out that was not, or
//! not on that side, or one that is out has gone on by another quarter of its trip level since it was last said; and
//! REARM when the re-arm time has
//! passed and a line is still out. CLEAR ends the episode when every line is inside its clear level.
//! A new policy ends the episode: what is out by the new rules opens another, else CLEAR is said.
//! UNPRICED is said once when a price is missing or stale; until all are back nothing else is judged.

use super::bounds::Standing;
use crate::prices::InstrumentIx;
use domain::enums::{DriftCause, DriftKind};
use domain::{Fraction, InstrumentId, SmolStr};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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

/// What does not stand inside its clear level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Astray {
    /// What, and its side.
    pub edge: Edge,
    /// How far it is out.
    pub standing: Standing,
    /// Its |drift|.
    pub drift: Fraction,
    /// Its trip level on that side.
    pub trip: Fraction,
}

/// What the watch remembers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Watch {
    /// Number of the newest episode; 0 before the first.
    pub episode: i64,
    /// Whether an episode is open.
    pub open: bool,
    /// What was out when something was said in it, and has not come back inside its clear level since, with its |drift|
    /// then.
    pub told: BTreeMap<Edge, Fraction>,
    /// Whether UNPRICED was said and still holds.
    pub unpriced: bool,
    /// Whether the re-arm time has passed since something was last said.
    pub rearmed: bool,
    /// Whether the open episode is one of rules that hold no more.
    pub outlived: bool,
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
    /// Every price is there: judges what does not stand inside its clear level.
    pub fn look(&mut self, unclear: &[Astray]) -> Say {
        self.unpriced = false;
        let rearmed = std::mem::take(&mut self.rearmed);
        let outlived = std::mem::take(&mut self.outlived);
        let edges: BTreeSet<Edge> = unclear.iter().map(|astray| astray.edge).collect();
        self.told.retain(|told, _| edges.contains(told));
        let worst = unclear.iter().map(|astray| astray.standing).max().unwrap_or(Standing::Clear);
        match (self.open, worst) {
            (open, Standing::Breached) if !open || outlived => {
                self.episode += 1;
                self.tell(unclear, DriftKind::Open)
            }
            (false, _) => Say::default(),
            (true, worst) if worst == Standing::Clear || outlived => {
                (self.open, self.told) = (false, BTreeMap::new());
                Say { event: Some(DriftKind::Clear), rearm: false, disarm: true }
            }
            (true, worst) => {
                if breached(unclear).any(|astray| self.told.get(&astray.edge).is_none_or(|last| astray.has_gone_on(*last))) {
                    return self.tell(unclear, DriftKind::Worse);
                }
                let again = rearmed && worst == Standing::Breached;
                Say { event: again.then_some(DriftKind::Rearm), rearm: rearmed, disarm: false }
            }
        }
    }
    fn tell(&mut self, unclear: &[Astray], event: DriftKind) -> Say {
        self.open = true;
        self.told.extend(breached(unclear).map(|astray| (astray.edge, astray.drift)));
        Say { event: Some(event), rearm: true, disarm: false }
    }
    /// Other rules hold: the next look ends the open episode, and says a breach of the new ones anew.
    pub fn follow(&mut self) {
        (self.outlived, self.rearmed, self.told) = (self.open, false, BTreeMap::new());
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

fn breached(unclear: &[Astray]) -> impl Iterator<Item = &Astray> {
    unclear.iter().filter(|astray| astray.standing == Standing::Breached)
}

/// The least step that is said anew, of equity: bounds may stand where the target does.
const LEAST_STEP: i128 = Fraction::ONE.units() / 1_000;

impl Astray {
    /// Whether |drift| has grown by a quarter of the trip level.
    fn has_gone_on(&self, last: Fraction) -> bool {
        let step = Fraction::from_units((self.trip.units() / 4).max(LEAST_STEP));
        last.checked_add(step).is_ok_and(|level| self.drift >= level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn astray(n: u32, is_over: bool, standing: Standing, drift: &str) -> Astray {
        let edge = Edge { of: Bounded::Line(InstrumentIx(n)), is_over };
        Astray { edge, standing, drift: drift.parse().unwrap(), trip: "0.04".parse().unwrap() }
    }

    /// A look at a book of which one line is that far out.
    fn look(watch: &mut Watch, worst: Standing, drift: &str) -> Option<DriftKind> {
        let unclear = if worst == Standing::Clear { Vec::new() } else { vec![astray(1, true, worst, drift)] };
        watch.look(&unclear).event
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
        let line = |n, is_over, standing| astray(n, is_over, standing, "0.05");
        let edge = |of, is_over, standing| Astray { edge: Edge { of, is_over }, ..line(0, is_over, standing) };
        let (out, between) = (Standing::Breached, Standing::Between);
        let mut look = |unclear: &[Astray]| watch.look(unclear).event;
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
    fn each_that_is_out_is_said_anew_when_it_has_gone_on_whatever_drifts_further() {
        let mut watch = Watch::default();
        let mut look = |unclear: &[Astray]| watch.look(unclear).event;
        let (out, between) = (Standing::Breached, Standing::Between);
        assert_eq!(look(&[astray(1, true, out, "0.041"), astray(2, false, between, "0.3")]), Some(DriftKind::Open));
        assert_eq!(look(&[astray(1, true, out, "0.0509"), astray(2, false, between, "0.5")]), None);
        assert_eq!(look(&[astray(1, true, out, "0.051"), astray(2, false, between, "0.5")]), Some(DriftKind::Worse));
        assert_eq!(look(&[astray(1, true, out, "0.051"), astray(2, false, out, "0.5")]), Some(DriftKind::Worse));
        assert_eq!(look(&[astray(1, true, out, "0.061"), astray(2, false, out, "0.5")]), Some(DriftKind::Worse));
        // Where the bound stands at the target, each thousandth of equity is a step.
        let at_its_target = |drift: &str| Astray { trip: Fraction::ZERO, ..astray(3, true, out, drift) };
        assert_eq!(look(&[at_its_target("0.01")]), Some(DriftKind::Worse));
        assert_eq!(look(&[at_its_target("0.010999")]), None);
        assert_eq!(look(&[at_its_target("0.011")]), Some(DriftKind::Worse));
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
