//! A split that takes effect, is withdrawn, or says something else than before: the line is folded again with it or
//! without it, and the differences are booked. The state is that of a book which knew it in time. What cannot be
//! folded again, because its bookings were let go, is left as it is and named.

use super::amend::restated;
use super::execution::Effect;
use super::fold::Folding;
use super::history::{Kept, Place};
use super::holding::Holding;
use super::portfolio::Portfolio;
use super::split::{LineSplit, LineSplits};
use super::sums::Sums;
use super::trouble::Trouble;
use crate::prices::InstrumentIx;
use domain::enums::EntryKind;
use domain::ledger::LedgerEntry;
use domain::{Date, FixedError, SmolStr};

/// Why a line does not follow a split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocked {
    /// Bookings that it would change were let go, or the result leaves its range.
    Beyond,
    /// The ledger entry could not be made.
    Trouble(Trouble),
}

impl From<FixedError> for Blocked {
    fn from(_: FixedError) -> Self {
        Self::Beyond
    }
}

/// What a line becomes, checked and not yet written.
#[derive(Debug, Clone)]
pub struct Resplit {
    instrument: InstrumentIx,
    splits: LineSplits,
    holding: Holding,
    before: Vec<(Place, Holding)>,
    own: Effect,
    later: Effect,
    sums: Sums,
    entries: Vec<LedgerEntry>,
}

impl Resplit {
    /// What is held after it.
    pub fn holding(&self) -> &Holding {
        &self.holding
    }
}

/// Plans what becomes of a line when the split of an action is `now` (`None` for none). `told` makes the ledger entry
/// of a kind and an effect.
pub fn plan(
    portfolio: &Portfolio,
    instrument: InstrumentIx,
    (action, now): (&SmolStr, Option<LineSplit>),
    told: impl Fn(EntryKind, &Effect) -> Result<LedgerEntry, Trouble>,
) -> Result<Resplit, Blocked> {
    let mut splits = portfolio.splits.get(&instrument).cloned().unwrap_or_default();
    let was = std::mem::take(&mut splits.followed);
    let known = was.iter().any(|split| split.split.id == *action);
    let kind = match (known, now.is_some()) {
        (_, false) => EntryKind::Cancel,
        (false, true) => EntryKind::Split,
        (true, true) => EntryKind::Correct,
    };
    splits.followed = was.iter().filter(|split| split.split.id != *action).cloned().chain(now).collect();
    splits.followed.sort_by(|a, b| (a.split.ex_date, &a.split.id).cmp(&(b.split.ex_date, &b.split.id)));
    splits.beyond.remove(action);
    splits.owed.remove(action);
    let of_action = was.iter().chain(&splits.followed).filter(|split| split.split.id == *action);
    let Some(first) = of_action.map(|split| split.split.ex_date).min() else { return Err(Blocked::Beyond) };
    let mut both = Both { then: &was, now: &splits.followed, action, own: Effect::default(), later: Effect::default() };
    let (stands, folded) = both.fold(portfolio, instrument, first)?;
    let Both { own, later, .. } = both;
    let mut sum = own.clone();
    sum.add(&later, 1)?;
    portfolio.cash.check(&sum.movements, None)?;
    let sums = portfolio.sums.plus(&sum.change)?;
    let mut entries = vec![told(kind, &own).map_err(Blocked::Trouble)?];
    if !later.is_nothing() {
        entries.push(restated(told(EntryKind::Restate, &later).map_err(Blocked::Trouble)?));
    }
    splits.unsplit = folded.unsplit;
    Ok(Resplit { instrument, splits, holding: stands, before: folded.before, own, later, sums, entries })
}

struct Folded {
    unsplit: Option<Holding>,
    before: Vec<(Place, Holding)>,
}

/// A line with the splits that stood and with those that stand, and what the one does more than the other.
struct Both<'a> {
    then: &'a [LineSplit],
    now: &'a [LineSplit],
    action: &'a SmolStr,
    own: Effect,
    later: Effect,
}

impl Both<'_> {
    fn fold(&mut self, portfolio: &Portfolio, instrument: InstrumentIx, first: Date) -> Result<(Holding, Folded), Blocked> {
        let held = portfolio.lines.holding(instrument);
        let standing = portfolio.splits.get(&instrument).and_then(|splits| splits.unsplit.clone()).unwrap_or_else(|| held.clone());
        let mut kept = Vec::new();
        // Where nothing was booked since its ex-date, nothing is folded again.
        let start = if standing.newest < Some(first) {
            standing
        } else {
            kept.extend(portfolio.history.line_from(&portfolio.changes, portfolio.history.first(&portfolio.changes), instrument));
            let before = kept.first().and_then(|kept: &Kept| kept.before.clone());
            before.filter(|before| before.newest < Some(first)).ok_or(Blocked::Beyond)?
        };
        let (mut then, mut now) =
            (Folding::new(start.clone(), self.then, portfolio.method), Folding::new(start, self.now, portfolio.method));
        let mut before = Vec::new();
        for (nth, Kept { place, before: stood, booking }) in kept.into_iter().enumerate() {
            if nth > 0 && stood.is_some_and(|stood| stood != now.holding) {
                before.push((place, now.holding.clone()));
            }
            if let Some(booking) = booking {
                then.settle(booking.date(), |split, effect| self.told(split, effect, -1))?;
                now.settle(booking.date(), |split, effect| self.told(split, effect, 1))?;
                self.later.add(&then.book(&booking)?, -1)?;
                self.later.add(&now.book(&booking)?, 1)?;
            }
        }
        let stood = then.end(|split, effect| self.told(split, effect, -1))?;
        debug_assert_eq!(held, stood, "what is kept of a line folds to what it holds");
        let stands = now.end(|split, effect| self.told(split, effect, 1))?;
        let floats = now.floating().next().is_some();
        let unsplit = floats.then_some(now.holding);
        Ok((stands, Folded { unsplit, before }))
    }

    fn told(&mut self, split: &LineSplit, effect: &Effect, sign: i128) -> Result<(), FixedError> {
        let sum = if split.split.id == *self.action { &mut self.own } else { &mut self.later };
        sum.add(effect, sign)
    }
}

impl Portfolio {
    /// Writes what a line becomes.
    pub fn resplit(&mut self, planned: Resplit) {
        let place = self.lines.place(planned.instrument);
        self.lines.restate(place, planned.holding, std::iter::empty());
        self.splits.insert(planned.instrument, planned.splits);
        self.cash.post(&planned.own.movements, None);
        self.cash.post(&planned.later.movements, None);
        self.cash.forget_zeros(self.base);
        self.sums = planned.sums;
        self.changes.restate(planned.before);
        for entry in planned.entries {
            self.journal.add(entry, Some(planned.instrument));
        }
        self.tie_out();
    }
}
