//! A corporate action that takes effect, is paid, is withdrawn, or says something else than before: the line is folded again with it or
//! without it, and the differences are booked. The state is that of a book which knew it in time. What cannot be
//! folded again, because its bookings were let go, is left as it is and named.

use super::action::{LineAction, LineActions, Stage};
use super::amend::restated;
use super::execution::Effect;
use super::fold::Folding;
use super::history::{Kept, Place};
use super::holding::Holding;
use super::portfolio::Portfolio;
use super::sums::Sums;
use super::trouble::Trouble;
use crate::prices::actions::Deed;
use crate::prices::{Action, InstrumentIx};
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
pub struct Followed {
    instrument: InstrumentIx,
    /// The oldest day that it changes.
    first: Date,
    actions: LineActions,
    holding: Holding,
    before: Vec<(Place, Holding)>,
    own: Effect,
    later: Effect,
    sums: Sums,
    entries: Vec<LedgerEntry>,
}

impl Followed {
    /// What is held after it.
    pub fn holding(&self) -> &Holding {
        &self.holding
    }
}

/// Plans what becomes of a line when an action is `now` (`None` for none). `told` makes the ledger entry
/// of a kind and an effect.
pub fn plan(
    portfolio: &Portfolio,
    instrument: InstrumentIx,
    (action, now): (&SmolStr, Option<LineAction>),
    told: impl Fn(EntryKind, &Effect) -> Result<LedgerEntry, Trouble>,
) -> Result<Followed, Blocked> {
    let mut actions = portfolio.actions.get(&instrument).cloned().unwrap_or_default();
    let was = std::mem::take(&mut actions.followed);
    // Of a dividend that entries said nothing was booked yet.
    let known = was.iter().find(|line| line.action.id == *action && line.stage != Stage::Entries);
    let kind = kind_of(known, now.as_ref());
    actions.followed = was.iter().filter(|line| line.action.id != *action).cloned().chain(now).collect();
    actions.followed.sort_by(|a, b| a.action.order().cmp(&b.action.order()));
    actions.beyond.remove(action);
    actions.unrated.remove(action);
    let of_action = was.iter().chain(&actions.followed).filter(|line| line.action.id == *action);
    let Some(first) = of_action.map(|line| line.action.ex_date).min() else { return Err(Blocked::Beyond) };
    // What it has come to goes on from where it stood.
    let mut before = was.iter().find(|line| line.action.id == *action).map_or_else(Vec::new, |line| line.earned.clone());
    before.extend(actions.left.extract_if(.., |earned| earned.action == *action));
    let mut both = Both { then: &was, now: &actions.followed, action, own: Effect::default(), later: Effect::default() };
    let (stands, folded) = both.fold(portfolio, instrument, first)?;
    let Both { own, later, .. } = both;
    let mut sum = own.clone();
    sum.add(&later, 1)?;
    portfolio.cash.check(&sum.movements, None)?;
    portfolio.receivables.check(&sum.owed()?, None)?;
    let sums = portfolio.sums.plus(&sum.change)?;
    let mut entries = Vec::new();
    if !own.is_nothing() {
        entries.push(told(kind, &own).map_err(Blocked::Trouble)?);
    }
    if !later.is_nothing() {
        entries.push(restated(told(EntryKind::Restate, &later).map_err(Blocked::Trouble)?));
    }
    actions.unsplit = folded.unsplit;
    match actions.followed.iter_mut().find(|line| line.action.id == *action) {
        Some(line) => line.earned = before,
        None => actions.left.extend(before),
    }
    Ok(Followed { instrument, first, actions, holding: stands, before: folded.before, own, later, sums, entries })
}

/// Plans the payment of a dividend that is owed on a line: what it comes to stays.
pub fn pay(
    portfolio: &Portfolio,
    instrument: InstrumentIx,
    action: &SmolStr,
    told: impl Fn(EntryKind, &Effect) -> Result<LedgerEntry, Trouble>,
) -> Result<Payment, Trouble> {
    let line = portfolio.actions.get(&instrument).and_then(|actions| actions.find(action));
    let effect = line.map_or_else(|| Ok(Effect::default()), LineAction::payment)?;
    portfolio.cash.check(&effect.movements, None)?;
    let entry = if effect.is_nothing() { None } else { Some(told(EntryKind::CashDividend, &effect)?) };
    Ok(Payment { sums: portfolio.sums.plus(&effect.change)?, effect, entry })
}

/// The payment of a dividend, checked and not yet written.
#[derive(Debug, Clone)]
pub struct Payment {
    effect: Effect,
    sums: Sums,
    entry: Option<LedgerEntry>,
}

/// What the ledger calls it that an action was that, and is this.
fn kind_of(was: Option<&LineAction>, now: Option<&LineAction>) -> EntryKind {
    match (was, now) {
        (_, None) => EntryKind::Cancel,
        (Some(_), Some(_)) => EntryKind::Correct,
        (None, Some(LineAction { action: Action { deed: Deed::Dividend { .. }, .. }, .. })) => EntryKind::Dividend,
        (None, Some(_)) => EntryKind::Split,
    }
}

struct Folded {
    unsplit: Option<Holding>,
    before: Vec<(Place, Holding)>,
}

/// A line with the actions that stood and with those that stand, and what the one does more than the other.
struct Both<'a> {
    then: &'a [LineAction],
    now: &'a [LineAction],
    action: &'a SmolStr,
    own: Effect,
    later: Effect,
}

impl Both<'_> {
    fn fold(&mut self, portfolio: &Portfolio, instrument: InstrumentIx, first: Date) -> Result<(Holding, Folded), Blocked> {
        let held = portfolio.lines.holding(instrument);
        let standing = portfolio.actions.get(&instrument).and_then(|actions| actions.unsplit.clone()).unwrap_or_else(|| held.clone());
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
                then.settle(booking.date(), |line, effect| self.told(line, effect, -1))?;
                now.settle(booking.date(), |line, effect| self.told(line, effect, 1))?;
                let (before, after) = (
                    then.book(&booking, |line, effect| self.told(line, effect, -1))?,
                    now.book(&booking, |line, effect| self.told(line, effect, 1))?,
                );
                self.later.add(&before, -1)?;
                self.later.add(&after, 1)?;
            }
        }
        let stood = then.end(|line, effect| self.told(line, effect, -1))?;
        debug_assert_eq!(held, stood, "what is kept of a line folds to what it holds");
        let stands = now.end(|line, effect| self.told(line, effect, 1))?;
        let floats = now.floating().next().is_some();
        let unsplit = floats.then_some(now.holding);
        Ok((stands, Folded { unsplit, before }))
    }

    fn told(&mut self, line: &LineAction, effect: &Effect, sign: i128) -> Result<(), FixedError> {
        let sum = if line.action.id == *self.action { &mut self.own } else { &mut self.later };
        sum.add(effect, sign)
    }
}

impl Portfolio {
    /// Writes the payment of a dividend.
    pub fn pay_dividend(&mut self, instrument: InstrumentIx, action: &SmolStr, planned: Payment) {
        let actions = self.actions.get_mut(&instrument);
        if let Some(line) = actions.and_then(|actions| actions.followed.iter_mut().find(|line| line.action.id == *action)) {
            line.stage = Stage::Paid;
            if let Deed::Dividend { pay_date, .. } = line.action.deed {
                self.days.touch(Some(pay_date));
            }
        }
        self.cash.post(&planned.effect.movements, None);
        self.accrue(instrument, &planned.effect);
        self.sums = planned.sums;
        if let Some(entry) = planned.entry {
            self.journal.add(entry, Some(instrument));
        }
        self.tie_out();
    }

    /// Writes what a line becomes.
    pub fn follow_action(&mut self, planned: Followed) {
        self.days.touch(Some(planned.first));
        let place = self.lines.place(planned.instrument);
        self.lines.restate(place, planned.holding, []);
        self.actions.insert(planned.instrument, planned.actions);
        self.cash.post(&planned.own.movements, None);
        self.cash.post(&planned.later.movements, None);
        self.cash.forget_zeros(self.base);
        self.accrue(planned.instrument, &planned.own);
        self.accrue(planned.instrument, &planned.later);
        self.sums = planned.sums;
        self.changes.restate(planned.before);
        for entry in planned.entries {
            self.journal.add(entry, Some(planned.instrument));
        }
        self.tie_out();
    }
}
