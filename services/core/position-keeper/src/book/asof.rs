//! What a portfolio held on a day of its past: of all that is booked by now, what is dated on that day or before it, in
//! whatever order it came. Executions and transfers go by their trade date, cash by the moment of its effect against
//! the moment of the cut, corporate actions by ex-date and day of payment.
//!
//! Nothing is kept for it. A line that was booked or split since is folded twice, with all of its bookings and with
//! those of the time, and what the one does more than the other is taken off. It values nothing.

use super::action::LineAction;
use super::booking::Booking;
use super::execution::{Earned, Effect};
use super::fold::Folding;
use super::history::Kept;
use super::holding::Holding;
use super::payment::Payment;
use super::portfolio::Portfolio;
use super::position::Position;
use super::sub_positions::SubPositions;
use crate::prices::InstrumentIx;
use crate::prices::actions::Deed;
use crate::prices::cuts::DayCut;
use domain::{Amount, Currency, Date, FixedError, Quantity, StrategyId};
use std::collections::BTreeMap;

/// Why it cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untold {
    /// Bookings of later days were let go.
    LetGo,
    /// A figure leaves its range.
    Range,
    /// All that is booked does not fold to what is held.
    Differs,
}

impl From<FixedError> for Untold {
    fn from(_: FixedError) -> Self {
        Self::Range
    }
}

/// What one strategy, or none, held of a line, and what that cost.
pub type Held = (Option<StrategyId>, (Quantity, Amount));

/// What was held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsOf {
    /// Units and what they cost, by instrument; those that are not zero.
    pub held: BTreeMap<InstrumentIx, (Quantity, Amount)>,
    /// The same of each strategy, of lines in which they are told apart.
    pub strategies: BTreeMap<InstrumentIx, Vec<Held>>,
    /// Cash by trade date.
    pub cash: BTreeMap<Currency, Amount>,
    /// Dividends earned and not yet paid.
    pub owed: BTreeMap<Currency, Amount>,
    /// Cumulative net flows, in base.
    pub net_flows: Amount,
}

impl AsOf {
    /// The book as it stands.
    pub fn now(portfolio: &Portfolio) -> Self {
        let held = portfolio.lines.counting().filter(|(_, line)| !line.position.quantity.is_zero());
        let apart = portfolio.lines.all().iter().filter(|line| !line.subs.is_empty());
        let apart = apart.map(|line| (line, by_strategy(&line.subs)));
        let amounts = |cash: &super::CashBook| cash.balances().iter().map(|balance| (balance.currency, balance.amount)).collect();
        Self {
            held: held.map(|(_, line)| (line.instrument, (line.position.quantity, line.position.cost))).collect(),
            strategies: apart.filter(|(line, held)| is_left(&line.position, held)).map(|(line, held)| (line.instrument, held)).collect(),
            cash: amounts(&portfolio.cash),
            owed: amounts(&portfolio.receivables),
            net_flows: portfolio.sums.net_flows,
        }
    }

    /// The book as it was when that day was cut.
    pub fn of(portfolio: &Portfolio, cut: &DayCut) -> Result<Self, Untold> {
        let mut asof = Self::now(portfolio);
        // A moment that has the date of the cut in UTC may lie behind it.
        let last_cash = portfolio.payment_changes.gone().filter(|gone| *gone >= cut.at.date_utc());
        if portfolio.changes.gone() > Some(cut.date) || last_cash.is_some() {
            return Err(Untold::LetGo);
        }
        let lines = later_lines(portfolio, cut.date);
        if !lines.is_empty() || portfolio.days.exchanged > Some(cut.date) {
            let later = Lines { portfolio, day: cut.date, lines }.fold(&mut asof)?;
            asof.take_off(&later)?;
        }
        asof.take_off_payments(portfolio, cut)?;
        asof.take_off_dividends(portfolio, cut.date)?;
        Ok(asof)
    }

    fn take_off(&mut self, later: &Effect) -> Result<(), FixedError> {
        for movement in later.movements.iter() {
            add(&mut self.cash, movement.currency, movement.amount.checked_neg()?)?;
        }
        self.net_flows = self.net_flows.checked_sub(later.change.net_flows)?;
        Ok(())
    }

    fn take_off_payments(&mut self, portfolio: &Portfolio, cut: &DayCut) -> Result<(), FixedError> {
        let first = portfolio.payments.first(&portfolio.payment_changes);
        if !portfolio.payments.may_hold(cut.at.date_utc()) {
            return Ok(());
        }
        for (_, kept) in portfolio.payments.lines_from(&portfolio.payment_changes, first, |_| true) {
            let Some(Booking::Payment(payment)) = kept.booking.filter(|booking| is_later(booking, cut)) else { continue };
            self.take_off(&payment.effect()?)?;
            for earned in payment.settles.iter().filter(|earned| stood(portfolio, &payment, earned, cut.date)) {
                add(&mut self.owed, earned.movement.currency, earned.movement.amount)?;
            }
        }
        Ok(())
    }

    /// A dividend of later days is not there yet, and one that is paid later is owed.
    fn take_off_dividends(&mut self, portfolio: &Portfolio, day: Date) -> Result<(), FixedError> {
        for line in portfolio.actions.values().flat_map(|actions| &actions.followed) {
            let Deed::Dividend { pay_date, .. } = line.action.deed else { continue };
            let stands = line.action.ex_date <= day;
            if stands && pay_date <= day {
                continue;
            }
            for Earned { movement, owed, .. } in &line.earned {
                let taken = movement.amount.checked_neg()?;
                match (stands, owed) {
                    (true, true) => {}
                    (true, false) => {
                        add(&mut self.cash, movement.currency, taken)?;
                        add(&mut self.owed, movement.currency, movement.amount)?;
                    }
                    (false, true) => add(&mut self.owed, movement.currency, taken)?,
                    (false, false) => add(&mut self.cash, movement.currency, taken)?,
                }
            }
        }
        Ok(())
    }
}

/// Whether anything of a line is left, or strategies that cancel out.
fn is_left(position: &Position, held: &[Held]) -> bool {
    !position.quantity.is_zero() || !held.is_empty()
}

fn by_strategy(subs: &SubPositions) -> Vec<Held> {
    let held = subs.iter().filter(|(_, sub)| !sub.position.quantity.is_zero());
    held.map(|(strategy, sub)| (strategy.clone(), (sub.position.quantity, sub.position.cost))).collect()
}

fn add(amounts: &mut BTreeMap<Currency, Amount>, currency: Currency, amount: Amount) -> Result<(), FixedError> {
    let sum = amounts.entry(currency).or_default();
    *sum = sum.checked_add(amount)?;
    Ok(())
}

fn is_later(booking: &Booking, cut: &DayCut) -> bool {
    match booking {
        Booking::Payment(payment) => payment.at >= cut.at,
        _ => booking.date() > cut.date,
    }
}

/// Whether the dividend that a payment has settled was earned by that day.
fn stood(portfolio: &Portfolio, payment: &Payment, earned: &Earned, day: Date) -> bool {
    let actions = payment.of.and_then(|of| portfolio.actions.get(&of.instrument));
    actions.and_then(|actions| actions.find(&earned.action)).is_none_or(|line| line.action.ex_date <= day)
}

/// The lines that are not what they were on that day, each with the actions that stood then.
fn later_lines(portfolio: &Portfolio, day: Date) -> BTreeMap<InstrumentIx, Vec<LineAction>> {
    let booked = portfolio.lines.all().iter().filter(|line| line.newest > Some(day)).map(|line| line.instrument);
    let acted = portfolio.actions.iter().filter(|(_, actions)| actions.followed.iter().any(|line| line.action.ex_date > day));
    let followed = |instrument: &InstrumentIx| portfolio.actions.get(instrument).map_or(&[][..], |actions| &actions.followed);
    let stood = |instrument: InstrumentIx| {
        let then = followed(&instrument).iter().filter(|line| line.action.ex_date <= day);
        (instrument, then.cloned().collect())
    };
    booked.chain(acted.map(|(instrument, _)| *instrument)).map(stood).collect()
}

/// The lines that are folded again.
struct Lines<'a> {
    portfolio: &'a Portfolio,
    day: Date,
    lines: BTreeMap<InstrumentIx, Vec<LineAction>>,
}

/// A line with all that is booked, and with what was booked by the day.
struct Both<'a> {
    all: Folding<'a>,
    then: Folding<'a>,
}

impl Lines<'_> {
    /// What all of them have done since, dividends apart; `asof` is told what they held.
    fn fold(&self, asof: &mut AsOf) -> Result<Effect, Untold> {
        let (portfolio, mut later) = (self.portfolio, Effect::default());
        let mut folds: BTreeMap<InstrumentIx, Both<'_>> = BTreeMap::new();
        let wanted = |line: Option<InstrumentIx>| line.is_none_or(|line| self.lines.contains_key(&line));
        let first = portfolio.history.first(&portfolio.changes);
        for (line, Kept { before, booking, .. }) in portfolio.history.lines_from(&portfolio.changes, first, wanted) {
            let Some(line) = line else {
                self.exchange(booking.as_ref(), &mut later)?;
                continue;
            };
            if let std::collections::btree_map::Entry::Vacant(new) = folds.entry(line) {
                new.insert(self.start(line, before.ok_or(Untold::LetGo)?)?);
            }
            if let (Some(both), Some(booking)) = (folds.get_mut(&line), booking) {
                both.book(&booking, self.day, &mut later)?;
            }
        }
        for line in self.lines.keys() {
            let both = match folds.remove(line) {
                Some(both) => both,
                None => self.start(*line, self.unfolded(*line))?,
            };
            let then = both.end(&mut later)?;
            let (folded, stands) = (both.all.end(|_, _| Ok(()))?.position, portfolio.lines.holding(*line).position);
            if (folded.quantity, folded.cost) != (stands.quantity, stands.cost) {
                return Err(Untold::Differs);
            }
            asof.held.insert(*line, (then.position.quantity, then.position.cost));
            asof.strategies.remove(line);
            let held = by_strategy(&then.subs);
            asof.strategies.extend((!then.subs.is_empty() && is_left(&then.position, &held)).then_some((*line, held)));
        }
        asof.held.retain(|_, (quantity, _)| !quantity.is_zero());
        Ok(later)
    }

    /// A line from what it held on.
    fn start(&self, line: InstrumentIx, before: Holding) -> Result<Both<'_>, Untold> {
        if before.newest > Some(self.day) {
            return Err(Untold::LetGo);
        }
        let method = self.portfolio.method;
        let all = self.portfolio.actions.get(&line).map_or(&[][..], |actions| &actions.followed);
        let then = self.lines.get(&line).map_or(&[][..], |then| then);
        Ok(Both { all: Folding::new(before.clone(), all, method), then: Folding::new(before, then, method) })
    }

    /// What a line holds without the actions that nothing has followed.
    fn unfolded(&self, line: InstrumentIx) -> Holding {
        let unsplit = self.portfolio.actions.get(&line).and_then(|actions| actions.unsplit.clone());
        unsplit.unwrap_or_else(|| self.portfolio.lines.holding(line))
    }

    fn exchange(&self, booking: Option<&Booking>, later: &mut Effect) -> Result<(), FixedError> {
        let Some(booking) = booking.filter(|booking| booking.date() > self.day) else { return Ok(()) };
        later.add(&Holding::default().book(booking, self.portfolio.method)?, 1)
    }
}

impl Both<'_> {
    fn book(&mut self, booking: &Booking, day: Date, later: &mut Effect) -> Result<(), FixedError> {
        self.all.settle(booking.date(), |line, effect| split(line, effect, later, 1))?;
        let done = self.all.book(booking, |_, _| Ok(()))?;
        later.add(&done, 1)?;
        if booking.date() <= day {
            self.then.settle(booking.date(), |line, effect| split(line, effect, later, -1))?;
            let done = self.then.book(booking, |_, _| Ok(()))?;
            later.add(&done, -1)?;
        }
        Ok(())
    }

    /// What was held then, with the actions that no booking had followed.
    fn end(&self, later: &mut Effect) -> Result<Holding, FixedError> {
        self.all.end(|line, effect| split(line, effect, later, 1))?;
        self.then.end(|line, effect| split(line, effect, later, -1))
    }
}

/// What a split does counts; what a dividend has come to is kept with its line.
fn split(line: &LineAction, effect: &Effect, later: &mut Effect, sign: i128) -> Result<(), FixedError> {
    if line.action.ratio().is_some() { later.add(effect, sign) } else { Ok(()) }
}
