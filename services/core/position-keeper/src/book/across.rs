//! The booking of something into a line whose instrument was split, while that still makes a difference: dated
//! before an ex-date, or the first of one. All other bookings do not come here.

use super::action::LineActions;
use super::booking::Booking;
use super::execution::Effect;
use super::fold::Folding;
use super::holding::Holding;
use super::orders::Executed;
use super::portfolio::Portfolio;
use super::trade::Planned;
use super::trouble::Trouble;
use crate::prices::{InstrumentIx, Market};
use domain::enums::EntryKind;
use domain::ledger::LedgerEntry;
use domain::{Date, OrderId};

/// What such a booking changes beside what every booking does.
#[derive(Debug, Clone)]
pub struct Across {
    /// The actions of the line after it.
    pub actions: LineActions,
    /// What the line held before it, without the actions that it stands before.
    pub before: Holding,
    /// What the line holds after it.
    pub holding: Holding,
    /// What those actions do now, less what they did.
    pub later: Effect,
    /// What the ledger says of that.
    pub entry: Option<LedgerEntry>,
}

/// What a booking brings along.
pub struct Papers {
    /// When its cash settles, where that lies ahead.
    pub settles: Option<Date>,
    /// The order after it, where it fills one.
    pub order: Option<(OrderId, Executed)>,
}

/// Whether actions make a difference to a booking of that date.
#[inline]
pub fn concern(portfolio: &Portfolio, market: &Market, instrument: InstrumentIx, date: Date) -> bool {
    let own =
        if portfolio.actions.is_empty() { None } else { portfolio.actions.get(&instrument).and_then(|actions| actions.followed.last()) };
    let Some(latest) = market.slot(instrument).actions.latest().max(own.map(|line| line.action.ex_date)) else { return false };
    let newest = portfolio.lines.find(instrument).and_then(|place| portfolio.lines.at(place).newest);
    date < latest || newest < Some(latest)
}

/// Plans it; `told` makes the ledger entry of a kind and an effect.
#[inline(never)]
pub fn plan(
    portfolio: &Portfolio,
    market: &Market,
    (instrument, booking): (InstrumentIx, Booking),
    papers: Papers,
    told: impl Fn(EntryKind, &Effect) -> LedgerEntry,
) -> Result<Planned, Trouble> {
    let mut actions = match portfolio.actions.get(&instrument) {
        Some(actions) => actions.clone(),
        None => LineActions::of(market, instrument, portfolio),
    };
    let before = actions.unsplit.take().unwrap_or_else(|| portfolio.lines.holding(instrument));
    let mut folding = Folding::new(before.clone(), &actions.followed, portfolio.method);
    let mut later = Effect::default();
    folding.end(|_, effect| later.add(effect, -1))?;
    folding.settle(booking.date(), |_, effect| later.add(effect, 1))?;
    let mut own = folding.book(&booking, |_, effect| later.add(effect, 1))?;
    let holding = folding.end(|_, effect| later.add(effect, 1))?;
    let unsplit = folding.floating().next().is_some().then(|| folding.holding.clone());
    actions.unsplit = unsplit;
    // In today's units it comes to that.
    own.take_units(&mut later)?;
    portfolio.cash.check(&own.movements, papers.settles)?;
    portfolio.cash.check(&later.movements, None)?;
    portfolio.receivables.check(&later.owed()?, None)?;
    let place = portfolio.lines.find(instrument);
    if let Some(line) = place.map(|place| portfolio.lines.at(place)) {
        own.charges.iter().try_for_each(|(currency, amount)| line.fees.check(*currency, *amount))?;
    }
    own.check_told()?;
    later.check_told()?;
    let entry = (!later.is_nothing()).then(|| super::amend::restated(told(EntryKind::Restate, &later)));
    Ok(Planned {
        position: Some((instrument, place, holding.position)),
        lots: None,
        subs: None,
        settles: papers.settles,
        sums: portfolio.sums.plus(&own.change)?.plus(&later.change)?,
        order: papers.order,
        effect: own,
        kept: booking,
        across: Some(Box::new(Across { actions, before, holding, later, entry })),
    })
}
